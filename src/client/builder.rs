//! The settings of an [`HttpTransport`].

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::connect::{Connector, Egress, EgressProxy, Names, Resolve};
use super::error::HttpTransportError;

use super::http::HttpTransport;
use super::http2;
use super::pool::{Limits, Pool, Protocols};
use crate::policy::NetworkPolicy;
use crate::timeouts::MAX_TIMEOUT;

/// Builds an [`HttpTransport`].
#[derive(Clone)]
#[must_use]
pub struct HttpTransportBuilder {
    names: Names,
    egress_proxy: Option<EgressProxy>,
    network: NetworkPolicy,
    limits: Limits,
    protocols: Protocols,
    isolates_keys: bool,
    title_case_headers: bool,
    #[cfg(feature = "rustls")]
    roots: super::connect::Roots,
    #[cfg(feature = "rustls")]
    tls: Option<rustls::ClientConfig>,
}

impl HttpTransportBuilder {
    pub(super) fn new() -> Self {
        Self {
            names: Names::new(),
            egress_proxy: None,
            network: NetworkPolicy::new(),
            limits: Limits::default(),
            protocols: Protocols::default(),
            isolates_keys: false,
            title_case_headers: false,
            #[cfg(feature = "rustls")]
            roots: super::connect::Roots::bundled(),
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }

    /// Sets the policy for addresses that may be dialled. Default: the public internet, over TLS.
    pub fn network(mut self, network: NetworkPolicy) -> Self {
        self.network = network;
        self
    }

    /// Sets the address of a name, which isn't looked up in DNS then. The network policy checks the address like any other. Default: none.
    pub fn resolve(mut self, name: &str, address: IpAddr) -> Self {
        self.names.answer(name, address);
        self
    }

    /// Sets the resolver of names.
    ///
    /// The resolver is called for each new connection, because it can cache addresses for their time to live itself. To cache
    /// addresses here as well, call [`dns_cache`](Self::dns_cache).
    ///
    /// Default: the operating system's.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.names.ask(resolver);
        self
    }

    /// Sets the time for which addresses are cached, and the time for which failed look-ups are cached.
    ///
    /// Zero turns caching off. The network policy checks cached addresses on each new connection, like any others. Concurrent
    /// connections share a look-up of the same name. The cache holds at most 4,096 names.
    ///
    /// Default: 5 s and 1 s with the operating system's resolver, and no cache with another resolver.
    pub fn dns_cache(mut self, positive: Duration, negative: Duration) -> Self {
        self.names
            .cache(positive.min(MAX_TIMEOUT), negative.min(MAX_TIMEOUT));
        self
    }

    /// Sets the proxy through which all upstreams are reached. Default: none.
    pub fn egress_proxy(mut self, proxy: EgressProxy) -> Self {
        self.egress_proxy = Some(proxy);
        self
    }

    /// Adds the certificates of a PEM file to the trusted roots. Default: the bundled roots of Mozilla.
    ///
    /// Each of these certificates is also trusted as the certificate of an upstream if the upstream presents exactly this certificate: a
    /// self-signed certificate as `openssl req -x509` makes it (`CA:TRUE`) can be trusted. Its dates and its names are checked as usual.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if the file isn't valid PEM, or contains no certificate that can be a trust anchor.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    pub fn root_pem(mut self, pem: &[u8]) -> Result<Self, HttpTransportError> {
        self.roots.add_pem(pem)?;
        Ok(self)
    }

    /// Adds the operating system's roots to the trusted roots. Default: only the bundled roots of Mozilla.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if the system has none that can be read.
    #[cfg(feature = "native-roots")]
    #[cfg_attr(docsrs, doc(cfg(feature = "native-roots")))]
    pub fn native_roots(mut self) -> Result<Self, HttpTransportError> {
        self.roots.add_native()?;
        Ok(self)
    }

    /// Sets the time limit for opening a connection: look-up, all attempts, the egress proxy and TLS. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Sets the time after which an idle connection is closed. It should be shorter than the upstreams' idle timeouts. Default: 50 s.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Sets the maximum number of idle HTTP/1.1 connections for each authority. Default: 64.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.limits.max_idle_per_host = connections;
        self
    }

    /// Sets the maximum number of idle connections in all: HTTP/1.1, and HTTP/2 without streams.
    ///
    /// Beyond it, the connections that have been idle for longest are closed. The same limit applies to the number of client
    /// certificates whose TLS sessions are stored.
    ///
    /// Default: 1,024.
    pub fn pool_max_idle(mut self, connections: usize) -> Self {
        self.limits.max_idle = connections;
        self
    }

    /// Sets whether each connection key has its own network connections, so that even a framing error couldn't give a tenant's response to
    /// another tenant.
    ///
    /// Services that share a transport share its network connections, by connection key.
    ///
    /// Default: off, so the connection keys of an upstream share network connections.
    pub fn isolate_connection_keys(mut self, isolate: bool) -> Self {
        self.isolates_keys = isolate;
        self
    }

    /// Sets whether HTTP/2 is used to upstreams without TLS, with prior knowledge (RFC 9113 §3.3).
    ///
    /// Over TLS, ALPN still decides.
    ///
    /// Default: off, so only gRPC calls use HTTP/2 without TLS.
    pub fn http2_prior_knowledge(mut self, known: bool) -> Self {
        self.protocols.set_prior_knowledge(known);
        self
    }

    /// Sets whether only HTTP/1.1 is used and offered to TLS.
    ///
    /// It takes precedence over [`http2_prior_knowledge`](Self::http2_prior_knowledge).
    ///
    /// Default: off, so HTTP/2 is used if TLS agrees on it.
    pub fn http1_only(mut self, only: bool) -> Self {
        self.protocols.set_http1_only(only);
        self
    }

    /// Sets the maximum number of HTTP/2 connections to an upstream, at least 1.
    ///
    /// Another connection is opened if all streams of the open connections are in use. Beyond 4 connections, or as many as
    /// there are connection keys with streams, another connection is opened only for a connection key that has no stream at the upstream,
    /// so the calls of a few keys can't shut out others.
    ///
    /// Default: 64.
    pub fn http2_max_connections_per_host(mut self, connections: usize) -> Self {
        self.limits.max_http2_connections = connections;
        self
    }

    /// Sets the maximum number of streams of a connection key on an HTTP/2 connection.
    ///
    /// So the stalled calls of a connection key leave room for other connection keys. Further calls use other connections: up to 4 are
    /// opened for a connection key, so with the default, the upstream gets 128 calls of a connection key at the same time. Calls beyond
    /// that wait.
    ///
    /// Default: 32.
    pub fn http2_max_streams_per_connection_key(mut self, streams: usize) -> Self {
        self.limits.max_streams_per_key = streams.max(1);
        self
    }

    /// Sets the maximum number of connections that are being opened at the same time for each authority.
    ///
    /// If the upstream uses HTTP/2, or may do so, the maximum is always 1, because a single connection can serve all calls.
    ///
    /// Default: 16.
    pub fn max_handshakes_per_host(mut self, handshakes: usize) -> Self {
        self.limits.max_handshakes = handshakes.max(1);
        self
    }

    /// Sets the maximum number of calls that wait for a connection or a stream, for each authority.
    ///
    /// Further calls are answered with `overloaded`.
    ///
    /// Default: 1,024.
    pub fn max_waiting_per_host(mut self, calls: usize) -> Self {
        self.limits.max_waiting = calls.max(1);
        self
    }

    /// Sets whether field names over HTTP/1.1 are written as `Title-Case`, for upstreams that require it. Default: off, so they're in
    /// lower case.
    pub fn title_case_headers(mut self, title_case: bool) -> Self {
        self.title_case_headers = title_case;
        self
    }

    /// Sets the configuration of TLS to upstreams: cryptography, roots, protocol versions.
    ///
    /// It replaces [`root_pem`](Self::root_pem) and [`native_roots`](Self::native_roots). The transport itself still sets the
    /// protocols that ALPN offers, client certificates and early data (off). A configuration that verifies less weakens the
    /// verification of upstreams accordingly.
    ///
    /// Default: the bundled roots of Mozilla, with the process's default provider.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    pub fn tls_config(mut self, config: rustls::ClientConfig) -> Self {
        self.tls = Some(config);
        self
    }

    /// Builds the transport.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if TLS can't be configured.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(unused_mut, reason = "TLS is taken out")
    )]
    pub fn build(mut self) -> Result<HttpTransport, HttpTransportError> {
        #[cfg(feature = "rustls")]
        let tls = Some(self.tls()?);
        let egress = self.egress()?;
        Ok(self.with_tls(
            #[cfg(feature = "rustls")]
            tls,
            egress,
        ))
    }

    /// Builds the transport. If TLS can't be configured, each TLS connection fails.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(unused_mut, reason = "TLS is taken out")
    )]
    pub(super) fn build_or_fail_later(mut self) -> HttpTransport {
        #[cfg(feature = "rustls")]
        let tls = self.tls().ok();
        self.with_tls(
            #[cfg(feature = "rustls")]
            tls,
            None,
        )
    }

    #[cfg(feature = "rustls")]
    fn tls(&mut self) -> Result<tokio_rustls::TlsConnector, HttpTransportError> {
        let config = match self.tls.take() {
            Some(config) => config,
            None => super::connect::tls_config(self.roots.clone())?,
        };
        Ok(super::connect::tls_connector(config, self.protocols.alpn()))
    }

    fn egress(&self) -> Result<Option<Egress>, HttpTransportError> {
        let proxy = self.egress_proxy.clone();
        let egress = proxy.map(|proxy| {
            Egress::new(
                proxy,
                #[cfg(feature = "rustls")]
                &self.roots,
            )
        });
        egress.transpose()
    }

    fn with_tls(
        self,
        #[cfg(feature = "rustls")] tls: Option<tokio_rustls::TlsConnector>,
        egress: Option<Egress>,
    ) -> HttpTransport {
        let plaintext = self.network.plaintext();
        let connector = Connector::new(
            self.names.into_look_ups(),
            self.network,
            self.limits.connect_timeout,
            egress,
            #[cfg(feature = "rustls")]
            tls,
        );
        let pool = Pool::new(
            connector,
            self.protocols,
            self.limits,
            http2::Settings::new(),
        );
        HttpTransport::new(pool, plaintext, self.isolates_keys, self.title_case_headers)
    }
}

impl fmt::Debug for HttpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransportBuilder")
            .field("names", &self.names)
            .field("egress_proxy", &self.egress_proxy)
            .field("network", &self.network)
            .field("limits", &self.limits)
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}
