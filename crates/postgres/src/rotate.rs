//! Encrypts records with the current key that are encrypted with older keys, while other processes read and write.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use tower_passthrough::durable::{KeyRotationReport, SealedRecord};
use tower_passthrough::store::{ConnectionKey, CredentialVersion};

use crate::error::InternalError;
use crate::pool::{Effect, Params};
use crate::rows::Database;

/// The number of rows per statement.
const BATCH: i64 = 64;

#[derive(Default)]
struct Batch {
    keys: Vec<String>,
    versions: Vec<i64>,
    old_key_ids: Vec<Vec<u8>>,
    sealed: Vec<Vec<u8>>,
}

impl Database {
    async fn rotate(
        &self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, InternalError> {
        let time = self.pool.max_time();
        self.pool.query(effect, false, time, sql, params).await
    }

    /// Encrypts a batch of connections again, beginning after the key `after`. Returns the last key of the batch, or `None` if there are
    /// no more connections.
    ///
    /// A record is replaced only if it's still the record that was read, because other processes may write meanwhile.
    pub(crate) async fn reencrypt_after(
        &self,
        after: &str,
        report: &mut KeyRotationReport,
    ) -> Result<Option<String>, InternalError> {
        let current = self.keys.current_id().as_bytes().to_vec();
        let params = [
            (&after as _, Type::TEXT),
            (&current as _, Type::BYTEA),
            (&BATCH as _, Type::INT8),
        ];
        let rows = self
            .rotate(Effect::Read, &self.statements.old_records, &params)
            .await?;
        let mut last: Option<String> = None;
        let mut batch = Batch::default();
        // Records that another process replaces meanwhile aren't counted.
        let mut counts = KeyRotationReport::default();
        for row in &rows {
            let Some(id) = row.try_get::<_, Option<String>>(1)? else {
                continue;
            };
            let (version, old): (i64, Vec<u8>) = (row.try_get(3)?, row.try_get(4)?);
            let key = ConnectionKey::new(&id).ok();
            if let (Some(key), Ok(number)) = (key, u64::try_from(version)) {
                let record = SealedRecord {
                    integration: row.try_get(2)?,
                    version: CredentialVersion::new(number),
                    key_id: &old,
                    sealed: row.try_get(5)?,
                };
                if let Some(sealed) = self.keys.reencrypt(&key, record, &mut counts)? {
                    batch.keys.push(id.clone());
                    batch.versions.push(version);
                    batch.old_key_ids.push(old);
                    batch.sealed.push(sealed);
                }
            } else {
                counts.unreadable += 1;
            }
            last = last.max(Some(id));
        }
        if !batch.keys.is_empty() {
            let params = [
                (&current as _, Type::BYTEA),
                (&self.proof as _, Type::BYTEA),
                (&batch.keys as _, Type::TEXT_ARRAY),
                (&batch.versions as _, Type::INT8_ARRAY),
                (&batch.old_key_ids as _, Type::BYTEA_ARRAY),
                (&batch.sealed as _, Type::BYTEA_ARRAY),
            ];
            let written = self
                .rotate(Effect::Write, &self.statements.reencrypted, &params)
                .await?;
            report.connections += written.len() as u64;
        }
        report.unreadable += counts.unreadable;
        Ok(last)
    }

    /// Removes the keys that no record needs any more. Returns their number.
    pub(crate) async fn forget_keys(&self) -> Result<usize, InternalError> {
        let current = self.keys.current_id().as_bytes().to_vec();
        let params = [(&current as _, Type::BYTEA)];
        Ok(self
            .rotate(Effect::Write, &self.statements.forget_keys, &params)
            .await?
            .len())
    }
}
