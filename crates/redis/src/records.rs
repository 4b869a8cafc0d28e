//! The operations of the store as scripts.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_passthrough::Connection;
use tower_passthrough::durable::{CachedConnection, Keys, SealedRecord, random_version};
use tower_passthrough::store::{
    ConnectionKey, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease,
    StoredConnection,
};

use crate::changes::{Positions, number};
use crate::client::{Call, Client, Effect, Question};
use crate::error::{InternalError, RedisError};
use crate::layout::{Layout, SHARDS, shard_of, shards, slot_of};
use crate::node::Acknowledgement;
use crate::scripts::{Script, Scripts};
use crate::values::{bytes, items, next, optional, text};

/// The number of attempts to mark a grant as active while other processes write.
const REVIVE_ATTEMPTS: u32 = 8;
/// The maximum number of connections of a page.
const MAX_PAGE: usize = 10_000;
/// The time for which the fence of an expired lease is stored. After that, fences still grow, because they contain the server's time.
const FENCE_MEMORY: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum time of a lease, about 100 years, because scripts calculate with floating point numbers.
const MAX_LEASE: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// The values that the operations need.
pub(crate) struct Records {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
    pub(crate) scripts: Scripts,
    pub(crate) keys: Keys,
    /// The proof of the current key.
    pub(crate) proof: Vec<u8>,
    pub(crate) acknowledgement: Option<Acknowledgement>,
    pub(crate) positions: Arc<Positions>,
}

/// A connection that was sealed for its key.
struct Sealed<'a> {
    key: &'a str,
    integration: &'a str,
    version: CredentialVersion,
    number: String,
    key_id: [u8; 16],
    sealed: Vec<u8>,
}

impl Sealed<'_> {
    fn arguments<'a>(&'a self, proof: &'a [u8]) -> [&'a [u8]; 6] {
        [
            self.key.as_bytes(),
            self.integration.as_bytes(),
            self.number.as_bytes(),
            &self.key_id,
            &self.sealed,
            proof,
        ]
    }

    fn arguments_for<'a>(&'a self, proof: &'a [u8], replaced: &'a str) -> [&'a [u8]; 7] {
        let [key, integration, version, key_id, sealed, proof] = self.arguments(proof);
        [
            key,
            integration,
            version,
            key_id,
            sealed,
            proof,
            replaced.as_bytes(),
        ]
    }
}

impl Records {
    fn seal<'a>(
        &self,
        key: &'a ConnectionKey,
        connection: &'a Connection,
    ) -> Result<Sealed<'a>, InternalError> {
        let version = random_version()?;
        Ok(Sealed {
            key: key.as_str(),
            integration: connection.integration(),
            version,
            number: version.get().to_string(),
            key_id: *self.keys.current_id().as_bytes(),
            sealed: self.keys.seal(key, version, connection)?,
        })
    }

    /// Returns the names of a connection, its lease, and its shard's ids, log and encryption keys.
    fn names(&self, key: &str) -> [String; 5] {
        let shard = shard_of(key);
        [
            self.layout.connection(key),
            self.layout.lease(key),
            self.layout.ids(shard),
            self.layout.log(shard),
            self.layout.keys(shard),
        ]
    }

    async fn call(
        &self,
        effect: Effect,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<Value, InternalError> {
        let call = Call {
            script,
            keys,
            arguments,
        };
        Ok(self.client.call(effect, call).await?.0)
    }

    /// Runs a script that writes a connection, and waits until the write is on the disks of the servers.
    async fn write(
        &self,
        is_urgent: bool,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<bool, InternalError> {
        let call = Call {
            script,
            keys,
            arguments,
        };
        let written = self.client.write(self.acknowledgement, is_urgent, call);
        Ok(written.await?.0)
    }

    /// Reads a connection and its version. If the cached connection is the newest, it is neither sent nor decrypted again.
    pub(crate) async fn look_up(
        &self,
        key: &ConnectionKey,
        cached: Option<CachedConnection>,
    ) -> Result<CachedConnection, InternalError> {
        let shard = shard_of(key.as_str());
        let known = cached
            .as_ref()
            .map(|cached| cached.version.get().to_string());
        let keys = [self.layout.connection(key.as_str()), self.layout.log(shard)];
        let call = Call {
            script: &self.scripts.look_up,
            keys: &keys,
            arguments: &[known.as_deref().unwrap_or_default().as_bytes()],
        };
        let (found, epoch) = self.client.call(Effect::Read, call).await?;
        let mut found = items(found)?.into_iter();
        let position = number(&text(next(&mut found)?)?)?;
        self.positions.watch(shard, position, &epoch);
        let Some(version) = found.next() else {
            return Err(InternalError::NotFound);
        };
        let version = version_of(version)?;
        match cached {
            Some(cached) if cached.version == version => Ok(cached),
            _ => Ok(CachedConnection {
                connection: self.opened(key, version, &mut found)?,
                version,
            }),
        }
    }

    pub(crate) async fn read(
        &self,
        key: &ConnectionKey,
    ) -> Result<StoredConnection, InternalError> {
        let keys = [self.layout.connection(key.as_str())];
        let found = self
            .call(Effect::Read, &self.scripts.read, &keys, &[])
            .await?;
        let mut found = items(found)?.into_iter();
        let version = match next(&mut found)? {
            Value::Nil => return Err(InternalError::NotFound),
            version => version_of(version)?,
        };
        let record = StoredConnection::new(self.opened(key, version, &mut found)?, version);
        let record = record.state(state(next(&mut found)?)?);
        let Some(refreshed_at) = optional(next(&mut found)?)? else {
            return Ok(record);
        };
        let after = integer(&refreshed_at)?;
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(after));
        Ok(record.refreshed_at(at.ok_or(InternalError::Unreadable)?))
    }

    /// Decrypts the connection of the next values: integration, key id, sealed.
    fn opened(
        &self,
        key: &ConnectionKey,
        version: CredentialVersion,
        found: &mut impl Iterator<Item = Value>,
    ) -> Result<Connection, InternalError> {
        let (integration, key_id, sealed) = (
            text(next(found)?)?,
            bytes(next(found)?)?,
            bytes(next(found)?)?,
        );
        let record = SealedRecord {
            integration: &integration,
            version,
            key_id: &key_id,
            sealed: &sealed,
        };
        Ok(self.keys.open(key, record)?)
    }

    /// Fails if connections can't be read from any primary.
    pub(crate) async fn check(self: Arc<Self>) -> Result<(), InternalError> {
        let mut running = self.ask_primaries(Effect::Read);
        let mut failure = InternalError::Stopped;
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// Fails if one of the primaries refuses writes.
    pub(crate) async fn check_writes(self: Arc<Self>) -> Result<(), InternalError> {
        let mut running = self.ask_primaries(Effect::Check);
        while let Some(ended) = running.join_next().await {
            ended.map_err(|_| InternalError::Stopped)??;
        }
        Ok(())
    }

    /// Runs a script on each primary. It reads nothing, and is refused like scripts of that effect.
    fn ask_primaries(self: Arc<Self>, effect: Effect) -> JoinSet<Result<Value, InternalError>> {
        let mut running = JoinSet::new();
        for name in self.client.representatives(&self.layout) {
            let records = Arc::clone(&self);
            running.spawn(async move {
                let script = &records.scripts.answers;
                records.call(effect, script, &[name], &[]).await
            });
        }
        running
    }

    pub(crate) async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, InternalError> {
        let mut after = after.map(|key| key.as_str().to_owned());
        if limit == 0 {
            return Ok(Vec::new());
        }
        let limit = limit.min(MAX_PAGE);
        let until = self.client.deadline();
        loop {
            let ids = self.ids(after.as_deref(), limit, until).await?;
            let Some(last) = ids.last().cloned() else {
                return Ok(Vec::new());
            };
            let script = &self.scripts.summary;
            let questions = ids.iter().map(|id| {
                let name = self.layout.connection(id);
                Question {
                    slot: slot_of(&name),
                    command: script.by_hash(&[name], &[]),
                }
            });
            let found = self
                .client
                .read_many(until, questions.collect(), Some(script))
                .await?;
            let mut listed = Vec::with_capacity(ids.len());
            for (id, found) in ids.into_iter().zip(found) {
                let mut found = items(found)?.into_iter();
                // It may have been removed meanwhile.
                if let Some(integration) = optional(next(&mut found)?)? {
                    let integration =
                        String::from_utf8(integration).map_err(|_| InternalError::Unreadable)?;
                    let key = ConnectionKey::new(&id).map_err(|_| InternalError::Unreadable)?;
                    listed.push(ConnectionSummary::new(
                        key,
                        integration,
                        state(next(&mut found)?)?,
                    ));
                }
            }
            if !listed.is_empty() {
                return Ok(listed);
            }
            after = Some(last);
        }
    }

    /// Returns the first keys after `after`, from all shards. There are none only if no shard has any.
    ///
    /// Keys are spread evenly, so only a part of the page is read from each shard. If a shard has more keys, the page ends at the last key
    /// that was read from it.
    async fn ids(
        &self,
        after: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Vec<String>, InternalError> {
        let script = &self.scripts.ids;
        // No key is empty, so all keys come after the empty text.
        let start = format!("({}", after.unwrap_or_default());
        let of_shard = most_of_shard(limit);
        let most = of_shard.to_string();
        let questions = shards().map(|shard| {
            let name = self.layout.ids(shard);
            Question {
                slot: slot_of(&name),
                command: script.by_hash(&[name], &[start.as_bytes(), most.as_bytes()]),
            }
        });
        let found = self
            .client
            .read_many(until, questions.collect(), Some(script))
            .await?;
        let mut ids = Vec::new();
        // The first of the last keys of shards that may have more.
        let mut end: Option<String> = None;
        for found in found {
            let found = items(found)?.into_iter().map(text);
            let found = found.collect::<Result<Vec<_>, _>>()?;
            if found.len() >= of_shard {
                let last = found.last().cloned();
                end = match (end, last) {
                    (Some(end), Some(last)) => Some(end.min(last)),
                    (end, last) => end.or(last),
                };
            }
            ids.extend(found);
        }
        if let Some(end) = end {
            ids.retain(|id| *id <= end);
        }
        ids.sort_unstable();
        ids.truncate(limit);
        Ok(ids)
    }

    pub(crate) async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, InternalError> {
        let sealed = self.seal(key, connection)?;
        let names = self.names(sealed.key);
        self.write(
            false,
            &self.scripts.put,
            &names,
            &sealed.arguments(&self.proof),
        )
        .await?;
        Ok(sealed.version)
    }

    /// Writes a connection of another store, if `replaced` is the newest version of the connection, or if it's `None` and there is no
    /// connection.
    pub(crate) async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, InternalError> {
        let sealed = self.seal(key, &stored.connection)?;
        let text =
            |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        let replaced = text(replaced.map(CredentialVersion::get));
        let refreshed_at = text(stored.refreshed_at.map(milliseconds).transpose()?);
        let revoked: &[u8] = match stored.state == GrantState::Revoked {
            true => b"1",
            false => b"",
        };
        let mut arguments = sealed.arguments_for(&self.proof, &replaced).to_vec();
        arguments.extend([revoked, refreshed_at.as_bytes()]);
        let names = self.names(sealed.key);
        let written = self.write(false, &self.scripts.restored, &names, &arguments);
        Ok(written.await?.then_some(sealed.version))
    }

    pub(crate) async fn remove(&self, key: &ConnectionKey) -> Result<bool, InternalError> {
        let [connection, lease, ids, log, _] = self.names(key.as_str());
        self.write(
            false,
            &self.scripts.remove,
            &[connection, lease, ids, log],
            &[key.as_str().as_bytes()],
        )
        .await
    }

    /// Marks a revoked grant as active. Returns `false` if it's active already.
    ///
    /// The same credential gets a new version, so that a revocation that is based on the old version is rejected. A lease and the time of
    /// the last refresh stay: a refresh that is under way commits to the new version.
    pub(crate) async fn revive(&self, key: &ConnectionKey) -> Result<bool, InternalError> {
        for _ in 0..REVIVE_ATTEMPTS {
            let record = self.read(key).await?;
            if record.state == GrantState::Active {
                return Ok(false);
            }
            let sealed = self.seal(key, &record.connection)?;
            let replaced = record.version.get().to_string();
            let arguments = sealed.arguments_for(&self.proof, &replaced);
            let names = self.names(sealed.key);
            if self
                .write(false, &self.scripts.revived, &names, &arguments)
                .await?
            {
                return Ok(true);
            }
        }
        Err(RedisError::Timeout("other processes write the same connection").into())
    }

    pub(crate) async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, InternalError> {
        let (time, memory) = times(time)?;
        let names = self.names(key.as_str());
        let arguments = [time.as_bytes(), memory.as_bytes()];
        match self
            .call(Effect::Write, &self.scripts.lease, &names, &arguments)
            .await?
        {
            Value::Nil => Err(InternalError::NotFound),
            Value::Int(0) => Ok(None),
            Value::Int(fence) => {
                let fence = u64::try_from(fence).map_err(|_| InternalError::Unreadable)?;
                Ok(Some(RefreshLease::new(fence)))
            }
            _ => Err(InternalError::Unreadable),
        }
    }

    pub(crate) async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, InternalError> {
        let ((time, memory), fence) = (times(time)?, lease.fence().to_string());
        let arguments = [fence.as_bytes(), time.as_bytes(), memory.as_bytes()];
        let names = self.names(key.as_str());
        let extended = self
            .call(Effect::Write, &self.scripts.extend, &names, &arguments)
            .await?;
        Ok(extended == Value::Int(1))
    }

    pub(crate) async fn release(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
    ) -> Result<(), InternalError> {
        let (keys, fence) = ([self.layout.lease(key.as_str())], lease.fence().to_string());
        self.call(
            Effect::Write,
            &self.scripts.release,
            &keys,
            &[fence.as_bytes()],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, InternalError> {
        let replaced = read.get().to_string();
        let names = self.names(key.as_str());
        let (has_written, version) = match update {
            GrantUpdate::Refreshed(connection) => {
                let sealed = self.seal(key, connection)?;
                let arguments = sealed.arguments_for(&self.proof, &replaced);
                let written = self.write(true, &self.scripts.refreshed, &names, &arguments);
                (written.await?, sealed.version)
            }
            GrantUpdate::Revoked => {
                let fence = lease.fence().to_string();
                let arguments = [replaced.as_bytes(), fence.as_bytes()];
                let [connection, lease, ..] = names;
                let keys = [connection, lease];
                let written = self.write(true, &self.scripts.revoked, &keys, &arguments);
                (written.await?, read)
            }
        };
        Ok(has_written.then_some(version))
    }
}

/// Returns the number of keys that are read from each shard for a page: twice its share, and some more.
fn most_of_shard(limit: usize) -> usize {
    limit.min(limit / (SHARDS / 2) + 8)
}

pub(crate) fn version_of(value: Value) -> Result<CredentialVersion, InternalError> {
    Ok(CredentialVersion::new(integer(&bytes(value)?)?))
}

fn integer(bytes: &[u8]) -> Result<u64, InternalError> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or(InternalError::Unreadable)
}

fn state(dead: Value) -> Result<GrantState, InternalError> {
    Ok(match optional(dead)? {
        None => GrantState::Active,
        Some(_) => GrantState::Revoked,
    })
}

/// Returns that time in milliseconds since 1970.
fn milliseconds(time: SystemTime) -> Result<u64, InternalError> {
    let since = time.duration_since(UNIX_EPOCH);
    u64::try_from(since.map_err(|_| InternalError::Time)?.as_millis())
        .map_err(|_| InternalError::Time)
}

/// Returns the time of a lease in microseconds, and the time in milliseconds for which its fence is stored.
fn times(time: Duration) -> Result<(String, String), InternalError> {
    if time > MAX_LEASE {
        return Err(InternalError::Time);
    }
    let memory = time.saturating_add(FENCE_MEMORY);
    Ok((time.as_micros().to_string(), memory.as_millis().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_a_part_of_its_keys_from_each_shard() {
        assert_eq!([1, 8, 100, MAX_PAGE].map(most_of_shard), [1, 8, 8, 86]);
    }
}
