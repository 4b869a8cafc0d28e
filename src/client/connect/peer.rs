//! What a connection is made to, and who the gateway is there.

use crate::policy::Origin;

/// An origin, and the TLS to speak with it.
#[derive(Clone, Copy)]
pub(in crate::client) struct Peer<'a> {
    pub(super) origin: &'a Origin,
    /// In place of the transport's own, which knows no client certificate.
    #[cfg(feature = "rustls")]
    pub(super) identified: Option<&'a tokio_rustls::TlsConnector>,
}

impl<'a> Peer<'a> {
    /// That origin, to which the gateway is nobody.
    pub(in crate::client) fn of(origin: &'a Origin) -> Self {
        Self {
            origin,
            #[cfg(feature = "rustls")]
            identified: None,
        }
    }
}
