//! Records of older keys, encrypted anew by the current one, while others read and write.

use rusqlite::{Connection as Sqlite, params};

use super::cipher::{self, CONNECTION, Place};
use super::error::Fault;
use super::keys::Keys;
use super::{file, rows, schema};

/// Rows per transaction: others wait for it, for some milliseconds.
const BATCH: i64 = 64;

/// What became of the records of other keys than the current one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRotationReport {
    /// Connections that were encrypted anew.
    pub connections: u64,
    /// Connections that can't be read by any key: they're left as they are.
    pub unreadable: u64,
    /// Keys that no record needs any more: they can be dropped.
    pub keys: usize,
}

/// One batch, of ids after that one; the last of its ids, unless there are no more.
pub(super) fn batch(
    sqlite: &mut Sqlite,
    keys: &Keys,
    after: &str,
    done: &mut KeyRotationReport,
) -> Result<Option<String>, Fault> {
    let key = keys.current();
    // What is read is what is replaced: nobody else writes until this is committed.
    let transaction = rows::writing(sqlite)?;
    schema::prove(&transaction, key)?;
    let mut last = None;
    let mut counts = *done;
    {
        let mut select = transaction.prepare_cached(
            "SELECT id, integration, version, key_id, sealed FROM connections
             WHERE id > ?1 AND key_id <> ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut update = transaction
            .prepare_cached("UPDATE connections SET key_id = ?2, sealed = ?3 WHERE id = ?1")?;
        let found = select.query_map(params![after, key.id, BATCH], |row| {
            Ok(Old {
                id: row.get(0)?,
                // Damaged text is a damaged record, and none that stops the others.
                integration: row.get(1).ok(),
                version: row.get(2)?,
                key_id: row.get(3)?,
                sealed: row.get(4)?,
            })
        })?;
        // All of them first: a table that's changed isn't read on.
        for old in found.collect::<Result<Vec<_>, _>>()? {
            match old.sealed_anew(keys) {
                Ok(sealed) => {
                    update.execute(params![old.id, key.id, sealed])?;
                    counts.connections += 1;
                }
                Err(Fault::Unreadable) => counts.unreadable += 1,
                Err(fault) => return Err(fault),
            }
            last = Some(old.id);
        }
    }
    transaction.commit()?;
    *done = counts;
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
    fn sealed_anew(&self, keys: &Keys) -> Result<Vec<u8>, Fault> {
        let place = Place {
            field: CONNECTION,
            id: &self.id,
            integration: self.integration.as_deref().ok_or(Fault::Unreadable)?,
            version: u64::try_from(self.version).map_err(|_| Fault::Unreadable)?,
        };
        let old = keys.find(&self.key_id).ok_or(Fault::Unreadable)?;
        let text = cipher::open(old, place, &self.sealed)?;
        cipher::seal(keys.current(), place, text.len(), |buffer| {
            buffer.extend_from_slice(&text);
        })
    }
}

/// The end: keys that no record needs any more are forgotten. How many.
pub(super) fn finish(sqlite: &mut Sqlite, keys: &Keys) -> Result<usize, Fault> {
    let transaction = rows::writing(sqlite)?;
    let forgotten = schema::forget_unused(&transaction, keys.current())?;
    transaction.commit()?;
    // Else the file keeps what the old keys encrypted until the log has grown, or all have closed it.
    // If somebody is in the way, that's when it goes.
    file::settle(sqlite)?;
    Ok(forgotten)
}
