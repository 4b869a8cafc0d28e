//! Dot segments (RFC 3986 §5.2.4), resolved in the ways that the crate needs.
//!
//! - [`leaves_base`] only checks a path. A forwarded path keeps its dot segments, but must not leave the base path.
//! - [`normalize`] resolves a path in the way in which AWS signs it.
//!
//! [`readings`](super::readings) resolves a path in each way in which servers may read it, for scopes.
//!
//! Upstreams differ in their steps before they resolve a path: they may decode `%2F`, split at `\`, cut a segment at
//! `;` or merge `//` (Envoy CVE-2019-9901, CVE-2021-29492). So a check looks at a path in each of those views, and the
//! strictest result counts.

use super::percent::decode;

/// Returns `true` if `path` leaves its own root in any view. `decoded_twice` adds the view of an upstream that decodes
/// twice.
pub(crate) fn leaves_base(path: &str, decoded_twice: bool) -> bool {
    // A dot segment needs a dot, plain or encoded.
    let bytes = path.as_bytes();
    // A look for a single dot is cheaper, and few paths have a dot.
    let has_two_dots = || bytes.contains(&b'.') && bytes.windows(2).any(|pair| pair == b"..");
    if !bytes.contains(&b'%') && !has_two_dots() {
        return false;
    }
    if climbs_out(path.as_bytes().split(|&byte| byte == b'/'), true) {
        return true;
    }
    let decoded = decode(path.as_bytes());
    if climbs_out(decoded.split(|&byte| is_separator(byte)), false) {
        return true;
    }
    decoded_twice && climbs_out(decode(&decoded).split(|&byte| is_separator(byte)), false)
}

/// Returns `true` if `path` has a dot segment in any view, also a dot segment that stays inside.
pub(crate) fn has_dot_segments(path: &str) -> bool {
    let is_dots = |name: &[u8]| matches!(without_parameters(name), b"." | b"..");
    let decoded = decode(path.as_bytes());
    let mut literal = path
        .split('/')
        .map(|name| without_parameters(name.as_bytes()));
    literal.any(|name| is_dots(&decode(name)))
        || decoded.split(|&byte| is_separator(byte)).any(is_dots)
}

pub(super) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

pub(super) fn climbs_out<'a>(segments: impl Iterator<Item = &'a [u8]>, encoded: bool) -> bool {
    let mut depth = 0_usize;
    for segment in segments {
        let name = without_parameters(segment);
        let name = if encoded { decode(name) } else { name.into() };
        match &*name {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

/// Cuts a segment at its first `;`, as servlet containers do before they resolve.
pub(super) fn without_parameters(segment: &[u8]) -> &[u8] {
    segment
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
}

/// Resolves a path that begins with `/`, without its empty segments.
#[cfg(feature = "sigv4")]
pub(crate) fn normalize(path: &str) -> String {
    let mut kept = Vec::new();
    let mut is_folder = false;
    for name in path.split('/') {
        is_folder = matches!(name, "" | "." | "..");
        match name {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let mut normalized = String::with_capacity(path.len());
    for segment in &kept {
        normalized.push('/');
        normalized.push_str(segment);
    }
    if is_folder || kept.is_empty() {
        normalized.push('/');
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_base_in_any_view_is_seen() {
        for path in [
            "/../x",
            "/%2e%2E/x",
            "/.%2e/x",
            "/a/.%2e/..",
            "/a%2f..%2f..%2fx",
            "/a//../..",
            "/..;/admin",
            "/..;x=1/admin",
            "/..%3b/admin",
            "/a%5c..%5c..",
            "/;/..",
            "/./..",
        ] {
            assert!(leaves_base(path, false), "{path}");
        }
    }

    #[test]
    fn what_stays_inside_passes() {
        for path in [
            "/a/../b",
            "/a/..",
            "",
            "/",
            "/%252e%252e/x",
            "/...",
            "/a..b/..c",
            "/100%",
        ] {
            assert!(!leaves_base(path, false), "{path}");
        }
    }

    #[test]
    fn twice_encoded_dots_are_seen_when_asked_for() {
        assert!(leaves_base("/%252e%252e/x", true));
        assert!(leaves_base("/%252e%252e%252fx", true));
        assert!(!leaves_base("/a/%252e%252e/x", true));
    }
}
