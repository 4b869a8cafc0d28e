//! Removes parameters from the request's target, and adds parameters to it.

use std::borrow::Cow;

use crate::address::without;
use crate::auth::{AuthError, AuthRequest};
use crate::encoding::percent::encode;

/// Removes the parameters with those decoded names.
pub(crate) fn drop_parameters<'a>(
    request: &mut AuthRequest<'_>,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), AuthError> {
    let Some(query) = request.uri().query() else {
        return Ok(());
    };
    let mut kept = Some(Cow::Borrowed(query));
    for name in names {
        kept = match kept {
            Some(Cow::Owned(query)) => without(&query, name).map(Cow::into_owned).map(Cow::Owned),
            Some(Cow::Borrowed(query)) => without(query, name),
            None => None,
        };
    }
    if kept.as_deref() == Some(query) {
        return Ok(());
    }
    let path = request.uri().path();
    let mut target = Vec::with_capacity(path.len() + 1 + query.len());
    target.extend_from_slice(path.as_bytes());
    if let Some(kept) = kept {
        target.push(b'?');
        target.extend_from_slice(kept.as_bytes());
    }
    request.set_path_and_query(target)
}

/// Adds parameters after the existing parameters.
pub(crate) fn add_parameters(
    request: &mut AuthRequest<'_>,
    added: &[(&str, &[u8])],
) -> Result<(), AuthError> {
    let path = request.uri().path();
    let query = request.uri().query().filter(|query| !query.is_empty());
    // Each byte may become three bytes. Allocated at that size, because a buffer that grows would leave copies of
    // secrets behind.
    let room: usize = added
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let room = path.len() + query.map_or(0, str::len) + room + 1;
    let mut target = Vec::with_capacity(room);
    target.extend_from_slice(path.as_bytes());
    let mut separator = b'?';
    if let Some(query) = query {
        target.push(separator);
        target.extend_from_slice(query.as_bytes());
        separator = b'&';
    }
    for (name, value) in added {
        target.push(separator);
        encode(name.as_bytes(), &mut |part| target.extend_from_slice(part));
        target.push(b'=');
        encode(value, &mut |part| target.extend_from_slice(part));
        separator = b'&';
    }
    request.set_path_and_query(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the URI of a request after `change`.
    fn changed(
        target: &str,
        change: impl FnOnce(&mut AuthRequest<'_>) -> Result<(), AuthError>,
    ) -> Option<String> {
        let uri = format!("https://v.test{target}");
        let request = http::Request::builder().uri(uri).body(()).ok()?;
        let (mut head, ()) = request.into_parts();
        change(&mut AuthRequest::new(&mut head)).ok()?;
        Some(head.uri.to_string())
    }

    #[test]
    fn parameters_go_by_their_decoded_names() {
        for (target, expected) in [
            ("/x", "/x"),
            ("/x?", "/x?"),
            ("/x?c=1&d=%zz", "/x?c=1&d=%zz"),
            ("/x?a=1&b=2&%61=3&c", "/x?c"),
            ("/x?a=1&b", "/x"),
        ] {
            let kept = changed(target, |request| {
                drop_parameters(request, ["a", "b"].into_iter())
            });
            assert_eq!(kept, Some(format!("https://v.test{expected}")));
        }
    }

    #[test]
    fn parameters_are_added_at_the_end() {
        for (target, expected) in [
            ("/x", "/x?a=%20&b%26=2"),
            ("/x?", "/x?a=%20&b%26=2"),
            ("/x?c=%zz", "/x?c=%zz&a=%20&b%26=2"),
        ] {
            let added = changed(target, |request| {
                add_parameters(request, &[("a", b" "), ("b&", b"2")])
            });
            assert_eq!(added, Some(format!("https://v.test{expected}")));
        }
    }
}
