//! The transport over HTTP/1.1 and HTTP/2: hyper-util's pooled client behind our own connector.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connector::{Connector, Dialler};
use super::error::{TransportError, TransportErrorKind};
use super::names::{Names, Resolve};
use super::transport::Transport;
use crate::body::{RequestBody, UpstreamBody};
use crate::policy::{Destination, NetworkPolicy, Scheme};

/// The windows of HTTP/2, in bytes. Far below the connection's, so that stalled callers can't stop those of other tenants: 64 of them can stall before the
/// connection does (FORWARDING K10).
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The longest head of a vendor's response, in bytes (FORWARDING H22).
const HEAD_OVER_HTTP1: usize = 128 * 1024;
const HEAD_OVER_HTTP2: u32 = 64 * 1024;
const FIELDS_OVER_HTTP1: usize = 256;

/// How long an HTTP/2 connection may be silent before it's asked, and how long it has to answer.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// Sends requests over pooled connections, HTTP/1.1 or HTTP/2 as TLS agrees on (ALPN).
///
/// Each address is judged by a [`NetworkPolicy`] on each new connection. Redirects aren't followed, nothing is decompressed, no proxy is read from the
/// environment. What is resent without being asked: a request that a kept connection gave back unwritten. Cloning is cheap, and clones share one pool.
#[derive(Clone)]
pub struct HttpTransport {
    client: Client<Connector, RequestBody>,
    plaintext: bool,
}

impl HttpTransport {
    /// A transport to be set up.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::new()
    }
}

impl Default for HttpTransport {
    /// The public internet alone, TLS alone, with the bundled roots.
    fn default() -> Self {
        let builder = HttpTransportBuilder::new();
        #[cfg(feature = "rustls")]
        // Nothing of the defaults can fail; if it did, each connection would.
        let tls = super::tls::connector(builder.roots.clone()).ok();
        builder.with_tls(
            #[cfg(feature = "rustls")]
            tls,
        )
    }
}

/// Sets up an [`HttpTransport`].
#[derive(Clone)]
#[must_use]
pub struct HttpTransportBuilder {
    names: Names,
    network: NetworkPolicy,
    connect_timeout: Duration,
    pool_idle_timeout: Duration,
    pool_max_idle_per_host: usize,
    title_case_headers: bool,
    #[cfg(feature = "rustls")]
    roots: rustls::RootCertStore,
}

impl HttpTransportBuilder {
    fn new() -> Self {
        Self {
            names: Names::new(),
            network: NetworkPolicy::new(),
            connect_timeout: Duration::from_secs(5),
            pool_idle_timeout: Duration::from_secs(50),
            pool_max_idle_per_host: 64,
            title_case_headers: false,
            #[cfg(feature = "rustls")]
            roots: super::tls::bundled_roots(),
        }
    }

    /// Sets which addresses may be dialled. By default the public internet's, over TLS.
    pub fn network(mut self, network: NetworkPolicy) -> Self {
        self.network = network;
        self
    }

    /// Answers a name without DNS. The address is judged like any other.
    pub fn resolve(mut self, name: &str, address: IpAddr) -> Self {
        self.names.answer(name, address);
        self
    }

    /// Sets who resolves names. By default the operating system does.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.names.ask(resolver);
        self
    }

    /// Trusts the certificates of a PEM file as well.
    ///
    /// # Errors
    ///
    /// If it's no PEM, or holds no certificate that can be a trust anchor.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    pub fn root_pem(mut self, pem: &[u8]) -> Result<Self, HttpTransportError> {
        super::tls::add_pem(&mut self.roots, pem)?;
        Ok(self)
    }

    /// Trusts the operating system's roots as well.
    ///
    /// # Errors
    ///
    /// If the system has none that can be read.
    #[cfg(feature = "native-roots")]
    #[cfg_attr(docsrs, doc(cfg(feature = "native-roots")))]
    pub fn native_roots(mut self) -> Result<Self, HttpTransportError> {
        super::tls::add_native(&mut self.roots)?;
        Ok(self)
    }

    /// Sets how long a connection may take, look-up and TLS included. By default 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long an idle connection is kept: it should be less than vendors do. By default 50 seconds.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// Sets how many idle HTTP/1.1 connections are kept for each authority. By default 64.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.pool_max_idle_per_host = connections;
        self
    }

    /// Writes field names over HTTP/1.1 as `Title-Case`, for vendors that take nothing else. By default they're in lower case.
    pub fn title_case_headers(mut self, title_case: bool) -> Self {
        self.title_case_headers = title_case;
        self
    }

    /// Sets the transport up.
    ///
    /// # Errors
    ///
    /// If TLS can't be set up.
    pub fn build(self) -> Result<HttpTransport, HttpTransportError> {
        #[cfg(feature = "rustls")]
        let tls = Some(super::tls::connector(self.roots.clone())?);
        Ok(self.with_tls(
            #[cfg(feature = "rustls")]
            tls,
        ))
    }

    fn with_tls(
        self,
        #[cfg(feature = "rustls")] tls: Option<tokio_rustls::TlsConnector>,
    ) -> HttpTransport {
        let mut client = Client::builder(TokioExecutor::new());
        client
            .timer(TokioTimer::new())
            // Without it, an idle socket is closed only when its host is called again (FORWARDING K8).
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.pool_idle_timeout)
            .pool_max_idle_per_host(self.pool_max_idle_per_host);
        #[cfg(feature = "http1")]
        client
            .http1_max_buf_size(HEAD_OVER_HTTP1)
            .http1_max_headers(FIELDS_OVER_HTTP1)
            .http1_title_case_headers(self.title_case_headers);
        #[cfg(feature = "http2")]
        client
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_header_list_size(HEAD_OVER_HTTP2)
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(PONG);
        #[cfg(not(feature = "http1"))]
        client.http2_only(true);
        let plaintext = self.network.permits_plaintext();
        let connector = Connector::new(Dialler {
            names: self.names,
            network: self.network,
            timeout: self.connect_timeout,
            #[cfg(feature = "rustls")]
            tls,
        });
        HttpTransport {
            client: client.build(connector),
            plaintext,
        }
    }
}

impl Transport for HttpTransport {
    async fn send(
        &self,
        mut request: Request<RequestBody>,
        to: &Destination,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        if to.scheme() == Scheme::Http && !self.plaintext {
            return Err(TransportErrorKind::PlaintextProhibited.into());
        }
        // Whatever the request says, it goes where the policy's judgement went.
        let target = std::mem::take(request.uri_mut())
            .into_parts()
            .path_and_query;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(to.scheme().as_uri_scheme());
        uri.authority = Some(to.authority().clone());
        uri.path_and_query = target.or_else(|| Some(http::uri::PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(uri)
            .map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))?;
        let response = self.client.request(request).await.map_err(classify)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(TransportErrorKind::UpgradeFailed.into());
        }
        let is_stream = response.version() == Version::HTTP_2;
        Ok(response.map(|body| upstream_body(body, is_stream)))
    }
}

fn upstream_body(body: Incoming, is_stream: bool) -> UpstreamBody {
    if is_stream {
        UpstreamBody::of_stream(body)
    } else {
        UpstreamBody::new(body)
    }
}

fn classify(error: legacy::Error) -> TransportError {
    let kind = causes(&error)
        .find_map(|cause| {
            cause
                .downcast_ref::<TransportError>()
                .map(TransportError::kind)
        })
        .or_else(|| {
            error
                .is_connect()
                .then_some(TransportErrorKind::ConnectionFailed)
        })
        .or_else(|| {
            causes(&error).find_map(|cause| cause.downcast_ref::<hyper::Error>().map(of_hyper))
        })
        .unwrap_or(TransportErrorKind::ResponseIncomplete);
    TransportError::new(kind, error)
}

fn of_hyper(error: &hyper::Error) -> TransportErrorKind {
    if error.is_parse() {
        TransportErrorKind::HttpProtocol
    } else if error.is_canceled() || error.is_closed() {
        // hyper hands back what it hasn't begun to write.
        TransportErrorKind::Unsent
    } else {
        TransportErrorKind::ResponseIncomplete
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransportBuilder")
            .field("names", &self.names)
            .field("network", &self.network)
            .field("connect_timeout", &self.connect_timeout)
            .field("pool_idle_timeout", &self.pool_idle_timeout)
            .finish_non_exhaustive()
    }
}

/// Why a transport can't be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpTransportError(&'static str);

impl HttpTransportError {
    #[cfg(feature = "rustls")]
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
