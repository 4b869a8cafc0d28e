//! The signature methods (RFC 5849 §3.4.2 to §3.4.4).

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

use super::base_string::BaseString;
use super::rsa::{self, RsaSha1Signer};
use crate::auth::signing::{Hash, text};
use crate::auth::{AuthContext, AuthError};
use crate::encoding::percent::encode;

#[derive(Clone)]
pub(super) enum Method {
    HmacSha1,
    HmacSha256,
    RsaSha256,
    RsaSha1(Arc<dyn RsaSha1Signer>),
    Plaintext,
}

impl Method {
    /// Returns the name in `oauth_signature_method`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha1(_) => "RSA-SHA1",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// Returns the hash of the method, or `None` if the method signs nothing.
    pub(super) fn hash(&self) -> Option<Hash> {
        match self {
            Self::HmacSha1 | Self::RsaSha1(_) => Some(Hash::Sha1),
            Self::HmacSha256 | Self::RsaSha256 => Some(Hash::Sha256),
            Self::Plaintext => None,
        }
    }

    /// Returns `true` if the method sends the secrets themselves.
    pub(super) fn is_in_clear(&self) -> bool {
        matches!(self, Self::Plaintext)
    }

    /// Returns the names of the secrets with which the method signs.
    pub(super) fn secrets(&self, has_token: bool) -> &'static [&'static str] {
        match self {
            Self::RsaSha256 | Self::RsaSha1(_) => &["private_key"],
            _ if has_token => &["consumer_secret", "token_secret"],
            _ => &["consumer_secret"],
        }
    }

    /// Returns the value of `oauth_signature`, not yet encoded as a parameter.
    pub(super) fn sign(
        &self,
        base: &BaseString<'_>,
        cx: &AuthContext<'_>,
        has_token: bool,
    ) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        match self {
            Self::HmacSha1 => mac(Hash::Sha1, base, &shared(cx, has_token)?),
            Self::HmacSha256 => mac(Hash::Sha256, base, &shared(cx, has_token)?),
            Self::RsaSha256 => {
                let key = cx.secret("private_key")?;
                Ok(in_base64(&rsa::sign_sha256(key, &held(base))?))
            }
            Self::RsaSha1(signer) => {
                let key = cx.secret("private_key")?;
                Ok(in_base64(&signer.sign(key, &held(base))?))
            }
            Self::Plaintext => shared(cx, has_token),
        }
    }
}

/// Returns both secrets, encoded and joined by `&` (§3.4.2).
fn shared(cx: &AuthContext<'_>, has_token: bool) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let consumer = text(cx, "consumer_secret")?;
    let token = match has_token {
        true => text(cx, "token_secret")?,
        false => &[],
    };
    // Each byte may become three bytes, and a buffer that grows would leave copies of secrets
    // behind.
    let room = 3 * (consumer.len() + token.len()) + 1;
    let mut key = Zeroizing::new(Vec::with_capacity(room));
    encode(consumer, &mut |part| key.extend_from_slice(part));
    key.push(b'&');
    encode(token, &mut |part| key.extend_from_slice(part));
    Ok(key)
}

fn mac(hash: Hash, base: &BaseString<'_>, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hash.hmac(), key));
    base.write(&mut |part| context.update(part));
    Ok(in_base64(context.sign().as_ref()))
}

/// Returns the whole string, for signers that can't read it in pieces.
fn held(base: &BaseString<'_>) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::with_capacity(base.length()));
    base.write(&mut |part| all.extend_from_slice(part));
    all
}

fn in_base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(BASE64_STANDARD.encode(bytes).into_bytes())
}
