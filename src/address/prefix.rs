//! The mount's own prefix, stripped by whole segments of the raw path.

use std::fmt;
use std::sync::Arc;

/// The path under which a mount lies: `/passthrough`, or nothing for the root. Cloning is one
/// increment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix(Arc<str>);

/// The text can't be a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrefixError;

impl Prefix {
    /// A prefix of whole segments; a `/` at its end is taken off.
    ///
    /// # Errors
    ///
    /// If it doesn't begin with `/`, or holds a `?`, a `#`, a blank or a control.
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

    /// What of `path` is left behind the prefix; `None` if it lies elsewhere.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&*self.0)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a prefix begins with `/` and holds neither query, fragment, blanks nor controls",
        )
    }
}

impl std::error::Error for PrefixError {}

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
}
