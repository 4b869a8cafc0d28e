//! Schemes for tests.

use http::request::Parts;
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements,
};

/// A scheme that sees the payload, so the gateway buffers the payload.
#[derive(Debug)]
pub struct Payload;

impl AuthScheme for Payload {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn payload(&self, _: &Parts, _: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        Ok(PayloadUse::Bytes { limit: 1 << 20 })
    }

    fn apply(&self, _: &mut AuthRequest<'_>, _: &AuthContext<'_>) -> Result<Applied, AuthError> {
        Ok(Applied::default())
    }
}
