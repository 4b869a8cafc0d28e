//! Dot segments (RFC 3986 §5.2.4), resolved in the three ways that the crate needs.
//!
//! - [`leaves_base`] only checks a path. A forwarded path keeps its dot segments, but must not leave the base path.
//! - [`all_readings`] resolves a path in each way in which an upstream may read it, for scopes.
//! - [`normalize`] resolves a path in the way in which AWS signs it.
//!
//! Upstreams differ in their steps before they resolve a path: they may decode `%2F`, split at `\`, cut a segment at
//! `;` or merge `//` (Envoy CVE-2019-9901, CVE-2021-29492). So a check looks at a path in each of those views, and the
//! strictest result counts.

use std::borrow::Cow;

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

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

fn climbs_out<'a>(segments: impl Iterator<Item = &'a [u8]>, encoded: bool) -> bool {
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
fn without_parameters(segment: &[u8]) -> &[u8] {
    segment
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
}

/// Returns `true` if `permits` holds for each reading of `path`. Readings are relative: without their leading `/`.
pub(crate) fn all_readings(path: &str, permits: impl Fn(&[u8]) -> bool) -> bool {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let plain = !path.contains(['%', ';']) && !path.contains("//") && !path.contains("/.");
    if plain {
        return permits(relative.as_bytes());
    }
    [false, true].iter().all(|&decodes_slashes| {
        [false, true].iter().all(|&cuts_parameters| {
            [false, true].iter().all(|&merges_empty| {
                let reading = Reading {
                    decodes_slashes,
                    cuts_parameters,
                    merges_empty,
                };
                permits(&reading.resolve(relative))
            })
        })
    })
}

/// The steps that an upstream takes while it resolves a path.
#[derive(Clone, Copy)]
struct Reading {
    /// `%2F` separates segments.
    decodes_slashes: bool,
    /// A segment ends at its first `;`.
    cuts_parameters: bool,
    /// Empty segments are dropped.
    merges_empty: bool,
}

impl Reading {
    fn resolve(self, relative: &str) -> Vec<u8> {
        let whole = if self.decodes_slashes {
            decode(relative.as_bytes())
        } else {
            Cow::Borrowed(relative.as_bytes())
        };
        let segments = whole.split(|&byte| byte == b'/').map(|segment| {
            let segment = if self.cuts_parameters {
                without_parameters(segment)
            } else {
                segment
            };
            if self.decodes_slashes {
                Cow::Borrowed(segment)
            } else {
                decode_segment(segment)
            }
        });
        let (kept, is_folder) = resolve(segments, self.merges_empty);
        let mut path = kept.join(&b'/');
        // An empty last segment that was kept has already added its slash.
        if is_folder && !path.is_empty() && !path.ends_with(b"/") {
            path.push(b'/');
        }
        path
    }
}

/// Decodes a segment, whose own slashes stay encoded so that they don't separate.
fn decode_segment(segment: &[u8]) -> Cow<'_, [u8]> {
    let decoded = decode(segment);
    if !decoded.contains(&b'/') {
        return decoded;
    }
    let mut kept = Vec::with_capacity(segment.len());
    for &byte in decoded.iter() {
        match byte {
            b'/' => kept.extend_from_slice(b"%2F"),
            byte => kept.push(byte),
        }
    }
    Cow::Owned(kept)
}

/// Resolves a path that begins with `/`, without its empty segments.
#[cfg(feature = "sigv4")]
pub(crate) fn normalize(path: &str) -> String {
    let (kept, is_folder) = resolve(path.split('/'), true);
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

/// Returns the segments that are left, and `true` with them if the path names a folder. `a/.`, `a/b/..` and `a/` name a
/// folder, and their resolved form ends with a slash.
fn resolve<S: AsRef<[u8]>>(
    segments: impl Iterator<Item = S>,
    merges_empty: bool,
) -> (Vec<S>, bool) {
    let mut kept = Vec::new();
    let mut is_folder = false;
    for segment in segments {
        let name = segment.as_ref();
        is_folder = matches!(name, b"" | b"." | b"..");
        match name {
            b"." => {}
            b".." => {
                kept.pop();
            }
            b"" if merges_empty => {}
            _ => kept.push(segment),
        }
    }
    (kept, is_folder)
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

    fn under_crm(path: &str) -> bool {
        all_readings(path, |reading| reading.starts_with(b"crm/v3/"))
    }

    #[test]
    fn every_reading_must_pass() {
        for path in [
            "/crm/v3/x",
            "/%63rm/v3/x",
            "/crm/v3/a/../b",
            "/crm/v3/x%2Fy",
            "/crm/v3//x",
            "/crm/v3/.",
        ] {
            assert!(under_crm(path), "{path}");
        }
        for path in [
            "/crm/v3/../../admin",
            "/crm/v3/%2e%2e/%2e%2e/admin",
            "/crm/v3/..%2f..%2fadmin",
            "/crm//v3/x",
            "//crm/v3/x",
            "/admin/..%2fcrm/v3/x",
            "/crm/v3/..;/..;/admin",
            "/crm;x/v3/x",
            "/crm%2Fv3/x",
        ] {
            assert!(!under_crm(path), "{path}");
        }
    }

    #[test]
    fn resolving_keeps_a_trailing_slash() {
        let read = |path, merges_empty| {
            let reading = Reading {
                decodes_slashes: false,
                cuts_parameters: false,
                merges_empty,
            };
            reading.resolve(path)
        };
        assert_eq!(read("a/b/..", false), b"a/");
        assert_eq!(read("a/b/", false), b"a/b/");
        assert_eq!(read("a//b", true), b"a/b");
        assert_eq!(read("..", true), b"");
    }
}
