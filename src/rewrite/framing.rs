//! Framing comes from the body, never from the caller's fields (FORWARDING H14, H15, B3).

use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http_body::SizeHint;

/// Sets the fields that frame a request. `Transfer-Encoding` has been taken off by then.
///
/// hyper frames by fields that it's given: with a length that the body doesn't have, the vendor
/// would wait for bytes that never come, and take the next request on that connection for them.
pub(super) fn set(headers: &mut HeaderMap, method: &Method, size: &SizeHint, ended: bool) {
    let exact = size.exact();
    match exact.filter(|&length| declares(headers, length)) {
        Some(length) => {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        None => {
            headers.remove(CONTENT_LENGTH);
        }
    }
    // hyper's HTTP/1 client drops a body of unknown length in silence for these; its HTTP/2 client
    // takes the field off again.
    let is_dropped = matches!(*method, Method::GET | Method::HEAD | Method::CONNECT);
    if !ended && exact.is_none() && is_dropped {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Whether the caller's field says that length.
fn declares(headers: &HeaderMap, length: u64) -> bool {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    declared.is_some_and(|declared| declared.parse() == Ok(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(
        method: Method,
        length: Option<&'static str>,
        size: Option<u64>,
        ended: bool,
    ) -> (Option<String>, bool) {
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        let size = size.map_or_else(SizeHint::new, SizeHint::with_exact);
        set(&mut headers, &method, &size, ended);
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        (
            length.map(str::to_owned),
            headers.contains_key(TRANSFER_ENCODING),
        )
    }

    #[test]
    fn a_length_is_kept_if_it_is_the_bodys() {
        assert_eq!(
            framed(Method::POST, Some("5"), Some(5), false),
            (Some("5".into()), false)
        );
        assert_eq!(
            framed(Method::POST, Some("0"), Some(0), true),
            (Some("0".into()), false)
        );
        assert_eq!(
            framed(Method::POST, Some("40"), Some(0), true),
            (None, false)
        );
        assert_eq!(framed(Method::POST, Some("40"), None, false), (None, false));
        assert_eq!(framed(Method::GET, None, Some(0), true), (None, false));
    }

    #[test]
    fn a_gets_body_of_unknown_length_is_announced() {
        assert_eq!(framed(Method::GET, None, None, false), (None, true));
        assert_eq!(
            framed(Method::GET, Some("5"), Some(5), false),
            (Some("5".into()), false)
        );
    }
}
