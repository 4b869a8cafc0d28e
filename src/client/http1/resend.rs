//! The head of a request, read again from the bytes that were written, because hyper doesn't return the head.
//!
//! A copy of each head would cost a call some allocations, and is needed for few calls. The bytes cost a single copy.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

use crate::body::RequestBody;

/// Returns the request whose bytes begin with `written`, with that body. Returns `None` if the bytes aren't a whole head.
pub(super) fn parse(written: &[u8], body: RequestBody) -> Option<Request<RequestBody>> {
    let mut lines = written.split(|&byte| byte == b'\n');
    let mut line = || lines.next()?.strip_suffix(b"\r");
    let mut start = line()?.split(|&byte| byte == b' ');
    let method = Method::from_bytes(start.next()?).ok()?;
    let target = Bytes::copy_from_slice(start.next()?);
    let target = PathAndQuery::from_maybe_shared(target).ok()?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(target);
    let headers = request.headers_mut();
    loop {
        let line = line()?;
        if line.is_empty() {
            return Some(request);
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b": ")?;
        let mut value = HeaderValue::from_bytes(value).ok()?;
        // The field that holds the credential isn't known here.
        value.set_sensitive(true);
        headers
            .try_append(HeaderName::from_bytes(name).ok()?, value)
            .ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let written = b"GET /x?a=1 HTTP/1.1\r\nHost: v\r\nb: \xe9 :\r\nempty: \r\nb: 2\r\n\r\nrest";
        let request = parse(written, RequestBody::empty()).unwrap_or_default();
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "/x?a=1");
        let lines = request.headers().iter();
        let lines: Vec<_> = lines
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let expected: [(&str, &[u8]); 4] = [
            ("host", b"v"),
            ("b", b"\xe9 :"),
            ("b", b"2"),
            ("empty", b""),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_part_of_a_head_is_no_request() {
        for written in [
            "",
            "GET",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: v\r\n",
        ] {
            assert!(parse(written.as_bytes(), RequestBody::empty()).is_none());
        }
    }
}
