//! TLS that presents a client certificate. All other settings are the same as for other connections
//! of the transport, so that verification isn't weaker. Identities don't share TLS sessions, because
//! a resumed session authenticates as the identity that began the session.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::SingleCertAndKey;
use tokio_rustls::TlsConnector;

use super::connector::Connector;
use super::stream::Peer;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::identity::ClientIdentity;
use crate::policy::Origin;

/// The maximum number of sessions that are kept. All sessions are for the same server name.
const MAX_SESSIONS: usize = 32;

/// The TLS configuration for an origin and an identity. The configuration is made when it's first
/// needed, and its sessions are dropped with it.
#[derive(Default)]
pub(crate) struct IdentityTls(OnceLock<TlsConnector>);

impl IdentityTls {
    /// Returns a peer to which the certificate of `identity` is presented.
    ///
    /// # Errors
    ///
    /// `TlsProtocol` if the transport has no TLS, because the upstream must never be called without
    /// the certificate.
    pub(crate) fn peer<'a>(
        &'a self,
        origin: &'a Origin,
        identity: &ClientIdentity,
        connector: &Connector,
    ) -> Result<Peer<'a>, TransportError> {
        let base = connector.tls().ok_or(TransportErrorKind::TlsProtocol)?;
        let tls = self.0.get_or_init(|| with_identity(base, identity));
        Ok(Peer::with_tls(origin, tls))
    }
}

fn with_identity(base: &TlsConnector, identity: &ClientIdentity) -> TlsConnector {
    let mut config = ClientConfig::clone(base.config());
    let certified = Arc::clone(identity.certified());
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    TlsConnector::from(Arc::new(config))
}
