//! The cipher: XChaCha20-Poly1305. Its nonces have 192 bits, so they may be random for any number of records.
//!
//! A sealed record consists of nonce, text and tag. Format, key id, connection key, field, integration and version are authenticated with
//! it. So a record can't be moved to another row, another field, another integration (whose base URL would then receive the secrets) or
//! another key.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, Tag, XNonce};
use zeroize::Zeroizing;

use super::keys::Key;
use super::sealed::{SealError, fill_random};

const FORMAT: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The place that a record is bound to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) field: &'static str,
    pub(super) id: &'a str,
    pub(super) integration: &'a str,
    pub(super) version: u64,
}

/// The field of the variables and secrets of a connection.
pub(super) const CONNECTION: &str = "connection";

/// The place of the proof of a key.
pub(super) const KEY_CHECK: Place<'static> = Place {
    field: "key check",
    id: "",
    integration: "",
    version: 0,
};

impl Place<'_> {
    /// Writes each part after its length, so that no two places have the same bytes.
    fn associated_data(self, key: &Key) -> Vec<u8> {
        let version = self.version.to_le_bytes();
        let parts: [&[u8]; 6] = [
            &[FORMAT],
            key.id.as_bytes(),
            self.field.as_bytes(),
            self.id.as_bytes(),
            self.integration.as_bytes(),
            &version,
        ];
        let mut data = Vec::new();
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_le_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// Seals the `length` bytes that `write` adds to the buffer. They are encrypted in place.
pub(super) fn seal(
    key: &Key,
    place: Place<'_>,
    length: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE];
    fill_random(&mut nonce)?;
    let mut sealed = Zeroizing::new(Vec::with_capacity(NONCE + length + TAG));
    sealed.extend_from_slice(&nonce);
    write(&mut sealed);
    debug_assert_eq!(sealed.len(), NONCE + length, "a copy was left behind");
    let text = sealed.get_mut(NONCE..).unwrap_or_default();
    let tag = key
        .cipher
        .encrypt_inout_detached(
            &XNonce::from(nonce),
            &place.associated_data(key),
            InOutBuf::from(text),
        )
        .map_err(|_| SealError::TooLarge)?;
    sealed.extend_from_slice(&tag);
    Ok(std::mem::take(&mut *sealed))
}

/// Opens a record of that place and key. Every failure is reported as the same error.
pub(super) fn open(
    key: &Key,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, rest) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or(SealError::Unreadable)?;
    let (text, tag) = rest
        .split_last_chunk::<TAG>()
        .ok_or(SealError::Unreadable)?;
    let mut text = Zeroizing::new(text.to_vec());
    key.cipher
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            &place.associated_data(key),
            InOutBuf::from(text.as_mut_slice()),
            &Tag::from(*tag),
        )
        .map_err(|_| SealError::Unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;
    use crate::secret::Secret;

    const PLACE: Place<'static> = Place {
        field: CONNECTION,
        id: "acme",
        integration: "crm",
        version: 7,
    };

    fn keys() -> Keys {
        let one = Secret::from("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let other = Secret::from("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
        Keys::from_base64(&one)
            .and_then(|keys| keys.and_base64(&other))
            .ok()
            .into_iter()
            .next()
            .unwrap_or_else(|| unreachable!("both are keys"))
    }

    fn sealed(key: &Key) -> Vec<u8> {
        seal(key, PLACE, 6, |buffer| buffer.extend_from_slice(b"s3cr3t")).unwrap_or_default()
    }

    #[test]
    fn what_was_sealed_is_opened_at_its_place_alone() {
        let keys = keys();
        let key = keys.current();
        let sealed = sealed(key);
        assert!(open(key, PLACE, &sealed).is_ok_and(|text| text.as_slice() == b"s3cr3t"));
        for place in [
            Place { id: "acm", ..PLACE },
            Place {
                integration: "crn",
                ..PLACE
            },
            Place {
                version: 8,
                ..PLACE
            },
            Place {
                id: "ac",
                integration: "mecrm",
                ..PLACE
            },
            Place {
                field: KEY_CHECK.field,
                ..PLACE
            },
        ] {
            assert!(matches!(
                open(key, place, &sealed),
                Err(SealError::Unreadable)
            ));
        }
    }

    #[test]
    fn l6_a_flipped_bit_or_a_missing_byte_is_an_error() {
        let keys = keys();
        let key = keys.current();
        let sealed = sealed(key);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            if let Some(byte) = flipped.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            assert!(matches!(
                open(key, PLACE, &flipped),
                Err(SealError::Unreadable)
            ));
        }
        for length in 0..sealed.len() {
            let short = sealed.get(..length).unwrap_or_default();
            assert!(matches!(
                open(key, PLACE, short),
                Err(SealError::Unreadable)
            ));
        }
    }

    #[test]
    fn no_nonce_is_used_twice() {
        let keys = keys();
        let nonces: std::collections::HashSet<Vec<u8>> = (0..1000)
            .map(|_| sealed(keys.current()).into_iter().take(NONCE).collect())
            .collect();
        assert_eq!(nonces.len(), 1000);
    }
}
