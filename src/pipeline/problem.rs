//! Makes all error responses: problem+json (RFC 9457), or a gRPC status for a gRPC caller.
//!
//! Rules: `docs/rules/forwarding.md#8-gateway-errors`.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::response_body::OwnBody;
use crate::error::{Error, ErrorCode};
use crate::observe::CallGuard;

const PASSTHROUGH_ERROR: HeaderName = HeaderName::from_static("passthrough-error");
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY");

/// The form in which the caller understands an error.
#[derive(Debug)]
pub(crate) struct ErrorForm {
    is_head: bool,
    /// The content type of a gRPC caller's request, which the answer also has.
    grpc: Option<HeaderValue>,
}

impl ErrorForm {
    pub(crate) fn new(request: &Parts) -> Self {
        let content_type = request.headers.get(CONTENT_TYPE);
        Self {
            is_head: request.method == Method::HEAD,
            // For a CONNECT, every 2xx would mean that its tunnel is open (RFC 9110 §9.3.6).
            grpc: content_type
                .filter(|_| request.method != Method::CONNECT)
                .filter(|value| is_grpc(value.as_bytes()))
                .cloned(),
        }
    }

    /// Returns the response for `error`. The guard records the error.
    pub(crate) fn answer(self, error: Error, mut guard: CallGuard) -> Response<OwnBody> {
        let mut headers = common_fields(&error);
        let (status, body) = match self.grpc {
            Some(content_type) => {
                headers.insert(CONTENT_TYPE, content_type);
                headers.insert(GRPC_STATUS, u16::from(error.grpc_status()).into());
                if let Ok(message) = HeaderValue::from_str(&grpc_message(error.detail())) {
                    headers.insert(GRPC_MESSAGE, message);
                }
                (StatusCode::OK, None)
            }
            None => {
                let text = problem(&error);
                headers.insert(CONTENT_TYPE, PROBLEM);
                headers.insert(CONTENT_LENGTH, text.len().into());
                (error.status(), Some(text))
            }
        };
        guard.on_error(error, status);
        let body = match body.filter(|_| !self.is_head) {
            Some(text) => OwnBody::problem(Bytes::from(text), guard),
            None => OwnBody::bodiless(guard),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

fn common_fields(error: &Error) -> HeaderMap {
    let code = error.code();
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(PASSTHROUGH_ERROR, HeaderValue::from_static(code.as_str()));
    if let Ok(status) =
        HeaderValue::try_from(format!("passthrough; error={}", error.proxy_status()))
    {
        headers.insert(PROXY_STATUS, status);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if code == ErrorCode::MethodRefused {
        headers.insert(ALLOW, METHODS);
    }
    if matches!(
        code.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        // Rounded up, because a retry after the rounded-down time would be too early.
        let whole = |after: Duration| {
            let more = u64::from(after.subsec_nanos() > 0);
            after.as_secs().saturating_add(more)
        };
        let seconds = error.retry_after().map_or(1, |after| whole(after).max(1));
        headers.insert(RETRY_AFTER, seconds.into());
    }
    headers
}

/// Returns `true` for `application/grpc`, alone or before `+`, `;` or `-web`.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let Some((start, rest)) = content_type.split_at_checked(GRPC.len()) else {
        return false;
    };
    let rest = rest.strip_prefix(b"-web").unwrap_or(rest);
    let rest = rest.strip_prefix(b"-text").unwrap_or(rest);
    start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// Percent-encodes the text as gRPC requires it (gRPC over HTTP/2, "Status-Message").
fn grpc_message(detail: &str) -> String {
    let mut message = String::with_capacity(detail.len());
    for byte in detail.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            message.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(message, "%{byte:02X}");
        }
    }
    message
}

fn problem(error: &Error) -> String {
    let code = error.code();
    let mut text = String::with_capacity(320);
    text.push_str("{\"type\":\"https://docs.rs/tower-passthrough/latest/tower_passthrough/enum.ErrorCode.html\",\"title\":");
    push_string(&mut text, error.title());
    let _ = write!(text, ",\"status\":{},\"detail\":", error.status().as_u16());
    push_string(&mut text, error.detail());
    let _ = write!(
        text,
        ",\"code\":\"{}\",\"sent\":{}}}",
        code.as_str(),
        error.sent()
    );
    text
}

/// Appends a JSON string (RFC 8259 §7).
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for char in value.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            }
            char => text.push(char),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_callers_are_known_by_their_content_type() {
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;v=1",
            "application/grpc-web",
            "application/grpc-web-text+proto",
        ] {
            assert!(is_grpc(content_type.as_bytes()), "{content_type}");
        }
        for content_type in [
            "application/grpcx",
            "application/json",
            "application/grpc-webx",
            "application/grp",
            "",
        ] {
            assert!(!is_grpc(content_type.as_bytes()), "{content_type}");
        }
    }

    #[test]
    fn details_are_escaped() {
        let mut text = String::new();
        push_string(&mut text, "a\"b\\c\n");
        assert_eq!(text, "\"a\\\"b\\\\c\\u000a\"");
        assert_eq!(grpc_message("50% \u{e9}"), "50%25 %C3%A9");
    }
}
