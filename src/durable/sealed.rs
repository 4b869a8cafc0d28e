//! Connections as sealed records.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

use super::cipher::{self, CONNECTION, KEY_CHECK, Place};
use super::contents;
use super::keys::Keys;
use crate::connection::{Connection, ConnectionKey};
use crate::store::CredentialVersion;

/// A sealed record, and the columns of its row to which it's bound. It is also bound to the row's connection key.
#[derive(Clone, Copy)]
pub struct SealedRecord<'a> {
    /// The name of the connection's integration.
    pub integration: &'a str,
    /// The version of the credential.
    pub version: CredentialVersion,
    /// The id of the key with which the record was sealed.
    pub key_id: &'a [u8],
    /// The bytes that [`Keys::seal`] returned.
    pub sealed: &'a [u8],
}

impl<'a> SealedRecord<'a> {
    pub(super) fn place(&self, connection_key: &'a ConnectionKey) -> Place<'a> {
        Place {
            field: CONNECTION,
            id: connection_key.as_str(),
            integration: self.integration,
            version: self.version.get(),
        }
    }
}

impl Keys {
    /// Encrypts a connection with the current key.
    ///
    /// Returns the bytes to store together with [`current_id`](Self::current_id), the connection's integration, and `version`.
    /// Variables and secrets are encrypted, including their names. The integration isn't encrypted, and the approximate length isn't
    /// hidden.
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`] if the operating system returns no random bytes, [`SealError::TooLarge`] for a connection of more
    /// than 256 GiB.
    pub fn seal(
        &self,
        connection_key: &ConnectionKey,
        version: CredentialVersion,
        connection: &Connection,
    ) -> Result<Vec<u8>, SealError> {
        let place = Place {
            field: CONNECTION,
            id: connection_key.as_str(),
            integration: connection.integration(),
            version: version.get(),
        };
        let length = contents::length(connection);
        cipher::seal(self.current(), place, length, |buffer| {
            contents::write(connection, buffer);
        })
    }

    /// Decrypts a sealed record.
    ///
    /// # Errors
    ///
    /// [`SealError::Unreadable`] if the record is damaged, belongs to another row, integration or version, was never sealed, or if
    /// its key is missing. The error doesn't distinguish these causes.
    pub fn open(
        &self,
        connection_key: &ConnectionKey,
        record: SealedRecord<'_>,
    ) -> Result<Connection, SealError> {
        let key = self.find(record.key_id).ok_or(SealError::Unreadable)?;
        let text = cipher::open(key, record.place(connection_key), record.sealed)?;
        contents::read(record.integration, &text)
    }

    /// Returns a proof of the current key, to store together with [`current_id`](Self::current_id) before the first record is sealed
    /// with the key.
    ///
    /// With the proof, [`check_proof`](Self::check_proof) finds a wrong or missing key when the store is opened, and not at the first
    /// call. The proof reveals nothing about the key.
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`] if the operating system returns no random bytes.
    pub fn proof(&self) -> Result<Vec<u8>, SealError> {
        cipher::seal(self.current(), KEY_CHECK, 0, |_| ())
    }

    /// Checks that the key of a stored [`proof`](Self::proof) is among these keys.
    ///
    /// A store should check all proofs when it's opened, and remove the proof of a key that no record needs any more.
    ///
    /// # Errors
    ///
    /// [`SealError::Unreadable`] if the key is missing, or the proof is damaged.
    pub fn check_proof(&self, key_id: &[u8], proof: &[u8]) -> Result<(), SealError> {
        let key = self.find(key_id).ok_or(SealError::Unreadable)?;
        cipher::open(key, KEY_CHECK, proof).map(drop)
    }
}

/// Returns a random version of 62 bits, which fits into a signed integer of 64 bits.
///
/// A sealed record is bound to its version, so the version must be known before the record is sealed. A random version needs no round
/// trip. It is never used twice, even after a database was restored from a backup or replaced by a standby that doesn't have the last
/// commits.
///
/// # Errors
///
/// [`SealError::NoRandomness`] if the operating system returns no random bytes.
pub fn random_version() -> Result<CredentialVersion, SealError> {
    let mut bytes = [0; size_of::<u64>()];
    fill_random(&mut bytes)?;
    Ok(CredentialVersion::new(u64::from_le_bytes(bytes) >> 2))
}

/// Fills the buffer with random bytes.
///
/// # Errors
///
/// [`SealError::NoRandomness`].
pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), SealError> {
    let random = SystemRandom::new();
    random.fill(bytes).map_err(|_| SealError::NoRandomness)
}

/// The error of sealing or opening a record. It contains no secret and no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The record is damaged, belongs to another row, was never sealed, or its key is missing. Add the missing key by [`Keys::and_base64`],
    /// or restore the record from a backup.
    Unreadable,
    /// The connection is larger than 256 GiB, which is too large for a record.
    TooLarge,
    /// The operating system returned no random bytes. Nothing was sealed, and another attempt may succeed.
    NoRandomness,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => {
                "the record can't be decrypted: it's damaged, or was encrypted with another key"
            }
            Self::TooLarge => "the connection is too large to be stored",
            Self::NoRandomness => "the operating system returned no random bytes",
        })
    }
}

impl std::error::Error for SealError {}

// Only the record's length and place are printed, because sealed bytes don't belong into logs.
impl fmt::Debug for SealedRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRecord")
            .field("integration", &self.integration)
            .field("version", &self.version)
            .field("length", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    /// Sealed by the first version of this format, and stored in files since.
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const KEY_ID: &str = "C84B8D44238C2492056E42F4D73B4A78";
    const PROOF: &str =
        "549505CB6C5C014361F32CB258C903BFDA3F92C9A21419855AEE90BD68EB5CE1C34DC72A8A6A40BE";
    const SEALED: &str = "1E23B0537E4551B1A2D6C04ED49AEC5483A4E4400220DCCBE219986C2D342245AE41E282570603B2901FA643BCA7\
        085ECD8D124F397FD14D7F132188698D55BAD9B713E5225C214FE33A113C33C9C555A38AD0B603C89AA06EC0C397EB9D0E73798926D3B1F9\
        F2333FA6D348FD15826E06DC3A5A11F12DB19C6A812A35E55D23C12830960D6F61473BDFAA20801F1BE22ADB05B74EB89EBC7897C3655580\
        1B";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|char| char.to_digit(16)).collect();
        let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte * 16 + digit);
        let bytes = digits.chunks(2).map(byte);
        bytes.filter_map(|byte| u8::try_from(byte).ok()).collect()
    }

    #[test]
    fn what_was_sealed_by_the_first_version_is_still_opened()
    -> Result<(), Box<dyn std::error::Error>> {
        let keys = Keys::from_base64(&Secret::from(KEY))?;
        let (id, proof, sealed) = (bytes(KEY_ID), bytes(PROOF), bytes(SEALED));
        assert_eq!(keys.current_id().as_bytes().as_slice(), id);
        keys.check_proof(&id, &proof)?;
        let key = ConnectionKey::new("acme/crm")?;
        let record = SealedRecord {
            integration: "crm",
            version: CredentialVersion::new(1),
            key_id: &id,
            sealed: &sealed,
        };
        let connection = keys.open(&key, record)?;
        assert_eq!(connection.integration(), "crm");
        assert!(
            connection
                .variables()
                .iter()
                .eq([("subdomain", "\u{e9}"), ("", "")])
        );
        let secrets: Vec<_> = connection.credential().iter().collect();
        let expected = [
            ("token", &Secret::from(vec![0, 255, 10])),
            ("refresh_token", &Secret::from("r3fr3sh")),
        ];
        assert_eq!(secrets, expected);
        Ok(())
    }

    #[test]
    fn l11_each_failure_to_open_is_the_same_error() -> Result<(), Box<dyn std::error::Error>> {
        let keys = Keys::from_base64(&Secret::from(KEY))?;
        let (id, sealed) = (bytes(KEY_ID), bytes(SEALED));
        let good = SealedRecord {
            integration: "crm",
            version: CredentialVersion::new(1),
            key_id: &id,
            sealed: &sealed,
        };
        let (acme, other) = (
            ConnectionKey::new("acme/crm")?,
            ConnectionKey::new("acme/cr")?,
        );
        let short = sealed.get(1..).unwrap_or_default();
        for (key, record) in [
            (&other, good),
            (
                &acme,
                SealedRecord {
                    integration: "m",
                    ..good
                },
            ),
            (
                &acme,
                SealedRecord {
                    version: CredentialVersion::new(2),
                    ..good
                },
            ),
            (
                &acme,
                SealedRecord {
                    key_id: &[],
                    ..good
                },
            ),
            (
                &acme,
                SealedRecord {
                    key_id: &[0; 16],
                    ..good
                },
            ),
            (
                &acme,
                SealedRecord {
                    sealed: short,
                    ..good
                },
            ),
            (
                &acme,
                SealedRecord {
                    sealed: &[],
                    ..good
                },
            ),
        ] {
            let error = keys.open(key, record).err();
            assert_eq!(error, Some(SealError::Unreadable), "{record:?}");
        }
        assert!(keys.check_proof(&id, &sealed).is_err());
        assert!(keys.check_proof(&[0; 16], &keys.proof()?).is_err());
        keys.check_proof(&id, &keys.proof()?)?;
        Ok(())
    }

    #[test]
    fn versions_are_random_and_fit_into_a_signed_integer() -> Result<(), SealError> {
        let mut versions = Vec::new();
        for _ in 0..1000 {
            versions.push(random_version()?.get());
        }
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), 1000);
        assert!(versions.iter().all(|version| *version < 1 << 62));
        Ok(())
    }

    #[test]
    fn neither_keys_nor_records_are_shown() -> Result<(), Box<dyn std::error::Error>> {
        let keys = Keys::from_base64(&Secret::from(KEY))?;
        assert_eq!(format!("{keys:?}"), "Keys");
        let record = SealedRecord {
            integration: "crm",
            version: CredentialVersion::new(1),
            key_id: &[0; 16],
            sealed: &[255; 40],
        };
        assert!(!format!("{record:?}").contains("255"));
        Ok(())
    }
}
