//! A judged origin: the only thing that a transport can be asked to dial (SECURITY D1).

use http::Uri;
use http::uri::{Authority, InvalidUriParts, PathAndQuery};

use super::host::Host;
use super::origin::{Origin, Scheme};

/// Where a request goes. Only a [`DomainPolicy`](super::DomainPolicy) makes one, so none is
/// unjudged.
///
/// The name is judged, not yet the addresses behind it: that is the transport's duty
/// ([`NetworkPolicy`](super::NetworkPolicy)).
#[derive(Clone, Debug)]
pub struct Destination(Origin);

impl Destination {
    pub(super) fn judged(origin: Origin) -> Self {
        Self(origin)
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme()
    }

    /// The host to resolve, and to verify in TLS.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.0.host()
    }

    /// The port to dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
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
        self.0.authority()
    }
}
