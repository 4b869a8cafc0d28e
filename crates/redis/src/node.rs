//! A primary, and the connections to it: one for most operations, and one for writes whose acknowledgement is waited for. A connection is
//! thrown away as soon as its server may not be the primary any more.
//!
//! Each wait has a maximum: for a place in the queue, for a connection to be opened, and for the answer. A node of a cluster that fails
//! doesn't stop the operations of other nodes, because queues and pauses are of one node.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, Value, cmd};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};
use tokio::time::{Instant, timeout, timeout_at};

use crate::client::{Call, Effect};
use crate::error::{InternalError, RedisError};
use crate::info::{Info, NOT_SHOWN, Requirement, aof_settings, check_aof_settings, is_not_shown};
use crate::pause::Pause;
use crate::race::first_success;
use crate::scripts::Script;
use crate::servers::{Driver, Password, Place, Server};
use crate::tls::Tls;

/// The maximum number of operations that are sent on a connection and not answered yet.
const MAX_IN_FLIGHT: usize = 64;
/// The maximum number of operations that wait to be sent on a connection.
const MAX_WAITING: usize = 64;
/// The maximum time to open a connection to one of the addresses of a server, including TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time in which a write must be on the disks of the servers.
pub(crate) const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time that an answer may take longer than the server's own timeout.
pub(crate) const ANSWER_MARGIN: Duration = Duration::from_secs(1);
/// The pauses after failures to connect.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(3);

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

/// The settings with which all connections are opened.
pub(crate) struct Settings {
    tls: Tls,
    password: Password,
    /// Set when the store is open, so that opening fails with an error of its own.
    requirement: OnceLock<Requirement>,
}

/// The servers to which a connection is used.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    Any,
    /// A primary that has the required settings.
    Primary {
        is_of_cluster: bool,
    },
}

/// An open connection. It's closed when the value is dropped.
pub(crate) struct Connected {
    connection: MultiplexedConnection,
    driver: Driver,
    pub(crate) epoch: Epoch,
    /// The address of the server, or `None` for a Unix socket.
    peer: Option<IpAddr>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.task.abort();
    }
}

/// The primary of a group of servers, or a primary of a cluster.
pub(crate) struct Node {
    settings: Arc<Settings>,
    servers: Vec<Arc<Server>>,
    is_of_cluster: bool,
    state: Mutex<State>,
    main: Lane,
    /// A server answers nothing else on a connection while a write is being acknowledged.
    durable: Lane,
    acknowledged: tokio::sync::Mutex<Option<Acknowledged>>,
    health: Mutex<Health>,
}

/// The result of the last question for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Good,
    Failing,
    /// A task tries to reach the node.
    Tried,
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
pub(crate) enum Use {
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

struct State {
    /// The index of the server that is tried first.
    server: usize,
    /// After an attempt to connect that has failed.
    pause: Pause,
}

impl Settings {
    pub(crate) fn new(tls: Tls, password: Password) -> Self {
        Self {
            tls,
            password,
            requirement: OnceLock::new(),
        }
    }

    /// Sets the settings without which servers are refused from now on: after a fail-over, the primary is a server that wasn't checked when
    /// the store was opened.
    pub(crate) fn require(&self, requirement: Requirement) {
        // It's only set once.
        let _ = self.requirement.set(requirement);
    }

    /// Opens a connection to the first address of the server whose server is expected.
    pub(crate) async fn connect(
        self: Arc<Self>,
        server: Arc<Server>,
        expected: Expected,
    ) -> Result<(Connected, Info), RedisError> {
        let places = timeout(CONNECT_TIMEOUT, server.places()).await;
        let places = places.map_err(|_| RedisError::Timeout("looking up the host"))??;
        self.connect_to_first(server, places, expected).await
    }

    async fn connect_to_first(
        self: Arc<Self>,
        server: Arc<Server>,
        places: Vec<Place>,
        expected: Expected,
    ) -> Result<(Connected, Info), RedisError> {
        let attempt = |place| {
            let (settings, server) = (Arc::clone(&self), Arc::clone(&server));
            async move {
                let connecting = settings.connect_to(&server, place, expected);
                let connected = timeout(CONNECT_TIMEOUT, connecting).await;
                connected.unwrap_or(Err(RedisError::Timeout("connecting")))
            }
        };
        first_success(places.into_iter().map(attempt).collect()).await
    }

    async fn connect_to(
        &self,
        server: &Server,
        place: Place,
        expected: Expected,
    ) -> Result<(Connected, Info), RedisError> {
        let peer = match &place {
            Place::Tcp(address, _) => Some(address.ip()),
            #[cfg(unix)]
            Place::Unix(_) => None,
        };
        let (connection, driver) = server.connect(place, &self.tls, &self.password).await?;
        // Closes the connection if it can't be used.
        let mut connected = Connected {
            connection,
            driver,
            epoch: Arc::from(""),
            peer,
        };
        let info = Info::of(connected.command(&cmd("INFO")).await?)?;
        if let Expected::Primary { is_of_cluster } = expected {
            info.check_primary()?;
            if info.is_cluster() != is_of_cluster {
                return Err(RedisError::Protocol(
                    "the server was made a node of a cluster, or isn't a node of a cluster any more; restart this process",
                ));
            }
            if let Some(requirement) = self.requirement.get() {
                info.check_requirement(*requirement)?;
                // A node that joined the cluster, or a replica, may have other settings.
                if requirement.has_aof {
                    match connected.command(&aof_settings()).await {
                        Ok(settings) => check_aof_settings(settings)?,
                        Err(error) if is_not_shown(&error) => {
                            return Err(RedisError::NotDurable(NOT_SHOWN));
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        connected.epoch = match expected {
            // Also if a service doesn't show the ids of its nodes.
            Expected::Primary {
                is_of_cluster: true,
            } => Arc::from(format!("{}/{}", server.name(), info.epoch())),
            _ => info.epoch(),
        };
        Ok((connected, info))
    }
}

/// Returns the answers, or the errors that the server answered with.
type Answers = Vec<Result<Value, RedisError>>;

fn answer(value: Value) -> Result<Value, RedisError> {
    match value {
        Value::ServerError(error) => Err(RedisError::of_answer(&error)),
        value => Ok(value),
    }
}

impl Connected {
    /// Runs a script. It's sent as a whole only if the server doesn't know it, which is so after a restart.
    ///
    /// `is_asking` says that the slot is being moved to the node, which otherwise refuses the slot's names.
    pub(crate) async fn call(
        &self,
        effect: Effect,
        call: Call<'_>,
        is_asking: bool,
    ) -> Result<Value, RedisError> {
        let by_hash = call.script.by_hash(call.keys, call.arguments);
        let answer = match self.run(by_hash, is_asking).await {
            Err(error) if error.has_code("NOSCRIPT") => {
                let whole = call.script.whole(call.keys, call.arguments);
                self.run(whole, is_asking).await
            }
            answer => answer,
        };
        match answer {
            Err(error) if effect == Effect::Read && error.refuses_writes() => {
                self.read(call, is_asking).await
            }
            answer => answer,
        }
    }

    /// Runs a script that only reads on a primary that refuses writes, and also the scripts that don't declare that they don't write.
    async fn read(&self, call: Call<'_>, is_asking: bool) -> Result<Value, RedisError> {
        let script = call.script.without_writes();
        let mut info = cmd("INFO");
        info.arg("replication");
        // Last, so that what was read before came from a primary: a replica runs the script as well.
        let commands = [script.by_hash(call.keys, call.arguments), info];
        let mut answers = self.commands(&commands, Some(&script), is_asking).await?;
        self.check_replication(answers.pop())?;
        answers.pop().unwrap_or(Err(RedisError::Closed))
    }

    /// Fails if the server isn't the primary any more, or was a replica since the connection was opened, by the answer to `INFO replication`.
    pub(crate) fn check_replication(
        &self,
        info: Option<Result<Value, RedisError>>,
    ) -> Result<(), RedisError> {
        let info = Info::of(info.unwrap_or(Err(RedisError::Closed))?)?;
        info.check_primary()?;
        match self.epoch.ends_with(info.history()) {
            true => Ok(()),
            false => Err(RedisError::of_code("READONLY")),
        }
    }

    /// Returns the address of the server, or `None` for a Unix socket.
    pub(crate) const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    async fn run(&self, command: Cmd, is_asking: bool) -> Result<Value, RedisError> {
        match is_asking {
            false => self.command(&command).await,
            true => {
                let mut answers = self.many(&[command], true).await?;
                answers.pop().unwrap_or(Err(RedisError::Closed))
            }
        }
    }

    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, RedisError> {
        let mut connection = self.connection.clone();
        answer(
            self.answered(connection.send_packed_command(command))
                .await?,
        )
    }

    /// Waits for the answer to what is sent. Fails if the connection ends before: what is handed to the driver while it ends would get
    /// neither an answer nor an error.
    async fn answered<T>(
        &self,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, RedisError> {
        let (mut answer, mut ended) = (pin!(answer), pin!(self.driver.ended()));
        poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer.map_err(RedisError::from)),
            Poll::Pending => ended.as_mut().poll(cx).map(|()| Err(RedisError::Closed)),
        })
        .await
    }

    /// Sends commands all at once. `script` is the script that they call by its hash.
    pub(crate) async fn commands(
        &self,
        commands: &[Cmd],
        script: Option<&Script>,
        is_asking: bool,
    ) -> Result<Answers, RedisError> {
        let answers = self.many(commands, is_asking).await?;
        let is_unknown = |answer: &Result<_, RedisError>| {
            answer
                .as_ref()
                .is_err_and(|error| error.has_code("NOSCRIPT"))
        };
        match script {
            Some(script) if answers.iter().any(is_unknown) => {
                self.command(&script.load()).await?;
                self.many(commands, is_asking).await
            }
            _ => Ok(answers),
        }
    }

    async fn many(&self, commands: &[Cmd], is_asking: bool) -> Result<Answers, RedisError> {
        let mut pipeline = redis::pipe();
        for command in commands {
            if is_asking {
                // It counts for the next command of the connection.
                pipeline.add_command(cmd("ASKING"));
            }
            pipeline.add_command(command.clone());
        }
        let each = if is_asking { 2 } else { 1 };
        let count = commands.len() * each;
        let mut connection = self.connection.clone();
        let values = self
            .answered(connection.send_packed_commands(&pipeline, 0, count))
            .await?;
        if values.len() != count {
            return Err(RedisError::Protocol(
                "the server's response wasn't expected",
            ));
        }
        let values = values.into_iter().skip(each - 1).step_by(each);
        Ok(values.map(answer).collect())
    }
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
        connected.filter(|connected| !connected.driver.task.is_finished())
    }
}

impl Node {
    /// Returns the primary of these servers, without any connection yet.
    pub(crate) fn new(
        settings: Arc<Settings>,
        servers: Vec<Arc<Server>>,
        is_of_cluster: bool,
    ) -> Self {
        Self {
            settings,
            servers,
            is_of_cluster,
            state: Mutex::new(State {
                server: 0,
                pause: Pause::between(MIN_PAUSE, MAX_PAUSE),
            }),
            main: Lane::new(),
            durable: Lane::new(),
            acknowledged: tokio::sync::Mutex::default(),
            health: Mutex::new(Health::Good),
        }
    }

    /// Sets the health, and returns the health before.
    pub(crate) fn set_health(&self, health: Health) -> Health {
        let mut place = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, health)
    }

    pub(crate) fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the host of a node of a cluster.
    pub(crate) fn host(&self) -> &str {
        self.servers.first().map_or("", |server| server.host())
    }

    pub(crate) fn servers(&self) -> Vec<Arc<Server>> {
        self.servers.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn lane(&self, which: Use) -> &Lane {
        match which {
            Use::Main => &self.main,
            Use::Durable => &self.durable,
        }
    }

    /// Returns a connection that is open.
    pub(crate) fn current(&self) -> Option<Arc<Connected>> {
        self.main.current().or_else(|| self.durable.current())
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
            state.pause.check()?;
            state.server
        };
        let expected = Expected::Primary {
            is_of_cluster: self.is_of_cluster,
        };
        let attempt = |offset: usize| {
            let index = (first + offset) % self.servers.len();
            let (settings, server) = (Arc::clone(&self.settings), self.servers.get(index).cloned());
            async move {
                let server = server.ok_or(RedisError::Closed)?;
                let (connected, _) = settings.connect(server, expected).await?;
                Ok((connected, index))
            }
        };
        match first_success((0..self.servers.len()).map(attempt).collect()).await {
            Ok((connected, index)) => {
                let mut state = self.state();
                state.server = index;
                state.pause.end();
                Ok(connected)
            }
            Err(failure) => {
                self.state().pause.begin(&failure);
                Err(failure)
            }
        }
    }

    /// Returns a place among the operations that are sent on a connection. If `is_urgent`, the number of waiting operations isn't limited.
    pub(crate) async fn place(
        &self,
        which: Use,
        is_urgent: bool,
        until: Instant,
    ) -> Result<SemaphorePermit<'_>, InternalError> {
        let lane = self.lane(which);
        match lane.in_flight.try_acquire() {
            Ok(place) => return Ok(place),
            Err(TryAcquireError::Closed) => return Err(InternalError::Stopped),
            Err(TryAcquireError::NoPermits) => {}
        }
        let _waiting = self.waiting(which, is_urgent)?;
        let place = timeout_at(until, lane.in_flight.acquire()).await;
        let place = place.map_err(|_| RedisError::Timeout("waiting for other operations"))?;
        place.map_err(|_| InternalError::Stopped)
    }

    /// Returns a place among the operations that wait. If `is_urgent`, there may be no place, and the operation waits anyway.
    pub(crate) fn waiting(
        &self,
        which: Use,
        is_urgent: bool,
    ) -> Result<Option<SemaphorePermit<'_>>, InternalError> {
        match self.lane(which).waiting.try_acquire() {
            Ok(waiting) => Ok(Some(waiting)),
            Err(_) if is_urgent => Ok(None),
            Err(_) => Err(InternalError::Overloaded),
        }
    }

    /// Returns the open connection, or opens a connection.
    pub(crate) async fn connected(
        self: &Arc<Self>,
        which: Use,
        until: Instant,
    ) -> Result<Arc<Connected>, InternalError> {
        if let Some(connected) = self.lane(which).current() {
            return Ok(connected);
        }
        // A connection that is opened too late is for the next operation: with a short time and a server that isn't reachable, the other
        // servers would otherwise never be tried.
        let opening = tokio::spawn(Arc::clone(self).open(which));
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
        for lane in [&self.main, &self.durable] {
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
            connected.driver.task.abort();
        }
    }

    /// Waits until the last write of the connection is on the disks of the servers. Writers that come while another write is being
    /// acknowledged share the next acknowledgement.
    pub(crate) async fn acknowledge(
        &self,
        connected: &Arc<Connected>,
        acknowledgement: Acknowledgement,
    ) -> Result<(), RedisError> {
        let written_at = Instant::now();
        let mut acknowledged = self.acknowledged.lock().await;
        if let Some(last) = &*acknowledged {
            if last.began > written_at && last.task == connected.driver.task.id() {
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
            task: connected.driver.task.id(),
            result: result.clone(),
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tower_passthrough::Secret;

    use super::*;
    use crate::scripts::Scripts;
    use crate::servers::servers;

    /// Starts a server that answers what it has received by that function.
    async fn server(
        answer: impl Fn(&str) -> String + Copy + Send + 'static,
    ) -> std::io::Result<Place> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut received = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut received).await {
                        let text =
                            String::from_utf8_lossy(received.get(..count).unwrap_or_default());
                        stream.write_all(answer(&text).as_bytes()).await?;
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        Ok(Place::Tcp(address, None))
    }

    fn bulk(text: &str) -> String {
        format!("${}\r\n{text}\r\n", text.len())
    }

    const PRIMARY: &str = "role:master\r\nrun_id:one\r\nmaster_replid:two\r\n";

    async fn connect(places: Vec<Place>) -> Result<Connected, RedisError> {
        let tls = Tls::new(&[]).map_err(|_| RedisError::Closed)?;
        let settings = Arc::new(Settings::new(tls, Password::InUrl));
        let url = Secret::from("redis://localhost:1");
        let host = servers(&url, false).map_err(|_| RedisError::Closed)?.pop();
        let host = Arc::new(host.ok_or(RedisError::Closed)?);
        let expected = Expected::Primary {
            is_of_cluster: false,
        };
        let connecting = settings.connect_to_first(host, places, expected);
        // All other waits are longer.
        let found = timeout(CONNECT_TIMEOUT * 3 / 4, connecting).await;
        Ok(found.unwrap_or(Err(RedisError::Timeout("")))?.0)
    }

    /// A name may list a machine that is gone, a replica and the primary, in any order.
    #[tokio::test]
    async fn the_primary_is_found_among_the_addresses_of_a_host() -> Result<(), RedisError> {
        let places = vec![
            server(|_| String::new()).await?,
            server(|_| bulk("role:slave\r\n")).await?,
            server(|_| bulk(PRIMARY)).await?,
        ];
        assert_eq!(&*connect(places).await?.epoch, "one/two");
        Ok(())
    }

    #[tokio::test]
    async fn a_request_that_is_sent_while_its_connection_ends_fails_at_once()
    -> Result<(), RedisError> {
        let connected = connect(vec![server(|_| bulk(PRIMARY)).await?]).await?;
        connected.driver.task.abort();
        let lost = connected.answered(std::future::pending::<RedisResult<Value>>());
        let failed = timeout(CONNECT_TIMEOUT, lost).await;
        assert_eq!(failed, Ok(Err(RedisError::Closed)));
        Ok(())
    }

    /// A replica runs scripts that declare that they don't write.
    #[tokio::test]
    async fn a_primary_that_refuses_writes_is_read_only_as_long_as_it_is_the_primary()
    -> Result<(), RedisError> {
        fn answer(received: &str, info: &str) -> String {
            match (received.contains("EVALSHA"), received.contains("INFO")) {
                (true, false) => "-NOREPLICAS Not enough good replicas to write.\r\n".to_owned(),
                (true, true) => format!(":1\r\n{}", bulk(info)),
                _ => bulk(PRIMARY),
            }
        }
        let other = "role:master\r\nmaster_replid:three\r\n";
        let read_only = Err(RedisError::of_code("READONLY"));
        let scripts = Scripts::new();
        let call = Call {
            script: &scripts.answers,
            keys: &[],
            arguments: &[],
        };
        let ask = async |place: Place, effect| {
            let connected = connect(vec![place]).await?;
            connected.call(effect, call, false).await
        };
        let primary = server(|received| answer(received, PRIMARY)).await?;
        assert_eq!(ask(primary, Effect::Read).await, Ok(Value::Int(1)));
        let primary = server(|received| answer(received, PRIMARY)).await?;
        let refused = Err(RedisError::of_code("NOREPLICAS"));
        assert_eq!(ask(primary, Effect::Check).await, refused);
        let replica = server(|received| answer(received, "role:slave\r\n")).await?;
        assert_eq!(ask(replica, Effect::Read).await, read_only);
        let replaced = server(move |received| answer(received, other)).await?;
        assert_eq!(ask(replaced, Effect::Read).await, read_only);
        Ok(())
    }
}
