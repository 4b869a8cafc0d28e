//! The head of a request, as a scheme reads and changes it.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use foldhash::quality::RandomState;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri};
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::AuthError;
use super::header::{authenticates_connection, is_framing};
use crate::address::{MAX_TARGET_SIZE, Pairs};
use crate::encoding::percent::decode;

/// The head of a request to which a scheme adds a credential: all of it can be read, and fields and the query can be set.
///
/// A field that a scheme sets replaces the caller's field, in every spelling of the name (`_` counts as `-`, because CGI, WSGI and
/// PHP don't distinguish the two), in headers and in trailers. A query parameter that a scheme adds replaces the caller's parameters of
/// that decoded name. Both are so whether the scheme [announces](super::Requirements) the name or not. The destination can't be changed:
/// scheme, host and port have already been checked. Fields that frame or route a message (`Host`, `Content-Length`, `Connection`, ...)
/// can't be changed either: an attempt has no effect.
#[derive(Debug)]
pub struct AuthRequest<'a> {
    head: &'a mut Parts,
    /// The fields that a scheme has set.
    fields: SmallVec<[HeaderName; 2]>,
    /// A scheme has set a credential that authenticates the network connection.
    authenticates_connection: bool,
}

impl<'a> AuthRequest<'a> {
    /// Returns the request with that head, to call a scheme directly. The URI must be absolute.
    #[must_use]
    pub fn new(head: &'a mut Parts) -> Self {
        Self {
            head,
            fields: SmallVec::new(),
            authenticates_connection: false,
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

    /// Returns the fields that are sent. `Host` is the first field, with the destination's authority.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Sets a field. It replaces the caller's fields of that name, and values that a scheme has set before.
    pub fn insert_header(&mut self, name: HeaderName, value: HeaderValue) {
        if is_framing(&name) {
            return;
        }
        self.drop_other_spellings(&name);
        self.look_at(&name, &value);
        // The insertion only fails for a head of 32,768 fields, which hyper's server doesn't accept.
        let _ = self.head.headers.try_insert(name.clone(), value);
        self.note(name);
    }

    /// Adds a value to a field. It replaces the caller's fields of that name, but not the values that a scheme has set before.
    pub fn append_header(&mut self, name: HeaderName, value: HeaderValue) {
        if !self.fields.contains(&name) {
            return self.insert_header(name, value);
        }
        self.look_at(&name, &value);
        // The insertion only fails for a head of 32,768 fields, which hyper's server doesn't accept.
        let _ = self.head.headers.try_append(name, value);
    }

    /// Removes a field, in every spelling of its name.
    pub fn remove_header(&mut self, name: &HeaderName) {
        if is_framing(name) {
            return;
        }
        self.drop_other_spellings(name);
        self.head.headers.remove(name);
        // Recorded, so that the caller's trailers can't add the field again.
        self.note(name.clone());
    }

    /// Sets path and query. Of a parameter that `target` has and the present query doesn't have, all other pairs are removed that are in the
    /// present query, because they are the caller's.
    ///
    /// Their memory is overwritten when the request is dropped, so they may contain a secret. Build `target` with its final capacity,
    /// so that no copy remains in memory.
    ///
    /// # Errors
    ///
    /// [`AuthError::TooLong`] if it is longer than 65,534 bytes; [`AuthError::InvalidHeaderValue`] if it isn't a valid path and
    /// query.
    pub fn set_path_and_query(&mut self, target: Vec<u8>) -> Result<(), AuthError> {
        let target = Zeroizing::new(target);
        match without_callers_pairs(self.head.uri.query().unwrap_or_default(), &target) {
            Some(target) => set_target(&mut self.head.uri, target),
            None => set_target(&mut self.head.uri, target),
        }
    }

    /// Returns the fields that schemes have set.
    pub(crate) fn into_fields(self) -> SmallVec<[HeaderName; 2]> {
        self.fields
    }

    /// Returns `true` if a scheme has set a credential that authenticates the network connection, such as `Negotiate`.
    pub(crate) fn authenticates_connection(&self) -> bool {
        self.authenticates_connection
    }

    #[inline]
    fn look_at(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == AUTHORIZATION {
            self.authenticates_connection |= authenticates_connection(value.as_bytes());
        }
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

/// Returns `target` without the pairs of `old` whose decoded name is the name of a pair that only `target` has, or `None` if there are no
/// such pairs.
fn without_callers_pairs(old: &str, target: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if old.is_empty() {
        return None;
    }
    let (path, query) = std::str::from_utf8(target).ok()?.split_once('?')?;
    // Most schemes add one pair at the end, and few callers send a pair of that name.
    let appended = query.strip_prefix(old);
    if let Some(pair) = appended.and_then(|rest| rest.strip_prefix('&')) {
        let name = decoded_name(pair);
        if !pair.contains('&') && !Pairs::new(old).any(|pair| decoded_name(pair) == name) {
            return None;
        }
    }
    // Equal pairs count as the caller's as often as the caller has sent them.
    let count = || {
        let mut callers: HashMap<&str, usize, RandomState> = HashMap::default();
        for pair in Pairs::new(old) {
            *callers.entry(pair).or_default() += 1;
        }
        callers
    };
    let take = |callers: &mut HashMap<&str, usize, RandomState>, pair: &str| {
        let left = callers.get_mut(pair).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    };
    let mut callers = count();
    let mut added: SmallVec<[Cow<'_, [u8]>; 4]> = SmallVec::new();
    for pair in Pairs::new(query).filter(|pair| !pair.is_empty()) {
        if !take(&mut callers, pair) {
            let name = decoded_name(pair);
            if !added.contains(&name) {
                added.push(name);
            }
        }
    }
    let mut callers = count();
    let mut kept = Zeroizing::new(Vec::with_capacity(target.len()));
    kept.extend_from_slice(path.as_bytes());
    let mut separator = b'?';
    let mut has_removed = false;
    for pair in Pairs::new(query) {
        if take(&mut callers, pair) && added.contains(&decoded_name(pair)) {
            has_removed = true;
            continue;
        }
        kept.push(separator);
        kept.extend_from_slice(pair.as_bytes());
        separator = b'&';
    }
    has_removed.then_some(kept)
}

fn decoded_name(pair: &str) -> Cow<'_, [u8]> {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    decode(name.as_bytes())
}

/// Replaces path and query with `target`, which is wiped when the request is dropped.
fn set_target(uri: &mut Uri, target: Zeroizing<Vec<u8>>) -> Result<(), AuthError> {
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

    fn target(old: &str, new: &str) -> Option<String> {
        let kept = without_callers_pairs(old, new.as_bytes())?;
        String::from_utf8(kept.to_vec()).ok()
    }

    #[test]
    fn a_parameter_that_a_scheme_adds_is_all_there_is_of_that_name() {
        for (old, new, kept) in [
            ("key=forged", "/x?key=forged&key=real", Some("/x?key=real")),
            ("key=forged", "/x?key=real&key=forged", Some("/x?key=real")),
            (
                "a=1&%6Bey=forged&b&key",
                "/x?a=1&%6Bey=forged&b&key&key=real",
                Some("/x?a=1&b&key=real"),
            ),
            // The caller knows the key.
            ("key=real", "/x?key=real&key=real", Some("/x?key=real")),
            ("a=1&a=2", "/x?a=1&a=2&key=real", None),
            ("a=1&a=1&&", "/x?a=1&a=1&&&key=real", None),
            ("a=1&key=old", "/x?a=1&key=real", None),
            ("b=2&a=1", "/x?a=1&b=2", None),
            ("", "/x?key=real", None),
            ("a=1", "/x", None),
        ] {
            assert_eq!(target(old, new).as_deref(), kept, "{old} {new}");
        }
    }

    #[test]
    fn fields_that_frame_or_route_are_out_of_reach() {
        let (mut head, ()) = Request::new(()).into_parts();
        let mut request = AuthRequest::new(&mut head);
        for name in [
            "host",
            "content-length",
            "transfer_encoding",
            "connection",
            "te",
        ] {
            let name = HeaderName::from_static(name);
            request.insert_header(name.clone(), HeaderValue::from_static("1"));
            request.append_header(name.clone(), HeaderValue::from_static("1"));
            request.remove_header(&name);
        }
        assert!(request.headers().is_empty() && request.into_fields().is_empty());
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
