//! Connections that a client certificate is presented on (FORWARDING K7; SECURITY T7): each host of
//! the pool has but one identity, and its TLS goes when the host does.

#[cfg(feature = "mtls")]
use tokio::time::Instant;

use super::host::Host;
use crate::client::connect::{Connector, Peer};
use crate::client::error::TransportError;

impl Host {
    /// What its connections are made to, and who the gateway is there.
    #[cfg_attr(
        not(feature = "mtls"),
        expect(clippy::unnecessary_wraps, reason = "an identity's TLS may fail")
    )]
    pub(super) fn peer(&self, connector: &Connector) -> Result<Peer<'_>, TransportError> {
        #[cfg(feature = "mtls")]
        if let Some(identity) = self.key.holder.identity() {
            self.lock().sessions = Some(Instant::now());
            return self.tls.at(&self.key.origin, identity, connector);
        }
        #[cfg(not(feature = "mtls"))]
        let _ = connector;
        Ok(Peer::of(&self.key.origin))
    }
}
