//! The choices of an integration that concern the messages to and from its upstream.

/// The fields of an upstream's response that are returned to the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseHeaderPolicy {
    /// All fields, as the upstream sent them. Choose it if no browser can reach the mount.
    #[default]
    All,
    /// All fields except those that act on the host application's origin in a browser (`Set-Cookie`,
    /// `Access-Control-*`, ...). The response is sandboxed, and isn't stored in shared caches. WebSockets that pages of other origins open
    /// are refused ([`websocket_origin`](crate::PassthroughBuilder::websocket_origin)).
    BrowserSafe,
}

/// The versions of HTTP that are used to an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpProtocol {
    /// The version that the transport chooses: with [`HttpTransport`](crate::HttpTransport), HTTP/2 if TLS agrees on it by ALPN, and
    /// otherwise HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 only. TLS doesn't offer HTTP/2, and a gRPC call fails. Choose it for an upstream whose HTTP/2 is broken.
    Http1,
    /// HTTP/2 only, without TLS with prior knowledge (RFC 9113 §3.3). A call fails if the upstream doesn't use HTTP/2, and nothing of it is
    /// sent. WebSockets still use HTTP/1.1.
    Http2,
}
