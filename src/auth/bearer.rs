//! `Authorization: Bearer` (RFC 6750 §2.1).

use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;

use super::{AuthContext, AuthError, AuthScheme};
use crate::connection::Recipe;

static FIELDS: [HeaderName; 1] = [AUTHORIZATION];

/// Sends the secret `token` as `Authorization: Bearer TOKEN`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bearer;

impl AuthScheme for Bearer {
    fn fields(&self) -> &[HeaderName] {
        &FIELDS
    }

    fn secrets(&self) -> Vec<&str> {
        vec!["token"]
    }

    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let value = cx.prepared(&Recipe::Named("Bearer"), || {
            Ok(cx.secret("token")?.to_header_value("Bearer ")?)
        })?;
        request.headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}
