//! `Authorization: Basic` (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use zeroize::Zeroizing;

use super::{AuthContext, AuthError, AuthScheme};
use crate::connection::Recipe;
use crate::secret::{Secret, sensitive};

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
    let (user, password) = (cx.secret("username")?, cx.secret("password")?);
    let value = between(SCHEME, user, password, b"").ok_or(AuthError::Unsendable)?;
    Ok(sensitive(value)?)
}

/// User and password as `Basic` encodes them, between `before` and `after`, made at its final size
/// (SECURITY L9). `None` if they can't be sent: a colon would move the border between the two (RFC
/// 7617 §2), and controls are no part of either.
pub(crate) fn between(
    before: &[u8],
    user: &Secret,
    password: &Secret,
    after: &[u8],
) -> Option<Vec<u8>> {
    let (user, password) = (user.expose(), password.expose());
    let unfit = |bytes: &[u8]| bytes.iter().any(u8::is_ascii_control);
    if user.contains(&b':') || unfit(user) || unfit(password) {
        return None;
    }
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
    pair.extend_from_slice(user);
    pair.push(b':');
    pair.extend_from_slice(password);
    let mut encoded = Zeroizing::new(vec![0; pair.len().div_ceil(3) * 4]);
    STANDARD.encode_slice(&*pair, &mut encoded).ok()?;
    let mut value = Vec::with_capacity(before.len() + encoded.len() + after.len());
    value.extend_from_slice(before);
    value.extend_from_slice(&encoded);
    value.extend_from_slice(after);
    Some(value)
}
