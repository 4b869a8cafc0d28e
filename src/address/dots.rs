//! Dot segments that would leave the base path (FORWARDING P6, P7).
//!
//! A vendor may decode `%2F`, split at `\`, cut at `;` or merge `//` before it resolves (Envoy
//! CVE-2019-9901, CVE-2021-29492), so a path is judged in each of those views, and the strictest
//! verdict counts.

use super::percent::decode;

/// Whether `path` sinks below its own root in any view. `twice` adds the view of a vendor that
/// decodes twice.
pub(super) fn leave_the_base(path: &str, twice: bool) -> bool {
    // A dot segment needs a dot, plain or encoded.
    if !path.contains("..") && !path.contains('%') {
        return false;
    }
    if sinks(path.as_bytes().split(|&byte| byte == b'/'), true) {
        return true;
    }
    let decoded = decode(path.as_bytes());
    if sinks(decoded.split(|&byte| is_separator(byte)), false) {
        return true;
    }
    twice && sinks(decode(&decoded).split(|&byte| is_separator(byte)), false)
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

fn sinks<'a>(segments: impl Iterator<Item = &'a [u8]>, encoded: bool) -> bool {
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

/// Servlet containers drop what follows a segment's first `;` before they resolve.
pub(super) fn without_parameters(segment: &[u8]) -> &[u8] {
    segment
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
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
            assert!(leave_the_base(path, false), "{path}");
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
            assert!(!leave_the_base(path, false), "{path}");
        }
    }

    #[test]
    fn twice_encoded_dots_are_seen_when_asked_for() {
        assert!(leave_the_base("/%252e%252e/x", true));
        assert!(leave_the_base("/%252e%252e%252fx", true));
        assert!(!leave_the_base("/a/%252e%252e/x", true));
    }
}
