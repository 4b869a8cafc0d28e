//! A checked origin: the only kind of destination that a transport accepts.

use http::Uri;
use http::uri::{Authority, InvalidUriParts, PathAndQuery};

use super::host::Host;
use super::origin::{Origin, Scheme};

/// A checked origin. Only a [`DomainPolicy`](super::DomainPolicy) makes a destination:
/// [`Upstream::destination`](crate::Upstream::destination) returns the destination of a base URL.
///
/// Only the name has been checked. The transport must check the addresses that the name resolves to
/// ([`NetworkPolicy`](super::NetworkPolicy)).
#[derive(Clone, Debug)]
pub struct Destination(Origin);

impl Destination {
    pub(super) fn judged(origin: Origin) -> Self {
        Self(origin)
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0
    }

    /// Returns the scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme()
    }

    /// Returns the host to resolve, and to verify in TLS.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.0.host()
    }

    /// Returns the port to dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Returns the authority to send.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.0.authority()
    }

    /// Returns the absolute URI of that target at this destination.
    pub(crate) fn uri(&self, target: PathAndQuery) -> Result<Uri, InvalidUriParts> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme().as_uri_scheme());
        uri.authority = Some(self.authority().clone());
        uri.path_and_query = Some(target);
        Uri::from_parts(uri)
    }
}
