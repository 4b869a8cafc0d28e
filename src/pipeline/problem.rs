//! Makes all error responses: JSON with the members of RFC 9457 and the members that SDKs read, or a gRPC status for a gRPC caller.
//!
//! Rules: `docs/rules/forwarding.md#8-gateway-errors`.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};
use http_body_util::Full;

use super::config::Config;
use super::context;
use super::response_body::OwnBody;
use crate::error::{Error, ErrorCode};
use crate::observe::CallGuard;
use crate::resilience::is_safe;

const PASSTHROUGH_ERROR: HeaderName = HeaderName::from_static("passthrough-error");
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The fields by which a server asks SDKs not to repeat a request: the SDKs that Stainless generates, such as those of OpenAI and Anthropic,
/// read the first, and Stripe's SDKs the second.
const SHOULD_RETRY: [HeaderName; 2] = [
    HeaderName::from_static("x-should-retry"),
    HeaderName::from_static("stripe-should-retry"),
];

const FALSE: HeaderValue = HeaderValue::from_static("false");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY");

/// The type of the gateway's errors (RFC 9457 §3.1.1): the page that describes the codes.
const TYPE: &str = "https://docs.rs/tower-passthrough/latest/tower_passthrough/enum.ErrorCode.html";

/// The form in which the caller understands an error.
#[derive(Debug)]
pub(crate) struct ErrorForm {
    is_head: bool,
    json: Json,
    /// The content type of a gRPC caller's request, which the answer also has.
    grpc: Option<HeaderValue>,
}

/// The content type of an error.
#[derive(Clone, Copy, Debug)]
enum Json {
    /// `application/json`, which all SDKs parse.
    Plain,
    /// `application/problem+json` (RFC 9457), which some SDKs don't parse.
    Problem,
}

impl Json {
    const PROBLEM: &str = "application/problem+json";

    fn accepted_in(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT).iter();
        match lines.any(|line| Self::names_problem(line.as_bytes())) {
            true => Self::Problem,
            false => Self::Plain,
        }
    }

    /// Returns `true` if a line of `Accept` names `Problem`. A range such as `*/*` doesn't name a type (RFC 9110 §12.5.1).
    #[inline]
    fn names_problem(line: &[u8]) -> bool {
        // Most values are shorter than the name of the type.
        line.len() >= Self::PROBLEM.len() && Self::lists_problem(line)
    }

    #[cold]
    fn lists_problem(line: &[u8]) -> bool {
        line.split(|&byte| byte == b',').any(|member| {
            let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            name.eq_ignore_ascii_case(Self::PROBLEM.as_bytes()) && !parts.any(is_weight_of_zero)
        })
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Plain => "application/json",
            Self::Problem => Self::PROBLEM,
        })
    }
}

/// Returns `true` for the parameter `q=0`, which refuses a type (RFC 9110 §12.4.2).
fn is_weight_of_zero(parameter: &[u8]) -> bool {
    let Some((name, value)) = parameter.split_at_checked(2) else {
        return false;
    };
    name.eq_ignore_ascii_case(b"q=")
        && value.starts_with(b"0")
        && value.iter().all(|byte| b"0.".contains(byte))
}

impl ErrorForm {
    pub(crate) fn new(request: &Parts) -> Self {
        let mut json = Json::Plain;
        let mut content_type = None;
        for (name, line) in &request.headers {
            if *name == ACCEPT && Json::names_problem(line.as_bytes()) {
                json = Json::Problem;
            } else if *name == CONTENT_TYPE && content_type.is_none() {
                content_type = Some(line);
            }
        }
        Self {
            is_head: request.method == Method::HEAD,
            json,
            // For a CONNECT, every 2xx would mean that its tunnel is open (RFC 9110 §9.3.6).
            grpc: content_type
                .filter(|_| request.method != Method::CONNECT)
                .filter(|value| is_grpc(value.as_bytes()))
                .cloned(),
        }
    }

    /// Returns the response for `error`. The guard records the error.
    pub(crate) fn answer(
        self,
        error: Error,
        mut guard: CallGuard,
        config: &Config,
    ) -> Response<OwnBody> {
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
                let text = problem(&error, reauthorize_link(&error, &guard, config).as_ref());
                headers.insert(CONTENT_TYPE, self.json.content_type());
                headers.insert(CONTENT_LENGTH, text.len().into());
                if error.sent() && !is_safe(guard.method()) {
                    headers.extend(SHOULD_RETRY.map(|name| (name, FALSE)));
                }
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

/// Returns the host application's address for a connection that only its owner can repair.
fn reauthorize_link(error: &Error, guard: &CallGuard, config: &Config) -> Option<Uri> {
    if error.code() != ErrorCode::Reauthorize {
        return None;
    }
    let link = config.reauthorize_link.as_ref()?;
    link(guard.connection_id()?, context(guard))
}

/// An error of the host application itself, in the form of the gateway's errors, which SDKs understand.
///
/// A host application refuses some calls before the gateway gets them, for example a call without a valid key. If the answer has the form
/// of the gateway's errors, SDKs report the error with its text. The answer has the header fields of the content and
/// `Cache-Control: no-store`, but not `passthrough-error`, which only the gateway sends. A 401 also needs `WWW-Authenticate` (RFC 9110
/// §15.5.2).
///
/// ```
/// use http::header::{HeaderValue, WWW_AUTHENTICATE};
/// use http::{Request, StatusCode};
/// use tower_passthrough::ProblemDetails;
///
/// let unauthenticated = ProblemDetails::new(StatusCode::UNAUTHORIZED, "unauthenticated", "send a valid key as `x-api-key`");
/// let request = Request::get("/passthrough/acme/users").body(()).unwrap();
/// let mut response = unauthenticated.to_response(request.method(), request.headers());
/// response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
/// assert_eq!(response.status(), 401);
/// assert_eq!(response.headers()["content-type"], "application/json");
/// ```
#[derive(Clone, Debug)]
pub struct ProblemDetails {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
}

impl ProblemDetails {
    /// Returns an error with that status, a code for programs, and a detail for people.
    ///
    /// The type is `about:blank`, the title is the phrase of the status (RFC 9457 §4.2.1), and `sent` is `false`. Choose a code of its
    /// own, and not a code of [`ErrorCode`]. The caller sees the detail, so it must contain no secret. Don't choose 409 as the status,
    /// because some SDKs repeat a call after a 409.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
        }
    }

    /// Returns the answer to a request with that method and those header fields.
    ///
    /// The content type is `application/json`, or `application/problem+json` if `Accept` names this type. The answer to a HEAD has no body.
    #[must_use]
    pub fn to_response(&self, method: &Method, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let members = Members {
            of_type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status,
            detail: &self.detail,
            code: &self.code,
            sent: false,
            reauthorize_url: None,
        };
        let text = members.to_json();
        let length = text.len();
        let body = match *method == Method::HEAD {
            true => Bytes::new(),
            false => Bytes::from(text),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, Json::accepted_in(headers).content_type());
        fields.insert(CONTENT_LENGTH, length.into());
        fields.insert(CACHE_CONTROL, NO_STORE);
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
    headers.insert(CACHE_CONTROL, NO_STORE);
    if code == ErrorCode::MethodRefused {
        headers.insert(ALLOW, METHODS);
    }
    let is_passing = matches!(
        code.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) && !error.is_lasting();
    if is_passing {
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

fn problem(error: &Error, reauthorize_url: Option<&Uri>) -> String {
    let members = Members {
        of_type: TYPE,
        title: error.title(),
        status: error.status(),
        detail: error.detail(),
        code: error.code().as_str(),
        sent: error.sent(),
        reauthorize_url,
    };
    members.to_json()
}

/// The members of an error.
struct Members<'a> {
    of_type: &'a str,
    title: &'a str,
    status: StatusCode,
    detail: &'a str,
    code: &'a str,
    sent: bool,
    reauthorize_url: Option<&'a Uri>,
}

impl Members<'_> {
    /// Returns the members of RFC 9457 §3.1, then the extension members (§3.2), and at the end the members in which SDKs look for the text
    /// of an error.
    fn to_json(&self) -> String {
        let [of_type, title, detail, code] =
            [self.of_type, self.title, self.detail, self.code].map(Quoted);
        let (status, sent) = (self.status.as_u16(), self.sent);
        let mut text = String::with_capacity(512 + 4 * self.detail.len());
        // Writing to a string can't fail.
        let _ = write!(
            text,
            r#"{{"type":{of_type},"title":{title},"status":{status},"detail":{detail},"code":{code},"sent":{sent}"#
        );
        if let Some(url) = self.reauthorize_url {
            let url = url.to_string();
            let _ = write!(text, r#","reauthorize_url":{}"#, Quoted(&url));
        }
        let _ = write!(
            text,
            concat!(
                r#","message":{detail},"error":{{"message":{detail},"type":{code},"code":{code}}},"#,
                r#""errors":[{{"message":{detail},"detail":{detail}}}],"ok":false}}"#
            ),
            detail = detail,
            code = code
        );
        text
    }
}

/// Writes a text as a JSON string (RFC 8259 §7).
#[derive(Clone, Copy)]
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                char if char.is_control() => write!(f, "\\u{:04x}", u32::from(char))?,
                char => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
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
        assert_eq!(Quoted("a\"b\\c\n").to_string(), r#""a\"b\\c\u000a""#);
        assert_eq!(grpc_message("50% \u{e9}"), "50%25 %C3%A9");
    }
}
