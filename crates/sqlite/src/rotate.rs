//! Encrypts records with the current key that are encrypted with older keys, while other processes read and write.

use rusqlite::{Connection as Sqlite, params};
use tower_passthrough::durable::{KeyRotationReport, Keys, SealedRecord};
use tower_passthrough::store::{ConnectionKey, CredentialVersion};

use crate::error::InternalError;
use crate::{file, rows, schema};

/// The number of rows per transaction. Other writers wait for a transaction for some milliseconds.
const BATCH: i64 = 64;

/// Encrypts a batch of connections again, beginning after the key `after`. Returns the last key of the batch, or `None` if there are no
/// more connections.
pub(crate) fn batch(
    sqlite: &mut Sqlite,
    keys: &Keys,
    after: &str,
    report: &mut KeyRotationReport,
) -> Result<Option<String>, InternalError> {
    let current = keys.current_id();
    // The record that is read is also the record that is replaced, because no other process can write before the commit.
    let transaction = rows::writing(sqlite)?;
    let mut last = None;
    let mut counts = *report;
    {
        let mut select = transaction.prepare_cached(
            "SELECT id, integration, version, key_id, sealed FROM connections
             WHERE id > ?1 AND key_id <> ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut update = transaction
            .prepare_cached("UPDATE connections SET key_id = ?2, sealed = ?3 WHERE id = ?1")?;
        let found = select.query_map(params![after, current.as_bytes(), BATCH], |row| {
            Ok(Old {
                id: row.get(0)?,
                // Text that can't be read counts as a damaged record, which must not stop the other records.
                integration: row.get(1).ok(),
                version: row.get(2)?,
                key_id: row.get(3)?,
                sealed: row.get(4)?,
            })
        })?;
        // All rows are read first, because a table can't be changed while it's read.
        for old in found.collect::<Result<Vec<_>, _>>()? {
            if let Some(sealed) = old.reencrypted(keys, &mut counts)? {
                schema::prove(&transaction, keys)?;
                update.execute(params![old.id, current.as_bytes(), sealed])?;
            }
            last = Some(old.id);
        }
    }
    transaction.commit()?;
    *report = counts;
    Ok(last)
}

struct Old {
    id: String,
    integration: Option<String>,
    version: i64,
    key_id: Vec<u8>,
    sealed: Vec<u8>,
}

impl Old {
    fn reencrypted(
        &self,
        keys: &Keys,
        report: &mut KeyRotationReport,
    ) -> Result<Option<Vec<u8>>, InternalError> {
        let key = ConnectionKey::new(&self.id).ok();
        let version = u64::try_from(self.version).ok();
        let (Some(key), Some(integration), Some(version)) = (key, &self.integration, version)
        else {
            report.unreadable += 1;
            return Ok(None);
        };
        let record = SealedRecord {
            integration,
            version: CredentialVersion::new(version),
            key_id: &self.key_id,
            sealed: &self.sealed,
        };
        Ok(keys.reencrypt(&key, record, report)?)
    }
}

/// Removes the keys that no record needs any more. Returns their number.
pub(crate) fn finish(sqlite: &mut Sqlite, keys: &Keys) -> Result<usize, InternalError> {
    let transaction = rows::writing(sqlite)?;
    let forgotten = schema::forget_unused(&transaction, keys.current_id())?;
    transaction.commit()?;
    // Without a checkpoint, the file keeps records of the old keys until the log has grown, or all processes have closed the file. If
    // another process holds a lock now, the old records also remain until then.
    file::checkpoint(sqlite)?;
    Ok(forgotten)
}
