//! How an [`HttpTransport`] is set up.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::connect::{Connector, Egress, EgressProxy, Names, Resolve};
use super::error::HttpTransportError;

use super::http::HttpTransport;
use super::pool::{Limits, Pool, Protocols};
use super::{http1, http2};
use crate::policy::NetworkPolicy;
use crate::timeouts::MAX_TIMEOUT;

/// Sets up an [`HttpTransport`].
#[derive(Clone)]
#[must_use]
pub struct HttpTransportBuilder {
    names: Names,
    egress_proxy: Option<EgressProxy>,
    network: NetworkPolicy,
    limits: Limits,
    protocols: Protocols,
    keeps_apart: bool,
    title_case_headers: bool,
    #[cfg(feature = "rustls")]
    roots: rustls::RootCertStore,
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
            keeps_apart: false,
            title_case_headers: false,
            #[cfg(feature = "rustls")]
            roots: super::connect::bundled_roots(),
            #[cfg(feature = "rustls")]
            tls: None,
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
    ///
    /// It's asked for each new connection, as it may keep answers for as long as they're good,
    /// unless [`dns_cache`](Self::dns_cache) is called as well.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.names.ask(resolver);
        self
    }

    /// Sets how long addresses are kept, and how long it's kept that a name has none. By default 5
    /// seconds and 1; zero keeps none.
    ///
    /// Kept addresses are judged on each new connection, like any others. New connections that need
    /// one name at the same time share a look-up. 4,096 names are kept at most.
    pub fn dns_cache(mut self, positive: Duration, negative: Duration) -> Self {
        self.names
            .cache(positive.min(MAX_TIMEOUT), negative.min(MAX_TIMEOUT));
        self
    }

    /// Reaches all vendors through a proxy. By default there is none.
    pub fn egress_proxy(mut self, proxy: EgressProxy) -> Self {
        self.egress_proxy = Some(proxy);
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
        super::connect::add_pem(&mut self.roots, pem)?;
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
        super::connect::add_native(&mut self.roots)?;
        Ok(self)
    }

    /// Sets how long a connection may take: look-up, all attempts, the egress proxy and TLS. By
    /// default 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_time = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Sets how long an idle connection is kept: it should be less than vendors do. By default 50
    /// seconds.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_time = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Sets how many idle HTTP/1.1 connections are kept for each authority. By default 64.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.limits.idle = connections;
        self
    }

    /// Sets how many idle connections are kept in all: HTTP/1.1 and, as far as no call uses them,
    /// HTTP/2. Beyond that, those go that have been idle for longest. By default 1,024.
    ///
    /// Of as many client certificates TLS sessions are kept.
    pub fn pool_max_idle(mut self, connections: usize) -> Self {
        self.limits.idle_in_all = connections;
        self
    }

    /// Gives each connection id connections of its own, so that no fault of framing could hand one
    /// tenant's response to another. By default the ids of one vendor share them.
    ///
    /// Services that share a transport share its connections, by id.
    pub fn isolate_connection_keys(mut self, apart: bool) -> Self {
        self.keeps_apart = apart;
        self
    }

    /// Speaks HTTP/2 to vendors in clear, without asking (RFC 9113 §3.3), and over TLS whatever is
    /// agreed on. By default HTTP/1.1 is spoken where TLS doesn't agree on HTTP/2.
    pub fn http2_prior_knowledge(mut self, known: bool) -> Self {
        self.protocols.set_prior_knowledge(known);
        self
    }

    /// Speaks HTTP/1.1 alone, and offers nothing else to TLS. By default HTTP/2 is spoken where TLS
    /// agrees on it. It wins over [`http2_prior_knowledge`](Self::http2_prior_knowledge).
    pub fn http1_only(mut self, only: bool) -> Self {
        self.protocols.set_http1_only(only);
        self
    }

    /// Sets how many HTTP/2 connections are opened for each authority, as their streams fill up. By
    /// default 4.
    pub fn http2_max_connections_per_host(mut self, connections: usize) -> Self {
        self.limits.multiplexed = connections;
        self
    }

    /// Sets how many streams one connection id may hold on one HTTP/2 connection, so that its
    /// stalled calls leave room for others'. Further calls wait. By default 32.
    pub fn http2_max_streams_per_connection_key(mut self, streams: usize) -> Self {
        self.limits.streams = streams.max(1);
        self
    }

    /// Sets how many connections may be in the making at once for each authority. By default 16;
    /// where HTTP/2 is spoken, or may be, it's one, as that can serve all.
    pub fn max_handshakes_per_host(mut self, handshakes: usize) -> Self {
        self.limits.handshakes = handshakes.max(1);
        self
    }

    /// Sets how many calls may wait for a connection or a stream, for each authority. Those beyond
    /// are answered with `overloaded`. By default 1,024.
    pub fn max_waiting_per_host(mut self, calls: usize) -> Self {
        self.limits.waiting = calls.max(1);
        self
    }

    /// Writes field names over HTTP/1.1 as `Title-Case`, for vendors that take nothing else. By
    /// default they're in lower case.
    pub fn title_case_headers(mut self, title_case: bool) -> Self {
        self.title_case_headers = title_case;
        self
    }

    /// Sets the configuration of TLS to upstreams: cryptography, roots, protocol versions. It replaces
    /// [`root_pem`](Self::root_pem) and [`native_roots`](Self::native_roots). The protocols that ALPN offers, client certificates and
    /// early data (off) stay the transport's. Default: the bundled roots of Mozilla, with the process's default provider.
    ///
    /// A configuration that verifies less, verifies less here as well.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    pub fn tls_config(mut self, config: rustls::ClientConfig) -> Self {
        self.tls = Some(config);
        self
    }

    /// Sets the transport up.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if TLS can't be set up.
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

    /// Sets the defaults up. If there is no cryptography, each TLS connection fails.
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
        let plaintext = self.network.permits_plaintext();
        let connector = Connector {
            names: self.names.into_look_ups(),
            network: self.network,
            timeout: self.limits.connect_time,
            egress,
            #[cfg(feature = "rustls")]
            tls,
        };
        let pool = Pool::new(
            connector,
            self.protocols,
            self.limits,
            http1::Settings::new(self.title_case_headers),
            http2::Settings::new(),
        );
        HttpTransport::new(pool, plaintext, self.keeps_apart)
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
