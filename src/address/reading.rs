//! The ways in which a vendor may read a path, for scopes (SECURITY T3).
//!
//! A scope is judged on the path as the vendor will resolve it. Vendors differ in what they decode,
//! merge and cut first, so each reading must pass.

use std::borrow::Cow;

use super::dots::without_parameters;
use super::percent::decode;

/// Whether `permits` holds for each reading of `path`, which are relative: without their leading
/// `/`.
pub(crate) fn all_readings(path: &str, permits: impl Fn(&[u8]) -> bool) -> bool {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let plain = !path.contains(['%', ';']) && !path.contains("//") && !path.contains("/.");
    if plain {
        return permits(relative.as_bytes());
    }
    [false, true].iter().all(|&decoded| {
        [false, true].iter().all(|&cut| {
            [false, true]
                .iter()
                .all(|&merged| permits(&resolve(relative, decoded, cut, merged)))
        })
    })
}

/// Removes dot segments (RFC 3986 §5.2.4). `decoded`: `%2F` separates; `cut`: parameters go;
/// `merged`: so do empty segments.
fn resolve(relative: &str, decoded: bool, cut: bool, merged: bool) -> Vec<u8> {
    let whole = if decoded {
        decode(relative.as_bytes())
    } else {
        Cow::Borrowed(relative.as_bytes())
    };
    let mut kept: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut ends_open = false;
    for segment in whole.split(|&byte| byte == b'/') {
        let segment = if cut {
            without_parameters(segment)
        } else {
            segment
        };
        let segment = if decoded {
            Cow::Borrowed(segment)
        } else {
            readable(segment)
        };
        ends_open = matches!(&*segment, b"" | b"." | b"..");
        match &*segment {
            b"." => {}
            b".." => {
                kept.pop();
            }
            b"" if merged => {}
            _ => kept.push(segment),
        }
    }
    let mut path = kept.join(&b'/');
    // `a/.`, `a/b/..` and, merged, `a//` name a folder: they end in a slash, as an empty last
    // segment does by itself.
    if ends_open && !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path
}

/// A segment decoded, with the slashes inside of it kept apart from those between segments.
fn readable(segment: &[u8]) -> Cow<'_, [u8]> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(resolve("a/b/..", false, false, false), b"a/");
        assert_eq!(resolve("a/b/", false, false, false), b"a/b/");
        assert_eq!(resolve("a//b", false, false, true), b"a/b");
        assert_eq!(resolve("..", false, false, true), b"");
    }
}
