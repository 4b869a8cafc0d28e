//! Detects changes by other processes, by a stream of the keys that were written in each shard.
//!
//! Only the streams of shards are read from which this process has connections in memory. The position in a stream is returned together with
//! the first connection that is read from its shard, so no change after that is missed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, Value, cmd};
use tokio::time::Instant;
use tower_passthrough::StoreError;
use tower_passthrough::durable::{ChangeFeed, Changes};
use tower_passthrough::store::ConnectionKey;

use crate::client::{Client, Epoch};
use crate::error::{InternalError, RedisError};
use crate::info::Info;
use crate::layout::{Layout, Shard};
use crate::values::{items, text};

/// The maximum time of a question, for which calls wait.
const MAX_TIME: Duration = Duration::from_secs(2);
/// The maximum number of changes that are read from all streams together. If there are more, the whole cache is compared.
const MAX_CHANGES: usize = 1000;
/// The number of changes that are read from each stream, also from many streams.
const MIN_CHANGES: usize = 16;
/// The number of times that a question is asked if its server became a replica.
const ATTEMPTS: u32 = 2;

pub(crate) struct ChangeLog {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
    pub(crate) positions: Arc<Positions>,
}

/// The places up to which changes were read.
#[derive(Default)]
pub(crate) struct Positions(Mutex<State>);

#[derive(Default)]
struct State {
    /// The server of the positions.
    epoch: Option<Epoch>,
    /// The number of the last change in each stream that was read, or 0 if there was no change.
    shards: BTreeMap<Shard, u64>,
    /// The number with which each shard began to be watched.
    first: BTreeMap<Shard, u64>,
    /// A connection was read from another server, or before its shard began to be watched, so changes of it may be missed.
    is_uncertain: bool,
}

impl Positions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch a shard from which a connection was read when its last change had that number.
    pub(crate) fn watch(&self, shard: Shard, position: u64, epoch: &Epoch) {
        let mut state = self.state();
        if state.epoch.as_ref() == Some(epoch) {
            let first = *state.first.entry(shard).or_insert(position);
            state.shards.entry(shard).or_insert(position);
            // Answers of two look-ups may come in another order than the server has given them.
            state.is_uncertain |= position < first;
        } else {
            state.is_uncertain = true;
        }
    }
}

/// The changes of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    keys: Vec<String>,
    last: u64,
    /// Changes between the position and the first of the keys may be missing.
    is_cut: bool,
}

/// Returns the number of a change, whose id in the stream is `number-0`.
pub(crate) fn number(id: &str) -> Result<u64, InternalError> {
    let number = id.strip_suffix("-0").unwrap_or(id).parse();
    number.map_err(|_| InternalError::Unreadable)
}

/// Returns the maximum number of changes that are read from each of so many streams.
fn most_changes(streams: usize) -> usize {
    (MAX_CHANGES / streams.max(1)).max(MIN_CHANGES)
}

/// Returns the changes of a stream, of which at most `most` were read.
fn written(position: u64, entries: Value, most: usize) -> Result<Written, InternalError> {
    let mut written = Written {
        keys: Vec::new(),
        last: position,
        is_cut: false,
    };
    let entries = items(entries)?;
    written.is_cut = entries.len() >= most;
    for entry in entries {
        let [id, fields] =
            <[Value; 2]>::try_from(items(entry)?).map_err(|_| InternalError::Unreadable)?;
        let number = number(&text(id)?)?;
        if written.last != 0 && number != written.last.wrapping_add(1) {
            written.is_cut = true;
        }
        written.last = number;
        let [_, key] =
            <[Value; 2]>::try_from(items(fields)?).map_err(|_| InternalError::Unreadable)?;
        written.keys.push(text(key)?);
    }
    Ok(written)
}

impl ChangeLog {
    /// Returns the commands that read the streams after these positions. A cluster takes a single slot per command.
    fn commands(&self, shards: &BTreeMap<Shard, u64>, is_cluster: bool) -> Vec<Cmd> {
        let shards: Vec<_> = shards.iter().collect();
        let changes = most_changes(shards.len());
        let most = if is_cluster { 1 } else { shards.len().max(1) };
        let read = |part: &[(&Shard, &u64)]| {
            let mut read = cmd("XREAD");
            read.arg("COUNT").arg(changes).arg("STREAMS");
            for (shard, _) in part {
                read.arg(self.layout.log(**shard));
            }
            for (_, position) in part {
                read.arg(format!("{position}-0"));
            }
            read
        };
        let mut commands: Vec<_> = shards.chunks(most).map(read).collect();
        // Last, so that what was read before came from a primary.
        let mut info = cmd("INFO");
        info.arg("replication");
        commands.push(info);
        commands
    }

    async fn ask(&self, is_first: bool) -> Result<Changes<Epoch>, InternalError> {
        let until = self.client.deadline().min(Instant::now() + MAX_TIME);
        let mut attempt = 1;
        let (mut values, connected) = loop {
            let is_cluster = self.client.primary(until).await?.is_cluster;
            let shards = self.positions.state().shards.clone();
            let commands = self.commands(&shards, is_cluster);
            let (mut values, connected) =
                self.client.read_many(true, until, commands, None).await?;
            let info = Info::of(values.pop().unwrap_or_default())?;
            let checked = info.check_primary().and_then(|()| {
                match connected.epoch.ends_with(info.history()) {
                    true => Ok(()),
                    // It became a replica, and then a primary again.
                    false => Err(RedisError::of_code("READONLY")),
                }
            });
            let Err(error) = checked else {
                break ((values, shards), connected);
            };
            self.client.discard(&connected, &error);
            if attempt == ATTEMPTS {
                return Err(error.into());
            }
            attempt += 1;
        };
        let (values, shards) = (&mut values.0, values.1);
        let most = most_changes(shards.len());
        let mut read = BTreeMap::new();
        for answer in values.drain(..) {
            if answer == Value::Nil {
                continue;
            }
            for stream in items(answer)? {
                let [name, entries] = <[Value; 2]>::try_from(items(stream)?)
                    .map_err(|_| InternalError::Unreadable)?;
                let name = text(name)?;
                let found = shards
                    .iter()
                    .find(|(shard, _)| self.layout.log(**shard) == name);
                let (shard, position) = found.ok_or(InternalError::Unreadable)?;
                read.insert(*shard, written(*position, entries, most)?);
            }
        }
        Ok(self.positions.advance(is_first, &connected.epoch, read))
    }
}

impl Positions {
    /// Forgets the streams after a time-out, because the same answer could be as late at the next time. Then anything may have changed.
    fn forget(&self) {
        let mut state = self.state();
        *state = State {
            epoch: state.epoch.take(),
            is_uncertain: true,
            ..State::default()
        };
    }

    /// Sets the next positions, and returns what has changed. There is no await point after it, so the changes reach the cache.
    fn advance(
        &self,
        is_first: bool,
        epoch: &Epoch,
        read: BTreeMap<Shard, Written>,
    ) -> Changes<Epoch> {
        let mut state = self.state();
        let is_same = state.epoch.as_ref() == Some(epoch) && !state.is_uncertain;
        let is_cut = read.values().any(|written| written.is_cut);
        if is_first || !is_same || is_cut {
            *state = State {
                epoch: Some(Epoch::clone(epoch)),
                ..State::default()
            };
            return match is_first {
                true => Changes::None(Epoch::clone(epoch)),
                false => Changes::All(Epoch::clone(epoch)),
            };
        }
        let mut keys = Vec::new();
        for (shard, written) in read {
            state.shards.insert(shard, written.last);
            // A text that isn't a key can't be in the cache.
            keys.extend(
                written
                    .keys
                    .into_iter()
                    .filter_map(|key| ConnectionKey::new(&key).ok()),
            );
        }
        match keys.is_empty() {
            true => Changes::None(Epoch::clone(epoch)),
            false => Changes::Keys(keys, Epoch::clone(epoch)),
        }
    }
}

impl ChangeFeed for ChangeLog {
    type Cursor = Epoch;

    async fn changes_since(&self, cursor: Option<&Epoch>) -> Result<Changes<Epoch>, StoreError> {
        let changes = self.ask(cursor.is_none()).await;
        if let Err(InternalError::Redis(RedisError::Timeout(_))) = changes {
            self.positions.forget();
        }
        Ok(changes?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, key: &str) -> Value {
        let bulk = |text: String| Value::BulkString(text.into_bytes());
        let fields = vec![bulk("k".into()), bulk(key.into())];
        Value::Array(vec![bulk(format!("{number}-0")), Value::Array(fields)])
    }

    fn read(position: u64, numbers: &[u64]) -> Option<(u64, bool, usize)> {
        let entries = numbers.iter().map(|&number| entry(number, "a")).collect();
        let written = written(position, Value::Array(entries), 100).ok()?;
        Some((written.last, written.is_cut, written.keys.len()))
    }

    #[test]
    fn a_gap_in_the_numbers_means_that_changes_were_removed() {
        assert_eq!(read(5, &[6, 7]), Some((7, false, 2)));
        assert_eq!(read(5, &[7, 8]), Some((8, true, 2)));
        assert_eq!(read(5, &[6, 8]), Some((8, true, 2)));
        // The stream was empty.
        assert_eq!(read(0, &[1000]), Some((1000, false, 1)));
        let many: Vec<_> = (6..106).collect();
        assert!(read(5, &many).is_some_and(|(_, is_cut, _)| is_cut));
        assert_eq!([0, 1, 10, 256].map(most_changes), [1000, 1000, 100, 16]);
    }

    #[test]
    fn after_a_time_out_anything_may_have_changed_and_no_stream_is_read() {
        let (positions, epoch) = (Positions::default(), Epoch::from("one"));
        positions.advance(true, &epoch, BTreeMap::new());
        positions.watch(3, 12, &epoch);
        positions.forget();
        assert!(positions.state().shards.is_empty());
        let all = positions.advance(false, &epoch, BTreeMap::new());
        assert_eq!(all, Changes::All(epoch.clone()));
        let none = positions.advance(false, &epoch, BTreeMap::new());
        assert_eq!(none, Changes::None(epoch));
    }

    #[test]
    fn a_look_up_from_before_the_shard_was_watched_means_that_anything_may_have_changed() {
        let (positions, epoch) = (Positions::default(), Epoch::from("one"));
        positions.advance(true, &epoch, BTreeMap::new());
        positions.watch(3, 12, &epoch);
        positions.watch(3, 13, &epoch);
        let none = positions.advance(false, &epoch, BTreeMap::new());
        assert_eq!(none, Changes::None(epoch.clone()));
        positions.watch(3, 10, &epoch);
        let all = positions.advance(false, &epoch, BTreeMap::new());
        assert_eq!(all, Changes::All(epoch));
    }

    #[test]
    fn another_server_and_a_connection_of_another_server_mean_that_anything_may_have_changed() {
        let positions = Positions::default();
        let (one, other) = (Epoch::from("one"), Epoch::from("other"));
        assert_eq!(
            positions.advance(true, &one, BTreeMap::new()),
            Changes::None(one.clone())
        );
        positions.watch(3, 7, &one);
        assert_eq!(
            positions.advance(false, &one, BTreeMap::new()),
            Changes::None(one.clone())
        );
        assert_eq!(positions.state().shards.get(&3), Some(&7));
        assert_eq!(
            positions.advance(false, &other, BTreeMap::new()),
            Changes::All(other.clone())
        );
        assert!(positions.state().shards.is_empty());
        positions.watch(3, 9, &one);
        assert!(positions.state().shards.is_empty());
        assert_eq!(
            positions.advance(false, &other, BTreeMap::new()),
            Changes::All(other.clone())
        );
        assert_eq!(
            positions.advance(false, &other, BTreeMap::new()),
            Changes::None(other)
        );
    }
}
