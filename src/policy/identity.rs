//! Who the gateway is to a vendor's TLS, on behalf of one connection.

use std::fmt;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::Owner;
use crate::secret::Secret;

/// A client certificate and its private key (RFC 8446 §4.4.2). Cloning is one increment.
///
/// A network connection on which it has been presented is that identity's alone, and so is what can
/// resume its TLS session. The key is wiped when the last clone is gone, as far as it's held here:
/// of what `ring` keeps to sign with, nothing can be wiped.
#[derive(Clone)]
pub struct ClientIdentity(Arc<Inner>);

struct Inner {
    owner: Owner,
    certificate: Secret,
    private_key: Secret,
    certified: Arc<CertifiedKey>,
}

impl ClientIdentity {
    /// An identity whose key has been seen to be that of its certificate.
    pub(crate) fn checked(
        owner: Owner,
        certificate: Secret,
        private_key: Secret,
        certified: CertifiedKey,
    ) -> Self {
        Self(Arc::new(Inner {
            owner,
            certificate,
            private_key,
            certified: Arc::new(certified),
        }))
    }

    /// The same, on connections that are bound to `owner` as well.
    pub(crate) fn bound_to(&self, owner: Owner) -> Self {
        Self(Arc::new(Inner {
            owner: self.owner().and(owner),
            certificate: self.certificate().clone(),
            private_key: self.private_key().clone(),
            certified: Arc::clone(&self.0.certified),
        }))
    }

    /// The certificate, and the chain that follows it, in PEM: for a
    /// [`Transport`](crate::Transport) of your own.
    #[must_use]
    pub fn certificate(&self) -> &Secret {
        &self.0.certificate
    }

    /// The private key, in PEM: for a [`Transport`](crate::Transport) of your own.
    #[must_use]
    pub fn private_key(&self) -> &Secret {
        &self.0.private_key
    }

    /// What tells it from another: whose network connections are to be used, and nobody else's.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.0.owner
    }

    /// What TLS signs with.
    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.0.certified
    }
}

// By hand: even a certificate says whose it is.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity")
    }
}
