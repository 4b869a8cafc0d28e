//! No credential at all.

use http::request::Parts;

use super::{AuthContext, AuthError, AuthScheme};

/// Puts nothing on: for public APIs, and for vendors whose credential is part of the base URL's
/// variables.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl AuthScheme for NoAuth {
    fn apply(&self, _: &mut Parts, _: &AuthContext<'_>) -> Result<(), AuthError> {
        Ok(())
    }
}
