//! The head of a request, as a scheme reads and changes it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri};
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::AuthError;
use crate::address::MAX_TARGET_SIZE;

/// The head of a request to which a scheme adds a credential: all of it can be read, and fields and the query can be set.
///
/// A field that a scheme sets replaces the caller's field, in every spelling of the name (`_` counts as `-`, because CGI, WSGI and
/// PHP don't distinguish the two), in headers and in trailers. The destination can't be changed: scheme, host and port have already
/// been checked.
#[derive(Debug)]
pub struct AuthRequest<'a> {
    head: &'a mut Parts,
    /// The fields that a scheme has set.
    fields: SmallVec<[HeaderName; 2]>,
}

impl<'a> AuthRequest<'a> {
    /// Returns the request with that head, to call a scheme directly. The URI must be absolute.
    #[must_use]
    pub fn new(head: &'a mut Parts) -> Self {
        Self {
            head,
            fields: SmallVec::new(),
        }
    }

    /// Returns the head in its current state.
    #[must_use]
    pub fn head(&self) -> &Parts {
        self.head
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Returns the absolute URI, with the query that is sent.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// Returns the fields that are sent, without `Host`.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Sets a field. It replaces the caller's fields of that name, and values that a scheme has set before.
    pub fn insert_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.drop_other_spellings(&name);
        // The insertion only fails for a head of 32,768 fields, which hyper's server doesn't accept.
        let _ = self.head.headers.try_insert(name.clone(), value);
        self.note(name);
    }

    /// Adds a value to a field. It replaces the caller's fields of that name, but not the values that a scheme has set before.
    pub fn append_header(&mut self, name: HeaderName, value: HeaderValue) {
        if !self.fields.contains(&name) {
            return self.insert_header(name, value);
        }
        // The insertion only fails for a head of 32,768 fields, which hyper's server doesn't accept.
        let _ = self.head.headers.try_append(name, value);
    }

    /// Removes a field, in every spelling of its name.
    pub fn remove_header(&mut self, name: &HeaderName) {
        self.drop_other_spellings(name);
        self.head.headers.remove(name);
        // Recorded, so that the caller's trailers can't add the field again.
        self.note(name.clone());
    }

    /// Sets path and query.
    ///
    /// Their memory is overwritten when the request is dropped, so they may contain a secret. Build `target` with its final capacity,
    /// so that no copy remains in memory.
    ///
    /// # Errors
    ///
    /// [`AuthError::TooLong`] if it is longer than 65,534 bytes; [`AuthError::InvalidHeaderValue`] if it isn't a valid path and
    /// query.
    pub fn set_path_and_query(&mut self, target: Vec<u8>) -> Result<(), AuthError> {
        set_target(&mut self.head.uri, target)
    }

    /// Returns the fields that schemes have set.
    pub(crate) fn into_fields(self) -> SmallVec<[HeaderName; 2]> {
        self.fields
    }

    #[inline]
    fn note(&mut self, name: HeaderName) {
        if !self.fields.contains(&name) {
            self.fields.push(name);
        }
    }

    #[inline]
    pub(super) fn drop_other_spellings(&mut self, name: &HeaderName) {
        // The field of most schemes has a single spelling.
        if *name != AUTHORIZATION {
            self.drop_spellings_other_than(name);
        }
    }

    fn drop_spellings_other_than(&mut self, name: &HeaderName) {
        let is_other = |other: &&HeaderName| {
            let (other, name) = (other.as_str().as_bytes(), name.as_str().as_bytes());
            let dash = |&byte: &u8| if byte == b'_' { b'-' } else { byte };
            other.len() == name.len()
                && other != name
                && other.iter().map(dash).eq(name.iter().map(dash))
        };
        while let Some(other) = self.head.headers.keys().find(is_other).cloned() {
            self.head.headers.remove(other);
        }
    }
}

/// Replaces path and query with `target`, which is wiped when the request is dropped.
fn set_target(uri: &mut Uri, target: Vec<u8>) -> Result<(), AuthError> {
    let target = Zeroizing::new(target);
    if target.len() > MAX_TARGET_SIZE {
        return Err(AuthError::TooLong);
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from_owner(target))
        .map_err(|_| AuthError::InvalidHeaderValue)?;
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(target);
    *uri = Uri::from_parts(parts).map_err(|_| AuthError::InvalidHeaderValue)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn what_a_scheme_sets_is_all_there_is_of_that_name() {
        let mut request = Request::new(());
        for (name, value) in [
            ("x-key", "forged"),
            ("x_key", "forged"),
            ("x-key", "again"),
            ("x-other", "stays"),
        ] {
            let name = HeaderName::from_static(name);
            request
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        let (mut head, ()) = request.into_parts();
        let mut request = AuthRequest::new(&mut head);
        let name = HeaderName::from_static("x-key");
        request.append_header(name.clone(), HeaderValue::from_static("one"));
        request.append_header(name.clone(), HeaderValue::from_static("two"));
        assert_eq!(&*request.into_fields(), std::slice::from_ref(&name));
        let sent: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        assert_eq!(
            sent,
            [
                ("x-key", &b"one"[..]),
                ("x-key", b"two"),
                ("x-other", b"stays")
            ]
        );
    }

    #[test]
    fn what_a_scheme_has_removed_can_be_set_again_and_stays_removed_from_trailers() {
        let (mut head, ()) = Request::new(()).into_parts();
        let mut request = AuthRequest::new(&mut head);
        let name = HeaderName::from_static("x-key");
        request.insert_header(name.clone(), HeaderValue::from_static("one"));
        request.remove_header(&name);
        request.append_header(name.clone(), HeaderValue::from_static("two"));
        let gone = HeaderName::from_static("x-gone");
        request.remove_header(&gone);
        assert_eq!(&*request.into_fields(), [name.clone(), gone]);
        assert_eq!(
            head.headers.get(name),
            Some(&HeaderValue::from_static("two"))
        );
    }
}
