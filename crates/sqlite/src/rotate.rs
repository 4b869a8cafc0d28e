//! Encrypts records of older keys again by the current key, while others read and write.

use rusqlite::{Connection as Sqlite, params};
use tower_passthrough::durable::{KeyRotationReport, Keys, SealedRecord};
use tower_passthrough::store::{ConnectionKey, CredentialVersion};

use crate::error::InternalError;
use crate::{file, rows, schema};

/// The number of rows per transaction. Others wait for it, for some milliseconds.
const BATCH: i64 = 64;

/// Encrypts one batch of connections again, those after `after`. Returns the last of their keys; `None`: there are no more.
pub(crate) fn batch(
    sqlite: &mut Sqlite,
    keys: &Keys,
    after: &str,
    report: &mut KeyRotationReport,
) -> Result<Option<String>, InternalError> {
    let current = keys.current_id();
    // A record that is read is the record that is replaced: nobody else writes until this is committed.
    let transaction = rows::writing(sqlite)?;
    schema::prove(&transaction, keys)?;
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
                // Damaged text is a damaged record, which must not stop the others.
                integration: row.get(1).ok(),
                version: row.get(2)?,
                key_id: row.get(3)?,
                sealed: row.get(4)?,
            })
        })?;
        // All rows are read first: a table can't be changed while it's read.
        for old in found.collect::<Result<Vec<_>, _>>()? {
            if let Some(sealed) = old.reencrypted(keys, &mut counts)? {
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

/// Forgets the keys that no record needs any more. Returns their number.
pub(crate) fn finish(sqlite: &mut Sqlite, keys: &Keys) -> Result<usize, InternalError> {
    let transaction = rows::writing(sqlite)?;
    let forgotten = schema::forget_unused(&transaction, keys.current_id())?;
    transaction.commit()?;
    // Else the file keeps records of the old keys until the log has grown, or all processes have closed it. If another process is in
    // the way, they go then.
    file::checkpoint(sqlite)?;
    Ok(forgotten)
}
