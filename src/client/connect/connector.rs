//! Makes connections: names are resolved, each address is judged, and what was judged is what is
//! dialled (SECURITY N1, N9).
//!
//! hyper's own connector skips the resolver for literal addresses, so a guard in the resolver
//! wouldn't see them. Here all go one way.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use smallvec::{SmallVec, smallvec};
use tokio::time::{Instant, timeout_at};

use super::dial::dial;
use super::names::Names;
use super::stream::Stream;
use super::wire::Wire;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::policy::{Host, NetworkPolicy, NetworkRefusal, Origin, Scheme};

type Addresses = SmallVec<[SocketAddr; 4]>;

/// All that it takes to make connections; shared by those who make them.
pub(in crate::client) struct Connector {
    pub(in crate::client) names: Names,
    pub(in crate::client) network: NetworkPolicy,
    /// For all of a connection: look-up, TCP and TLS.
    pub(in crate::client) timeout: Duration,
    #[cfg(feature = "rustls")]
    pub(in crate::client) tls: Option<tokio_rustls::TlsConnector>,
}

impl Connector {
    /// A connection to `origin`, each of whose addresses has been judged.
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
        origin: &Origin,
    ) -> Result<Stream, TransportError> {
        let deadline = Instant::now() + self.timeout;
        let connecting = self.connect_by(origin, deadline);
        let connected = timeout_at(deadline, connecting).await;
        connected.map_err(|_| TransportErrorKind::ConnectionTimeout)?
    }

    async fn connect_by(
        &self,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Stream, TransportError> {
        let addresses = self.addresses(origin).await?;
        let socket = dial(&addresses, deadline).await?;
        // Small frames leave as they come: a proxy has nothing to gather.
        let _ = socket.set_nodelay(true);
        let wire = Wire::new(socket);
        match origin.scheme() {
            Scheme::Http => Ok(Stream::Plain(wire)),
            Scheme::Https => self.secure(origin, wire).await,
        }
    }

    /// Those of the host's addresses that may be dialled.
    async fn addresses(&self, origin: &Origin) -> Result<Addresses, TransportError> {
        let found: SmallVec<[IpAddr; 4]> = match origin.host() {
            Host::Address(address) => smallvec![*address],
            Host::Name(name) => {
                let found = self.names.look_up(name).await;
                found
                    .map_err(|error| TransportError::new(TransportErrorKind::Dns, error))?
                    .into()
            }
        };
        let mut refused = TransportErrorKind::Dns;
        let mut addresses = Addresses::new();
        for ip in found {
            let address = SocketAddr::new(ip, origin.port());
            match self.network.judge(address) {
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
        Ok(addresses)
    }

    #[cfg(feature = "rustls")]
    async fn secure(&self, origin: &Origin, wire: Wire) -> Result<Stream, TransportError> {
        let tls = self.tls.as_ref().ok_or(TransportErrorKind::TlsProtocol)?;
        let stream = super::tls::handshake(tls, origin.host(), wire).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "it's awaited where there is TLS")]
    async fn secure(&self, _: &Origin, _: Wire) -> Result<Stream, TransportError> {
        Err(TransportErrorKind::TlsProtocol.into())
    }
}
