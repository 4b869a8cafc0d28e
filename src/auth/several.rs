//! Several schemes at once, for vendors that want two keys.

use http::HeaderName;
use http::request::Parts;

#[cfg(feature = "rustls")]
use super::ClientIdentity;
use super::{AuthContext, AuthError, AuthScheme, PayloadCoder, PayloadUse};
#[cfg(feature = "rustls")]
use crate::connection::Connection;

/// Applies each scheme in turn: `DD-API-KEY` and `DD-APPLICATION-KEY`, a token and an account id.
#[derive(Debug)]
pub struct Several {
    schemes: Vec<Box<dyn AuthScheme>>,
    fields: Vec<HeaderName>,
    parameters: Vec<Box<str>>,
}

impl Several {
    /// The schemes, in the order in which they're applied.
    pub fn new(schemes: impl IntoIterator<Item = Box<dyn AuthScheme>>) -> Self {
        let schemes: Vec<_> = schemes.into_iter().collect();
        let fields = schemes
            .iter()
            .flat_map(|scheme| scheme.fields())
            .cloned()
            .collect();
        let parameters = schemes
            .iter()
            .flat_map(|scheme| scheme.parameters())
            .cloned()
            .collect();
        Self {
            schemes,
            fields,
            parameters,
        }
    }
}

impl AuthScheme for Several {
    fn fields(&self) -> &[HeaderName] {
        &self.fields
    }

    fn parameters(&self) -> &[Box<str>] {
        &self.parameters
    }

    fn secrets(&self) -> Vec<&str> {
        self.schemes
            .iter()
            .flat_map(|scheme| scheme.secrets())
            .collect()
    }

    fn payload(&self, request: &Parts) -> PayloadUse {
        let limits = self
            .schemes
            .iter()
            .filter_map(|scheme| match scheme.payload(request) {
                PayloadUse::Ignored => None,
                PayloadUse::Bytes { limit } => Some(limit),
            });
        limits
            .min()
            .map_or(PayloadUse::Ignored, |limit| PayloadUse::Bytes { limit })
    }

    fn binds_connection(&self) -> bool {
        self.schemes.iter().any(|scheme| scheme.binds_connection())
    }

    /// The first that there is.
    #[cfg(feature = "rustls")]
    fn identity(&self, connection: &Connection) -> Result<Option<ClientIdentity>, AuthError> {
        let mut identities = self
            .schemes
            .iter()
            .filter_map(|scheme| scheme.identity(connection).transpose());
        identities.next().transpose()
    }

    fn ready(&self, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        self.schemes.iter().try_for_each(|scheme| scheme.ready(cx))
    }

    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        self.schemes
            .iter()
            .try_for_each(|scheme| scheme.apply(request, cx))
    }

    fn coder(
        &self,
        request: &Parts,
        cx: &AuthContext<'_>,
    ) -> Result<Option<Box<dyn PayloadCoder>>, AuthError> {
        let coders = self.schemes.iter().map(|scheme| scheme.coder(request, cx));
        coders.filter_map(Result::transpose).next().transpose()
    }
}
