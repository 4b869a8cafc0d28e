//! Signatures with an RSA key (RFC 5849 §3.4.3, RFC 8017 §8.2).

use std::fmt;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use crate::auth::AuthError;
use crate::encoding::pem;
use crate::secret::Secret;

/// Signs for [`OAuth1::rsa_sha1`](super::OAuth1::rsa_sha1), with the host application's own
/// cryptography: a binding to OpenSSL, an HSM, a service that holds the key.
///
/// The crate has no such signer. Its cryptography library, ring, doesn't sign with SHA-1, and the
/// `rsa` crate, which does, leaks the key by its timing (RUSTSEC-2023-0071). `RSA-SHA1` is the only
/// RSA method in RFC 5849, and some upstreams support no other. Most of those accept `RSA-SHA256`
/// now, which needs no signer.
///
/// ```
/// use tower_passthrough::Secret;
/// use tower_passthrough::auth::{AuthError, OAuth1, RsaSha1Signer};
///
/// #[derive(Debug)]
/// struct Hsm;
///
/// impl RsaSha1Signer for Hsm {
///     fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
///         // Here the stored secret is the key's label, not the key.
///         let label = std::str::from_utf8(private_key.expose()).map_err(|_| AuthError::InvalidKey)?;
/// #       let hsm_sign = |_: &str, _: &[u8]| None;
///         hsm_sign(label, message).ok_or(AuthError::InvalidKey)
///     }
/// }
///
/// let scheme = OAuth1::rsa_sha1(Hsm);
/// ```
pub trait RsaSha1Signer: fmt::Debug + Send + Sync + 'static {
    /// Returns the signature of `message` by RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017 §8.2.1), as
    /// bytes.
    ///
    /// `private_key` is the connection's secret of that name, as it was stored. The method is called
    /// in the task that forwards the call, so it mustn't block for long.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidKey`] if the secret isn't a key. The call is then answered with
    /// `reauthorize`, and nothing is sent.
    fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError>;
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: RsaSha1Signer + ?Sized> RsaSha1Signer for $pointer<S> {
            fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
                S::sign(self, private_key, message)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// Returns the signature of `message` with SHA-256 and the private key, which is in PEM.
pub(super) fn sign_sha256(private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
    let sections = pem::sections(private_key.expose()).map_err(|_| AuthError::InvalidKey)?;
    let mut keys = sections.iter().filter_map(|section| match section.label {
        b"PRIVATE KEY" => Some(RsaKeyPair::from_pkcs8(&section.der)),
        b"RSA PRIVATE KEY" => Some(RsaKeyPair::from_der(&section.der)),
        _ => None,
    });
    let key = keys.next().ok_or(AuthError::InvalidKey)?;
    let key = key.map_err(|_| AuthError::InvalidKey)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .map_err(|_| AuthError::InvalidKey)?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_signs_nothing() {
        for text in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\nYWJj",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nYWJj\n-----END ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nYWJj\n-----END RSA PRIVATE KEY-----",
        ] {
            let signed = sign_sha256(&Secret::from(text), b"message");
            assert_eq!(signed, Err(AuthError::InvalidKey));
        }
    }
}
