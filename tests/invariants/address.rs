//! Connection id and path.

use http::Uri;
use http::uri::PathAndQuery;
use tower_passthrough::address::Address;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::{ConnectionId, ErrorCode};

use super::decoded;

/// Checks `text` as the path of a request.
pub fn check(text: &str) {
    let Ok(uri) = format!("/{text}").parse::<Uri>() else {
        return;
    };
    let path = uri.path();
    let segment = path[1..].split('/').next().unwrap_or_default();
    let remainder = &path[1 + segment.len()..];
    let id = decoded(segment);
    let address = match Address::parse(&uri) {
        Ok(address) => address,
        Err(error) => {
            let is_possible = (1..=256).contains(&id.len())
                && !id
                    .iter()
                    .any(|byte| byte.is_ascii_control() || *byte == b'/');
            let expected = if is_possible {
                ErrorCode::UnknownConnection
            } else {
                ErrorCode::BadAddress
            };
            assert_eq!(error.code(), expected, "{uri}");
            assert!(
                !is_possible || std::str::from_utf8(&id).is_err(),
                "{uri} was refused"
            );
            return;
        }
    };
    // P18: the id is the first segment, decoded once.
    assert_eq!(address.id().as_str().as_bytes(), id, "{uri}");
    assert!((1..=256).contains(&id.len()) && !id.contains(&b'/'));
    assert_eq!(
        ConnectionId::try_from(address.id().as_str()).as_ref(),
        Ok(address.id())
    );

    for encoding in [
        PathEncoding::Never,
        PathEncoding::Auto,
        PathEncoding::Always,
    ] {
        let target = match address.target(encoding) {
            Ok(target) => target,
            Err(error) => {
                assert!(
                    matches!(error.code(), ErrorCode::BadAddress | ErrorCode::BadDomain),
                    "{uri}"
                );
                let is_kept = encoding == PathEncoding::Never
                    || (encoding == PathEncoding::Auto
                        && remainder[1.min(remainder.len())..].contains('/'));
                if is_kept && error.code() == ErrorCode::BadAddress {
                    assert!(is_bad(remainder), "{remainder:?} was refused");
                }
                continue;
            }
        };
        let path = target.path();
        assert!(path.is_empty() || path.starts_with('/'), "{path:?}");
        // P6, P7, P10: in no view does the path leave the base path, and nothing in the path ends a line.
        assert!(!is_bad(path), "{path:?} passed");
        // P1, P3, P15: bytes that aren't decoded stay, and each percent sequence is unchanged.
        let tail = remainder.strip_prefix('/').unwrap_or_default();
        let is_decoded = match encoding {
            PathEncoding::Auto => !tail.contains('/') && tail.to_ascii_uppercase().contains("%2F"),
            PathEncoding::Always => tail.contains('%'),
            _ => false,
        };
        if !is_decoded {
            assert_eq!(path, remainder, "{uri}");
        } else {
            // P14: if the path is decoded, the forwarded path stands for the decoded bytes.
            let whole = decoded(tail);
            let meant = whole.split(|&byte| byte == b'?').next().unwrap_or_default();
            assert!(
                path.is_empty() || stands_for(&path[1..], meant) || stands_for(path, meant),
                "{uri} became {path:?}"
            );
        }
        // The target can be written in a request line unchanged.
        let line = match target.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let parsed: PathAndQuery = if line.starts_with('/') {
            line.parse()
        } else {
            format!("/{line}").parse()
        }
        .unwrap();
        assert!(parsed.as_str().ends_with(&line), "{line:?} became {parsed}");
        // P8: reading the forwarded path again changes nothing.
        let again: Uri = format!("/c{line}").parse().unwrap();
        let again = Address::parse(&again).unwrap();
        let again = again.target(PathEncoding::Never);
        if target.domain().is_none() {
            let again = again.unwrap();
            assert_eq!(
                (again.path(), again.query()),
                (path, target.query()),
                "{line:?}"
            );
        }
    }
}

/// Returns whether `forwarded` equals `meant`, except that bytes which a target can't contain are encoded.
fn stands_for(forwarded: &str, meant: &[u8]) -> bool {
    let mut rest = forwarded.as_bytes();
    for &byte in meant {
        let sequence = format!("%{byte:02X}");
        let is_illegal = !byte.is_ascii_graphic() || b"\"<>^`{}#\\".contains(&byte);
        let taken = if is_illegal {
            rest.strip_prefix(sequence.as_bytes())
        } else {
            rest.strip_prefix(&[byte])
        };
        let Some(after) = taken else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

/// P6, P7 and P10, with a stack of names instead of a depth.
fn is_bad(path: &str) -> bool {
    let once = decoded(path);
    if once
        .iter()
        .any(|&byte| byte == b'\\' || byte < 0x20 || byte == 0x7f)
    {
        return true;
    }
    let as_sent: Vec<Vec<u8>> = path
        .split('/')
        .map(|segment| decoded(segment.split(';').next().unwrap_or_default()))
        .collect();
    let as_decoded: Vec<Vec<u8>> = once
        .split(|&byte| byte == b'/')
        .map(|segment| {
            segment
                .split(|&byte| byte == b';')
                .next()
                .unwrap_or_default()
                .to_vec()
        })
        .collect();
    [as_sent, as_decoded].iter().any(|segments| {
        let mut stack = Vec::new();
        segments.iter().any(|segment| match segment.as_slice() {
            b"" | b"." => false,
            b".." => stack.pop().is_none(),
            name => {
                stack.push(name);
                false
            }
        })
    })
}
