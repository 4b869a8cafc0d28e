//! A scheme whose credential authenticates the network connection, as NTLM does.

use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, Requirements,
};

/// Adds nothing to a request, and reserves the network connection for the same credential.
#[derive(Debug)]
pub struct Binding;

impl AuthScheme for Binding {
    fn requirements(&self) -> Requirements {
        Requirements::new().binds_connection(true)
    }

    fn apply(&self, _: &mut AuthRequest<'_>, _: &AuthContext<'_>) -> Result<Applied, AuthError> {
        Ok(Applied::default())
    }
}
