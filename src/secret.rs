//! A type for secrets, which can't be printed.
//!
//! ```
//! use tower_passthrough::Secret;
//!
//! let token = Secret::from("s3cr3t");
//! assert_eq!(format!("{token:?}"), "Secret");
//! assert_eq!(token.expose(), b"s3cr3t");
//! ```
//!
//! The memory of a [`Secret`] is overwritten when it's dropped, and so is the memory of a header value that was made from it.
//! Copies in a client's buffers aren't. The header value is marked as sensitive, so its `Debug` output doesn't contain the secret,
//! and HPACK never indexes it.
//!
//! Rules: `docs/rules/security.md#4-data-that-may-be-seen`.

use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that may be sent to an upstream, but not shown anywhere.
///
/// The type has no `Display`, no `Serialize` and no `Deref`. Its `Debug` output is a constant, and it's compared in constant time.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Returns the bytes. Search for this method to find each place that reads a secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// Returns `true` if the secret begins like a file in PEM.
    #[cfg(feature = "durable-store")]
    pub(crate) fn is_pem(&self) -> bool {
        self.expose().trim_ascii_start().starts_with(b"-----BEGIN ")
    }

    /// Returns the number of bytes.
    #[cfg(feature = "durable-store")]
    pub(crate) fn size(&self) -> usize {
        self.expose().len()
    }

    /// Returns `prefix` and the secret as a header value, which is marked as sensitive.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`] if the bytes aren't allowed in a header field (RFC 9110 §5.5): CR, LF, NUL or another control character.
    pub fn to_header_value(&self, prefix: &str) -> Result<HeaderValue, InvalidSecret> {
        let mut value = Vec::with_capacity(prefix.len() + self.expose().len());
        value.extend_from_slice(prefix.as_bytes());
        value.extend_from_slice(self.expose());
        sensitive(value)
    }
}

/// Returns a fingerprint of a set of secrets, by which this process distinguishes sets. It reveals nothing about the secrets.
pub(crate) fn fingerprint<'a>(secrets: impl Iterator<Item = (&'a str, &'a Secret)>) -> [u64; 2] {
    let mut hashers = keyed_hashers();
    for (name, secret) in secrets {
        for hasher in &mut hashers {
            name.hash(hasher);
            secret.expose().hash(hasher);
        }
    }
    hashers.map(|hasher| hasher.finish())
}

/// Returns a fingerprint of two fingerprints, in this order.
pub(crate) fn fingerprint_of_both(first: [u64; 2], second: [u64; 2]) -> [u64; 2] {
    keyed_hashers().map(|mut hasher| {
        (first, second).hash(&mut hasher);
        hasher.finish()
    })
}

fn keyed_hashers() -> [DefaultHasher; 2] {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    let keys = KEYS.get_or_init(<[RandomState; 2]>::default);
    keys.each_ref().map(BuildHasher::build_hasher)
}

/// Returns a header value of bytes that hold a secret. `value` must have been made at its final size, as growth would leave copies.
pub(crate) fn sensitive(value: Vec<u8>) -> Result<HeaderValue, InvalidSecret> {
    let bytes = Bytes::from_owner(Zeroizing::new(value));
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| InvalidSecret)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The error of a secret with bytes that can't be sent in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecret;

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret contains bytes that can't be sent in a header field")
    }
}

impl std::error::Error for InvalidSecret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

impl From<Vec<u8>> for Secret {
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(SecretSlice::from(bytes));
        }
        // Shrinking would move the bytes and leave a copy behind that is never wiped.
        let exact = Self::from(bytes.as_slice());
        bytes.zeroize();
        exact
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        let mut exact = Vec::with_capacity(bytes.len());
        exact.extend_from_slice(bytes);
        Self(SecretSlice::from(exact))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_of_a_secret_is_sensitive() {
        let value = Secret::from("abc").to_header_value("Bearer ");
        assert!(value.as_ref().is_ok_and(HeaderValue::is_sensitive));
        assert!(value.is_ok_and(|value| value == "Bearer abc"));
    }

    #[test]
    fn line_breaks_cannot_become_a_header_value() {
        for bytes in ["a\r\nx: y", "a\nb", "a\0"] {
            assert_eq!(Secret::from(bytes).to_header_value(""), Err(InvalidSecret));
        }
    }

    #[test]
    fn a_vector_with_room_to_spare_is_kept_whole() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"abc");
        assert_eq!(Secret::from(bytes).expose(), b"abc");
    }
}
