//! A judged origin: the only thing that a transport can be asked to dial (SECURITY D1).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Uri;
use http::uri::{Authority, InvalidUriParts, PathAndQuery};

use super::host::Host;
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
    owner: Option<Owner>,
    /// Whether the request still waits for a connection.
    is_waiting: AtomicBool,
}

impl Clone for Destination {
    fn clone(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            connection: self.connection.clone(),
            owner: self.owner,
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
}

// By hand: it's made of secrets.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}

impl Destination {
    pub(super) fn judged(origin: Origin) -> Self {
        Self {
            origin,
            connection: None,
            owner: None,
            is_waiting: AtomicBool::new(false),
        }
    }

    /// The same, called on behalf of that connection.
    pub(crate) fn on_behalf_of(&self, connection: &ConnectionId, owner: Option<Owner>) -> Self {
        Self {
            origin: self.origin.clone(),
            connection: Some(connection.clone()),
            owner,
            is_waiting: AtomicBool::new(false),
        }
    }

    /// Notes whether the request still waits for a connection, and hasn't been sent.
    #[cfg(any(feature = "http1", feature = "http2"))]
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
    /// them ([`AuthScheme::binds_connection`](crate::auth::AuthScheme::binds_connection)). `None`:
    /// they may be shared.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.owner
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
