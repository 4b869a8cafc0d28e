//! Sets the framing of a message from its body. The caller's fields are never used, because they could smuggle a second
//! request.

use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http_body::{Body, SizeHint};

use super::fields::{has, lines, members};

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

/// Returns `true` if there is a transfer coding other than `chunked`. hyper decodes `chunked`, but keeps the field, and passes the bytes
/// of any other coding on as if they were the body.
pub(crate) fn has_odd_coding(headers: &HeaderMap) -> bool {
    has(headers, &TRANSFER_ENCODING)
        && members(headers, TRANSFER_ENCODING)
            .any(|coding| !coding.eq_ignore_ascii_case(b"chunked"))
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
    // Most requests have no such field.
    if !has(headers, &CONTENT_LENGTH) {
        return;
    }
    let mut declared = lines(headers, CONTENT_LENGTH);
    let Some(first) = declared.next() else {
        return;
    };
    let exact = size.exact();
    // A number in its usual form can stay.
    if exact.is_some_and(|exact| is_usual_form(first, exact)) && declared.next().is_none() {
        return;
    }
    let exact = exact.filter(|&exact| says(first, exact));
    drop(declared);
    match exact {
        Some(exact) => {
            headers.insert(CONTENT_LENGTH, exact.into());
        }
        None => {
            headers.remove(CONTENT_LENGTH);
        }
    }
}

/// Keeps one length in the head of a message that has no body, such as the response to a HEAD, where the length is the length of
/// another message. Equal lengths become one (RFC 9110 §8.6), and lengths that differ or aren't numbers are removed, because a
/// server may refuse to write several lengths.
pub(super) fn keep_one_length(headers: &mut HeaderMap) {
    let mut declared = lines(headers, CONTENT_LENGTH);
    let Some(first) = declared.next() else {
        return;
    };
    let is_number = first.as_bytes().iter().all(u8::is_ascii_digit) && !first.is_empty();
    let stays = is_number && declared.next().is_none();
    drop(declared);
    if stays {
        return;
    }
    let mut lengths = members(headers, CONTENT_LENGTH).map(number);
    let first = lengths.next().flatten();
    let one = first.filter(|first| lengths.all(|other| other == Some(*first)));
    drop(lengths);
    match one {
        Some(one) => {
            headers.insert(CONTENT_LENGTH, one.into());
        }
        None => {
            headers.remove(CONTENT_LENGTH);
        }
    }
}

/// Returns the number that the digits represent.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let digits = is_number.then(|| std::str::from_utf8(digits))?;
    digits.ok()?.parse().ok()
}

fn says(declared: &HeaderValue, length: u64) -> bool {
    let declared = declared.to_str().ok();
    declared.is_some_and(|declared| declared.parse() == Ok(length))
}

/// Returns `true` if the value is that length, without a sign and without leading zeros.
fn is_usual_form(declared: &HeaderValue, length: u64) -> bool {
    let digits = declared.as_bytes();
    if digits
        .first()
        .is_none_or(|first| *first == b'0' && digits.len() > 1)
    {
        return false;
    }
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    number == Some(length)
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
    fn one_length_is_kept_where_there_is_no_body() {
        for (lines, kept) in [
            (&["1234"][..], Some("1234")),
            (&["12", "12"], Some("12")),
            (&["12, 12"], Some("12")),
            (&["12,012", "12"], Some("12")),
            (&["12", "13"], None),
            (&["12, 13"], None),
            (&["+12"], None),
            (&["12,"], None),
            (&[""], None),
            (&["99999999999999999999999, 1"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_LENGTH, HeaderValue::from_static(line));
            }
            keep_one_length(&mut headers);
            let found: Vec<_> = headers.get_all(CONTENT_LENGTH).iter().collect();
            let expected: Vec<_> = kept.into_iter().map(HeaderValue::from_static).collect();
            assert!(found.iter().copied().eq(&expected), "{lines:?}: {found:?}");
        }
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
