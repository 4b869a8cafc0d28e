//! Signatures with an RSA key (RFC 5849 §3.4.3, RFC 8017 §8.2).

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::auth::AuthError;
use crate::secret::Secret;

/// Signs for [`OAuth1::rsa_sha1`](super::OAuth1::rsa_sha1), with what the host app has for it: a
/// binding to OpenSSL, an HSM, a service that holds the key.
///
/// The crate has none of its own. Its crypto library, ring, doesn't sign with SHA-1, and the `rsa`
/// crate, which would, leaks the key by its timing (RUSTSEC-2023-0071). RFC 5849 knows no other RSA
/// method, and some vendors kept to it; most of those take `RSA-SHA256` by now, which needs no
/// signer.
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
///         let label = std::str::from_utf8(private_key.expose()).map_err(|_| AuthError::Unusable)?;
/// #       let hsm_sign = |_: &str, _: &[u8]| None;
///         hsm_sign(label, message).ok_or(AuthError::Unusable)
///     }
/// }
///
/// let scheme = OAuth1::rsa_sha1(Hsm);
/// ```
pub trait RsaSha1Signer: fmt::Debug + Send + Sync + 'static {
    /// The signature of `message` by RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017 §8.2.1), as bytes.
    /// `private_key` is the connection's secret of that name, as it was stored.
    ///
    /// It's called on the task that forwards the call, so it mustn't block for long.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unusable`] if the secret is no key. The call is then answered with
    /// `reauthorize`, and nothing is sent.
    fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError>;
}

/// The signature of `message` with SHA-256, by the key that is stored in PEM.
pub(super) fn sign_sha256(private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
    let pem = private_key.expose();
    let key = if let Some(key) = unwrap(pem, b"PRIVATE KEY") {
        RsaKeyPair::from_pkcs8(&key)
    } else if let Some(key) = unwrap(pem, b"RSA PRIVATE KEY") {
        RsaKeyPair::from_der(&key)
    } else {
        return Err(AuthError::Unusable);
    };
    let key = key.map_err(|_| AuthError::Unusable)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .map_err(|_| AuthError::Unusable)?;
    Ok(signature)
}

/// What stands in base64 between the lines of that label (RFC 7468 §3). By hand, as no reader of
/// PEM wipes what it has read.
fn unwrap(pem: &[u8], label: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const DASHES: &[u8] = b"-----";
    let mut lines = pem.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let is = |line: &[u8], word: &[u8]| {
        let inside = line.strip_prefix(DASHES)?.strip_suffix(DASHES)?;
        (inside.strip_prefix(word)? == label).then_some(())
    };
    lines.find(|line| is(line, b"BEGIN ").is_some())?;
    let mut text = Zeroizing::new(Vec::with_capacity(pem.len()));
    loop {
        let line = lines.next()?;
        if is(line, b"END ").is_some() {
            break;
        }
        text.extend_from_slice(line);
    }
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = BASE64_STANDARD.decode_slice(&*text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(pem: &str) -> Option<Vec<u8>> {
        unwrap(pem.as_bytes(), b"PRIVATE KEY").map(|bytes| bytes.to_vec())
    }

    #[test]
    fn pem_is_read_by_its_label() {
        let pem =
            "text\r\n-----BEGIN PRIVATE KEY-----\r\nYWJj\r\nZGU=\r\n-----END PRIVATE KEY-----";
        assert_eq!(unwrapped(pem).as_deref(), Some(&b"abcde"[..]));
        for broken in [
            "",
            "YWJj",
            "-----BEGIN PRIVATE KEY-----\nYWJj",
            "-----BEGIN PRIVATE KEY-----\nYW J*\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nYWJj\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nYWJj\n-----END ENCRYPTED PRIVATE KEY-----",
        ] {
            assert_eq!(unwrapped(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_is_no_key_signs_nothing() {
        for text in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nYWJj\n-----END RSA PRIVATE KEY-----",
        ] {
            let signed = sign_sha256(&Secret::from(text), b"message");
            assert_eq!(signed, Err(AuthError::Unusable));
        }
    }
}
