//! Connections to the database: a few, opened on demand, and thrown away as soon as their server may not be the primary any more.
//!
//! Each wait has a maximum: for a place in the queue, for a connection to be opened, and for the answer. Statements are sent without a
//! name, so that they work through pgbouncer in transaction mode.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row};

use crate::error::{DatabaseError, InternalError};
use crate::pause::{Pause, jittered};
use crate::servers::Password;
use crate::tls::Tls;

/// The maximum number of operations that wait for a connection.
const MAX_WAITING: usize = 64;
/// The maximum time to open a connection to one of the servers, including TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that an answer may take longer than the server's own timeout for a statement.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);
/// The pauses after failures to connect.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// The maximum number of times that a statement is sent if its connection can't be used.
const ATTEMPTS: u32 = 3;
/// The maximum pause after a conflict with other transactions.
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);

pub(crate) type Params<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// The effects of a statement, which decide if it may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Reads. The first column is `true` if the server can't write.
    Read,
    Write,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    servers: Vec<Config>,
    tls: Tls,
    password: Password,
    permits: Arc<Semaphore>,
    /// The permits of operations that aren't urgent, one fewer than all permits, so that an urgent operation doesn't wait for slow reads.
    ordinary: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    statement_timeout: Duration,
    /// The number of answers of the server, which distinguishes a slow server from a server that answers nobody.
    answers: AtomicU64,
    /// A proxy refuses start-up options, so they aren't sent any more.
    is_without_options: AtomicBool,
    state: Mutex<State>,
}

struct State {
    idle: Vec<Connected>,
    /// The index of the server that is tried first.
    server: usize,
    /// After an attempt to connect that has failed.
    pause: Pause,
}

struct Connected {
    client: Client,
    task: AbortHandle,
}

/// A connection that is used by one operation, and its place in the pool.
pub(crate) struct Guard {
    shared: Arc<Shared>,
    connected: Option<Connected>,
    is_broken: bool,
    _permit: Permit,
}

/// A place in the pool.
struct Permit {
    _of_all: OwnedSemaphorePermit,
    _ordinary: Option<OwnedSemaphorePermit>,
}

impl Guard {
    pub(crate) fn client(&self) -> Result<&Client, InternalError> {
        let connected = self.connected.as_ref().ok_or(InternalError::Stopped)?;
        Ok(&connected.client)
    }

    /// Closes the connection when the guard is dropped, unless [`keep`](Self::keep) is called before.
    pub(crate) fn discard(&mut self) {
        self.is_broken = true;
    }

    pub(crate) fn keep(&mut self) {
        self.is_broken = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(connected) = self.connected.take() else {
            return;
        };
        if self.is_broken {
            // A server that doesn't answer wouldn't let it end.
            connected.task.abort();
        } else if !connected.client.is_closed() {
            self.shared.state().idle.push(connected);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an idle connection, or opens a connection.
    async fn check_out(self: Arc<Self>, permit: Permit) -> Result<Guard, DatabaseError> {
        let idle = {
            let mut state = self.state();
            state.idle.retain(|idle| !idle.client.is_closed());
            state.idle.pop()
        };
        let connected = match idle {
            Some(connected) => connected,
            None => self.connect().await?,
        };
        Ok(Guard {
            shared: self,
            connected: Some(connected),
            is_broken: false,
            _permit: permit,
        })
    }

    /// Opens a connection to the first server that can be reached and written to. After a failure, the next attempt is later.
    async fn connect(&self) -> Result<Connected, DatabaseError> {
        let first = {
            let state = self.state();
            state.pause.check()?;
            state.server
        };
        let mut failure = DatabaseError::Closed;
        for offset in 0..self.servers.len() {
            let index = (first + offset) % self.servers.len();
            let Some(server) = self.servers.get(index) else {
                continue;
            };
            match self.connect_to(server).await {
                Ok(connected) => {
                    let mut state = self.state();
                    state.server = index;
                    state.pause.end();
                    return Ok(connected);
                }
                Err(error) => failure = error,
            }
        }
        self.state().pause.begin(&failure);
        Err(failure)
    }

    async fn connect_to(&self, server: &Config) -> Result<Connected, DatabaseError> {
        let is_without_options = self.is_without_options.load(Ordering::Relaxed);
        match self.connect_once(server, !is_without_options).await {
            // pgbouncer before 1.20 refuses them, unless `ignore_startup_parameters` says otherwise.
            Err(error)
                if error.is_protocol_violation()
                    && !is_without_options
                    && server.get_options().is_none() =>
            {
                let connected = self.connect_once(server, false).await?;
                self.is_without_options.store(true, Ordering::Relaxed);
                Ok(connected)
            }
            result => result,
        }
    }

    async fn connect_once(
        &self,
        server: &Config,
        with_options: bool,
    ) -> Result<Connected, DatabaseError> {
        let mut server = server.clone();
        if let Some(password) = self.password.read().await? {
            server.password(password.expose());
        }
        if with_options {
            // The settings in the URL come last, and take precedence.
            let options = format!(
                "-c statement_timeout={} -c idle_in_transaction_session_timeout=30000 \
                 -c default_transaction_isolation=read\\ committed {}",
                self.statement_timeout.as_millis(),
                server.get_options().unwrap_or_default()
            );
            server.options(options.trim_end());
        }
        let connecting = timeout(CONNECT_TIMEOUT, server.connect(self.tls.clone()));
        let connected = connecting
            .await
            .map_err(|_| DatabaseError::Timeout("connecting"))?;
        let (client, connection) = connected?;
        let task = tokio::spawn(async move {
            // The client gets the error.
            let _ = connection.await;
        });
        Ok(Connected {
            client,
            task: task.abort_handle(),
        })
    }
}

impl Pool {
    pub(crate) fn new(
        servers: Vec<Config>,
        tls: Tls,
        password: Password,
        connections: usize,
        statement_timeout: Duration,
    ) -> Self {
        let connections = connections.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            servers,
            tls,
            password,
            permits: Arc::new(Semaphore::new(connections)),
            ordinary: Arc::new(Semaphore::new(connections.saturating_sub(1).max(1))),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            statement_timeout,
            answers: AtomicU64::new(0),
            is_without_options: AtomicBool::new(false),
            state: Mutex::new(State {
                idle: Vec::new(),
                server: 0,
                pause: Pause::between(MIN_PAUSE, MAX_PAUSE),
            }),
        }))
    }

    /// Returns the maximum time of an operation with a single statement.
    pub(crate) fn max_time(&self) -> Duration {
        self.0.statement_timeout.saturating_add(ANSWER_MARGIN)
    }

    /// Returns a connection. If `is_urgent`, the operation waits only for other urgent operations, unless the pool has a single connection,
    /// and the number of waiting operations isn't limited.
    pub(crate) async fn get(
        &self,
        is_urgent: bool,
        until: Instant,
    ) -> Result<Guard, InternalError> {
        let _ordinary = match is_urgent {
            true => None,
            false => Some(self.acquire_ordinary(until).await?),
        };
        let permit = Permit {
            _of_all: acquire(&self.0.permits, until).await?,
            _ordinary,
        };
        // A connection that is opened too late is for the next operation: with a short time and a server that isn't reachable, the other
        // servers would otherwise never be tried.
        let opening = tokio::spawn(Arc::clone(&self.0).check_out(permit));
        let opened = timeout_at(until, opening).await;
        let opened = opened.map_err(|_| DatabaseError::Timeout("connecting"))?;
        Ok(opened.map_err(|_| InternalError::Stopped)??)
    }

    async fn acquire_ordinary(
        &self,
        until: Instant,
    ) -> Result<OwnedSemaphorePermit, InternalError> {
        let ordinary = &self.0.ordinary;
        match Arc::clone(ordinary).try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(TryAcquireError::Closed) => Err(InternalError::Stopped),
            Err(TryAcquireError::NoPermits) => {
                let waiting = self.0.waiting.try_acquire();
                let _waiting = waiting.map_err(|_| InternalError::Overloaded)?;
                acquire(ordinary, until).await
            }
        }
    }

    /// Closes idle connections, because they are probably in the same state as a connection that has failed.
    pub(crate) fn close_idle(&self) {
        let idle = std::mem::take(&mut self.0.state().idle);
        for connected in idle {
            connected.task.abort();
        }
    }

    /// Runs a single statement, which is a transaction of its own.
    ///
    /// It's sent again if it was certainly rolled back, or if it only reads. The last failed attempt decides the error.
    pub(crate) async fn query(
        &self,
        effect: Effect,
        is_urgent: bool,
        time: Duration,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, InternalError> {
        let until = Instant::now() + time;
        let mut attempt = 1;
        loop {
            let mut guard = self.get(is_urgent, until).await?;
            let answers = self.0.answers.load(Ordering::Relaxed);
            let answer = timeout_at(until, guard.client()?.query_typed(sql, params)).await;
            if answer.is_ok() {
                self.0.answers.fetch_add(1, Ordering::Relaxed);
            }
            let error = match answer {
                Ok(Ok(rows)) if effect == Effect::Read && is_from_read_only(&rows)? => {
                    InternalError::ReadOnly
                }
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => error.into(),
                Err(_) => DatabaseError::Timeout("the database's answer").into(),
            };
            let (is_of_connection, may_repeat) = match &error {
                InternalError::ReadOnly => (true, true),
                InternalError::Database(DatabaseError::Timeout(_)) => (true, false),
                InternalError::Database(error) => {
                    let is_of_connection = error.is_of_connection();
                    let is_harmless = effect == Effect::Read && is_of_connection;
                    (is_of_connection, is_harmless || error.is_undone())
                }
                _ => (false, false),
            };
            if is_of_connection {
                guard.discard();
                // A server that has answered others meanwhile is slow. If each late answer closed all connections, opening them again would
                // make the server slower.
                let is_slow = matches!(error, InternalError::Database(DatabaseError::Timeout(_)))
                    && self.0.answers.load(Ordering::Relaxed) != answers;
                if !is_slow {
                    self.close_idle();
                }
            }
            drop(guard);
            let is_last = attempt == ATTEMPTS || Instant::now() >= until;
            if matches!(&error, InternalError::Database(error) if error.is_conflict()) {
                // Somebody else's transaction went on, so the statement is sent until there is no more time.
                let pause = jittered(CONFLICT_PAUSE);
                if timeout_at(until, tokio::time::sleep(pause)).await.is_err() {
                    return Err(error);
                }
            } else if !may_repeat || is_last {
                return Err(error);
            } else {
                attempt += 1;
            }
        }
    }
}

async fn acquire(
    semaphore: &Arc<Semaphore>,
    until: Instant,
) -> Result<OwnedSemaphorePermit, InternalError> {
    let permit = timeout_at(until, Arc::clone(semaphore).acquire_owned()).await;
    let permit = permit.map_err(|_| DatabaseError::Timeout("waiting for a connection"))?;
    permit.map_err(|_| InternalError::Stopped)
}

/// Reads must not come from a standby or an old primary, which may lag behind.
fn is_from_read_only(rows: &[Row]) -> Result<bool, InternalError> {
    for row in rows {
        if row.try_get(0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use tokio::net::{TcpListener, TcpSocket, TcpStream};
    use tower_passthrough::Secret;

    use super::*;
    use crate::servers::servers;

    /// A listener with a full queue, which drops packets, as an address of a machine that is gone does.
    #[tokio::test]
    async fn an_address_that_drops_packets_leaves_time_for_the_next_address_of_its_host() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = socket.listen(0).unwrap();
        let address = silent.local_addr().unwrap();
        let mut queued = Vec::new();
        let wait = Duration::from_millis(200);
        // A single attempt may be late because the machine is busy.
        let mut refused = 0;
        while refused < 3 {
            match timeout(wait, TcpStream::connect(address)).await {
                Ok(connected) => queued.push(connected.unwrap()),
                Err(_) => refused += 1,
            }
            assert!(queued.len() < 100, "the queue never becomes full");
        }
        let next = TcpListener::bind("127.0.0.1:0").await.unwrap();

        let url = Secret::from(format!("postgres://u@127.0.0.1:{}/d", address.port()));
        let mut server = servers(&url, false).unwrap().remove(0);
        // The driver tries the hosts of a list as it tries the addresses of a host.
        let port = next.local_addr().unwrap().port();
        server.host("127.0.0.1").port(port);
        let pool = Pool::new(
            Vec::new(),
            Tls::new(&[]).unwrap(),
            Password::InUrl,
            1,
            Duration::from_secs(5),
        );
        let is_tried = tokio::select! {
            accepted = next.accept() => accepted.is_ok(),
            _ = pool.0.connect_to(&server) => false,
        };
        assert!(is_tried);
    }
}
