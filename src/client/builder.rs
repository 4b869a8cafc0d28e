//! How an [`HttpTransport`] is set up, and what is changed of hyper's defaults for a gateway.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connector::{Connector, Dialler};
use super::error::HttpTransportError;
use super::head_timeout::LONGEST;
use super::http::HttpTransport;
use super::names::{Names, Resolve};
use crate::policy::NetworkPolicy;

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
    pub(super) fn new() -> Self {
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
        self.connect_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets how long an idle connection is kept: it should be less than vendors do. By default 50
    /// seconds.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets how many idle HTTP/1.1 connections are kept for each authority. By default 64.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.pool_max_idle_per_host = connections;
        self
    }

    /// Writes field names over HTTP/1.1 as `Title-Case`, for vendors that take nothing else. By
    /// default they're in lower case.
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

    /// Nothing of the defaults can fail; if it did, each TLS connection would.
    pub(super) fn build_or_fail_later(self) -> HttpTransport {
        #[cfg(feature = "rustls")]
        let tls = super::tls::connector(self.roots.clone()).ok();
        self.with_tls(
            #[cfg(feature = "rustls")]
            tls,
        )
    }

    fn with_tls(
        self,
        #[cfg(feature = "rustls")] tls: Option<tokio_rustls::TlsConnector>,
    ) -> HttpTransport {
        let mut client = Client::builder(TokioExecutor::new());
        client
            .timer(TokioTimer::new())
            // Without it, an idle socket is closed only when its host is called again (FORWARDING
            // K8).
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.pool_idle_timeout)
            .pool_max_idle_per_host(self.pool_max_idle_per_host);
        #[cfg(feature = "http1")]
        tune_http1(&mut client, self.title_case_headers);
        #[cfg(feature = "http2")]
        tune_http2(&mut client);
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

#[cfg(feature = "http1")]
fn tune_http1(client: &mut legacy::Builder, title_case: bool) {
    /// The longest head of a response, in bytes, and the most fields of it (FORWARDING H22).
    const HEAD: usize = 128 * 1024;
    const FIELDS: usize = 256;
    client
        .http1_max_buf_size(HEAD)
        .http1_max_headers(FIELDS)
        .http1_title_case_headers(title_case);
}

#[cfg(feature = "http2")]
fn tune_http2(client: &mut legacy::Builder) {
    /// In bytes. A stream's window is far below the connection's, so that stalled callers can't
    /// stop those of other tenants: 64 of them can stall before the connection does (FORWARDING
    /// K10).
    const STREAM_WINDOW: u32 = 256 * 1024;
    const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
    /// What is taken of an upload before the vendor has room for it, in bytes.
    const SEND_BUFFER: usize = 256 * 1024;
    /// The longest list of fields of a response, in bytes (FORWARDING H22).
    const HEAD: u32 = 64 * 1024;
    /// How long a connection may be silent before it's asked, and how long it has to answer.
    const PING: Duration = Duration::from_secs(30);
    const PONG: Duration = Duration::from_secs(20);
    client
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(HEAD)
        .http2_max_send_buf_size(SEND_BUFFER)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG);
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
