//! A judged origin: the only thing that a transport can be asked to dial (SECURITY D1).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Uri;
use http::uri::{Authority, InvalidUriParts, PathAndQuery};

use super::host::Host;
#[cfg(feature = "rustls")]
use super::identity::ClientIdentity;
use super::origin::{Origin, Scheme};
use crate::address::ConnectionId;

/// Where a request goes. Only a [`DomainPolicy`](super::DomainPolicy) makes one, so none is
/// unjudged.
///
/// The name is judged, not yet the addresses behind it: that is the transport's duty
/// ([`NetworkPolicy`](super::NetworkPolicy)).
#[derive(Debug)]
pub struct Destination {
    origin: Origin,
    connection: Option<ConnectionId>,
    holder: Holder,
    /// Whether the request still waits for a connection.
    is_waiting: AtomicBool,
}

impl Clone for Destination {
    fn clone(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            connection: self.connection.clone(),
            holder: self.holder.clone(),
            is_waiting: AtomicBool::new(self.is_waiting()),
        }
    }
}

/// Whose a network connection is that what is sent on it authenticates.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner([u64; 2]);

impl Owner {
    /// That which has these secrets.
    pub(crate) fn of(fingerprint: [u64; 2]) -> Self {
        Self(fingerprint)
    }

    /// That which is both.
    #[cfg(feature = "rustls")]
    pub(super) fn and(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a ^ c, b ^ d])
    }
}

// By hand: it's made of secrets.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}

/// Who holds the network connections that are used.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// Whoever comes.
    Nobody,
    Bound(Owner),
    #[cfg(feature = "rustls")]
    Identified(ClientIdentity),
}

impl Holder {
    pub(crate) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Nobody => None,
            Self::Bound(owner) => Some(*owner),
            #[cfg(feature = "rustls")]
            Self::Identified(identity) => Some(identity.owner()),
        }
    }

    #[cfg(feature = "rustls")]
    pub(crate) fn identity(&self) -> Option<&ClientIdentity> {
        match self {
            Self::Identified(identity) => Some(identity),
            _ => None,
        }
    }
}

impl Destination {
    pub(super) fn judged(origin: Origin) -> Self {
        Self {
            origin,
            connection: None,
            holder: Holder::Nobody,
            is_waiting: AtomicBool::new(false),
        }
    }

    /// The same, called on behalf of that connection.
    pub(crate) fn on_behalf_of(&self, connection: &ConnectionId, owner: Option<Owner>) -> Self {
        Self {
            origin: self.origin.clone(),
            connection: Some(connection.clone()),
            holder: owner.map_or(Holder::Nobody, Holder::Bound),
            is_waiting: AtomicBool::new(false),
        }
    }

    /// The same, called on behalf of that connection as whom the vendor's TLS is to know it.
    #[cfg(feature = "rustls")]
    pub(crate) fn identified(&self, connection: &ConnectionId, identity: ClientIdentity) -> Self {
        Self {
            holder: Holder::Identified(identity),
            ..self.on_behalf_of(connection, None)
        }
    }

    /// Notes whether the request still waits for a connection, and hasn't been sent.
    pub(crate) fn waits(&self, is_waiting: bool) {
        self.is_waiting.store(is_waiting, Ordering::Relaxed);
    }

    /// Whether the request can't have been sent. Another transport than the crate's own says
    /// nothing of it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Relaxed)
    }

    /// The id of the connection on whose behalf it's called.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionId> {
        self.connection.as_ref()
    }

    /// Whose network connections are to be used, and nobody else's, as what is sent authenticates
    /// them ([`AuthScheme::binds_connection`](crate::auth::AuthScheme::binds_connection)), or as a
    /// client certificate is presented on them. `None`: they may be shared.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.holder.owner()
    }

    /// The client certificate to present, on network connections that are its own
    /// ([`owner`](Self::owner)). A transport that can't present it must fail, and send nothing.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    #[must_use]
    pub fn identity(&self) -> Option<&ClientIdentity> {
        self.holder.identity()
    }

    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.origin.scheme()
    }

    /// The host to resolve, and to verify in TLS.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.origin.host()
    }

    /// The port to dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.origin.port()
    }

    /// The absolute URI of that target here.
    pub(crate) fn uri(&self, target: PathAndQuery) -> Result<Uri, InvalidUriParts> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme().as_uri_scheme());
        uri.authority = Some(self.authority().clone());
        uri.path_and_query = Some(target);
        Uri::from_parts(uri)
    }

    /// The authority to send.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.origin.authority()
    }
}
