//! `Authorization: Bearer` (RFC 6750 §2.1), of OAuth 2.0.

use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;

use super::{AuthContext, AuthError, AuthScheme};
use crate::connection::Recipe;

static FIELDS: [HeaderName; 1] = [AUTHORIZATION];

/// Sends the secret `access_token` as `Authorization: Bearer ACCESS_TOKEN`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessToken;

impl AuthScheme for AccessToken {
    fn fields(&self) -> &[HeaderName] {
        &FIELDS
    }

    fn secrets(&self) -> Vec<&str> {
        vec!["access_token"]
    }

    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let value = cx.prepared(&Recipe::Named("AccessToken"), || {
            Ok(cx.secret("access_token")?.to_header_value("Bearer ")?)
        })?;
        request.headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}
