//! The mount: its prefix, stripped by whole segments of the raw path, and the request target before a router stripped
//! it.

use std::fmt;
use std::sync::Arc;

use http::Uri;

use crate::error::Error;

/// The path of a mount: `/passthrough`, or empty for the root. Cloning increments a reference count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix {
    text: Arc<str>,
    /// `true` if a segment in braces stands for any segment.
    has_parameters: bool,
}

/// The error of a text that isn't valid as the path of a mount: it doesn't begin with `/`, or contains a `?`, a `#`, a
/// blank, a control character, or a brace that isn't around a whole segment. It's returned when the service is built, so it's a mistake in the code or in the
/// configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrefixError;

impl Prefix {
    /// Returns a prefix of whole segments. A `/` at its end is removed.
    ///
    /// # Errors
    ///
    /// If it doesn't begin with `/`, or contains a `?`, a `#`, a blank, a control character, or a brace that isn't around a
    /// whole segment.
    pub(crate) fn new(prefix: &str) -> Result<Self, PrefixError> {
        let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
        let unfit = |byte: u8| {
            byte.is_ascii_whitespace() || byte.is_ascii_control() || b"?#".contains(&byte)
        };
        if trimmed.bytes().any(unfit) || !(trimmed.is_empty() || trimmed.starts_with('/')) {
            return Err(PrefixError);
        }
        let has_parameters = trimmed.contains(['{', '}']);
        let is_valid = |segment| is_parameter(segment) || !segment.contains(['{', '}']);
        if has_parameters && !trimmed.split('/').all(is_valid) {
            return Err(PrefixError);
        }
        Ok(Self {
            text: trimmed.into(),
            has_parameters,
        })
    }

    /// Returns the part of `path` after the prefix, or `None` if the path isn't below the prefix.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.has_parameters {
            return self.strip_segments(path);
        }
        path.strip_prefix(&*self.text)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the part of the URI's path after the prefix.
    ///
    /// # Errors
    ///
    /// If the path isn't below the prefix.
    pub(super) fn below<'a>(&self, uri: &'a Uri) -> Result<&'a str, Error> {
        let path = uri.path();
        self.strip(path).ok_or_else(|| match path.starts_with('/') {
            true => Error::bad_address("the path is outside of the mount"),
            // `CONNECT host:443` and `OPTIONS *`.
            false => super::no_path(),
        })
    }

    fn strip_segments<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut rest = path;
        for segment in self.text.split('/').skip(1) {
            let after = rest.strip_prefix('/')?;
            let (found, behind) = after.split_at_checked(after.find('/').unwrap_or(after.len()))?;
            let fits = match is_parameter(segment) {
                true => !found.is_empty(),
                false => found == segment,
            };
            rest = Some(behind).filter(|_| fits)?;
        }
        Some(rest)
    }
}

/// Returns `true` for a name in braces.
fn is_parameter(segment: &str) -> bool {
    let name = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}', '*']))
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a prefix must begin with `/`, and must not contain a query, a fragment, blanks, control characters, or braces around a part of a segment",
        )
    }
}

impl std::error::Error for PrefixError {}

/// Returns the original request target, before a router removed the mount. That is `original` if it ends with the path
/// that the router left, and otherwise `left`.
pub(crate) fn original_target(left: Uri, original: Option<&Uri>) -> Uri {
    match original.filter(|original| ends_in(original, &left)) {
        Some(original) => original.clone(),
        None => left,
    }
}

/// Compares without the first slash, which a router may have removed: `/p/c` and `/p/c/` both become `/` after a mount
/// at `/p/{id}`.
fn ends_in(original: &Uri, left: &Uri) -> bool {
    let tail = left.path().strip_prefix('/').unwrap_or(left.path());
    original.path().ends_with(tail) && original.query() == left.query()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_match_whole_segments() {
        let prefix = Prefix::new("/p/").unwrap_or_default();
        assert_eq!(prefix.strip("/p/c/x"), Some("/c/x"));
        assert_eq!(prefix.strip("/p"), Some(""));
        assert_eq!(prefix.strip("/px/c"), None);
        assert_eq!(prefix.strip("/c/p/x"), None);
    }

    #[test]
    fn the_root_is_a_prefix_of_all() {
        assert_eq!(Prefix::default().strip("/c/x"), Some("/c/x"));
        assert_eq!(Prefix::new("p"), Err(PrefixError));
        assert_eq!(Prefix::new("/a?b"), Err(PrefixError));
    }

    #[test]
    fn a_segment_in_braces_stands_for_any_segment() {
        let prefix = Prefix::new("/t/{tenant}/p").unwrap_or_default();
        for (path, rest) in [
            ("/t/acme/p/c/x", Some("/c/x")),
            ("/t/a%2Fb/p", Some("")),
            ("/t/{tenant}/p/c", Some("/c")),
            ("/t//p/c", None),
            ("/t/acme", None),
            ("/t/acme/px", None),
            ("/t/a/b/p/c", None),
            ("/x/acme/p/c", None),
        ] {
            assert_eq!(prefix.strip(path), rest, "{path}");
        }
        for text in [
            "/t/{tenant",
            "/t/x{tenant}",
            "/{}",
            "/{*rest}",
            "/{a}{b}",
            "/}",
        ] {
            assert_eq!(Prefix::new(text), Err(PrefixError), "{text}");
        }
    }

    fn chosen(left: &'static str, original: &'static str) -> String {
        original_target(Uri::from_static(left), Some(&Uri::from_static(original))).to_string()
    }

    #[test]
    fn the_original_counts_if_the_rest_is_its_end() {
        for (left, original) in [
            ("/", "/p/c"),
            ("/", "/p/c/"),
            ("/x", "/p/c//x"),
            ("/x?a=1", "/p/c/x?a=1"),
        ] {
            assert_eq!(chosen(left, original), original);
        }
    }

    #[test]
    fn a_rewritten_target_is_kept() {
        for (left, original) in [("/y", "/p/c/x"), ("/x?a=1", "/p/c/x"), ("/x", "/p/c/x?a=1")] {
            assert_eq!(chosen(left, original), left);
        }
    }
}
