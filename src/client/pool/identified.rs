//! Connections that a client certificate is presented on (FORWARDING K7; SECURITY T7): each host of
//! the pool has but one identity, and its TLS goes when the host does.

#[cfg(feature = "rustls")]
use std::sync::atomic::Ordering;

#[cfg(feature = "rustls")]
use tokio::time::Instant;

use super::host::Host;
use super::table::Shared;
use crate::client::connect::Peer;
use crate::client::error::TransportError;

impl Host {
    /// What its connections are made to, and who the gateway is there.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unnecessary_wraps, reason = "an identity's TLS may fail")
    )]
    pub(super) fn peer(&self, pool: &Shared) -> Result<Peer<'_>, TransportError> {
        #[cfg(feature = "rustls")]
        if let Some(identity) = self.key.isolation.identity() {
            if self.lock().sessions.replace(Instant::now()).is_none() {
                let others = pool.sessions.fetch_add(1, Ordering::Relaxed);
                if others >= pool.limits.idle_in_all {
                    pool.sweeper.trim();
                }
            }
            return self.tls.at(&self.key.origin, identity, &pool.connector);
        }
        #[cfg(not(feature = "rustls"))]
        let _ = pool;
        Ok(Peer::of(&self.key.origin))
    }
}
