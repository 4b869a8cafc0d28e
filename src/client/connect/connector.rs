//! The connector, which resolves names, checks each address against the network policy, and dials
//! only permitted addresses.
//!
//! The connector of hyper doesn't call the resolver for literal addresses, so a check in the resolver
//! wouldn't apply to them. This connector checks names and literal addresses in the same place.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::dial::{ATTEMPT_DELAY, Addresses, Failure, interleaved, race, tcp};
use super::egress::{Egress, Target};
use super::names::LookUps;
use super::stream::{Peer, RawStream, Stream, Wire};
use crate::client::error::{TransportError, TransportErrorKind};
use crate::policy::{Host, NetworkPolicy, NetworkRefusal, Origin, Scheme};

/// The delay before the next attempt through an egress proxy begins. The delay is longer than
/// without a proxy, because a tunnel takes two more round trips than a connection, and each attempt
/// costs the proxy a connection.
const TUNNEL_DELAY: Duration = Duration::from_secs(1);

/// The settings and the resolver for new connections.
pub(crate) struct Connector {
    names: LookUps,
    network: NetworkPolicy,
    timeout: Duration,
    egress: Option<Egress>,
    #[cfg(feature = "rustls")]
    tls: Option<tokio_rustls::TlsConnector>,
}

/// The protocols that TLS offers (ALPN).
#[derive(Clone, Copy)]
enum Offer {
    Default,
    Http1,
}

impl Connector {
    /// Returns a connector. `timeout` is the time limit for opening a connection: look-up, all
    /// attempts, the egress proxy and TLS together.
    pub(crate) fn new(
        names: LookUps,
        network: NetworkPolicy,
        timeout: Duration,
        egress: Option<Egress>,
        #[cfg(feature = "rustls")] tls: Option<tokio_rustls::TlsConnector>,
    ) -> Self {
        Self {
            names,
            network,
            timeout,
            egress,
            #[cfg(feature = "rustls")]
            tls,
        }
    }

    #[cfg(feature = "rustls")]
    pub(super) fn tls(&self) -> Option<&tokio_rustls::TlsConnector> {
        self.tls.as_ref()
    }

    /// Connects to `peer`, at an address that the network policy permits.
    ///
    /// # Errors
    ///
    /// The cause of the failure, or `ConnectionTimeout` if the timeout elapses first.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all connections that the future has opened.
    pub(crate) async fn connect(&self, peer: Peer<'_>) -> Result<Stream, TransportError> {
        self.connect_and_offer(peer, Offer::Default).await
    }

    /// Connects like [`connect`](Self::connect), but TLS offers only HTTP/1.1.
    pub(crate) async fn connect_for_http1(&self, peer: Peer<'_>) -> Result<Stream, TransportError> {
        self.connect_and_offer(peer, Offer::Http1).await
    }

    async fn connect_and_offer(
        &self,
        peer: Peer<'_>,
        offer: Offer,
    ) -> Result<Stream, TransportError> {
        let connected = timeout(self.timeout, self.connect_untimed(peer, offer)).await;
        connected.map_err(|_| TransportErrorKind::ConnectionTimeout)?
    }

    async fn connect_untimed(
        &self,
        peer: Peer<'_>,
        offer: Offer,
    ) -> Result<Stream, TransportError> {
        let origin = peer.origin();
        let raw = match &self.egress {
            None => {
                let addresses = self.addresses(origin).await?;
                RawStream::Plain(race(&addresses, ATTEMPT_DELAY, tcp).await?)
            }
            Some(egress) => self.tunnel(egress, origin).await?,
        };
        let wire = Wire::new(raw);
        match origin.scheme() {
            Scheme::Http => Ok(Stream::Plain(wire)),
            Scheme::Https => self.secure(peer, wire, offer).await,
        }
    }

    async fn tunnel(&self, egress: &Egress, origin: &Origin) -> Result<RawStream, TransportError> {
        match origin.host() {
            // If the host application has set the address of the name, the address is checked here,
            // even if the proxy resolves names.
            Host::Name(name) if egress.resolves_names() && self.names.own(name).is_none() => {
                let target = Target::Name(name, origin.port());
                let tunnel = egress.tunnel(&self.names, target).await;
                tunnel.map_err(Failure::into_error)
            }
            _ => {
                let addresses = self.addresses(origin).await?;
                let to = |address| egress.tunnel(&self.names, Target::Address(address));
                race(&addresses, TUNNEL_DELAY, to).await
            }
        }
    }

    /// Returns the permitted addresses of the origin, in the order in which they're tried.
    async fn addresses(&self, origin: &Origin) -> Result<Addresses, TransportError> {
        let found: Arc<[IpAddr]> = match origin.host() {
            Host::Ip(address) => Arc::from([*address]),
            Host::Name(name) => {
                let found = self.names.addresses(name).await;
                found.map_err(|error| TransportError::new(TransportErrorKind::Dns, error))?
            }
        };
        let mut refused = TransportErrorKind::Dns;
        let mut prohibited = None;
        let mut addresses = Addresses::new();
        for ip in found.iter() {
            let address = SocketAddr::new(*ip, origin.port());
            match self.network.check(address) {
                Ok(()) => addresses.push(address),
                Err(NetworkRefusal::Loop) => refused = TransportErrorKind::Loop,
                Err(NetworkRefusal::Prohibited) if refused == TransportErrorKind::Loop => {}
                Err(NetworkRefusal::Prohibited) => {
                    refused = TransportErrorKind::DestinationProhibited;
                    prohibited.get_or_insert(*ip);
                }
            }
        }
        if addresses.is_empty() {
            return Err(match prohibited {
                Some(ip) if refused == TransportErrorKind::DestinationProhibited => {
                    TransportError::prohibited(ip, self.network.refused_blocks(ip))
                }
                _ => refused.into(),
            });
        }
        Ok(interleaved(&addresses))
    }

    #[cfg(feature = "rustls")]
    async fn secure(
        &self,
        peer: Peer<'_>,
        wire: Wire,
        offer: Offer,
    ) -> Result<Stream, TransportError> {
        let tls = peer.tls().or(self.tls.as_ref());
        let tls = tls.ok_or(TransportErrorKind::TlsProtocol)?;
        let host = peer.origin().host();
        let stream = match offer {
            Offer::Default => super::tls::handshake(tls, host, wire).await?,
            Offer::Http1 => super::tls::handshake_for_http1(tls, host, wire).await?,
        };
        Ok(Stream::Tls(Box::new(stream)))
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "the version with TLS awaits")]
    async fn secure(&self, _: Peer<'_>, _: Wire, _: Offer) -> Result<Stream, TransportError> {
        Err(TransportErrorKind::TlsProtocol.into())
    }
}
