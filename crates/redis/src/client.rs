//! Connections to the server: one for most operations, and one for writes whose acknowledgement is waited for. A connection is thrown away
//! as soon as its server may not be the primary any more.
//!
//! Each wait has a maximum: for a place in the queue, for a connection to be opened, and for the answer.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value, cmd};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tower_passthrough::durable::random_version;

use crate::error::{InternalError, RedisError, RedisStoreError};
use crate::info::{Info, Requirement};
use crate::scripts::Script;
use crate::servers::{Password, Server};
use crate::tls::Tls;

/// The maximum number of operations that are sent on a connection and not answered yet.
const MAX_IN_FLIGHT: usize = 64;
/// The maximum number of operations that wait to be sent on a connection.
const MAX_WAITING: usize = 64;
/// The maximum time to open a connection to one of the servers, including TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time in which a write must be on the disks of the servers.
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time that an answer may take longer than the server's own timeout.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);
/// The maximum time of an acknowledgement, including the wait for an acknowledgement that began before the write.
const MAX_ACKNOWLEDGEMENT_TIME: Duration = Duration::from_secs(6);
/// The pauses after the first failures to connect. They are jittered, because all processes notice a fail-over at once.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// The pause after a node of a cluster has refused a key of another node.
const MOVED_PAUSE: Duration = Duration::from_secs(1);
/// The maximum number of times that an operation is sent if its connection can't be used.
const ATTEMPTS: u32 = 3;

/// The effects of an operation, which decide if it may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

/// The number of servers that must have a write on their disks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgement {
    /// 1 for the primary.
    pub(crate) local: usize,
    pub(crate) replicas: usize,
}

/// The start of a server, and the history of its data. Another server, the same server after a restart, and a replica that was promoted have
/// another epoch.
pub(crate) type Epoch = Arc<str>;

/// An open connection. It's closed when the value is dropped.
pub(crate) struct Connected {
    connection: MultiplexedConnection,
    task: AbortHandle,
    pub(crate) epoch: Epoch,
    pub(crate) is_cluster: bool,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connections of a store. Cloning increments a reference count.
#[derive(Clone)]
pub(crate) struct Client(Arc<Shared>);

struct Shared {
    servers: Vec<Server>,
    tls: Tls,
    password: Password,
    timeout: Duration,
    /// Set when the store is open, so that opening fails with an error of its own.
    requirement: OnceLock<Requirement>,
    state: Mutex<State>,
    main: Lane,
    /// A server answers nothing else on a connection while a write is being acknowledged.
    durable: Lane,
    acknowledged: tokio::sync::Mutex<Option<Acknowledged>>,
}

/// The last acknowledgement that was waited for.
struct Acknowledged {
    began: Instant,
    /// The task of its connection.
    task: tokio::task::Id,
    result: Result<(), RedisError>,
}

/// A place for a connection. The operations of a lane don't wait for those of the other lane.
struct Lane {
    in_flight: Semaphore,
    waiting: Semaphore,
    connected: Mutex<Option<Arc<Connected>>>,
    /// Locked while a connection is opened.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy)]
enum Use {
    Main,
    Durable,
}

impl Use {
    const fn other(self) -> Self {
        match self {
            Self::Main => Self::Durable,
            Self::Durable => Self::Main,
        }
    }
}

#[derive(Default)]
struct State {
    /// The index of the server that is tried first.
    server: usize,
    failures: u32,
    /// The error of the last attempt to connect, and the time of the next.
    pause: Option<(RedisError, Instant)>,
}

/// A script with its keys and arguments.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) script: &'a Script,
    pub(crate) keys: &'a [String],
    pub(crate) arguments: &'a [&'a [u8]],
}

/// A request to the server.
enum Request<'a> {
    Script(Call<'a>),
    /// Commands, and the script that they call by its hash.
    Many(&'a Pipeline, usize, Option<&'a Script>),
}

impl Lane {
    fn new() -> Self {
        Self {
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            waiting: Semaphore::new(MAX_WAITING),
            connected: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Connected>>> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the connection, unless it was closed.
    fn current(&self) -> Option<Arc<Connected>> {
        let connected = self.slot().clone();
        connected.filter(|connected| !connected.task.is_finished())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn lane(&self, which: Use) -> &Lane {
        match which {
            Use::Main => &self.main,
            Use::Durable => &self.durable,
        }
    }

    /// Returns the connection of the lane, or opens a connection. Callers that come meanwhile wait for it.
    async fn open(self: Arc<Self>, which: Use) -> Result<Arc<Connected>, RedisError> {
        let lane = self.lane(which);
        let _opening = lane.opening.lock().await;
        if let Some(connected) = lane.current() {
            return Ok(connected);
        }
        let connected = Arc::new(self.connect().await?);
        *lane.slot() = Some(Arc::clone(&connected));
        // Reads and writes must go to the same server, and the newest connection has found the primary.
        let mut other = self.lane(which.other()).slot();
        if other
            .as_ref()
            .is_some_and(|other| other.epoch != connected.epoch)
        {
            *other = None;
        }
        drop(other);
        Ok(connected)
    }

    /// Opens a connection to the first server that is a primary. After a failure, the next attempt is later.
    async fn connect(&self) -> Result<Connected, RedisError> {
        let first = {
            let state = self.state();
            match &state.pause {
                Some((error, until)) if Instant::now() < *until => {
                    return Err(RedisError::Pausing(Box::new(error.clone())));
                }
                _ => state.server,
            }
        };
        let mut failure = RedisError::Closed;
        for offset in 0..self.servers.len() {
            let index = (first + offset) % self.servers.len();
            let Some(server) = self.servers.get(index) else {
                continue;
            };
            let connecting = timeout(CONNECT_TIMEOUT, self.connect_to(server)).await;
            match connecting.unwrap_or(Err(RedisError::Timeout("connecting"))) {
                Ok(connected) => {
                    let mut state = self.state();
                    state.server = index;
                    state.failures = 0;
                    state.pause = None;
                    return Ok(connected);
                }
                Err(error) => failure = error,
            }
        }
        let mut state = self.state();
        // Several failures at once count once.
        if state
            .pause
            .as_ref()
            .is_none_or(|(_, until)| *until <= Instant::now())
        {
            state.failures = state.failures.saturating_add(1);
            let pause = jittered(pause_after(state.failures));
            state.pause = Some((failure.clone(), Instant::now() + pause));
        }
        Err(failure)
    }

    async fn connect_to(&self, server: &Server) -> Result<Connected, RedisError> {
        let (connection, task) = server.connect(&self.tls, &self.password).await?;
        // Closes the connection if it can't be used.
        let mut connected = Connected {
            connection,
            task: task.abort_handle(),
            epoch: Arc::from(""),
            is_cluster: false,
        };
        let info = Info::of(connected.command(&cmd("INFO")).await?)?;
        info.check_primary()?;
        if let Some(requirement) = self.requirement.get() {
            info.check_requirement(*requirement)?;
        }
        connected.epoch = info.epoch();
        connected.is_cluster = info.is_cluster();
        Ok(connected)
    }
}

fn pause_after(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    MIN_PAUSE.saturating_mul(doubled).min(MAX_PAUSE)
}

/// Returns a random time from a half of `pause` to `pause`.
fn jittered(pause: Duration) -> Duration {
    let random = random_version().map_or(0, |version| version.get() % 1000);
    let part = 0.5 + f64::from(u16::try_from(random).unwrap_or_default()) / 2000.0;
    pause.mul_f64(part)
}

impl Connected {
    async fn send(&self, request: &Request<'_>) -> Result<Vec<Value>, RedisError> {
        match request {
            Request::Script(call) => Ok(vec![self.call(call).await?]),
            Request::Many(pipeline, count, script) => {
                let values = self.many(pipeline, *count).await;
                match (values, script) {
                    (Err(error), Some(script)) if error.has_code("NOSCRIPT") => {
                        self.command(&script.load()).await?;
                        self.many(pipeline, *count).await
                    }
                    (values, _) => values,
                }
            }
        }
    }

    /// Runs a script. It's sent as a whole only if the server doesn't know it, which is so after a restart.
    async fn call(&self, call: &Call<'_>) -> Result<Value, RedisError> {
        let answer = self
            .command(&call.script.by_hash(call.keys, call.arguments))
            .await;
        match answer {
            Err(error) if error.has_code("NOSCRIPT") => {
                self.command(&call.script.whole(call.keys, call.arguments))
                    .await
            }
            answer => answer,
        }
    }

    async fn command(&self, command: &Cmd) -> Result<Value, RedisError> {
        let mut connection = self.connection.clone();
        match connection.send_packed_command(command).await? {
            Value::ServerError(error) => Err(RedisError::of_code(error.code())),
            value => Ok(value),
        }
    }

    async fn many(&self, pipeline: &Pipeline, count: usize) -> Result<Vec<Value>, RedisError> {
        let mut connection = self.connection.clone();
        let values = connection.send_packed_commands(pipeline, 0, count).await?;
        for value in &values {
            if let Value::ServerError(error) = value {
                return Err(RedisError::of_code(error.code()));
            }
        }
        match values.len() == count {
            true => Ok(values),
            false => Err(RedisError::Protocol(
                "the server's response wasn't expected",
            )),
        }
    }
}

impl Client {
    pub(crate) fn new(
        servers: Vec<Server>,
        tls: Tls,
        password: Password,
        timeout: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            servers,
            tls,
            password,
            timeout,
            requirement: OnceLock::new(),
            state: Mutex::default(),
            main: Lane::new(),
            durable: Lane::new(),
            acknowledged: tokio::sync::Mutex::default(),
        }))
    }

    /// Returns a client of the same servers, with connections of its own.
    #[cfg(feature = "rates")]
    pub(crate) fn with_own_connections(&self, timeout: Duration) -> Self {
        let shared = &*self.0;
        let (tls, password) = (shared.tls.clone(), shared.password.clone());
        Self::new(shared.servers.clone(), tls, password, timeout)
    }

    /// Sets the settings without which servers are refused from now on: after a fail-over, the primary is a server that wasn't checked when
    /// the store was opened.
    pub(crate) fn require(&self, requirement: Requirement) {
        // It's only set once.
        let _ = self.0.requirement.set(requirement);
    }

    /// Returns the end of an operation that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// Returns a place among the operations that are sent on a connection. If `is_urgent`, the number of waiting operations isn't limited.
    async fn place(
        &self,
        which: Use,
        is_urgent: bool,
        until: Instant,
    ) -> Result<SemaphorePermit<'_>, InternalError> {
        let lane = self.0.lane(which);
        match lane.in_flight.try_acquire() {
            Ok(place) => return Ok(place),
            Err(TryAcquireError::Closed) => return Err(InternalError::Stopped),
            Err(TryAcquireError::NoPermits) => {}
        }
        let _waiting = match lane.waiting.try_acquire() {
            Ok(waiting) => Some(waiting),
            Err(_) if is_urgent => None,
            Err(_) => return Err(InternalError::Overloaded),
        };
        let place = timeout_at(until, lane.in_flight.acquire()).await;
        let place = place.map_err(|_| RedisError::Timeout("waiting for other operations"))?;
        place.map_err(|_| InternalError::Stopped)
    }

    async fn connected(&self, which: Use, until: Instant) -> Result<Arc<Connected>, InternalError> {
        if let Some(connected) = self.0.lane(which).current() {
            return Ok(connected);
        }
        // A connection that is opened too late is for the next operation: with a short time and a server that isn't reachable, the other
        // servers would otherwise never be tried.
        let opening = tokio::spawn(Arc::clone(&self.0).open(which));
        let opened = timeout_at(until, opening).await;
        let opened = opened.map_err(|_| RedisError::Timeout("connecting"))?;
        Ok(opened.map_err(|_| InternalError::Stopped)??)
    }

    /// Makes the next operations use other connections.
    ///
    /// A server that became a replica answers what was already sent. After other errors, the connection is closed at once, because a server
    /// that doesn't answer wouldn't let it end.
    pub(crate) fn discard(&self, connected: &Arc<Connected>, error: &RedisError) {
        let is_answering = error.is_undone();
        for lane in [&self.0.main, &self.0.durable] {
            let mut slot = lane.slot();
            let is_it = slot
                .as_ref()
                .is_some_and(|other| Arc::ptr_eq(other, connected));
            // The other connection may already be to the next primary.
            let is_of_same = slot
                .as_ref()
                .is_some_and(|other| other.epoch == connected.epoch);
            if is_it || (is_answering && is_of_same) {
                *slot = None;
            }
        }
        if !is_answering {
            connected.task.abort();
        }
    }

    /// Sends a request until it's answered. It's sent again if it certainly changed nothing, or if it only reads.
    async fn send(
        &self,
        which: Use,
        effect: Effect,
        is_urgent: bool,
        until: Instant,
        request: Request<'_>,
    ) -> Result<(Vec<Value>, Arc<Connected>), InternalError> {
        let _place = self.place(which, is_urgent, until).await?;
        let mut attempt = 1;
        loop {
            let connected = self.connected(which, until).await?;
            let answer = timeout_at(until, connected.send(&request)).await;
            let error = match answer {
                Ok(Ok(values)) => return Ok((values, connected)),
                Ok(Err(error)) => error,
                Err(_) => RedisError::Timeout("the server's answer"),
            };
            let is_of_connection = error.is_of_connection();
            if is_of_connection {
                self.discard(&connected, &error);
            }
            let is_harmless = effect == Effect::Read
                && is_of_connection
                && !matches!(error, RedisError::Timeout(_));
            let may_repeat = is_harmless || error.is_undone();
            if !may_repeat || attempt == ATTEMPTS || Instant::now() >= until {
                if error.has_code("MOVED") || error.has_code("ASK") {
                    // After a fail-over, another attempt finds the primary. This node would be found each time.
                    let mut state = self.0.state();
                    state.pause = Some((error.clone(), Instant::now() + jittered(MOVED_PAUSE)));
                }
                return Err(error.into());
            }
            attempt += 1;
        }
    }

    /// Runs a script.
    pub(crate) async fn call(
        &self,
        effect: Effect,
        call: Call<'_>,
    ) -> Result<(Value, Epoch), InternalError> {
        let until = self.deadline();
        let request = Request::Script(call);
        let (values, connected) = self.send(Use::Main, effect, false, until, request).await?;
        Ok((first(values), Arc::clone(&connected.epoch)))
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
        let request = Request::Script(call);
        let (values, connected) = self
            .send(which, Effect::Write, is_urgent, until, request)
            .await?;
        let has_written = match first(values) {
            Value::Int(written) => written != 0,
            _ => return Err(InternalError::Unreadable),
        };
        // Also if nothing was replaced: an earlier attempt may have done that without an acknowledgement.
        if let Some(acknowledgement) = acknowledgement {
            let acknowledged = self.acknowledge(&connected, acknowledgement);
            let acknowledged = timeout(MAX_ACKNOWLEDGEMENT_TIME, acknowledged).await;
            acknowledged.map_err(|_| RedisError::Timeout("the acknowledgement of a write"))??;
        }
        Ok((has_written, Arc::clone(&connected.epoch)))
    }

    /// Waits until the last write of the connection is on the disks of the servers. Writers that come while another write is being
    /// acknowledged share the next acknowledgement.
    async fn acknowledge(
        &self,
        connected: &Arc<Connected>,
        acknowledgement: Acknowledgement,
    ) -> Result<(), RedisError> {
        let written_at = Instant::now();
        let mut acknowledged = self.0.acknowledged.lock().await;
        if let Some(last) = &*acknowledged {
            if last.began > written_at && last.task == connected.task.id() {
                return last.result.clone();
            }
        }
        let began = Instant::now();
        let Acknowledgement { local, replicas } = acknowledgement;
        let mut wait = cmd("WAITAOF");
        let millis = u64::try_from(ACKNOWLEDGEMENT_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        wait.arg(local).arg(replicas).arg(millis);
        let answer = timeout(
            ACKNOWLEDGEMENT_TIMEOUT + ANSWER_MARGIN,
            connected.command(&wait),
        );
        let result = match answer.await {
            Ok(Ok(Value::Array(counts))) => match counts.as_slice() {
                [Value::Int(on_local), Value::Int(on_replicas)]
                    if usize::try_from(*on_local).is_ok_and(|count| count >= local)
                        && usize::try_from(*on_replicas).is_ok_and(|count| count >= replicas) =>
                {
                    Ok(())
                }
                _ => Err(RedisError::NotAcknowledged),
            },
            Ok(Ok(_)) => Err(RedisError::Protocol(
                "the server's response wasn't expected",
            )),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(RedisError::Timeout("the acknowledgement of a write")),
        };
        if let Err(error) = &result {
            if error.is_of_connection() {
                self.discard(connected, error);
            }
        }
        *acknowledged = Some(Acknowledged {
            began,
            task: connected.task.id(),
            result: result.clone(),
        });
        result
    }

    /// Sends commands that only read, all at once. `script` is the script that they call by its hash.
    pub(crate) async fn read_many(
        &self,
        is_urgent: bool,
        until: Instant,
        commands: Vec<Cmd>,
        script: Option<&Script>,
    ) -> Result<(Vec<Value>, Arc<Connected>), InternalError> {
        let mut pipeline = redis::pipe();
        let count = commands.len();
        for command in commands {
            pipeline.add_command(command);
        }
        let request = Request::Many(&pipeline, count, script);
        self.send(Use::Main, Effect::Read, is_urgent, until, request)
            .await
    }

    /// Returns an open connection to the primary.
    pub(crate) async fn primary(&self, until: Instant) -> Result<Arc<Connected>, InternalError> {
        self.connected(Use::Main, until).await
    }

    /// Sends a single command that only reads, and returns its error as it is.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, InternalError> {
        let until = self.deadline();
        let connected = self.connected(Use::Main, until).await?;
        let answer = timeout_at(until, connected.command(command)).await;
        Ok(answer.map_err(|_| RedisError::Timeout("the server's answer"))??)
    }
}

fn first(values: Vec<Value>) -> Value {
    values.into_iter().next().unwrap_or_default()
}

impl From<RedisError> for RedisStoreError {
    fn from(error: RedisError) -> Self {
        InternalError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_maximum_and_are_jittered() {
        assert_eq!(pause_after(1), MIN_PAUSE);
        assert_eq!(pause_after(2), MIN_PAUSE * 2);
        assert_eq!(pause_after(u32::MAX), MAX_PAUSE);
        let pauses: std::collections::HashSet<_> = (0..50).map(|_| jittered(MAX_PAUSE)).collect();
        assert!(pauses.len() > 10);
        assert!(
            pauses
                .iter()
                .all(|pause| (MAX_PAUSE / 2..=MAX_PAUSE).contains(pause))
        );
    }
}
