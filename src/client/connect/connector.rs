//! Makes connections: names are resolved, each address is judged, and what was judged is what is
//! dialled (SECURITY N1, N9).
//!
//! hyper's own connector skips the resolver for literal addresses, so a guard in the resolver
//! wouldn't see them. Here all go one way.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::dial::{ATTEMPT_DELAY, Addresses, Failure, interleaved, race, tcp};
use super::egress::{Egress, Goal};
use super::line::Line;
use super::names::LookUps;
use super::peer::Peer;
use super::stream::Stream;
use super::wire::Wire;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::policy::{Host, NetworkPolicy, NetworkRefusal, Origin, Scheme};

/// How long a tunnel's attempt is alone: two more round trips than a connection's own, and each
/// costs the proxy one.
const TUNNEL_DELAY: Duration = Duration::from_secs(1);

/// All that it takes to make connections; shared by those who make them.
pub(in crate::client) struct Connector {
    pub(in crate::client) names: LookUps,
    pub(in crate::client) network: NetworkPolicy,
    /// For all of a connection: look-up, all attempts, the egress proxy and TLS.
    pub(in crate::client) timeout: Duration,
    pub(in crate::client) egress: Option<Egress>,
    #[cfg(feature = "rustls")]
    pub(in crate::client) tls: Option<tokio_rustls::TlsConnector>,
}

/// What TLS offers to speak.
#[derive(Clone, Copy)]
enum Offer {
    All,
    Http1,
}

impl Connector {
    /// A connection to `peer`, each of whose addresses has been judged.
    ///
    /// # Errors
    ///
    /// What failed; `ConnectionTimeout` if there is none within the timeout for all of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what it has opened.
    pub(in crate::client) async fn connect(
        &self,
        peer: Peer<'_>,
    ) -> Result<Stream, TransportError> {
        self.connect_and_offer(peer, Offer::All).await
    }

    /// The same, and TLS offers HTTP/1.1 alone.
    pub(in crate::client) async fn connect_for_http1(
        &self,
        peer: Peer<'_>,
    ) -> Result<Stream, TransportError> {
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
        let origin = peer.origin;
        let line = match &self.egress {
            None => {
                let addresses = self.addresses(origin).await?;
                Line::Plain(race(&addresses, ATTEMPT_DELAY, tcp).await?)
            }
            Some(egress) => self.tunnel(egress, origin).await?,
        };
        let wire = Wire::new(line);
        match origin.scheme() {
            Scheme::Http => Ok(Stream::Plain(wire)),
            Scheme::Https => self.secure(peer, wire, offer).await,
        }
    }

    async fn tunnel(&self, egress: &Egress, origin: &Origin) -> Result<Line, TransportError> {
        match origin.host() {
            // What the host answers itself is known here.
            Host::Name(name) if egress.resolves_names() && self.names.own(name).is_none() => {
                let goal = Goal::Name(name, origin.port());
                let tunnel = egress.tunnel(&self.names, goal).await;
                tunnel.map_err(Failure::into_error)
            }
            _ => {
                let addresses = self.addresses(origin).await?;
                let to = |address| egress.tunnel(&self.names, Goal::Judged(address));
                race(&addresses, TUNNEL_DELAY, to).await
            }
        }
    }

    /// Those of the host's addresses that may be dialled, in the order in which they're tried.
    async fn addresses(&self, origin: &Origin) -> Result<Addresses, TransportError> {
        let found: Arc<[IpAddr]> = match origin.host() {
            Host::Ip(address) => Arc::from([*address]),
            Host::Name(name) => {
                let found = self.names.addresses(name).await;
                found.map_err(|error| TransportError::new(TransportErrorKind::Dns, error))?
            }
        };
        let mut refused = TransportErrorKind::Dns;
        let mut addresses = Addresses::new();
        for ip in found.iter() {
            let address = SocketAddr::new(*ip, origin.port());
            match self.network.check(address) {
                Ok(()) => addresses.push(address),
                Err(NetworkRefusal::Loop) => refused = TransportErrorKind::Loop,
                Err(NetworkRefusal::Prohibited) if refused == TransportErrorKind::Loop => {}
                Err(NetworkRefusal::Prohibited) => {
                    refused = TransportErrorKind::DestinationProhibited
                }
            }
        }
        if addresses.is_empty() {
            return Err(refused.into());
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
        let tls = self.tls.as_ref();
        #[cfg(feature = "rustls")]
        let tls = peer.identified.or(tls);
        let tls = tls.ok_or(TransportErrorKind::TlsProtocol)?;
        let host = peer.origin.host();
        let stream = match offer {
            Offer::All => super::tls::handshake(tls, host, wire).await?,
            Offer::Http1 => super::tls::handshake_for_http1(tls, host, wire).await?,
        };
        Ok(Stream::Tls(Box::new(stream)))
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "it's awaited where there is TLS")]
    async fn secure(&self, _: Peer<'_>, _: Wire, _: Offer) -> Result<Stream, TransportError> {
        Err(TransportErrorKind::TlsProtocol.into())
    }
}
