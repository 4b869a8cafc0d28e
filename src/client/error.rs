//! The errors of transports, and the responses to callers that they become.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use smallvec::SmallVec;

use crate::error::{BoxError, Error, ErrorCode};

/// The reason why a request got no response. Each kind is an error type of `Proxy-Status` (RFC 9209 §2.3).
///
/// The kind determines the code of the response. It also states if the upstream may have acted on the request: this is
/// possible only for `HttpProtocol`, `ResponseIncomplete`, `ResponseTimeout`, `UpgradeFailed` and `ClientCertificate`,
/// and for all other kinds the upstream can't have acted. If your own transport isn't sure, it must return a kind for
/// which the upstream may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name of the upstream couldn't be resolved, or has no address. Check the host of the base URL and the
    /// resolver. The response is `upstream-unreachable`.
    Dns,
    /// The upstream's machine refused the connection, usually because no program listens on the port. Check the port of
    /// the base URL. The response is `upstream-unreachable`.
    ConnectionRefused,
    /// The connection couldn't be opened, for example because there is no route, because the connection ended during
    /// the TLS handshake, or because the egress proxy failed or refused the tunnel. The source has the cause. The
    /// response is `upstream-unreachable`.
    ConnectionFailed,
    /// No connection was opened within the [`connect_timeout`](crate::client::HttpTransportBuilder::connect_timeout),
    /// which includes the wait for a connection. Check if a firewall drops the packets, and if the upstream is
    /// overloaded. The response is `upstream-timeout`.
    ConnectionTimeout,
    /// The TLS handshake failed, for example because there is no common version or cipher suite, or the transport has
    /// no TLS. Check that the upstream supports TLS 1.2 or 1.3 on this port, and that the crate is built with `rustls`.
    /// The response is `upstream-unreachable`.
    TlsProtocol,
    /// The upstream's certificate isn't valid: it has expired, is for another name, or was issued by an authority that
    /// isn't trusted. For a private authority, add its root by
    /// [`root_pem`](crate::client::HttpTransportBuilder::root_pem). The response is `upstream-unreachable`.
    TlsCertificate,
    /// The call is gRPC, and the upstream doesn't use HTTP/2, or the transport is limited to HTTP/1.1. The response is
    /// `upstream-unreachable`.
    Http2Unavailable,
    /// The network policy permits no address of the name. If the upstream is in a private network, allow its block by
    /// [`NetworkPolicy::allow`](crate::policy::NetworkPolicy::allow). The response is `destination-refused`.
    DestinationProhibited,
    /// An address of the name is an address of the gateway itself. Correct the base URL. The response is
    /// `destination-refused`.
    Loop,
    /// The destination is `http://`, and the network policy requires TLS, or a client certificate must be presented.
    /// Use `https://` in the base URL, or allow plaintext by
    /// [`NetworkPolicy::dangerous`](crate::policy::NetworkPolicy::dangerous). The response is `destination-refused`.
    PlaintextProhibited,
    /// The connection ended before the request was written, or the upstream reported that it hasn't processed the
    /// request. The request can be sent again. The response is `upstream-unreachable`.
    Unsent,
    /// Too many calls wait for a connection to this upstream, or the upstream complained about too many calls. The
    /// caller may try again after the time in `Retry-After`. The response is `overloaded`.
    Overloaded,
    /// The upstream's response can't be used: it isn't valid HTTP, its head is too large, or it has an unknown transfer
    /// coding. The response is `upstream-protocol`.
    HttpProtocol,
    /// The connection or the stream ended after a part of the request was sent, and before the head of the response was
    /// complete. The response is `upstream-protocol`.
    ResponseIncomplete,
    /// The head of the response didn't arrive in time. If the upstream needs longer, raise the
    /// [`response_head_timeout`](crate::PassthroughBuilder::response_head_timeout). The response is `upstream-timeout`.
    ResponseTimeout,
    /// The upstream switched protocols although the request didn't require that, or switched to another protocol. The
    /// response is `upstream-protocol`.
    UpgradeFailed,
    /// The upstream requires a client certificate, or rejected the presented certificate, after the request may have
    /// been sent: in TLS 1.3 the client's handshake is complete before the upstream has verified the certificate (RFC
    /// 8446 §4.4.2.4). Check the certificate of the connection, or use the scheme [`Mtls`](crate::auth::Mtls). The
    /// response is `upstream-unreachable`.
    ClientCertificate,
}

/// The failure of a transport, with its kind and its cause.
///
/// The cause is the error's [`source`](std::error::Error::source). It may name a host or an address, so it's meant for
/// the host application's logs, and callers don't get it.
pub struct TransportError {
    kind: TransportErrorKind,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl TransportError {
    /// Returns a failure with that kind and cause.
    pub fn new(kind: TransportErrorKind, source: impl Into<BoxError>) -> Self {
        Self {
            kind,
            retry_after: None,
            source: Some(source.into()),
        }
    }

    /// Returns a failure before anything was sent.
    pub fn unsent(error: impl Into<BoxError>) -> Self {
        Self::new(TransportErrorKind::Unsent, error)
    }

    /// Returns the failure for an address that the network policy refuses.
    pub(super) fn prohibited(address: IpAddr, blocks: SmallVec<[IpNet; 2]>) -> Self {
        let cause = Prohibited { address, blocks };
        Self::new(TransportErrorKind::DestinationProhibited, cause)
    }

    /// Returns the error of a `tower::Service`. If the error is a `TransportError`, it's returned
    /// unchanged.
    pub(super) fn from_service(error: impl Into<BoxError>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::new(TransportErrorKind::ResponseIncomplete, error),
        }
    }

    /// Sets the time after which the caller may try again. Default: 1 s for
    /// [`Overloaded`](TransportErrorKind::Overloaded), and none for other kinds.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Returns the same failure for another call.
    pub(super) fn from_shared(error: &Arc<Self>) -> Self {
        Self {
            kind: error.kind,
            retry_after: error.retry_after,
            source: Some(Arc::clone(error).into()),
        }
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

/// The request couldn't be built, so nothing was sent.
impl From<http::Error> for TransportError {
    fn from(error: http::Error) -> Self {
        Self::unsent(error)
    }
}

impl From<TransportErrorKind> for TransportError {
    fn from(kind: TransportErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
            source: kind.advice().map(Into::into),
        }
    }
}

impl TransportErrorKind {
    const fn code(self) -> ErrorCode {
        match self {
            Self::Dns
            | Self::ConnectionRefused
            | Self::ConnectionFailed
            | Self::TlsProtocol
            | Self::TlsCertificate
            | Self::Http2Unavailable
            | Self::Unsent
            | Self::ClientCertificate => ErrorCode::UpstreamUnreachable,
            Self::DestinationProhibited | Self::Loop | Self::PlaintextProhibited => {
                ErrorCode::DestinationRefused
            }
            Self::ConnectionTimeout | Self::ResponseTimeout => ErrorCode::UpstreamTimeout,
            Self::HttpProtocol | Self::ResponseIncomplete | Self::UpgradeFailed => {
                ErrorCode::UpstreamProtocol
            }
            Self::Overloaded => ErrorCode::Overloaded,
        }
    }

    const fn proxy_status(self) -> &'static str {
        match self {
            Self::Dns => "dns_error",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionFailed => "destination_unavailable",
            Self::ConnectionTimeout => "connection_timeout",
            Self::TlsProtocol => "tls_protocol_error",
            Self::Http2Unavailable => "http_protocol_error",
            Self::TlsCertificate => "tls_certificate_error",
            Self::DestinationProhibited => "destination_ip_prohibited",
            Self::Loop => "proxy_loop_detected",
            Self::PlaintextProhibited => "http_request_denied",
            Self::Unsent => "connection_terminated",
            Self::Overloaded => "connection_limit_reached",
            Self::HttpProtocol => "http_protocol_error",
            Self::ResponseIncomplete => "http_response_incomplete",
            Self::ResponseTimeout => "http_response_timeout",
            Self::UpgradeFailed => "http_upgrade_failed",
            Self::ClientCertificate => "tls_alert_received",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Dns => "the upstream's host name can't be resolved",
            Self::ConnectionRefused => "the upstream refused the connection",
            Self::ConnectionFailed => "the connection to the upstream failed",
            Self::ConnectionTimeout => "the connection to the upstream couldn't be opened in time",
            Self::TlsProtocol => "the TLS handshake with the upstream failed",
            Self::TlsCertificate => {
                "the upstream's certificate isn't valid for its host, or isn't trusted"
            }
            Self::Http2Unavailable => "gRPC needs HTTP/2, which the upstream doesn't support",
            Self::DestinationProhibited => {
                "the upstream's address may not be called: it's private, loopback, link-local or reserved"
            }
            Self::Loop => "the upstream's address is an address of the gateway itself",
            Self::PlaintextProhibited => {
                "the upstream would be called without TLS, which isn't allowed"
            }
            Self::Unsent => {
                "the connection to the upstream ended before the request was sent; send the request again"
            }
            Self::Overloaded => "the upstream accepts no more calls for now; try again later",
            Self::HttpProtocol => {
                "the upstream's response isn't valid HTTP, or its head is too large"
            }
            Self::ResponseIncomplete => {
                "the upstream closed the connection before its response was complete"
            }
            Self::ResponseTimeout => "the upstream didn't respond in time",
            Self::UpgradeFailed => "the upstream switched protocols without a request to do so",
            Self::ClientCertificate => {
                "the upstream rejected the client certificate, or requires one"
            }
        }
    }

    /// Returns the advice for the host application, for its logs.
    const fn advice(self) -> Option<Advice> {
        match self {
            Self::PlaintextProhibited => Some(Advice(
                "`NetworkPolicy::dangerous().loopback()` allows plaintext to upstreams on this machine, `.plaintext()` to all (in passthrough-gateway: `[network] plaintext`)",
            )),
            Self::DestinationProhibited => Some(ALLOW),
            _ => None,
        }
    }

    /// Returns the default time after which the caller may try again.
    const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Overloaded => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Returns `true` if the upstream may have acted on the request.
    const fn sent(self) -> bool {
        match self {
            Self::HttpProtocol
            | Self::ResponseIncomplete
            | Self::ResponseTimeout
            | Self::UpgradeFailed
            | Self::ClientCertificate => true,
            Self::Dns
            | Self::ConnectionRefused
            | Self::ConnectionFailed
            | Self::ConnectionTimeout
            | Self::TlsProtocol
            | Self::TlsCertificate
            | Self::Http2Unavailable
            | Self::DestinationProhibited
            | Self::Loop
            | Self::PlaintextProhibited
            | Self::Unsent
            | Self::Overloaded => false,
        }
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        let kind = error.kind;
        let converted = Self::new(kind.code(), kind.detail())
            .with_proxy_status(kind.proxy_status())
            .with_sent(kind.sent());
        let converted = match error.retry_after.or(kind.retry_after()) {
            Some(after) => converted.with_retry_after(after),
            None => converted,
        };
        converted.with_source(error)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.detail())
    }
}

// `Debug` isn't derived, because the source may name a host or an address.
impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// A sentence for the logs of the host application.
#[derive(Clone, Copy, Debug)]
struct Advice(&'static str);

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Advice {}

const ALLOW: Advice = Advice(
    "`NetworkPolicy::allow` allows a block of addresses, `.dangerous().loopback()` those of this machine (in passthrough-gateway: `[network] allow`)",
);

/// The address that the network policy refuses, for the logs of the host application.
#[derive(Debug)]
struct Prohibited {
    address: IpAddr,
    /// The blocks that must be allowed.
    blocks: SmallVec<[IpNet; 2]>,
}

impl fmt::Display for Prohibited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the upstream's address {} is in the block ",
            self.address
        )?;
        for (number, block) in self.blocks.iter().enumerate() {
            let separator = if number == 0 { "" } else { " and the block " };
            write!(f, "{separator}{block}")?;
        }
        f.write_str(", which isn't allowed")
    }
}

impl std::error::Error for Prohibited {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&ALLOW)
    }
}

/// The error of a transport that can't be set up: a certificate file or an address of an egress proxy isn't valid,
/// credentials can't be sent to the proxy, or there is no cryptography provider for TLS.
///
/// It's returned when the transport is built, so it's a mistake in the configuration. The text describes the problem,
/// and contains no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpTransportError(&'static str);

impl HttpTransportError {
    pub(super) const fn new(why: &'static str) -> Self {
        Self(why)
    }
}

impl fmt::Display for HttpTransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for HttpTransportError {}
