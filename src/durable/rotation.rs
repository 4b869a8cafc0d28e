//! The replacement of a key.

use super::cipher;
use super::keys::Keys;
use super::sealed::{SealError, SealedRecord};
use crate::connection::ConnectionKey;

/// The result of replacing keys: the numbers of records and keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRotationReport {
    /// The number of connections that were encrypted again with the current key.
    pub connections: u64,
    /// The number of connections that none of the keys can open. Their records aren't changed.
    pub unreadable: u64,
    /// The number of keys that no record needs any more, so that they can be omitted from now on.
    pub keys: usize,
}

impl Keys {
    /// Encrypts a record again with the current key, and counts it in `report`.
    ///
    /// Returns the sealed record that replaces the old record, with [`current_id`](Self::current_id) as its key id; version, integration
    /// and connection key don't change. Returns `None` if the record must not be replaced: it's already encrypted with the current key, or
    /// it can't be opened, which is counted.
    ///
    /// Replace the record only if version and key id are still those that were read, or in the transaction that has read them, because
    /// another process may have committed the connection meanwhile.
    ///
    /// ```
    /// use tower_passthrough::durable::{KeyRotationReport, Keys, SealedRecord, random_version};
    /// use tower_passthrough::store::ConnectionKey;
    /// use tower_passthrough::{Connection, Secret};
    ///
    /// # let (old, new) = (Secret::from("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="), Secret::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    /// let key = ConnectionKey::new("acme")?;
    /// let connection = Connection::new("crm").with_secret("token", "s3cr3t");
    /// let version = random_version()?;
    /// let before = Keys::from_base64(&old)?;
    /// let (sealed, old_id) = (before.seal(&key, version, &connection)?, before.current_id());
    ///
    /// let keys = Keys::from_base64(&new)?.and_base64(&old)?;
    /// let record = SealedRecord { integration: "crm", version, key_id: old_id.as_bytes(), sealed: &sealed };
    /// let mut report = KeyRotationReport::default();
    /// let sealed = keys.reencrypt(&key, record, &mut report)?.ok_or("it was sealed by the old key")?;
    /// assert_eq!(report.connections, 1);
    ///
    /// let (after, new_id) = (Keys::from_base64(&new)?, keys.current_id());
    /// let record = SealedRecord { integration: "crm", version, key_id: new_id.as_bytes(), sealed: &sealed };
    /// assert!(after.open(&key, record).is_ok());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`] if the operating system returns no random bytes, [`SealError::TooLarge`] if the record can't be
    /// encrypted.
    pub fn reencrypt(
        &self,
        connection_key: &ConnectionKey,
        record: SealedRecord<'_>,
        report: &mut KeyRotationReport,
    ) -> Result<Option<Vec<u8>>, SealError> {
        let current = self.current();
        if current.id.as_bytes().as_slice() == record.key_id {
            return Ok(None);
        }
        let place = record.place(connection_key);
        let opened = self
            .find(record.key_id)
            .ok_or(SealError::Unreadable)
            .and_then(|old| cipher::open(old, place, record.sealed));
        let Ok(text) = opened else {
            report.unreadable += 1;
            return Ok(None);
        };
        let sealed = cipher::seal(current, place, text.len(), |buffer| {
            buffer.extend_from_slice(&text);
        })?;
        report.connections += 1;
        Ok(Some(sealed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;
    use crate::secret::Secret;
    use crate::store::CredentialVersion;

    const OLD: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn keys(texts: &[&str]) -> Option<Keys> {
        let (first, others) = texts.split_first()?;
        let keys = Keys::from_base64(&Secret::from(*first)).ok()?;
        others.iter().try_fold(keys, |keys, text| {
            keys.and_base64(&Secret::from(*text)).ok()
        })
    }

    #[test]
    fn records_are_counted_as_they_are_encrypted_again() -> Result<(), Box<dyn std::error::Error>> {
        let (Some(old), Some(both), Some(new)) = (keys(&[OLD]), keys(&[NEW, OLD]), keys(&[NEW]))
        else {
            return Err("they are keys".into());
        };
        let acme = ConnectionKey::new("acme")?;
        let version = CredentialVersion::new(7);
        let connection = Connection::new("crm").with_secret("token", "s3cr3t");
        let sealed = old.seal(&acme, version, &connection)?;
        let id = old.current_id();
        let record = SealedRecord {
            integration: "crm",
            version,
            key_id: id.as_bytes(),
            sealed: &sealed,
        };
        let mut report = KeyRotationReport::default();
        let again = both.reencrypt(&acme, record, &mut report)?;
        let again = again.ok_or("it wasn't encrypted again")?;
        let (id, lost) = (new.current_id(), [0; 16]);
        let record = SealedRecord {
            key_id: id.as_bytes(),
            sealed: &again,
            ..record
        };
        assert!(new.open(&acme, record).is_ok());
        assert!(new.reencrypt(&acme, record, &mut report)?.is_none());
        // A key that isn't there, and a record of another row.
        let unknown = SealedRecord {
            key_id: &lost,
            ..record
        };
        assert!(both.reencrypt(&acme, unknown, &mut report)?.is_none());
        let id = old.current_id();
        let moved = SealedRecord {
            integration: "bank",
            key_id: id.as_bytes(),
            sealed: &sealed,
            version,
        };
        assert!(both.reencrypt(&acme, moved, &mut report)?.is_none());
        assert_eq!((report.connections, report.unreadable), (1, 2));
        Ok(())
    }
}
