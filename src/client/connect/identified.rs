//! TLS that presents a client certificate: the transport's own in all else, so that nothing is
//! verified less, and with sessions of its own, as one that is resumed is the identity's that began
//! it (SECURITY T12).

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::SingleCertAndKey;
use tokio_rustls::TlsConnector;

use super::connector::Connector;
use super::peer::Peer;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::identity::ClientIdentity;
use crate::policy::Origin;

/// The sessions that are kept: those of one name, and room to spare.
const SESSIONS: usize = 32;

/// TLS for one place and one identity, made when it's needed first. Its sessions are gone when it
/// is.
#[derive(Default)]
pub(in crate::client) struct Identified(OnceLock<TlsConnector>);

impl Identified {
    /// That place, where the gateway is `identity`.
    ///
    /// # Errors
    ///
    /// If the transport has no TLS, so that it's never gone without.
    pub(in crate::client) fn at<'a>(
        &'a self,
        origin: &'a Origin,
        identity: &ClientIdentity,
        connector: &Connector,
    ) -> Result<Peer<'a>, TransportError> {
        let own = connector.tls.as_ref();
        let own = own.ok_or(TransportErrorKind::TlsProtocol)?;
        let tls = self.0.get_or_init(|| presenting(identity, own));
        Ok(Peer {
            origin,
            identified: Some(tls),
        })
    }
}

fn presenting(identity: &ClientIdentity, own: &TlsConnector) -> TlsConnector {
    let mut config = ClientConfig::clone(own.config());
    let certified = Arc::clone(identity.certified());
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    TlsConnector::from(Arc::new(config))
}
