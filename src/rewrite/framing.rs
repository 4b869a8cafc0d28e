//! Sets the framing of a message from its body. The caller's fields are never used, because they could smuggle a second
//! request.

use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http_body::{Body, SizeHint};

use super::fields::lines;

/// Sets the fields that frame a request. `Transfer-Encoding` was already removed.
///
/// hyper uses the framing fields that are set. If a length were wrong, the upstream would wait for bytes that never
/// come, and would read the next request on that connection as those bytes.
pub(super) fn set(headers: &mut HeaderMap, method: &Method, body: &impl Body) {
    let size = body.size_hint();
    keep_only_a_true_length(headers, &size);
    if body.is_end_stream() && says_its_length(method) && !headers.contains_key(CONTENT_LENGTH) {
        // Some servers answer 411 to a request without this field (RFC 9110 §8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    // With these methods, hyper's HTTP/1 client silently drops a body of unknown length unless this field is set. Over
    // HTTP/2, the field is removed again.
    let is_dropped = matches!(*method, Method::GET | Method::HEAD | Method::CONNECT);
    if !body.is_end_stream() && size.exact().is_none() && is_dropped {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Returns `true` if requests with that method have content usually, and so announce its length even if it's 0 (RFC 9110 §8.6).
pub(crate) fn says_its_length(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Replaces the framing fields of the original body by those of `body`, and returns `body`.
pub(crate) fn framed<B: Body>(head: &mut Parts, body: B) -> B {
    head.headers.remove(TRANSFER_ENCODING);
    let says_none = !head.headers.contains_key(CONTENT_LENGTH);
    match body.size_hint().exact() {
        // A request without a body must not get an empty body.
        Some(0) if says_none => {}
        Some(exact) => {
            head.headers.insert(CONTENT_LENGTH, exact.into());
        }
        None => set(&mut head.headers, &head.method, &body),
    }
    body
}

/// Removes a length that isn't the body's length. Responses need this too: a length in addition to `chunked` would cut off the
/// body for the caller, and the body would look complete.
pub(super) fn keep_only_a_true_length(headers: &mut HeaderMap, size: &SizeHint) {
    let mut declared = lines(headers, CONTENT_LENGTH);
    let Some(first) = declared.next() else {
        return;
    };
    let exact = size.exact().filter(|&exact| says(first, exact));
    // A number in its usual form can stay.
    let stays = exact.is_some_and(|exact| is_plain(first, exact)) && declared.next().is_none();
    drop(declared);
    match exact {
        Some(_) if stays => {}
        Some(exact) => {
            headers.insert(CONTENT_LENGTH, exact.into());
        }
        None => {
            headers.remove(CONTENT_LENGTH);
        }
    }
}

fn says(declared: &HeaderValue, length: u64) -> bool {
    let declared = declared.to_str().ok();
    declared.is_some_and(|declared| declared.parse() == Ok(length))
}

/// Returns `true` if the length is written without a sign and without leading zeros.
fn is_plain(declared: &HeaderValue, length: u64) -> bool {
    match declared.as_bytes() {
        [b'0'] => length == 0,
        [b'1'..=b'9', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// A body of which only the size is read.
    struct Sized(Option<u64>, bool);

    impl Body for Sized {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }

        fn is_end_stream(&self) -> bool {
            self.1
        }

        fn size_hint(&self) -> SizeHint {
            self.0.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }

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
        set(&mut headers, &method, &Sized(size, ended));
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
            (Some("0".into()), false)
        );
        assert_eq!(framed(Method::POST, Some("40"), None, false), (None, false));
        assert_eq!(framed(Method::GET, None, Some(0), true), (None, false));
        assert_eq!(framed(Method::DELETE, None, Some(0), true), (None, false));
        assert_eq!(
            framed(Method::PATCH, None, Some(0), true),
            (Some("0".into()), false)
        );
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
