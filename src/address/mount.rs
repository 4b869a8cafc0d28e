//! The mount: its prefix, stripped by whole segments of the raw path, and the request target before a router stripped
//! it.

use std::fmt;
use std::sync::Arc;

use http::Uri;

use crate::error::Error;

/// The path of a mount: `/passthrough`, or empty for the root. Cloning increments a reference count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix(Arc<str>);

/// The error of a text that isn't valid as the path of a mount: it doesn't begin with `/`, or contains a `?`, a `#`, a
/// blank or a control character. It's returned when the service is built, so it's a mistake in the code or in the
/// configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrefixError;

impl Prefix {
    /// Returns a prefix of whole segments. A `/` at its end is removed.
    ///
    /// # Errors
    ///
    /// If it doesn't begin with `/`, or contains a `?`, a `#`, a blank or a control character.
    pub(crate) fn new(prefix: &str) -> Result<Self, PrefixError> {
        let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
        let unfit = |byte: u8| {
            byte.is_ascii_whitespace() || byte.is_ascii_control() || b"?#".contains(&byte)
        };
        if trimmed.bytes().any(unfit) || !(trimmed.is_empty() || trimmed.starts_with('/')) {
            return Err(PrefixError);
        }
        Ok(Self(trimmed.into()))
    }

    /// Returns the part of `path` after the prefix, or `None` if the path isn't below the prefix.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&*self.0)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the part of the URI's path after the prefix.
    ///
    /// # Errors
    ///
    /// If the path isn't below the prefix.
    pub(super) fn below<'a>(&self, uri: &'a Uri) -> Result<&'a str, Error> {
        let outside = || Error::bad_address("the path is outside of the mount");
        self.strip(uri.path()).ok_or_else(outside)
    }
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a prefix must begin with `/`, and must not contain a query, a fragment, blanks or control characters",
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
