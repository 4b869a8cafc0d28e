//! Encrypts records with the current key that are encrypted with older keys, while other processes read and write.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;
use tower_passthrough::durable::{KeyRotationReport, SealedRecord};
use tower_passthrough::store::ConnectionKey;

use crate::client::{Call, Effect};
use crate::error::{InternalError, RedisError};
use crate::layout::{Shard, shards};
use crate::node::Epoch;
use crate::records::{Records, version_of};
use crate::values::{bytes, items, next, text};

/// The number of connections per script.
const BATCH: usize = 64;

/// The servers that were written to, each with one of its shards.
type Written = BTreeMap<Epoch, Shard>;

impl Records {
    /// Encrypts the connections of all shards again, and removes the keys that none of them needs any more.
    pub(crate) async fn reencrypt(&self) -> Result<KeyRotationReport, InternalError> {
        let mut report = KeyRotationReport::default();
        let mut written = Written::new();
        let (mut gone, mut left) = (BTreeSet::new(), BTreeSet::new());
        for shard in shards() {
            let mut after = String::new();
            while let Some(last) = self
                .reencrypt_after(shard, &after, &mut report, &mut written)
                .await?
            {
                after = last;
            }
            let keys = [self.layout.keys(shard), self.layout.ids(shard)];
            let (prefix, current) = (self.layout.connections(shard), self.keys.current_id());
            let call = Call {
                script: &self.scripts.forget_keys,
                keys: &keys,
                arguments: &[prefix.as_bytes(), current.as_bytes()],
            };
            let (found, epoch) = self.client.call(Effect::Sweep, call).await?;
            written.entry(epoch).or_insert(shard);
            let mut found = items(found)?.into_iter();
            for set in [&mut gone, &mut left] {
                for key in items(next(&mut found)?)? {
                    set.insert(bytes(key)?);
                }
            }
        }
        if self.acknowledgement.is_some() {
            for (epoch, shard) in &written {
                self.acknowledge_all(epoch, *shard).await?;
            }
        }
        report.keys = gone.difference(&left).count();
        Ok(report)
    }

    /// Waits until all writes since that start of a server are on the disks of the server and its replicas. The server had that shard.
    async fn acknowledge_all(&self, epoch: &Epoch, shard: Shard) -> Result<(), InternalError> {
        let current = self.keys.current_id();
        let call = Call {
            script: &self.scripts.remember_key,
            keys: &[self.layout.keys(shard)],
            arguments: &[current.as_bytes(), &self.proof],
        };
        let (_, written) = self.client.write(self.acknowledgement, false, call).await?;
        match written == *epoch {
            true => Ok(()),
            // Some of the writes may be lost with the other primary, or the shard was moved to another node.
            false => Err(RedisError::NotAcknowledged.into()),
        }
    }

    /// Encrypts a batch of a shard's connections again, beginning after the key `after`. Returns the last key of the batch, or `None` if
    /// there are no more connections.
    ///
    /// A record is replaced only if it's still the record that was read, because other processes may write meanwhile.
    async fn reencrypt_after(
        &self,
        shard: Shard,
        after: &str,
        report: &mut KeyRotationReport,
        written: &mut Written,
    ) -> Result<Option<String>, InternalError> {
        let (start, most) = (format!("({after}"), BATCH.to_string());
        let ids = Call {
            script: &self.scripts.ids,
            keys: &[self.layout.ids(shard)],
            arguments: &[start.as_bytes(), most.as_bytes()],
        };
        let (ids, _) = self.client.call(Effect::Read, ids).await?;
        let ids: Vec<_> = items(ids)?
            .into_iter()
            .map(text)
            .collect::<Result<_, _>>()?;
        let Some(last) = ids.last().cloned() else {
            return Ok(None);
        };
        let names: Vec<_> = ids.iter().map(|id| self.layout.connection(id)).collect();
        let current = self.keys.current_id();
        let old = Call {
            script: &self.scripts.old_records,
            keys: &names,
            arguments: &[current.as_bytes()],
        };
        let (found, _) = self.client.call(Effect::Read, old).await?;
        for ((id, name), found) in ids.iter().zip(names).zip(items(found)?) {
            let found = items(found)?;
            if !found.is_empty() {
                self.reencrypt_one((shard, id), name, found, report, written)
                    .await?;
            }
        }
        Ok(Some(last))
    }

    async fn reencrypt_one(
        &self,
        (shard, id): (Shard, &str),
        name: String,
        found: Vec<Value>,
        report: &mut KeyRotationReport,
        written: &mut Written,
    ) -> Result<(), InternalError> {
        let mut found = found.into_iter();
        let (old, version) = (bytes(next(&mut found)?)?, next(&mut found)?);
        let (Ok(version), Ok(integration), Ok(sealed), Ok(key)) = (
            version_of(version),
            next(&mut found).and_then(text),
            next(&mut found).and_then(bytes),
            ConnectionKey::new(id),
        ) else {
            report.unreadable += 1;
            return Ok(());
        };
        let record = SealedRecord {
            integration: &integration,
            version,
            key_id: &old,
            sealed: &sealed,
        };
        // A record that another process replaces meanwhile isn't counted.
        let mut counts = KeyRotationReport::default();
        let sealed = self.keys.reencrypt(&key, record, &mut counts)?;
        report.unreadable += counts.unreadable;
        let Some(sealed) = sealed else {
            return Ok(());
        };
        let (number, current) = (version.get().to_string(), self.keys.current_id());
        let call = Call {
            script: &self.scripts.reencrypted,
            keys: &[name, self.layout.keys(shard)],
            arguments: &[
                number.as_bytes(),
                &old,
                current.as_bytes(),
                &sealed,
                &self.proof,
            ],
        };
        let (is_written, epoch) = self.client.call(Effect::Write, call).await?;
        written.entry(epoch).or_insert(shard);
        if is_written == Value::Int(1) {
            report.connections += 1;
        }
        Ok(())
    }
}
