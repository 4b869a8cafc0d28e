//! Schemes that send a secret without a signature: none, bearer, basic, query.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, CacheKey, Requirements, SchemeError,
};
use crate::address::without;
use crate::encoding::percent;
use crate::secret::{Secret, sensitive};

/// Sends no credential.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl AuthScheme for NoAuth {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn apply(&self, _: &mut AuthRequest<'_>, _: &AuthContext<'_>) -> Result<Applied, AuthError> {
        Ok(Applied::default())
    }
}

/// Sends the secret `token` as `Authorization: Bearer TOKEN` (RFC 6750 §2.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Bearer;

impl AuthScheme for Bearer {
    fn requirements(&self) -> Requirements {
        Requirements::new().field(AUTHORIZATION).secret("token")
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        insert_bearer::<Self>("token", request, cx)
    }
}

/// Sends the secret `access_token` of OAuth 2.0 as `Authorization: Bearer ACCESS_TOKEN` (RFC 6750 §2.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessToken;

impl AuthScheme for AccessToken {
    fn requirements(&self) -> Requirements {
        Requirements::new()
            .field(AUTHORIZATION)
            .secret("access_token")
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        insert_bearer::<Self>("access_token", request, cx)
    }
}

/// Adds a secret as `Authorization: Bearer`. `S` is the scheme, because each scheme caches its value with the connection.
fn insert_bearer<S: 'static>(
    secret: &str,
    request: &mut AuthRequest<'_>,
    cx: &AuthContext<'_>,
) -> Result<Applied, AuthError> {
    let value = cx.cached_header(&CacheKey::for_type::<S>(), || {
        Ok(cx.secret(secret)?.to_header_value("Bearer ")?)
    })?;
    request.insert_header(AUTHORIZATION, value);
    Ok(Applied::default())
}

/// Sends the secrets `username` and `password` as `Authorization: Basic` (RFC 7617).
#[derive(Clone, Copy, Debug, Default)]
pub struct Basic;

impl AuthScheme for Basic {
    fn requirements(&self) -> Requirements {
        Requirements::new()
            .field(AUTHORIZATION)
            .secret("username")
            .secret("password")
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let value = cx.cached_header(&CacheKey::for_type::<Self>(), || basic_value(cx))?;
        request.insert_header(AUTHORIZATION, value);
        Ok(Applied::default())
    }
}

fn basic_value(cx: &AuthContext<'_>) -> Result<HeaderValue, AuthError> {
    let (user, password) = (cx.secret("username")?, cx.secret("password")?);
    let value = encode_basic(b"Basic ", user, password, b"");
    Ok(sensitive(value.ok_or(AuthError::InvalidHeaderValue)?)?)
}

/// Returns user and password in the encoding of `Basic`, between `before` and `after`. The result is allocated at its final size, so that
/// no copy is left behind. Returns `None` if they can't be sent: a colon would move the border between the two (RFC 7617 §2), and neither
/// may contain control characters.
pub(crate) fn encode_basic(
    before: &[u8],
    user: &Secret,
    password: &Secret,
    after: &[u8],
) -> Option<Vec<u8>> {
    let (user, password) = (user.expose(), password.expose());
    let is_invalid = |bytes: &[u8]| bytes.iter().any(u8::is_ascii_control);
    if user.contains(&b':') || is_invalid(user) || is_invalid(password) {
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

/// Sends a secret as a query parameter. The caller's parameters of that name are removed, and the secret's parameter is the last.
///
/// Prefer a header field if the upstream accepts a field: an upstream may repeat its request URL in `Location`, `Link` or a body, and
/// URLs are often logged. The key is removed from the fields with links, and `Refresh`, unless
/// [`Upstream::scrub_links`](crate::Upstream::scrub_links) is switched off, but never from other fields or a body.
#[derive(Clone, Debug)]
pub struct Query {
    name: Box<str>,
    secret: Box<str>,
}

impl Query {
    /// Returns the scheme for that parameter. It sends the secret of the same name, unless [`secret`](Self::secret) sets another.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if the name is empty or `__domain`.
    pub fn new(name: &str) -> Result<Self, SchemeError> {
        if name.is_empty() || name == "__domain" {
            return Err(SchemeError(
                "the name of the parameter is empty or reserved",
            ));
        }
        Ok(Self {
            name: name.into(),
            secret: name.into(),
        })
    }

    /// Sets the name of the secret to send. Default: the name of the parameter.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secret = name.into();
        self
    }
}

impl AuthScheme for Query {
    fn requirements(&self) -> Requirements {
        Requirements::new()
            .parameter(&*self.name)
            .secret(&*self.secret)
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        insert_parameter(request, &self.name, cx.secret(&self.secret)?.expose())?;
        Ok(Applied::default())
    }
}

/// Removes the parameters of that name from the query.
#[cfg(feature = "catalog")]
pub(crate) fn remove_parameter(request: &mut AuthRequest<'_>, name: &str) -> Result<(), AuthError> {
    let Some(query) = request.uri().query() else {
        return Ok(());
    };
    // `None` means that nothing is left.
    let kept = without(query, name).unwrap_or_default();
    if kept.len() == query.len() {
        return Ok(());
    }
    // Allocated at its final size, as another scheme may have added a secret to the query.
    let path = request.uri().path();
    let mut target = String::with_capacity(path.len() + 1 + kept.len());
    target.push_str(path);
    if !kept.is_empty() {
        target.push('?');
        target.push_str(&kept);
    }
    request.set_path_and_query(target.into_bytes())
}

/// Adds a parameter to the query. The caller's parameters of that name are removed.
pub(crate) fn insert_parameter(
    request: &mut AuthRequest<'_>,
    name: &str,
    secret: &[u8],
) -> Result<(), AuthError> {
    let path = request.uri().path();
    let kept = request.uri().query().and_then(|query| without(query, name));
    // Each byte may become three bytes. The text is allocated at that size, so that no copy is left behind.
    let room =
        path.len() + kept.as_deref().map_or(0, str::len) + 3 * (name.len() + secret.len()) + 3;
    let mut target = String::with_capacity(room);
    target.push_str(path);
    target.push('?');
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        target.push_str(&kept);
        target.push('&');
    }
    percent::encode_into(&mut target, name.as_bytes());
    target.push('=');
    percent::encode_into(&mut target, secret);
    request.set_path_and_query(target.into_bytes())
}
