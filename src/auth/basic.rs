//! `Authorization: Basic` (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use zeroize::Zeroizing;

use super::{AuthContext, AuthError, AuthScheme};
use crate::connection::Recipe;
use crate::secret::sensitive;

const SCHEME: &[u8] = b"Basic ";

static FIELDS: [HeaderName; 1] = [AUTHORIZATION];

/// Sends the secrets `username` and `password` as `Authorization: Basic`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Basic;

impl AuthScheme for Basic {
    fn fields(&self) -> &[HeaderName] {
        &FIELDS
    }

    fn secrets(&self) -> Vec<&str> {
        vec!["username", "password"]
    }

    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let value = cx.prepared(&Recipe::Named("Basic"), || value(cx))?;
        request.headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

fn value(cx: &AuthContext<'_>) -> Result<HeaderValue, AuthError> {
    let (user, password) = (
        cx.secret("username")?.expose(),
        cx.secret("password")?.expose(),
    );
    // A colon would move the border between the two (RFC 7617 §2), and controls are no part of
    // either.
    let unfit = |bytes: &[u8]| bytes.iter().any(u8::is_ascii_control);
    if user.contains(&b':') || unfit(user) || unfit(password) {
        return Err(AuthError::Unsendable);
    }
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
    pair.extend_from_slice(user);
    pair.push(b':');
    pair.extend_from_slice(password);
    let mut value = vec![0; SCHEME.len() + pair.len().div_ceil(3) * 4];
    let (scheme, encoded) = value.split_at_mut(SCHEME.len());
    scheme.copy_from_slice(SCHEME);
    STANDARD
        .encode_slice(&*pair, encoded)
        .map_err(|_| AuthError::Unsendable)?;
    Ok(sensitive(value)?)
}
