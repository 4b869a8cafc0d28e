//! The methods and paths that a caller may use.
//!
//! Rules: `docs/rules/security.md#3-callers-and-tenants`.

use std::sync::Arc;

use http::Method;

use crate::encoding::readings::all_readings;

/// The methods and paths that a caller may use. Cloning increments at most two reference counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    methods: Option<Arc<[Method]>>,
    paths: Option<Arc<[Box<str>]>>,
    /// `None` if the methods decide.
    websockets: Option<bool>,
}

impl Scope {
    /// Returns the scope with every method and every path.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            methods: None,
            paths: None,
            websockets: None,
        }
    }

    /// Limits the scope to these methods.
    ///
    /// Header fields and query parameters that override the method (`X-HTTP-Method-Override`, `_method`) are then removed. A body isn't
    /// read, so a parameter in a form isn't seen. WebSockets are refused unless [`websockets`](Self::websockets) allows them.
    ///
    /// Default: every method.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = Some(methods.into_iter().collect());
        self
    }

    /// Sets whether the caller may open WebSockets. The handshake is a GET, so `GET` must be allowed as well. Default: `true` if the scope
    /// doesn't limit methods, and otherwise `false`, because a caller writes through a WebSocket.
    #[must_use]
    pub const fn websockets(mut self, allow: bool) -> Self {
        self.websockets = Some(allow);
        self
    }

    /// Limits the scope to paths below the base URL that match one of these patterns.
    ///
    /// In a pattern, `*` matches any characters, including `/`: `crm/v3/*`.
    ///
    /// A path is checked in every way in which the servers on its way may read the path, one after the other: decoded once or twice, with
    /// dot segments resolved or kept, with empty segments kept or merged, with path parameters kept or removed, in every order. The path is
    /// refused unless the scope permits all of these forms. It is also refused if an encoded slash in a segment is followed by dot segments
    /// that leave the segment. A `__domain` that changes the base path is refused as well, and fields that override the path
    /// (`X-Original-URL`) are removed.
    ///
    /// A request that names a second path in `X-Amz-Copy-Source`, `X-Copy-From`, `X-Goog-Copy-Source`, `X-Ms-Copy-Source`, or in a
    /// `Destination` that [`rewrite_links`](crate::PassthroughBuilder::rewrite_links) hasn't translated, is refused.
    ///
    /// Default: every path.
    #[must_use]
    pub fn paths<P: AsRef<str>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        let relative = |pattern: P| {
            let pattern = pattern.as_ref();
            Box::from(pattern.strip_prefix('/').unwrap_or(pattern))
        };
        self.paths = Some(patterns.into_iter().map(relative).collect());
        self
    }

    pub(crate) fn permits_method(&self, method: &Method) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.contains(method))
    }

    /// Returns `true` if the scope contains the path, which is empty or begins with `/`.
    pub(crate) fn permits_path(&self, path: &str) -> bool {
        self.paths.as_ref().is_none_or(|patterns| {
            all_readings(path, |reading| {
                patterns
                    .iter()
                    .any(|pattern| matches(pattern.as_bytes(), reading))
            })
        })
    }

    pub(crate) fn permits_websockets(&self) -> bool {
        self.websockets.unwrap_or(self.methods.is_none())
    }

    pub(crate) fn limits_methods(&self) -> bool {
        self.methods.is_some()
    }

    pub(crate) fn limits_paths(&self) -> bool {
        self.paths.is_some()
    }
}

/// Returns `true` if `text` matches a pattern in which `*` matches any bytes. A single pass suffices, because each piece may be taken where
/// it first fits.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|&byte| byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let Some(found) = rest.windows(piece.len()).position(|window| window == piece) else {
            return false;
        };
        rest = rest.get(found + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("crm/v3/*", "crm/v3/a/b"),
            ("*", ""),
            ("a*c*e", "abcde"),
            ("a*", "a"),
            ("a", "a"),
            ("*/x", "a/b/x"),
            ("a**b", "ab"),
        ] {
            assert!(
                matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in [
            ("crm/v3/*", "crm/v3"),
            ("a", "ab"),
            ("a*a", "a"),
            ("a*c", "ab"),
            ("", "a"),
            ("*x*", "abc"),
            ("ab*ba", "aba"),
        ] {
            assert!(
                !matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn all_is_everything_and_nothing_is_nothing() {
        assert!(Scope::all().permits_path("/x") && Scope::all().permits_method(&Method::DELETE));
        let nothing = Scope::all().methods([]).paths::<&str>([]);
        assert!(!nothing.permits_path("/x") && !nothing.permits_method(&Method::GET));
    }

    #[test]
    fn a_websocket_needs_a_grant_of_its_own_where_methods_are_limited() {
        assert!(Scope::all().permits_websockets());
        assert!(Scope::all().paths(["*"]).permits_websockets());
        assert!(!Scope::all().websockets(false).permits_websockets());
        let reads = Scope::all().methods([Method::GET]);
        assert!(!reads.permits_websockets());
        assert!(reads.websockets(true).permits_websockets());
    }
}
