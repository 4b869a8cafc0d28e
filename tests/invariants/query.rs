//! The raw query and its reserved parameter.

use http::Uri;
use tower_passthrough::ErrorCode;
use tower_passthrough::address::Address;
use tower_passthrough::address::PathEncoding;

use super::decoded;

/// Checks `text` as the query of a request.
pub fn check(text: &str) {
    let Ok(uri) = format!("/c/x?{text}").parse::<Uri>() else {
        return;
    };
    let query = uri.query().unwrap();
    let is_reserved =
        |pair: &&str| decoded(pair.split('=').next().unwrap_or_default()) == b"__domain";
    let reserved: Vec<&str> = query.split('&').filter(is_reserved).collect();
    let others: Vec<&str> = query.split('&').filter(|pair| !is_reserved(pair)).collect();
    let address = Address::parse(&uri).unwrap();
    for encoding in [
        PathEncoding::Never,
        PathEncoding::Auto,
        PathEncoding::Always,
    ] {
        match address.target(encoding) {
            Ok(target) => {
                assert_eq!(target.path(), "/x");
                match reserved.as_slice() {
                    // Q1: byte for byte.
                    [] => {
                        assert_eq!(target.query(), Some(query));
                        assert_eq!(target.domain(), None);
                    }
                    // Q3: the pair is removed with one `&`, and with the `?` if no pair is left.
                    [pair] => {
                        let left = others.join("&");
                        assert_eq!(
                            target.query(),
                            Some(left.as_str()).filter(|left| !left.is_empty()),
                            "{query}"
                        );
                        let (_, value) = pair.split_once('=').unwrap();
                        assert!(!value.is_empty());
                        assert_eq!(
                            target.domain().map(str::as_bytes),
                            Some(decoded(value).as_slice())
                        );
                    }
                    // Q5: a parameter that occurs twice is refused, even with equal values.
                    _ => panic!("{query} passed"),
                }
                // No parameter of that name is left, in any spelling.
                let left = target.query().unwrap_or_default();
                assert!(!left.split('&').any(|pair| is_reserved(&pair)), "{left}");
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::BadDomain, "{query}");
                assert!(!reserved.is_empty(), "{query} was refused");
                if let [pair] = reserved.as_slice() {
                    let value = pair
                        .split_once('=')
                        .map(|(_, value)| value)
                        .unwrap_or_default();
                    let is_fit = !value.is_empty()
                        && std::str::from_utf8(&decoded(value)).is_ok()
                        && !decoded_has_broken_sequence(value);
                    assert!(!is_fit, "{query} was refused");
                }
            }
        }
    }
}

fn decoded_has_broken_sequence(value: &str) -> bool {
    let mut parts = value.split('%');
    parts.next();
    parts.any(|part| part.len() < 2 || !part.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}
