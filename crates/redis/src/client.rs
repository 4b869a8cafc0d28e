//! Sends operations to the primary, or to the node of the cluster that has their names.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::cluster::{Cluster, Found, discover};
use crate::error::{InternalError, RedisError, RedisStoreError};
use crate::info::Requirement;
use crate::layout::{Layout, Slot, shards, slot_of};
use crate::node::{
    ACKNOWLEDGEMENT_TIMEOUT, ANSWER_MARGIN, Acknowledgement, Connected, Epoch, Node, Settings, Use,
};
use crate::pause::{doubled, jittered};
use crate::scripts::Script;
use crate::servers::Server;

/// The maximum time of an acknowledgement, including the wait for an acknowledgement that began before the write.
const MAX_ACKNOWLEDGEMENT_TIME: Duration = Duration::from_secs(6);
/// The maximum number of times that an operation is sent if its connection can't be used.
const ATTEMPTS: u32 = 3;
/// The maximum number of times that an operation is sent to another node because its slot was moved. A slot that is being moved has no
/// maximum apart from the operation's time.
const MAX_REDIRECTS: u32 = 16;
/// The number of redirects after which there is a pause before each redirect, because the nodes don't agree yet.
const QUICK_REDIRECTS: u32 = 2;
/// The pauses before an operation is sent again that was refused because its slot is being moved. They double up to the maximum.
const MIN_REFUSED_PAUSE: Duration = Duration::from_millis(20);
const MAX_REFUSED_PAUSE: Duration = Duration::from_millis(500);

/// The time after which a server that doesn't answer counts as gone.
const MIN_ANSWER_TIME: Duration = Duration::from_secs(1);
/// The maximum time for which an operation waits until the slots are known.
const MAX_LEARNING_TIME: Duration = Duration::from_secs(1);

/// The effects of an operation, which decide if it may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
    /// A write that also uses names that it doesn't declare. The node to which their slot is being moved isn't asked: there, a name that
    /// hasn't arrived yet looks like a name that doesn't exist.
    Sweep,
    /// It changes nothing, and is refused like a write.
    Check,
}

/// The servers of a URL, to which no connection was opened yet.
#[derive(Clone)]
pub(crate) struct Unopened {
    servers: Vec<Arc<Server>>,
    settings: Arc<Settings>,
    /// The maximum time of an operation.
    timeout: Duration,
    is_plaintext_allowed: bool,
}

impl Unopened {
    pub(crate) fn new(
        servers: Vec<Server>,
        settings: Settings,
        timeout: Duration,
        is_plaintext_allowed: bool,
    ) -> Self {
        Self {
            servers: servers.into_iter().map(Arc::new).collect(),
            settings: Arc::new(settings),
            timeout,
            is_plaintext_allowed,
        }
    }

    /// Finds out if the servers are nodes of a cluster.
    pub(crate) async fn open(&self) -> Result<Client, RedisError> {
        let discovered = discover(&self.settings, &self.servers, self.is_plaintext_allowed);
        let discovered = tokio::time::timeout(self.timeout, discovered).await;
        let servers = match discovered.unwrap_or(Err(RedisError::Timeout("connecting")))? {
            Found::Cluster(cluster) => Servers::Cluster(cluster),
            Found::Group => {
                let node = Node::new(Arc::clone(&self.settings), self.servers.clone(), false);
                Servers::Group(Arc::new(node))
            }
        };
        Ok(Client(Arc::new(Shared {
            unopened: self.clone(),
            servers,
        })))
    }
}

/// The servers of a store. Cloning increments a reference count.
#[derive(Clone)]
pub(crate) struct Client(Arc<Shared>);

struct Shared {
    unopened: Unopened,
    servers: Servers,
}

enum Servers {
    /// A primary, with or without replicas.
    Group(Arc<Node>),
    Cluster(Arc<Cluster>),
}

/// A script with its keys and arguments. All keys are in one slot.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) script: &'a Script,
    pub(crate) keys: &'a [String],
    pub(crate) arguments: &'a [&'a [u8]],
}

impl Call<'_> {
    fn slot(&self) -> Slot {
        self.keys.first().map_or(0, |key| slot_of(key))
    }
}

/// A command that only reads names of one slot.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) slot: Slot,
    pub(crate) command: Cmd,
}

/// Commands that are sent to a node at once, by their indexes.
struct Part {
    node: Arc<Node>,
    is_asking: bool,
    indexes: Vec<usize>,
}

/// The next step after a refusal by a cluster.
enum Refused {
    /// Send it again to the node that has the slot.
    Again,
    /// Send it to that node only this time.
    Ask(Arc<Node>),
    /// Send it again after a pause.
    Later,
}

/// The refusals by a cluster that an operation has followed. Commands that were sent together and refused count once.
#[derive(Default)]
struct Refusals {
    /// The number of times that the operation was refused.
    count: u32,
    /// The number of times that the operation was refused because its slot had been moved.
    moves: u32,
    /// The refusals since the operation was last sent.
    current: Option<Round>,
}

/// Refusals of commands that were sent together.
struct Round {
    error: RedisError,
    is_moved: bool,
    is_later: bool,
}

impl Refusals {
    /// Adds a refusal. Fails with `error` if refusals were followed often enough.
    fn add(
        &mut self,
        error: &RedisError,
        refused: &Refused,
        until: Instant,
    ) -> Result<(), RedisError> {
        if self.moves >= MAX_REDIRECTS || Instant::now() >= until {
            return Err(error.clone());
        }
        let current = self.current.get_or_insert_with(|| Round {
            error: error.clone(),
            is_moved: false,
            is_later: false,
        });
        current.is_moved |= matches!(refused, Refused::Again);
        current.is_later |= matches!(refused, Refused::Later);
        Ok(())
    }

    /// Returns `true` if there is a pause before the operation is sent again.
    fn needs_pause(&self) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.is_later || self.count >= QUICK_REDIRECTS)
    }

    /// Waits until the operation may be sent again. Fails with the refusal if the time of the operation ends before.
    async fn pause(&mut self, until: Instant) -> Result<(), RedisError> {
        let needs_pause = self.needs_pause();
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        self.count = self.count.saturating_add(1);
        self.moves += u32::from(current.is_moved);
        if needs_pause {
            sleep_until(until.min(Instant::now() + refused_pause(self.count))).await;
        }
        match Instant::now() < until {
            true => Ok(()),
            false => Err(current.error),
        }
    }
}

impl Client {
    /// Returns the same servers as a client with connections of its own, which opens them when it's used.
    #[cfg(feature = "rates")]
    pub(crate) fn with_own_connections(&self, timeout: Duration) -> Unopened {
        Unopened {
            timeout,
            ..self.0.unopened.clone()
        }
    }

    /// Sets the settings without which servers are refused from now on.
    pub(crate) fn require(&self, requirement: Requirement) {
        self.0.unopened.settings.require(requirement);
    }

    /// Returns the end of an operation that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.0.unopened.timeout
    }

    /// Returns `true` if a command may only use names of one slot.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(&self.0.servers, Servers::Cluster(_))
    }

    /// Returns the primary, or all primaries of a cluster.
    pub(crate) fn primaries(&self) -> Vec<Arc<Node>> {
        match &self.0.servers {
            Servers::Group(node) => vec![Arc::clone(node)],
            Servers::Cluster(cluster) => cluster.nodes(),
        }
    }

    /// Returns the node that has a slot.
    pub(crate) fn node(&self, slot: Slot) -> Result<Arc<Node>, RedisError> {
        match &self.0.servers {
            Servers::Group(node) => Ok(Arc::clone(node)),
            Servers::Cluster(cluster) => cluster
                .node(slot)
                .ok_or_else(|| RedisError::of_code("CLUSTERDOWN")),
        }
    }

    /// Returns a name for each primary, which is in one of its slots, and one of the names that no primary has.
    pub(crate) fn representatives(&self, layout: &Layout) -> Vec<String> {
        let mut nodes: Vec<Option<Arc<Node>>> = Vec::new();
        let mut names = Vec::new();
        for name in shards().map(|shard| layout.ids(shard)) {
            let node = self.node(slot_of(&name)).ok();
            let is_it = |known: &Option<Arc<Node>>| match (known, &node) {
                (Some(known), Some(node)) => Arc::ptr_eq(known, node),
                (known, node) => known.is_none() && node.is_none(),
            };
            if !nodes.iter().any(is_it) {
                nodes.push(node);
                names.push(name);
            }
        }
        names
    }

    /// Learns the slots of a cluster again, because there may have been a fail-over. It goes on after the future is dropped.
    pub(crate) async fn learn(&self, from: Option<Arc<Node>>, until: Instant) {
        if let Servers::Cluster(cluster) = &self.0.servers {
            // If it takes too long, the operation goes on with its own error.
            let until = until.min(Instant::now() + MAX_LEARNING_TIME);
            let _ = match cluster.learn(from) {
                Some(learning) => timeout_at(until, learning).await.map(drop),
                None => timeout_at(until, cluster.learned()).await,
            };
        }
    }

    /// Follows a refusal of the cluster, which has changed nothing. `None` if the error is another error.
    ///
    /// Fails if the refusal was followed often enough.
    async fn refused(
        &self,
        refusals: &mut Refusals,
        effect: Effect,
        error: &RedisError,
        slot: Slot,
        from: &Arc<Node>,
        until: Instant,
    ) -> Result<Option<Refused>, RedisError> {
        let Servers::Cluster(cluster) = &self.0.servers else {
            return Ok(None);
        };
        let refused = match error {
            RedisError::Moved(to) => {
                // Other slots were probably moved as well, and this node knows that.
                self.learn(Some(Arc::clone(from)), until).await;
                cluster.moved(slot, to, from)?;
                Refused::Again
            }
            RedisError::Ask(_) if effect == Effect::Sweep => Refused::Later,
            RedisError::Ask(to) => Refused::Ask(cluster.redirected(to, from)?),
            error if error.has_code("TRYAGAIN") => Refused::Later,
            _ => return Ok(None),
        };
        refusals.add(error, &refused, until)?;
        Ok(Some(refused))
    }

    /// Runs a script until it's answered. It's sent again if it certainly changed nothing, or if it only reads.
    async fn run(
        &self,
        which: Use,
        effect: Effect,
        is_urgent: bool,
        until: Instant,
        call: Call<'_>,
    ) -> Result<(Value, Arc<Node>, Arc<Connected>), InternalError> {
        let slot = call.slot();
        let (mut attempt, mut refusals) = (1, Refusals::default());
        let mut asked = None;
        loop {
            let is_asking = asked.is_some();
            let node = match asked.take() {
                Some(node) => node,
                None => self.owner(slot, until).await?,
            };
            let place = node.place(which, is_urgent, until).await?;
            let connected = match node.connected(which, until).await {
                Ok(connected) => connected,
                Err(InternalError::Redis(error)) => {
                    drop(place);
                    self.learn(None, until).await;
                    // Nothing was sent, but the same node would be in a pause.
                    let is_replaced = self.node(slot).is_ok_and(|next| !Arc::ptr_eq(&next, &node));
                    if !is_replaced || attempt == ATTEMPTS || Instant::now() >= until {
                        return Err(error.into());
                    }
                    attempt += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let sent_at = Instant::now();
            let answer = timeout_at(until, connected.call(effect, call, is_asking)).await;
            // An operation that waits for its slot doesn't take the place of operations of other slots.
            drop(place);
            let error = match answer {
                Ok(Ok(value)) => return Ok((value, node, connected)),
                Ok(Err(error)) => error,
                Err(_) => RedisError::Timeout("the server's answer"),
            };
            let refused = self.refused(&mut refusals, effect, &error, slot, &node, until);
            if let Some(refused) = refused.await? {
                let _waiting = match refusals.needs_pause() {
                    true => node.waiting(which, is_urgent)?,
                    false => None,
                };
                refusals.pause(until).await?;
                if let Refused::Ask(node) = refused {
                    asked = Some(node);
                }
                continue;
            }
            let is_of_connection = error.is_of_connection();
            if is_of_connection && !had_too_little_time(&error, sent_at) {
                node.discard(&connected, &error);
            }
            let is_harmless = !matches!(effect, Effect::Write | Effect::Sweep)
                && is_of_connection
                && !matches!(error, RedisError::Timeout(_));
            let is_down = self.is_cluster() && error.has_code("CLUSTERDOWN");
            let may_repeat = is_harmless || is_down || error.is_undone();
            if !may_repeat || attempt == ATTEMPTS || Instant::now() >= until {
                if is_of_connection {
                    self.learn_meanwhile();
                }
                return Err(error.into());
            }
            attempt += 1;
            if is_down {
                sleep(refused_pause(attempt)).await;
            }
            self.learn(None, until).await;
        }
    }

    /// Learns the slots of a cluster again, and doesn't wait for it.
    pub(crate) fn learn_meanwhile(&self) {
        if let Servers::Cluster(cluster) = &self.0.servers {
            drop(cluster.learn(None));
        }
    }

    /// Returns the node that has a slot. If no node has it, the slots are learned again.
    async fn owner(&self, slot: Slot, until: Instant) -> Result<Arc<Node>, RedisError> {
        if let Ok(node) = self.node(slot) {
            return Ok(node);
        }
        self.learn(None, until).await;
        self.node(slot)
    }

    /// Runs a script.
    pub(crate) async fn call(
        &self,
        effect: Effect,
        call: Call<'_>,
    ) -> Result<(Value, Epoch), InternalError> {
        let until = self.deadline();
        let (value, _, connected) = self.run(Use::Main, effect, false, until, call).await?;
        Ok((value, Arc::clone(&connected.epoch)))
    }

    /// Runs a script that returns 0 if it has changed no connection, and waits for the acknowledgement of the write.
    ///
    /// If `is_urgent`, it's never refused because many other operations wait: a token that can't be stored is lost.
    pub(crate) async fn write(
        &self,
        acknowledgement: Option<Acknowledgement>,
        is_urgent: bool,
        call: Call<'_>,
    ) -> Result<(bool, Epoch), InternalError> {
        let until = self.deadline();
        let (which, until) = match acknowledgement {
            // The server answers after the acknowledgement that it's waiting for.
            Some(_) => (
                Use::Durable,
                until + ACKNOWLEDGEMENT_TIMEOUT + ANSWER_MARGIN,
            ),
            None => (Use::Main, until),
        };
        let (value, node, connected) = self
            .run(which, Effect::Write, is_urgent, until, call)
            .await?;
        let has_written = match value {
            Value::Int(written) => written != 0,
            _ => return Err(InternalError::Unreadable),
        };
        // Also if nothing was replaced: an earlier attempt may have done that without an acknowledgement.
        if let Some(acknowledgement) = acknowledgement {
            let acknowledged = node.acknowledge(&connected, acknowledgement);
            let acknowledged = timeout(MAX_ACKNOWLEDGEMENT_TIME, acknowledged).await;
            acknowledged.map_err(|_| RedisError::Timeout("the acknowledgement of a write"))??;
        }
        Ok((has_written, Arc::clone(&connected.epoch)))
    }

    /// Sends commands to the nodes that have their slots, to all nodes at once. `script` is the script that they call by its hash. Returns
    /// the answers in the order of the commands.
    pub(crate) async fn read_many(
        &self,
        until: Instant,
        questions: Vec<Question>,
        script: Option<&Script>,
    ) -> Result<Vec<Value>, InternalError> {
        let mut answers: Vec<Option<Value>> = vec![None; questions.len()];
        let mut parts = self.parts(&questions, 0..questions.len())?;
        let questions = Arc::new(questions);
        let (mut attempt, mut refusals) = (1, Refusals::default());
        while !parts.is_empty() {
            let mut running = JoinSet::new();
            for part in parts {
                let (questions, script) = (Arc::clone(&questions), script.cloned());
                running.spawn(async move {
                    let answers = part.send(&questions, script.as_ref(), until).await;
                    (part, answers)
                });
            }
            let mut again = Vec::new();
            parts = Vec::new();
            while let Some(ended) = running.join_next().await {
                let (part, found) = ended.map_err(|_| InternalError::Stopped)?;
                let found = match found {
                    Ok(found) => found,
                    Err(InternalError::Redis(error)) if may_read_again(&error) => {
                        if attempt >= ATTEMPTS || Instant::now() >= until {
                            self.learn_meanwhile();
                            return Err(error.into());
                        }
                        attempt += 1;
                        self.learn(None, until).await;
                        again.extend(part.indexes);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                for (index, found) in part.indexes.iter().copied().zip(found) {
                    let error = match found {
                        Ok(value) => {
                            if let Some(answer) = answers.get_mut(index) {
                                *answer = Some(value);
                            }
                            continue;
                        }
                        Err(error) => error,
                    };
                    let slot = questions.get(index).map_or(0, |question| question.slot);
                    let (refusals, node) = (&mut refusals, &part.node);
                    let refused = self.refused(refusals, Effect::Read, &error, slot, node, until);
                    match refused.await? {
                        None => return Err(error.into()),
                        Some(Refused::Ask(node)) => parts.push(Part {
                            node,
                            is_asking: true,
                            indexes: vec![index],
                        }),
                        Some(Refused::Again | Refused::Later) => again.push(index),
                    }
                }
            }
            refusals.pause(until).await?;
            parts.extend(self.parts(&questions, again)?);
        }
        Ok(answers.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Groups questions by the nodes that have their slots.
    fn parts(
        &self,
        questions: &[Question],
        indexes: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Part>, RedisError> {
        let mut parts: Vec<Part> = Vec::new();
        for index in indexes {
            let slot = questions.get(index).map_or(0, |question| question.slot);
            let node = self.node(slot)?;
            match parts.iter_mut().find(|part| Arc::ptr_eq(&part.node, &node)) {
                Some(part) => part.indexes.push(index),
                None => parts.push(Part {
                    node,
                    is_asking: false,
                    indexes: vec![index],
                }),
            }
        }
        Ok(parts)
    }

    /// Sends a single command that only reads, and returns its error as it is.
    pub(crate) async fn command(&self, question: Question) -> Result<Value, InternalError> {
        let mut values = self
            .read_many(self.deadline(), vec![question], None)
            .await?;
        Ok(values.pop().unwrap_or_default())
    }

    /// Sends a single command to a primary, and returns its error as it is.
    pub(crate) async fn command_to(
        &self,
        node: &Arc<Node>,
        command: &Cmd,
    ) -> Result<Value, InternalError> {
        let until = self.deadline();
        let connected = node.connected(Use::Main, until).await?;
        let answer = timeout_at(until, connected.command(command)).await;
        Ok(answer.map_err(|_| RedisError::Timeout("the server's answer"))??)
    }
}

/// Returns the pause after so many refusals.
fn refused_pause(refusals: u32) -> Duration {
    jittered(doubled(MIN_REFUSED_PAUSE, MAX_REFUSED_PAUSE, refusals))
}

/// Returns `true` if commands that only read may succeed on another connection.
pub(crate) fn may_read_again(error: &RedisError) -> bool {
    error.is_of_connection() && !matches!(error, RedisError::Timeout(_) | RedisError::Pausing(_))
}

impl Part {
    async fn send(
        &self,
        questions: &[Question],
        script: Option<&Script>,
        until: Instant,
    ) -> Result<Vec<Result<Value, RedisError>>, InternalError> {
        let questions = self
            .indexes
            .iter()
            .filter_map(|index| questions.get(*index));
        let commands: Vec<_> = questions.map(|question| question.command.clone()).collect();
        let (answers, connected) =
            send_many(&self.node, false, until, &commands, script, self.is_asking).await?;
        // A server that isn't the primary any more refuses each command.
        let refused = answers.iter().find_map(|answer| answer.as_ref().err());
        if let Some(error) = refused.filter(|error| error.is_of_connection()) {
            self.node.discard(&connected, error);
            return Err(error.clone().into());
        }
        Ok(answers)
    }
}

/// Sends commands to a node all at once.
pub(crate) async fn send_many(
    node: &Arc<Node>,
    is_urgent: bool,
    until: Instant,
    commands: &[Cmd],
    script: Option<&Script>,
    is_asking: bool,
) -> Result<(Vec<Result<Value, RedisError>>, Arc<Connected>), InternalError> {
    let _place = node.place(Use::Main, is_urgent, until).await?;
    let connected = node.connected(Use::Main, until).await?;
    let sent_at = Instant::now();
    let answers = timeout_at(until, connected.commands(commands, script, is_asking)).await;
    let error = match answers {
        Ok(Ok(answers)) => return Ok((answers, connected)),
        Ok(Err(error)) => error,
        Err(_) => RedisError::Timeout("the server's answer"),
    };
    if error.is_of_connection() && !had_too_little_time(&error, sent_at) {
        node.discard(&connected, &error);
    }
    Err(error.into())
}

/// Returns `true` if an answer was waited for so shortly that its absence says nothing about the server: the operation had waited for its slot
/// or for its turn before. To close the connection would fail the operations of others, which also use it.
fn had_too_little_time(error: &RedisError, sent_at: Instant) -> bool {
    matches!(error, RedisError::Timeout(_)) && sent_at.elapsed() < MIN_ANSWER_TIME
}

impl From<RedisError> for RedisStoreError {
    fn from(error: RedisError) -> Self {
        InternalError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a refusal as often as it may be followed, and returns the number of times and the time that it took.
    async fn followed(refused: &Refused, most: usize) -> (usize, Duration) {
        let began = Instant::now();
        let until = began + Duration::from_secs(60);
        let (mut refusals, error) = (Refusals::default(), RedisError::of_code("TRYAGAIN"));
        for count in 0..most {
            // Commands that were sent together and refused count once.
            let mut next = refusals.add(&error, refused, until);
            for _ in 0..2 {
                next = next.and_then(|()| refusals.add(&error, refused, until));
            }
            if next.is_ok() {
                next = refusals.pause(until).await;
            }
            if let Err(last) = next {
                assert_eq!(last, error);
                return (count, began.elapsed());
            }
        }
        (most, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn moves_have_a_maximum_and_a_slot_that_is_being_moved_only_the_time_of_the_operation() {
        let (count, time) = followed(&Refused::Again, 1_000).await;
        assert_eq!(count, 16);
        assert!(time < Duration::from_secs(8), "{time:?}");
        let (count, time) = followed(&Refused::Later, 1_000).await;
        assert!(count > 100, "{count}");
        assert_eq!(time, Duration::from_secs(60));
        // The first refusals are followed at once, unless the slot is being moved.
        assert_eq!(followed(&Refused::Again, 2).await.1, Duration::ZERO);
        assert_ne!(followed(&Refused::Later, 1).await.1, Duration::ZERO);
    }
}
