//! Detects changes by other processes, by a stream of the keys that were written in each shard.
//!
//! Only the streams of shards are read from which this process has connections in memory. The position in a stream is returned together with
//! the first connection that is read from its shard, so no change after that is missed.
//!
//! In a cluster, all nodes are asked at the same time. If a node fails, the changes of the others are still reported, and only the time since
//! which the shards of the failed node weren't read counts for their connections: after the grace, all connections are compared, which
//! succeeds for the shards of the other nodes only. Calls don't wait for a node that has failed before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, Value, cmd};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_passthrough::StoreError;
use tower_passthrough::durable::{ChangeFeed, Changes};
use tower_passthrough::store::ConnectionKey;

use crate::client::{Client, may_read_again, send_many};
use crate::cluster::{cluster_info, is_up};
use crate::error::{InternalError, RedisError};
use crate::info::Info;
use crate::layout::{Layout, Shard, slot_of};
use crate::node::{Connected, Epoch, Health, Node};
use crate::values::{items, text};

/// The maximum time of a question, for which calls wait.
const MAX_TIME: Duration = Duration::from_secs(2);
/// The maximum number of changes that are read from all streams together. If there are more, the whole cache is compared.
const MAX_CHANGES: usize = 1000;
/// The number of changes that are read from each stream, also from many streams.
const MIN_CHANGES: usize = 16;
/// The number of times that a node is asked if its connection was closed, or its server became a replica.
const ATTEMPTS: u32 = 3;

pub(crate) struct ChangeLog {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
    pub(crate) positions: Arc<Positions>,
    pub(crate) outage_grace: Duration,
}

/// The places up to which changes were read.
#[derive(Default)]
pub(crate) struct Positions(Mutex<State>);

#[derive(Default)]
struct State {
    shards: BTreeMap<Shard, Watched>,
    /// A connection was read from another server, or before its shard began to be watched, so changes of it may be missed.
    is_uncertain: bool,
    /// The last failure of a node.
    failure: Option<RedisError>,
    /// The shards whose changes couldn't be read when the positions were forgotten, with the times since which changes may be missing. A
    /// node may answer look-ups and not the questions, and each look-up would begin a grace of its own.
    unread_since: BTreeMap<Shard, Instant>,
}

/// A shard from which connections are in memory.
#[derive(Clone, Debug)]
struct Watched {
    /// The server of the position.
    epoch: Epoch,
    /// The number of the last change in the stream that was read, or 0 if there was no change.
    position: u64,
    /// The number with which the shard began to be watched.
    first: u64,
    /// The stream isn't read, because the answer was too late once, and could be as late the next time. Then anything may have changed.
    is_lost: bool,
    /// The time since which changes of the shard may be missing.
    read_at: Instant,
}

impl Watched {
    fn new(epoch: &Epoch, position: u64) -> Self {
        Self {
            epoch: Arc::clone(epoch),
            position,
            first: position,
            is_lost: false,
            read_at: Instant::now(),
        }
    }
}

impl Positions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch a shard from which a connection was read when its last change had that number.
    pub(crate) fn watch(&self, shard: Shard, position: u64, epoch: &Epoch) {
        let mut state = self.state();
        let unread_since = state.unread_since.get(&shard).copied();
        let new = || Watched {
            read_at: unread_since.unwrap_or_else(Instant::now),
            ..Watched::new(epoch, position)
        };
        let watched = state.shards.entry(shard).or_insert_with(new);
        // Answers of two look-ups may come in another order than the server has given them.
        let is_uncertain = watched.epoch != *epoch || position < watched.first;
        state.is_uncertain |= is_uncertain;
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

/// A node, and the shards that it's asked for.
struct Part {
    node: Arc<Node>,
    shards: BTreeMap<Shard, Watched>,
}

/// The answer of a node.
struct Answer {
    epoch: Epoch,
    read: BTreeMap<Shard, Written>,
    /// The shards whose streams couldn't be read, with the last error.
    failed: BTreeSet<Shard>,
    failure: Option<RedisError>,
    /// Some of the shards are on another node.
    is_moved: bool,
}

impl Part {
    /// Returns the commands that read the streams. A cluster takes a single slot per command.
    fn commands(&self, layout: &Layout, most: usize, is_cluster: bool) -> Vec<Cmd> {
        let shards: Vec<_> = self
            .shards
            .iter()
            .filter(|(_, watched)| !watched.is_lost)
            .collect();
        let streams = if is_cluster { 1 } else { shards.len().max(1) };
        let read = |part: &[(&Shard, &Watched)]| {
            let mut read = cmd("XREAD");
            read.arg("COUNT").arg(most).arg("STREAMS");
            for (shard, _) in part {
                read.arg(layout.log(**shard));
            }
            for (_, watched) in part {
                read.arg(format!("{}-0", watched.position));
            }
            read
        };
        let mut commands: Vec<_> = shards.chunks(streams).map(read).collect();
        commands.extend(health(is_cluster));
        commands
    }

    async fn ask(
        &self,
        client: &Client,
        layout: &Layout,
        most: usize,
        until: Instant,
    ) -> Result<Answer, InternalError> {
        let commands = self.commands(layout, most, client.is_cluster());
        let mut attempt = 1;
        let (answers, epoch) = loop {
            let sent = send_many(&self.node, true, until, &commands, None, false).await;
            let (mut answers, connected) = match sent {
                Ok(sent) => sent,
                Err(InternalError::Redis(error))
                    if may_read_again(&error) && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Last, so that what was read before came from a primary.
            let checked = check_health(&connected, &mut answers, client.is_cluster());
            let Err(error) = checked else {
                break (answers, Arc::clone(&connected.epoch));
            };
            if error.is_of_connection() {
                self.node.discard(&connected, &error);
            }
            if attempt == ATTEMPTS {
                return Err(error.into());
            }
            attempt += 1;
        };
        let mut found = Answer {
            epoch,
            read: BTreeMap::new(),
            failed: BTreeSet::new(),
            failure: None,
            is_moved: false,
        };
        let mut asked = self.shards.iter().filter(|(_, watched)| !watched.is_lost);
        for answer in answers {
            // A cluster is asked by a command for each shard.
            let shard = asked.next().map(|(shard, _)| *shard);
            let answer = match answer {
                Ok(answer) => answer,
                Err(RedisError::Moved(_) | RedisError::Ask(_)) => {
                    found.is_moved = true;
                    continue;
                }
                Err(error) if client.is_cluster() => {
                    found.failed.extend(shard);
                    found.failure = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if answer == Value::Nil {
                continue;
            }
            for stream in items(answer)? {
                let [name, entries] = <[Value; 2]>::try_from(items(stream)?)
                    .map_err(|_| InternalError::Unreadable)?;
                let name = text(name)?;
                let named = self
                    .shards
                    .iter()
                    .find(|(shard, _)| layout.log(**shard) == name);
                let (shard, watched) = named.ok_or(InternalError::Unreadable)?;
                let written = written(watched.position, entries, most)?;
                found.read.insert(*shard, written);
            }
        }
        Ok(found)
    }
}

/// Returns the commands whose answers [`check_health`] reads.
fn health(is_cluster: bool) -> Vec<Cmd> {
    let mut info = cmd("INFO");
    info.arg("replication");
    match is_cluster {
        true => vec![cluster_info(), info],
        false => vec![info],
    }
}

/// Fails if the server isn't the primary any more, or is cut off from the other nodes: with `cluster-allow-reads-when-down`, such a server would
/// be read without an end, and its successor has the changes. The last answers are removed.
fn check_health(
    connected: &Connected,
    answers: &mut Vec<Result<Value, RedisError>>,
    is_cluster: bool,
) -> Result<(), RedisError> {
    connected.check_replication(answers.pop())?;
    if is_cluster {
        let info = Info::of(answers.pop().unwrap_or(Err(RedisError::Closed))?)?;
        if !is_up(&info) {
            return Err(RedisError::of_code("CLUSTERDOWN"));
        }
    }
    Ok(())
}

/// Fails if a node doesn't answer, isn't a primary any more, or is cut off from the other nodes.
async fn reach(node: &Arc<Node>, is_cluster: bool, until: Instant) -> Result<(), InternalError> {
    let sent = send_many(node, true, until, &health(is_cluster), None, false).await;
    let (mut answers, connected) = sent?;
    let checked = check_health(&connected, &mut answers, is_cluster);
    if let Err(error) = &checked {
        if error.is_of_connection() {
            node.discard(&connected, error);
        }
    }
    Ok(checked?)
}

impl ChangeLog {
    /// Returns the nodes to ask, with their shards, and the shards that no node has.
    fn parts(&self) -> (Vec<Part>, BTreeMap<Shard, Watched>) {
        let mut parts: Vec<Part> = Vec::new();
        if !self.client.is_cluster() {
            // Also if no shard is watched: an outage is then known before a call reads.
            let node = |node| Part {
                node,
                shards: BTreeMap::new(),
            };
            parts = self.client.primaries().into_iter().map(node).collect();
        }
        let mut lost = BTreeMap::new();
        for (shard, watched) in self.positions.state().shards.clone() {
            let Ok(node) = self.client.node(slot_of(&self.layout.log(shard))) else {
                lost.insert(shard, watched);
                continue;
            };
            match parts.iter_mut().find(|part| Arc::ptr_eq(&part.node, &node)) {
                Some(part) => {
                    part.shards.insert(shard, watched);
                }
                None => parts.push(Part {
                    node,
                    shards: BTreeMap::from([(shard, watched)]),
                }),
            }
        }
        (parts, lost)
    }

    async fn ask(&self, is_first: bool) -> Result<Changes<()>, InternalError> {
        let asked_at = Instant::now();
        let until = self.client.deadline().min(asked_at + MAX_TIME);
        let (parts, lost) = self.parts();
        let most = most_changes(parts.iter().map(|part| part.shards.len()).sum());
        let is_cluster = self.client.is_cluster();
        let mut question = Question {
            asked_at,
            is_first,
            answered: Vec::new(),
            failed: Vec::new(),
        };
        if !lost.is_empty() {
            self.client.learn_meanwhile();
            let down = RedisError::of_code("CLUSTERDOWN");
            question.failed.push((lost, Some(down)));
        }
        if parts.is_empty() && question.failed.is_empty() {
            self.reach(until).await?;
        }
        let mut running = JoinSet::new();
        for part in parts {
            if is_cluster && part.node.health() != Health::Good {
                self.try_again(&part.node);
                question.failed.push((part.shards, None));
                continue;
            }
            let (client, layout) = (self.client.clone(), self.layout.clone());
            running.spawn(async move {
                let answer = part.ask(&client, &layout, most, until).await;
                (part, answer)
            });
        }
        while let Some(ended) = running.join_next().await {
            let (mut part, mut answer) = ended.map_err(|_| InternalError::Stopped)?;
            match &mut answer {
                Ok(answer) => {
                    let failure = answer.failure.take();
                    if answer.is_moved || failure.is_some() {
                        self.client.learn_meanwhile();
                    }
                    let is_failed = |shard: &Shard| answer.failed.contains(shard);
                    let failed: BTreeMap<_, _> = part
                        .shards
                        .iter()
                        .filter(|(shard, _)| is_failed(shard))
                        .map(|(shard, watched)| (*shard, watched.clone()))
                        .collect();
                    part.shards.retain(|shard, _| !is_failed(shard));
                    if !failed.is_empty() {
                        question.failed.push((failed, failure));
                    }
                }
                Err(_) => {
                    part.node.set_health(Health::Failing);
                }
            }
            match answer {
                Ok(answer) => {
                    question.answered.push((part.shards, answer));
                }
                Err(InternalError::Redis(error)) => {
                    self.client.learn_meanwhile();
                    question.failed.push((part.shards, Some(error)));
                }
                Err(error) => return Err(error),
            }
        }
        let grace = is_cluster.then_some(self.outage_grace);
        Ok(self.positions.advance(question, grace)?)
    }

    /// Fails if no node of a cluster answers. If no connection is in memory, there is nothing else by which an outage would be known.
    async fn reach(&self, until: Instant) -> Result<(), InternalError> {
        let (mut running, is_cluster) = (JoinSet::new(), self.client.is_cluster());
        for node in self.client.primaries() {
            running.spawn(async move { reach(&node, is_cluster, until).await });
        }
        let mut failure = RedisError::of_code("CLUSTERDOWN").into();
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => failure = error,
                Err(_) => {}
            }
        }
        self.client.learn_meanwhile();
        Err(failure)
    }

    /// Tries to reach a node that has failed, while calls go on.
    fn try_again(&self, node: &Arc<Node>) {
        if node.set_health(Health::Tried) == Health::Tried {
            return;
        }
        let (client, node) = (self.client.clone(), Arc::clone(node));
        tokio::spawn(async move {
            let until = Instant::now() + MAX_TIME;
            client.learn(None, until).await;
            let health = match reach(&node, client.is_cluster(), until).await {
                Ok(()) => Health::Good,
                Err(_) => Health::Failing,
            };
            node.set_health(health);
        });
    }
}

/// The results of asking all nodes.
struct Question {
    asked_at: Instant,
    is_first: bool,
    answered: Vec<(BTreeMap<Shard, Watched>, Answer)>,
    /// The shards of nodes that failed now, with their errors, or that failed before.
    failed: Vec<(BTreeMap<Shard, Watched>, Option<RedisError>)>,
}

impl Positions {
    /// Sets the next positions, and returns what has changed. There is no await point after it, so the changes reach the cache.
    ///
    /// `grace` is the time for which connections of shards whose node fails are used. Without it, each failure is an error.
    fn advance(
        &self,
        question: Question,
        grace: Option<Duration>,
    ) -> Result<Changes<()>, RedisError> {
        let mut state = self.state();
        let has_answer = question
            .answered
            .iter()
            .any(|(shards, _)| !shards.is_empty());
        let (mut keys, mut is_any) = (Vec::new(), state.is_uncertain);
        for (shards, mut answer) in question.answered {
            is_any |= answer.is_moved;
            for shard in shards.keys() {
                state.unread_since.remove(shard);
                let Some(watched) = state.shards.get_mut(shard) else {
                    continue;
                };
                is_any |= watched.is_lost || watched.epoch != answer.epoch;
                watched.read_at = question.asked_at;
                let Some(written) = answer.read.remove(shard) else {
                    continue;
                };
                is_any |= written.is_cut;
                watched.position = written.last;
                keys.extend(written.keys);
            }
        }
        let has_failed = !question.failed.is_empty();
        let mut is_over = false;
        for (shards, error) in question.failed {
            for shard in shards.keys() {
                let Some(watched) = state.shards.get_mut(shard) else {
                    continue;
                };
                if let Some(error) = &error {
                    watched.is_lost |= matches!(error, RedisError::Timeout(_));
                }
                is_over |= grace.is_some_and(|grace| watched.read_at.elapsed() >= grace);
                let read_at = watched.read_at;
                state.unread_since.insert(*shard, read_at);
            }
            state.failure = error.or(state.failure.take());
        }
        // If no node answers, nothing else can be compared. It's compared when a node answers, unless the grace ends before.
        if has_failed && (grace.is_none() || !(has_answer || is_over)) {
            let failure = state.failure.clone();
            return Err(failure.unwrap_or(RedisError::Closed));
        }
        if question.is_first || is_any || is_over {
            *state = State {
                unread_since: std::mem::take(&mut state.unread_since),
                ..State::default()
            };
            return Ok(match question.is_first {
                true => Changes::None(()),
                false => Changes::All(()),
            });
        }
        // A text that isn't a key can't be in the cache.
        let keys = keys
            .into_iter()
            .filter_map(|key| ConnectionKey::new(&key).ok());
        let keys: Vec<_> = keys.collect();
        Ok(match keys.is_empty() {
            true => Changes::None(()),
            false => Changes::Keys(keys, ()),
        })
    }
}

impl ChangeFeed for ChangeLog {
    type Cursor = ();

    async fn changes_since(&self, cursor: Option<&()>) -> Result<Changes<()>, StoreError> {
        Ok(self.ask(cursor.is_none()).await?)
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

    const GRACE: Duration = Duration::from_secs(60);

    fn question(answered: Vec<(&[Shard], &Epoch)>, failed: &[Shard]) -> Question {
        let watched = |shards: &[Shard]| -> BTreeMap<Shard, Watched> {
            let new = |shard: &Shard| (*shard, Watched::new(&Epoch::from("any"), 0));
            shards.iter().map(new).collect()
        };
        let answer = |(shards, epoch): (&[Shard], &Epoch)| {
            let answer = Answer {
                epoch: Arc::clone(epoch),
                read: BTreeMap::new(),
                failed: BTreeSet::new(),
                failure: None,
                is_moved: false,
            };
            (watched(shards), answer)
        };
        let failed = match failed {
            [] => Vec::new(),
            shards => vec![(watched(shards), Some(RedisError::Timeout("")))],
        };
        Question {
            asked_at: Instant::now(),
            is_first: false,
            answered: answered.into_iter().map(answer).collect(),
            failed,
        }
    }

    #[test]
    fn after_a_time_out_anything_may_have_changed_and_no_stream_is_read() {
        let (positions, epoch) = (Positions::default(), Epoch::from("one"));
        positions.watch(3, 12, &epoch);
        let failed = positions.advance(question(vec![], &[3]), None);
        assert_eq!(failed, Err(RedisError::Timeout("")));
        assert!(positions.state().shards.values().all(|shard| shard.is_lost));
        let answered = || question(vec![(&[3], &epoch)], &[]);
        let all = positions.advance(answered(), None);
        assert_eq!(all, Ok(Changes::All(())));
        assert!(positions.state().shards.is_empty());
        let none = positions.advance(answered(), None);
        assert_eq!(none, Ok(Changes::None(())));
    }

    #[test]
    fn a_look_up_from_before_the_shard_was_watched_means_that_anything_may_have_changed() {
        let (positions, epoch) = (Positions::default(), Epoch::from("one"));
        positions.watch(3, 12, &epoch);
        positions.watch(3, 13, &epoch);
        let answered = || question(vec![(&[3], &epoch)], &[]);
        let none = positions.advance(answered(), None);
        assert_eq!(none, Ok(Changes::None(())));
        positions.watch(3, 10, &epoch);
        let all = positions.advance(answered(), None);
        assert_eq!(all, Ok(Changes::All(())));
    }

    #[test]
    fn another_server_and_a_connection_of_another_server_mean_that_anything_may_have_changed() {
        let positions = Positions::default();
        let (one, other) = (Epoch::from("one"), Epoch::from("other"));
        positions.watch(3, 7, &one);
        let of = |epoch| question(vec![(&[3], epoch)], &[]);
        assert_eq!(positions.advance(of(&one), None), Ok(Changes::None(())));
        assert_eq!(positions.advance(of(&other), None), Ok(Changes::All(())));
        assert!(positions.state().shards.is_empty());
        positions.watch(3, 9, &one);
        positions.watch(3, 9, &other);
        assert_eq!(positions.advance(of(&one), None), Ok(Changes::All(())));
        assert_eq!(positions.advance(of(&other), None), Ok(Changes::None(())));
    }

    #[test]
    fn a_node_that_fails_hides_no_change_of_other_nodes_and_only_its_grace_ends() {
        let positions = Positions::default();
        let (one, other) = (Epoch::from("one"), Epoch::from("other"));
        positions.watch(3, 7, &one);
        positions.watch(4, 7, &other);
        let partly = || {
            let mut question = question(vec![(&[4], &other)], &[3]);
            for (_, answer) in &mut question.answered {
                let written = Written {
                    keys: vec!["acme".to_owned()],
                    last: 8,
                    is_cut: false,
                };
                answer.read.insert(4, written);
            }
            question
        };
        let keys = positions.advance(partly(), Some(GRACE));
        assert!(
            matches!(&keys, Ok(Changes::Keys(keys, ())) if keys.len() == 1),
            "{keys:?}"
        );
        // If no node answers, the question has failed, also if anything may have changed: the grace goes on.
        positions.watch(4, 1, &other);
        let failed = positions.advance(question(vec![], &[3, 4]), Some(GRACE));
        assert_eq!(failed, Err(RedisError::Timeout("")));
        let ended = positions.advance(partly(), Some(Duration::ZERO));
        assert_eq!(ended, Ok(Changes::All(())));
        assert!(positions.state().shards.is_empty());
    }

    #[tokio::test]
    async fn a_node_that_answers_look_ups_and_no_question_has_a_single_grace() {
        const SHORT: Duration = Duration::from_millis(20);
        let positions = Positions::default();
        let (one, other) = (Epoch::from("one"), Epoch::from("other"));
        let partly = || question(vec![(&[4], &other)], &[3]);
        for shard in [3, 4] {
            positions.watch(shard, 7, if shard == 3 { &one } else { &other });
        }
        tokio::time::sleep(SHORT).await;
        for _ in 0..3 {
            let compared = positions.advance(partly(), Some(SHORT));
            assert_eq!(compared, Ok(Changes::All(())));
            positions.watch(3, 7, &one);
        }
        let answered = question(vec![(&[3], &one), (&[4], &other)], &[]);
        let answered = positions.advance(answered, Some(SHORT));
        assert_eq!(answered, Ok(Changes::None(())));
        assert!(positions.state().unread_since.is_empty());
        // An answer that reads nothing of a node's shards isn't an answer.
        let nothing = question(vec![(&[], &one)], &[3]);
        assert!(positions.advance(nothing, Some(GRACE)).is_err());
    }
}
