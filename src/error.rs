//! The errors with which the crate answers: a code for each kind of failure, each with its status.
//!
//! The crate answers with an [`Error`] if it can't return an upstream's response. The error's [`Display`](fmt::Display) text is meant for
//! the caller: it contains no secret, and no host or address that the caller didn't name. Causes are only in [`source`](StdError::source),
//! for the host application's logs.
//!
//! ```
//! use tower_passthrough::ErrorCode;
//!
//! assert_eq!(ErrorCode::UnknownConnection.as_str(), "unknown-connection");
//! assert_eq!(ErrorCode::UnknownConnection.status(), http::StatusCode::NOT_FOUND);
//! ```

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// The error of a pluggable part, such as a store or a transport.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The kind of an error, as the caller sees it in the field `passthrough-error` and in the `code` of the problem details. [`Error::sent`]
/// states if the upstream may have acted on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request can't be forwarded as it is: the connection id, the path or the query isn't valid, the head has too many fields, or the
    /// body broke off, can't be signed, or has a transfer coding other than `chunked`. The caller must correct the request. Status 400.
    BadAddress,
    /// `__domain` isn't a host or a URL, is given twice, or has a path where only a host is allowed. The caller must correct the parameter.
    /// Status 400.
    BadDomain,
    /// The method is TRACE, TRACK, or CONNECT without an upgrade. The caller must use another method. Status 405.
    MethodRefused,
    /// There is no connection with that id, or the caller may not use it. Both responses have the same bytes. Status 404.
    UnknownConnection,
    /// The caller may use the connection, but not with this method or path, not for a WebSocket, not with another base path in `__domain`,
    /// or not with a second path in a header field. The authorizer's [`Scope`](crate::Scope) decides about that. A WebSocket from a web
    /// page of another origin is refused with the same code. Status 403.
    ScopeRefused,
    /// `__domain` names a host that the integration's [`DomainPolicy`](crate::policy::DomainPolicy) doesn't allow. Status 403.
    DomainRefused,
    /// The destination may not be called: its address is private, loopback, link-local, of a metadata service or of the gateway itself, it
    /// would be called without TLS, or the request has passed through this gateway before. Status 403, or 502 if only the host application
    /// can correct the cause.
    DestinationRefused,
    /// The body exceeds the limit that the host application has set, or the limit of a signature. The caller must send a smaller body.
    /// Status 413.
    BodyTooLarge,
    /// The credential is missing, isn't valid, or was revoked, and only the connection's owner can repair the connection. Status 424.
    Reauthorize,
    /// The call exceeds the host application's rate limit for the connection. The caller may try again after the time in `Retry-After`.
    /// Status 429.
    RateLimited,
    /// The authorizer, the credential store or the resolver failed. The host application's operator must find the cause in
    /// [`Error::chain`]. Status 503.
    StoreUnavailable,
    /// The access token couldn't be refreshed. The caller may try again later. Status 503.
    RefreshFailed,
    /// A limit of concurrent work is reached: calls in progress, calls that wait for a connection, memory for buffered bodies. Or a circuit
    /// is open, or the upstream complained about too many calls. The caller may try again later. Status 503.
    Overloaded,
    /// The upstream couldn't be reached: DNS, the connection or TLS failed, or the upstream of a gRPC call doesn't use HTTP/2. Status 502.
    UpstreamUnreachable,
    /// The upstream's response can't be used: it isn't valid HTTP, its head is too large, it broke off before its head was complete, or it
    /// switched protocols without a request to do so. Status 502.
    UpstreamProtocol,
    /// A time limit has passed: no connection was opened in time, the head of the response didn't arrive in time, the caller's body
    /// stalled, or the whole call took too long. Status 504.
    UpstreamTimeout,
}

impl ErrorCode {
    /// All codes, in the order of their declaration. A test compares the list with the declaration.
    #[cfg(feature = "openapi")]
    pub(crate) const ALL: [Self; 16] = [
        Self::BadAddress,
        Self::BadDomain,
        Self::MethodRefused,
        Self::UnknownConnection,
        Self::ScopeRefused,
        Self::DomainRefused,
        Self::DestinationRefused,
        Self::BodyTooLarge,
        Self::Reauthorize,
        Self::RateLimited,
        Self::StoreUnavailable,
        Self::RefreshFailed,
        Self::Overloaded,
        Self::UpstreamUnreachable,
        Self::UpstreamProtocol,
        Self::UpstreamTimeout,
    ];

    /// Returns each status that a response with the code may have; see [`Error::status`].
    #[cfg(feature = "openapi")]
    pub(crate) fn statuses(self) -> impl Iterator<Item = StatusCode> {
        let other = (self == Self::DestinationRefused).then_some(StatusCode::BAD_GATEWAY);
        std::iter::once(self.status()).chain(other)
    }

    /// Returns the code as it is sent in `passthrough-error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadAddress => "bad-address",
            Self::BadDomain => "bad-domain",
            Self::MethodRefused => "method-refused",
            Self::UnknownConnection => "unknown-connection",
            Self::ScopeRefused => "scope-refused",
            Self::DomainRefused => "domain-refused",
            Self::DestinationRefused => "destination-refused",
            Self::BodyTooLarge => "body-too-large",
            Self::Reauthorize => "reauthorize",
            Self::RateLimited => "rate-limited",
            Self::StoreUnavailable => "store-unavailable",
            Self::RefreshFailed => "refresh-failed",
            Self::Overloaded => "overloaded",
            Self::UpstreamUnreachable => "upstream-unreachable",
            Self::UpstreamProtocol => "upstream-protocol",
            Self::UpstreamTimeout => "upstream-timeout",
        }
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadAddress | Self::BadDomain => StatusCode::BAD_REQUEST,
            Self::MethodRefused => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownConnection => StatusCode::NOT_FOUND,
            Self::ScopeRefused | Self::DomainRefused | Self::DestinationRefused => {
                StatusCode::FORBIDDEN
            }
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Reauthorize => StatusCode::FAILED_DEPENDENCY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::StoreUnavailable | Self::RefreshFailed | Self::Overloaded => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::UpstreamUnreachable | Self::UpstreamProtocol => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Returns the `grpc-status` that a gRPC caller gets (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
    #[must_use]
    pub const fn grpc_status(self) -> u8 {
        match self {
            Self::BadAddress | Self::BadDomain => 3,
            Self::UpstreamTimeout => 4,
            Self::UnknownConnection => 5,
            Self::ScopeRefused | Self::DomainRefused | Self::DestinationRefused => 7,
            Self::BodyTooLarge | Self::RateLimited => 8,
            Self::Reauthorize => 9,
            Self::MethodRefused => 12,
            Self::StoreUnavailable
            | Self::RefreshFailed
            | Self::Overloaded
            | Self::UpstreamUnreachable
            | Self::UpstreamProtocol => 14,
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::BadAddress => "The address can't be used",
            Self::BadDomain => "The domain can't be used",
            Self::MethodRefused => "The method is refused",
            Self::UnknownConnection => "There is no such connection",
            Self::ScopeRefused => "The call is outside of the caller's scope",
            Self::DomainRefused => "The domain isn't allowed",
            Self::DestinationRefused => "The destination is refused",
            Self::BodyTooLarge => "The body is too large",
            Self::Reauthorize => "The connection must be authorized again",
            Self::RateLimited => "Too many calls",
            Self::StoreUnavailable => "The connection can't be looked up",
            Self::RefreshFailed => "The credential can't be refreshed",
            Self::Overloaded => "Too many concurrent calls",
            Self::UpstreamUnreachable => "The upstream can't be reached",
            Self::UpstreamProtocol => "The upstream's response can't be used",
            Self::UpstreamTimeout => "The upstream didn't respond in time",
        }
    }

    /// Returns the error type of `Proxy-Status` (RFC 9209 §2.3), which is used if the transport returns no more precise type.
    const fn proxy_status(self) -> &'static str {
        match self {
            Self::BadAddress
            | Self::BadDomain
            | Self::MethodRefused
            | Self::UnknownConnection
            | Self::BodyTooLarge => "http_request_error",
            Self::ScopeRefused | Self::DomainRefused | Self::Reauthorize | Self::RateLimited => {
                "http_request_denied"
            }
            Self::DestinationRefused => "destination_ip_prohibited",
            Self::StoreUnavailable | Self::RefreshFailed | Self::Overloaded => {
                "proxy_internal_error"
            }
            Self::UpstreamUnreachable => "destination_unavailable",
            Self::UpstreamProtocol => "http_protocol_error",
            Self::UpstreamTimeout => "http_response_timeout",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason why a call got no upstream's response: a code, a detail for the caller, and the cause for the host application.
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    detail: Cow<'static, str>,
    proxy_status: &'static str,
    sent: bool,
    is_hosts_mistake: bool,
    /// The caller's body is the reason for `bad-address`, and not the address.
    is_about_body: bool,
    /// The same call fails until the host application has changed its setup, so waiting doesn't help.
    is_lasting: bool,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            proxy_status: code.proxy_status(),
            sent: false,
            is_hosts_mistake: false,
            is_about_body: false,
            is_lasting: false,
            retry_after: None,
            source: None,
        }))
    }

    pub(crate) fn bad_address(detail: &'static str) -> Self {
        Self::new(ErrorCode::BadAddress, detail)
    }

    /// Returns the error for a body that isn't valid. It has the code of a bad address.
    pub(crate) fn bad_body(detail: &'static str) -> Self {
        let mut error = Self::bad_address(detail);
        error.0.is_about_body = true;
        error
    }

    pub(crate) fn bad_domain(detail: &'static str) -> Self {
        Self::new(ErrorCode::BadDomain, detail)
    }

    /// Returns the error for an id that is unknown, that the caller may not use, or that can't exist. The response is the same in all
    /// cases.
    pub(crate) fn unknown_connection() -> Self {
        Self::new(
            ErrorCode::UnknownConnection,
            "no connection has this id, or the caller may not use it; check the connection id",
        )
    }

    pub(crate) fn reauthorize(detail: &'static str) -> Self {
        Self::new(ErrorCode::Reauthorize, detail)
    }

    pub(crate) fn body_too_large() -> Self {
        Self::new(
            ErrorCode::BodyTooLarge,
            "the body is larger than the host application allows; send a smaller body",
        )
    }

    /// Returns the error of a caller's body that failed.
    pub(crate) fn body_broken(cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        match is_over_limit(&*cause) {
            true => Self::body_too_large(),
            false => Self::bad_body(
                "the request's body broke off before its end; send the request again",
            )
            .with_source(cause),
        }
    }

    pub(crate) fn body_stalled() -> Self {
        Self::new(
            ErrorCode::UpstreamTimeout,
            "the request's body stalled, so the upstream couldn't answer; send the body without pauses",
        )
    }

    pub(crate) fn call_too_long() -> Self {
        Self::new(
            ErrorCode::UpstreamTimeout,
            "the call took longer than the host application allows",
        )
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Marks the error as one that lasts until the host application has changed its setup. The response then has no `Retry-After`.
    pub(crate) fn with_lasting_cause(mut self) -> Self {
        self.0.is_lasting = true;
        self
    }

    pub(crate) fn with_proxy_status(mut self, error_type: &'static str) -> Self {
        self.0.proxy_status = error_type;
        self
    }

    /// Marks the error as a mistake that only the host application can correct. The status is then 502.
    pub(crate) fn with_hosts_mistake(mut self) -> Self {
        self.0.is_hosts_mistake = true;
        self
    }

    /// Sets the mark that the upstream may have acted on the request.
    pub(crate) fn with_sent(mut self, sent: bool) -> Self {
        self.0.sent = sent;
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Returns the status of the response: the code's status, or 502 if the host application's configuration refuses its own base URL.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.0.is_hosts_mistake {
            true => StatusCode::BAD_GATEWAY,
            false => self.0.code.status(),
        }
    }

    /// Returns the gRPC status of the response: the code's status, or UNAVAILABLE for mistakes of the host application.
    pub(crate) fn grpc_status(&self) -> u8 {
        match self.0.is_hosts_mistake {
            true => 14,
            false => self.0.code.grpc_status(),
        }
    }

    /// Returns the error and its causes as a single line, for the host application's logs.
    ///
    /// An example is `store-unavailable: the credential store failed: connection refused`. A cause may name a host or an address, so
    /// don't send the line to callers.
    pub fn chain(&self) -> impl fmt::Display + '_ {
        Chain(self)
    }

    /// Returns the last of the causes, or the error itself if it has no cause.
    #[must_use]
    pub fn root_cause(&self) -> &(dyn StdError + 'static) {
        let mut cause: &(dyn StdError + 'static) = self;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause
    }

    /// Returns `true` if the upstream may have acted on the request.
    #[must_use]
    pub fn sent(&self) -> bool {
        self.0.sent
    }

    /// Returns the time after which the caller may try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    pub(crate) fn is_lasting(&self) -> bool {
        self.0.is_lasting
    }

    /// Returns the title of the problem details: the code's title, or another title if the body isn't valid, and not the address.
    pub(crate) fn title(&self) -> &'static str {
        match self.0.code {
            ErrorCode::BadAddress if self.0.is_about_body => "The request's body can't be used",
            code => code.title(),
        }
    }

    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn proxy_status(&self) -> &'static str {
        self.0.proxy_status
    }
}

/// Returns `true` if the body was ended by a layer of the host application that limits bodies.
pub(crate) fn is_over_limit(error: &(dyn StdError + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|cause| cause.is::<http_body_util::LengthLimitError>())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

struct Chain<'a>(&'a Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        write_causes(f, self.0.detail().to_owned(), self.0.source())
    }
}

/// Returns the error and its causes as a text that continues a line, such as `: the server failed: connection refused`.
#[cfg(all(feature = "rate-limit", feature = "tracing"))]
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl fmt::Display + 'a {
    Causes(error)
}

#[cfg(all(feature = "rate-limit", feature = "tracing"))]
struct Causes<'a>(&'a (dyn StdError + 'static));

#[cfg(all(feature = "rate-limit", feature = "tracing"))]
impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_causes(f, String::new(), Some(self.0))
    }
}

/// Writes the cause and its own causes after a text that was written before.
fn write_causes(
    f: &mut fmt::Formatter<'_>,
    mut said: String,
    mut cause: Option<&(dyn StdError + 'static)>,
) -> fmt::Result {
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors repeat the text of their cause.
        if !said.ends_with(&text) {
            write!(f, ": {}", text.escape_debug())?;
        }
        said = text;
        cause = error.source();
    }
    Ok(())
}

// Implemented by hand, because a derived implementation would print the source, which may contain an address or a URL.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("sent", &self.0.sent)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(all(test, feature = "openapi"))]
mod tests {
    use super::*;

    /// Reads the declaration in this file, so that a new code can't be forgotten.
    #[test]
    fn the_list_contains_each_code() {
        let declaration = include_str!("error.rs")
            .split("pub enum ErrorCode {")
            .nth(1)
            .and_then(|after| after.split("\n}").next())
            .unwrap_or_default();
        let declared: Vec<_> = declaration
            .lines()
            .filter_map(|line| line.trim().strip_suffix(','))
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .collect();
        let listed: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| format!("{code:?}"))
            .collect();
        assert_eq!(declared, listed);
    }
}
