//! Connections to upstreams, kept for later calls.
//!
//! ```text
//!  acquire ──▶ a stream of an open HTTP/2 connection that has room
//!     │   └──▶ the HTTP/1.1 connection that was checked in last
//!     └─ neither: wait, and have a connection opened
//!                   ▲                         │
//!  a call ends ─────┴── the first to be free ─┴─▶ the first waiter
//! ```
//!
//! There is a [`Host`] for each [`Key`]: an origin, and a connection id where tenants must not share
//! connections. A host is locked for moments, and never across an await.

mod cooldown;
mod host;
mod multiplexed;
mod sweep;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use foldhash::quality::RandomState;
use tokio::runtime::Handle;

use self::host::Host;
use self::sweep::Sweeper;
use crate::client::connect::{Connector, Peer, Stream};
use crate::client::dispatch::{Dispatch, Isolation};
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::http1::{self, Http1};
use crate::client::http2::{self, Http2};
use crate::connection::ConnectionKey;
use crate::policy::Origin;

/// The connections of a transport.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

/// The settings, the counts and the hosts of a pool.
pub(super) struct Shared {
    connector: Connector,
    protocols: Protocols,
    limits: Limits,
    http1: http1::Settings,
    http2: http2::Settings,
    hosts: RwLock<HashMap<Key, Arc<Host>, RandomState>>,
    /// The number of idle HTTP/1.1 connections of all hosts.
    idle: AtomicUsize,
    /// The number of HTTP/2 connections of all hosts.
    multiplexed: Arc<AtomicUsize>,
    /// The number of hosts that keep TLS sessions of their own.
    hosts_with_sessions: AtomicUsize,
    next_connection_id: AtomicU64,
    sweeper: Sweeper,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        protocols: Protocols,
        limits: Limits,
        http1: http1::Settings,
        http2: http2::Settings,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                connector,
                protocols,
                limits,
                http1,
                http2,
                hosts: RwLock::default(),
                idle: AtomicUsize::new(0),
                multiplexed: Arc::default(),
                hosts_with_sessions: AtomicUsize::new(0),
                next_connection_id: AtomicU64::new(0),
                sweeper: Sweeper::default(),
            }),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns `true` if HTTP/2 is never used.
    pub(super) fn is_http1_only(&self) -> bool {
        self.shared.protocols.http1_only
    }

    /// Opens a connection for a single HTTP/1.1 call. The pool doesn't keep it.
    pub(super) async fn connect_dedicated(&self, key: Key) -> Result<Stream, TransportError> {
        let connector = &self.shared.connector;
        #[cfg(feature = "rustls")]
        if key.isolation.identity().is_some() {
            let host = self.host(key);
            // The sweeper will forget the host's TLS sessions.
            self.shared.sweeper.ensure_running(&self.shared);
            return connector.connect_for_http1(host.peer(&self.shared)?).await;
        }
        connector.connect_for_http1(Peer::new(&key.origin)).await
    }

    /// Returns the host of a key, and creates it if there is none.
    pub(super) fn host(&self, key: Key) -> Arc<Host> {
        let hosts = &self.shared.hosts;
        {
            let hosts = hosts.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(host) = hosts.get(&key) {
                return Arc::clone(host);
            }
        }
        let mut hosts = hosts.write().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(key.clone());
        let host = host.or_insert_with(|| Arc::new(Host::new(key, Arc::downgrade(&self.shared))));
        Arc::clone(host)
    }

    pub(super) fn status(&self) -> PoolStatus {
        let hosts = self.shared.all_hosts();
        let mut status = PoolStatus {
            hosts: hosts.len(),
            idle: self.shared.idle.load(Ordering::Relaxed),
            http2: self.shared.multiplexed.load(Ordering::Relaxed),
            ..PoolStatus::default()
        };
        for host in hosts {
            host.add_to_status(&mut status);
        }
        status
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.sweeper.wake();
    }
}

impl Shared {
    pub(super) fn http1(&self) -> &http1::Settings {
        &self.http1
    }

    /// Returns the id of a new connection.
    fn next_connection_id(&self) -> u64 {
        self.next_connection_id.fetch_add(1, Ordering::Relaxed)
    }

    fn find_host(&self, key: &Key) -> Option<Arc<Host>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(key).map(Arc::clone)
    }

    fn all_hosts(&self) -> Vec<Arc<Host>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.values().map(Arc::clone).collect()
    }

    /// Removes the hosts that no call uses and that have no connection.
    fn remove_unused_hosts(&self) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        // While the table is locked, no call can get a host that only the table holds.
        hosts.retain(|_, host| Arc::strong_count(host) > 1 || host.is_needed());
    }
}

/// The limits of a pool, each for one host unless its documentation says otherwise.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// The maximum number of idle HTTP/1.1 connections.
    pub(super) max_idle_per_host: usize,
    /// The maximum number of idle connections of all hosts.
    pub(super) max_idle: usize,
    /// The time after which an idle connection is closed.
    pub(super) idle_timeout: Duration,
    /// The maximum number of connections that are being opened.
    pub(super) max_handshakes: usize,
    /// The maximum number of calls that wait for a connection or a stream.
    pub(super) max_waiting: usize,
    /// The time limit for opening a connection, and for waiting for one.
    pub(super) connect_timeout: Duration,
    /// The maximum number of HTTP/2 connections.
    pub(super) max_http2_connections: usize,
    /// The maximum number of streams of one connection id on one HTTP/2 connection.
    pub(super) max_streams_per_key: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_idle_per_host: 64,
            max_idle: 1024,
            idle_timeout: Duration::from_secs(50),
            max_handshakes: 16,
            max_waiting: 1024,
            connect_timeout: Duration::from_secs(5),
            max_http2_connections: 4,
            max_streams_per_key: 32,
        }
    }
}

/// The protocols that may be used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Protocols {
    /// Use HTTP/2 without TLS (RFC 9113 §3.3).
    prior_knowledge: bool,
    http1_only: bool,
}

impl Protocols {
    pub(super) fn set_prior_knowledge(&mut self, prior_knowledge: bool) {
        self.prior_knowledge = prior_knowledge;
    }

    pub(super) fn set_http1_only(&mut self, http1_only: bool) {
        self.http1_only = http1_only;
    }

    /// Returns the protocols that TLS offers (RFC 7301), best first.
    #[cfg(feature = "rustls")]
    pub(super) fn alpn(self) -> Vec<Vec<u8>> {
        let offered: &[&[u8]] = match self.http1_only {
            true => &[b"http/1.1"],
            false => &[b"h2", b"http/1.1"],
        };
        offered.iter().map(|name| name.to_vec()).collect()
    }

    /// Returns `true` if `stream` uses HTTP/2. A call that needs HTTP/2 gets it without TLS by prior
    /// knowledge, as gRPC clients do.
    fn is_http2(self, stream: &Stream, needs_http2: bool) -> bool {
        if needs_http2 && stream.is_plain() {
            return !self.http1_only;
        }
        let is_known = self.prior_knowledge && stream.is_plain();
        !self.http1_only && (is_known || stream.is_http2())
    }

    /// Returns `true` if new connections use HTTP/1.1 whatever the upstream supports.
    fn is_always_http1(self, is_secure: bool) -> bool {
        self.http1_only || !(is_secure || self.prior_knowledge)
    }
}

/// The key of a host. Calls of equal keys may use the same connections.
#[derive(Clone)]
pub(super) struct Key {
    origin: Origin,
    /// The connection id, if connection ids don't share connections.
    connection: Option<ConnectionKey>,
    isolation: Isolation,
    /// The calls are gRPC, which isn't possible over HTTP/1.1.
    needs_http2: bool,
}

impl Key {
    /// Returns the key of a dispatch. `isolates_keys`: each connection id has connections of its own.
    pub(super) fn new(dispatch: &Dispatch, isolates_keys: bool, needs_http2: bool) -> Self {
        let connection = dispatch.connection_key();
        Self {
            origin: dispatch.destination().origin().clone(),
            connection: connection.filter(|_| isolates_keys).cloned(),
            isolation: dispatch.isolation().clone(),
            needs_http2,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // An authority has one spelling, and contains the port unless it's the scheme's default.
        self.origin.scheme() == other.origin.scheme()
            && self.origin.authority() == other.origin.authority()
            && self.connection == other.connection
            && self.isolation.key() == other.isolation.key()
            && self.needs_http2 == other.needs_http2
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A hash for each call, so what most keys don't have isn't written.
        self.origin.authority().as_str().hash(state);
        if let Some(connection) = &self.connection {
            connection.hash(state);
        }
        if let Some(isolation) = self.isolation.key() {
            isolation.hash(state);
        }
    }
}

/// The use of a connection for one exchange.
pub(super) enum Lease {
    /// A whole connection.
    Http1(Box<Http1>),
    /// One stream of a connection.
    Http2(Http2, Arc<StreamPermit>),
}

/// Counts a stream of an HTTP/2 connection as open. Dropping it serves the next waiter.
pub(super) struct StreamPermit {
    host: Arc<Host>,
    connection_id: u64,
    user: Option<ConnectionKey>,
}

impl StreamPermit {
    pub(super) fn connection_id(&self) -> u64 {
        self.connection_id
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.host.end_stream(self.connection_id, self.user.as_ref());
    }
}

/// A connection that is being opened. If it's dropped before, as when the runtime shuts down, it has
/// failed.
struct Opening {
    host: Arc<Host>,
    pool: Arc<Shared>,
    is_finished: bool,
}

/// A connection that has been opened.
enum Opened {
    Http1(Box<Http1>),
    Http2(Http2, u64),
}

impl Opening {
    /// Opens a connection in a task. The caller mustn't hold the host's lock.
    fn start(host: &Arc<Host>, pool: &Arc<Shared>) {
        let mut opening = Self {
            host: Arc::clone(host),
            pool: Arc::clone(pool),
            is_finished: false,
        };
        // A body may be dropped outside of a runtime; then the opening fails.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let opened = opening.open().await;
                opening.finish(opened);
            });
        }
    }

    async fn open(&self) -> Result<Opened, TransportError> {
        let connector = &self.pool.connector;
        let stream = connector.connect(self.host.peer(&self.pool)?).await?;
        let id = self.pool.next_connection_id();
        let needs_http2 = self.host.needs_http2();
        if self.pool.protocols.is_http2(&stream, needs_http2) {
            return self.open_http2(stream, id).await;
        }
        if needs_http2 {
            return Err(TransportErrorKind::Http2Unavailable.into());
        }
        match Http1::handshake(stream, &self.pool.http1, &self.host, id).await? {
            Some(connection) => Ok(Opened::Http1(connection)),
            // The upstream closed it at once.
            None => Err(TransportErrorKind::Unsent.into()),
        }
    }

    async fn open_http2(&self, stream: Stream, id: u64) -> Result<Opened, TransportError> {
        let host = Arc::downgrade(&self.host);
        let on_end = move |is_busy| {
            if let Some(host) = host.upgrade() {
                host.on_http2_end(id, is_busy);
            }
        };
        let host = Arc::downgrade(&self.host);
        let on_activity = move |has_grown| {
            if let Some(host) = host.upgrade() {
                host.on_http2_activity(id, has_grown);
            }
        };
        let settings = &self.pool.http2;
        let mut connection = Http2::handshake(stream, settings, on_end, on_activity).await?;
        if connection.check_open().is_err() {
            // The upstream closed it at once.
            return Err(TransportErrorKind::Unsent.into());
        }
        Ok(Opened::Http2(connection, id))
    }

    fn finish(&mut self, opened: Result<Opened, TransportError>) {
        self.is_finished = true;
        self.host.finish_opening(&self.pool, opened);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.is_finished {
            self.finish(Err(TransportErrorKind::ConnectionFailed.into()));
        }
    }
}

/// The contents of the pool of an [`HttpTransport`](crate::HttpTransport) at one moment. The counts
/// are read one after the other, so during traffic they may not fit together exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The number of places that connections lead to: origins, or pairs of origin and connection key
    /// if connection keys don't share network connections.
    pub hosts: usize,
    /// The number of idle HTTP/1.1 connections.
    pub idle: usize,
    /// The number of HTTP/2 connections that take new streams.
    pub http2: usize,
    /// The number of open streams on HTTP/2 connections.
    pub http2_streams: usize,
    /// The number of connections that are being opened.
    pub opening: usize,
    /// The number of calls that wait for a connection.
    pub waiting: usize,
}
