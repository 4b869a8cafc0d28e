//! The keys that encrypt records: a single key to write, and any number of keys to read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use ring::hmac;
use zeroize::Zeroizing;

use crate::secret::Secret;

const LENGTH: usize = 32;

/// The encryption keys of a store. Their memory is overwritten when they're dropped.
///
/// Each key is 32 random bytes, in standard Base64 (RFC 4648 §4) with padding: the output of `openssl rand -base64 32`, without the line
/// break. The first key seals and opens records; the others only open them.
///
/// ```
/// use tower_passthrough::Secret;
/// use tower_passthrough::durable::Keys;
///
/// # let (new, old) = (Secret::from("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="), Secret::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
/// let keys = Keys::from_base64(&new)?.and_base64(&old)?;
/// # Ok::<_, tower_passthrough::durable::InvalidKey>(())
/// ```
pub struct Keys {
    current: Key,
    others: Vec<Key>,
}

pub(super) struct Key {
    pub(super) id: KeyId,
    pub(super) cipher: XChaCha20Poly1305,
}

/// The id of a key: 16 bytes that are derived from the key by a one-way function, so that no configuration needs names for keys. It isn't
/// secret.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// Returns the bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The error of a text that isn't 32 bytes in standard Base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl Keys {
    /// Returns the keys of a store with a single key.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] if the text isn't exactly 32 bytes in standard Base64.
    pub fn from_base64(key: &Secret) -> Result<Self, InvalidKey> {
        Ok(Self {
            current: Key::from_base64(key)?,
            others: Vec::new(),
        })
    }

    /// Adds a key that only opens records: an older key, or a key with which other processes already seal.
    ///
    /// # Errors
    ///
    /// The same errors as [`from_base64`](Self::from_base64).
    pub fn and_base64(mut self, key: &Secret) -> Result<Self, InvalidKey> {
        self.others.push(Key::from_base64(key)?);
        Ok(self)
    }

    /// Returns the id of the key that [`seal`](Self::seal) uses.
    #[must_use]
    pub const fn current_id(&self) -> KeyId {
        self.current.id
    }

    /// Returns `true` if there is a key with that id.
    #[must_use]
    pub fn has_key(&self, id: &[u8]) -> bool {
        self.find(id).is_some()
    }

    pub(super) const fn current(&self) -> &Key {
        &self.current
    }

    /// Returns the key with that id. Ids aren't secret, so they needn't be compared in constant time.
    pub(super) fn find(&self, id: &[u8]) -> Option<&Key> {
        let mut keys = std::iter::once(&self.current).chain(&self.others);
        keys.find(|key| key.id.as_bytes().as_slice() == id)
    }
}

impl Key {
    fn from_base64(key: &Secret) -> Result<Self, InvalidKey> {
        // The decoder needs room for whole groups of three bytes.
        let mut bytes = Zeroizing::new([0; LENGTH + 2]);
        let decoded = STANDARD.decode_slice(key.expose(), &mut *bytes);
        match (decoded, bytes.first_chunk::<LENGTH>()) {
            (Ok(LENGTH), Some(bytes)) => Ok(Self::new(bytes)),
            _ => Err(InvalidKey),
        }
    }

    fn new(bytes: &[u8; LENGTH]) -> Self {
        let named = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let name = hmac::sign(&named, b"tower-passthrough: id of a key");
        let mut id = KeyId::default();
        for (to, from) in id.0.iter_mut().zip(name.as_ref()) {
            *to = *from;
        }
        Self {
            id,
            cipher: XChaCha20Poly1305::new(bytes.into()),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key must have 32 bytes, in standard Base64 with padding")
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_strictly() {
        let good = STANDARD.encode([7; LENGTH]);
        assert!(Keys::from_base64(&Secret::from(good.as_str())).is_ok());
        let unpadded = good.trim_end_matches('=').to_owned();
        for bad in [
            String::new(),
            format!("{good}\n"),
            format!(" {good}"),
            unpadded,
            STANDARD.encode([7; LENGTH - 1]),
            STANDARD.encode([7; LENGTH + 1]),
            STANDARD.encode([7; LENGTH + 2]),
            STANDARD.encode([7; 2 * LENGTH]),
            good.replace('B', "_"),
            "07".repeat(LENGTH),
        ] {
            assert_eq!(
                Keys::from_base64(&Secret::from(bad.as_str())).err(),
                Some(InvalidKey),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn ids_tell_keys_apart_and_are_the_same_each_time() {
        let (one, other) = (Key::new(&[1; LENGTH]), Key::new(&[2; LENGTH]));
        assert_eq!(one.id, Key::new(&[1; LENGTH]).id);
        assert_ne!(one.id, other.id);
    }
}
