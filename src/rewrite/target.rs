//! Joins base path and remainder as bytes, because a URL type would normalise them.

use std::borrow::Cow;

use bytes::Bytes;
use http::uri::PathAndQuery;

use crate::address::{MAX_TARGET_SIZE, Target, missing_in};
use crate::error::Error;

/// Joins the paths with a single slash, and the queries with the default query first. A parameter of the default query isn't sent if the
/// caller sends a parameter of that name.
///
/// # Errors
///
/// If the target becomes too long.
pub(crate) fn join(
    base_path: &str,
    default_query: Option<&str>,
    target: &Target<'_>,
) -> Result<PathAndQuery, Error> {
    let path = target.path();
    let base_path = if path.is_empty() {
        base_path
    } else {
        base_path.strip_suffix('/').unwrap_or(base_path)
    };
    let root = if base_path.is_empty() && path.is_empty() {
        "/"
    } else {
        ""
    };
    // With a default query, a `?` without a query isn't kept.
    let own = match default_query {
        Some(_) => target.query().filter(|query| !query.is_empty()),
        None => target.query(),
    };
    let default_query = match (default_query, own) {
        (Some(default), Some(own)) => missing_in(default, own),
        (default, _) => default.map(Cow::Borrowed),
    };
    let default_query = default_query.as_deref();
    let path = [base_path, path, root].into_iter();
    let queries = [default_query, own].into_iter().flatten();
    let length = path.clone().map(str::len).sum::<usize>()
        + queries.clone().map(|query| 1 + query.len()).sum::<usize>();
    // Allocated at its final size, so that the conversion to `Bytes` needs no further allocation.
    let mut joined = Vec::with_capacity(length);
    for part in path {
        joined.extend_from_slice(part.as_bytes());
    }
    for (separator, query) in [b'?', b'&'].into_iter().zip(queries) {
        joined.push(separator);
        joined.extend_from_slice(query.as_bytes());
    }
    if joined.len() > MAX_TARGET_SIZE {
        return Err(Error::bad_address("the target is longer than 65,534 bytes"));
    }
    PathAndQuery::from_maybe_shared(Bytes::from(joined)).map_err(|_| {
        Error::bad_address("path and query contain characters that a request target can't contain")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, PathEncoding};

    fn joined(base: &str, default: Option<&str>, target: &str) -> Option<String> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = format!("/c{path}");
        let address = Address::cut(&path, query).ok()?;
        let target = address.target(PathEncoding::Auto).ok()?;
        join(base, default, &target)
            .ok()
            .map(|target| target.to_string())
    }

    #[test]
    fn there_is_one_slash_at_the_seam() {
        for (base, target, expected) in [
            ("/v2", "/x", "/v2/x"),
            ("/v2/", "/x", "/v2/x"),
            ("/v2", "//x", "/v2//x"),
            ("/v2", "", "/v2"),
            ("/v2/", "", "/v2/"),
            ("/v2", "/", "/v2/"),
            ("", "", "/"),
            ("", "?a", "/?a"),
            ("/", "/", "/"),
        ] {
            assert_eq!(
                joined(base, None, target).as_deref(),
                Some(expected),
                "{base} {target}"
            );
        }
    }

    #[test]
    fn the_default_query_comes_first() {
        assert_eq!(
            joined("", Some("v=3"), "/x?a=1").as_deref(),
            Some("/x?v=3&a=1")
        );
        assert_eq!(joined("", Some("v=3"), "/x").as_deref(), Some("/x?v=3"));
        assert_eq!(joined("", Some("v=3"), "/x?").as_deref(), Some("/x?v=3"));
        assert_eq!(joined("", None, "/x?").as_deref(), Some("/x?"));
    }

    #[test]
    fn the_callers_parameter_replaces_the_default_parameter_of_its_name() {
        for (default, target, expected) in [
            ("v=3", "/x?v=4", "/x?v=4"),
            ("v=3&w=1", "/x?a&v=4", "/x?w=1&a&v=4"),
            ("v=3&w=1", "/x?a&v", "/x?w=1&a&v"),
            ("v=3&v=5", "/x?%76=4", "/x?%76=4"),
            ("api-version=1", "/x?api%2Dversion=2", "/x?api%2Dversion=2"),
            ("a%20b=1", "/x?a+b=2", "/x?a+b=2"),
            ("a+b=1", "/x?a%20b=2", "/x?a%20b=2"),
            // Names are case-sensitive, and a value isn't a name.
            ("v=3", "/x?V=4", "/x?v=3&V=4"),
            ("v=3", "/x?a=v&vv=1", "/x?v=3&a=v&vv=1"),
            ("v=3", "/x?&", "/x?v=3&&"),
        ] {
            assert_eq!(
                joined("", Some(default), target).as_deref(),
                Some(expected),
                "{default} {target}"
            );
        }
    }

    #[test]
    fn bytes_stay() {
        let target = "/a%2Fb%20c+%25/%zz/%FF;v=1//?a=1+2&&b[]=%zz";
        assert_eq!(joined("", None, target).as_deref(), Some(target));
    }
}
