//! Joins base path and remainder as bytes, because a URL type would normalise them.

use bytes::Bytes;
use http::uri::PathAndQuery;

use crate::address::{MAX_TARGET_SIZE, Target};
use crate::error::Error;

/// Joins the paths with a single slash, and the queries with the base URL's query first.
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
    fn bytes_stay() {
        let target = "/a%2Fb%20c+%25/%zz/%FF;v=1//?a=1+2&&b[]=%zz";
        assert_eq!(joined("", None, target).as_deref(), Some(target));
    }
}
