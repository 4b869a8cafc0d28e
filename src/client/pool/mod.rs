//! The pool of network connections to upstreams. The pool keeps connections open between calls, so that a call usually
//! needn't wait for DNS, TCP and TLS, and it lets many calls use an HTTP/2 connection at the same time.
//!
//! In this module, "connection" means a network connection, except in *connection key*, which is the key of a customer's
//! account at the upstream. Each call is made on behalf of a connection key.
//!
//! # The contents of the pool
//!
//! - HTTP/1.1 connections that are idle. Such a connection serves a single call at a time. While a call uses it, it
//!   belongs to the call, and after the call it returns to the pool.
//! - HTTP/2 connections, which serve many calls at the same time, each on its own stream. They stay in the pool
//!   while calls use them. An HTTP/2 connection without a stream is idle.
//! - TLS sessions of client certificates, so that the next handshake with the same certificate is shorter.
//!
//! A call acquires a [`Lease`], sends its request over the lease, and gives the lease back. A lease is either a whole
//! HTTP/1.1 connection, or a stream of an HTTP/2 connection. A WebSocket gets a dedicated connection, which never
//! enters the pool ([`Pool::connect_dedicated`]).
//!
//! # Keys: the calls that share connections
//!
//! The pool has a [`Host`] for each [`Key`]. A host owns the connections of its key, and the line of calls that wait
//! for a connection. Two calls share connections only if their keys are equal. A key consists of:
//!
//! - the origin, which is scheme, host and port;
//! - the isolation key, if the credential authenticates the whole connection and not a single request, as client
//!   certificates and NTLM do;
//! - the connection key, if the host application requires that connection keys don't share connections
//!   (`isolate_connection_keys`), or if the call could harm the calls of other keys on the same connection
//!   (`Separation`, and heads that are too large for many upstreams);
//! - the form of the messages: HTTP/2 only, as for gRPC calls and upstreams that are set to HTTP/2; HTTP/1.1 only; and
//!   field names in title case. gRPC calls also use connections of their connection key alone.
//!
//! Apart from these cases, the calls of all customers to an origin share connections. Addresses aren't part of a key: for each
//! new connection, the name is resolved and the network policy checks the addresses.
//!
//! # The way to a lease
//!
//! ```text
//!  a call acquires a lease:
//!    an HTTP/2 connection has room for the call? ─▶ a new stream of that connection
//!    an HTTP/1.1 connection is idle? ─────────────▶ the last connection of the same key, or one that has rested
//!    neither? ────────────────────────────────────▶ the call waits, and a connection is opened
//!
//!  a call gives its lease back ──┐
//!  a connection has been opened ─┴─▶ the first waiter that may have the lease gets it
//! ```
//!
//! 1. If an HTTP/2 connection has room for the call, the call gets a stream of the connection with the fewest streams.
//!    A connection has room if the upstream's limit for streams isn't reached (SETTINGS_MAX_CONCURRENT_STREAMS, at most
//!    100, and 1 until the upstream has sent its settings), and if the call's connection key has fewer streams on the
//!    connection than are free, and fewer than 32.
//! 2. Otherwise, if an HTTP/1.1 connection is idle, the call gets the connection that became idle last, among those that
//!    its own connection key used last or that have been idle for 25 ms. If an upstream sends a second response to a
//!    request, it arrives during this rest, and the connection is closed before another customer's call could take the
//!    response for its own. If the upstream has closed the connection meanwhile, the connection is dropped, and the call
//!    begins again at step 1.
//! 3. Otherwise, the call joins the waiting line, and the host opens a connection if the limits permit it.
//!
//! # The waiting line
//!
//! A new connection isn't reserved for the waiter that caused it. Waiters are served in rounds: in each round, each
//! connection key has one waiter, and connection keys with fewer streams come first. So a connection key with many waiting
//! calls delays the call of another connection key by one lease at most. The first waiter that may have a lease gets it,
//! be it from a new connection or from another call. A waiter that may not have the lease, by the rules of steps 1 and 2,
//! is skipped.
//!
//! The wait for a connection is limited by the time limit for opening a connection. The wait for a stream of an open
//! HTTP/2 connection depends on other calls, so it's limited by the service's timeout for the response's head. If too
//! many calls wait, the last call of the connection key with the most waiting calls gets the error `Overloaded` at once.
//!
//! # Opening connections
//!
//! Over TLS, ALPN chooses HTTP/2 or HTTP/1.1. Without TLS, HTTP/1.1 is used, except for gRPC calls and with the option
//! `http2_prior_knowledge`, for which HTTP/2 is used. An upstream that is set to HTTP/1.1 isn't offered HTTP/2, and an
//! upstream that is set to HTTP/2 is called like the upstream of a gRPC call. The host remembers the protocol of the last connection:
//!
//! - HTTP/1.1: as many connections are opened at the same time as calls wait, up to a limit. The number of connections
//!   in use has no limit.
//! - HTTP/2: another connection is opened only if no connection has room for a waiter, one after the other, up to a
//!   limit. If there are already 4 connections, and as many as there are connection keys with streams, another connection
//!   is opened only for a connection key without a stream.
//! - Not known yet: a single connection is opened, because many waiters can use it if it uses HTTP/2.
//!
//! If a connection can't be opened, its error goes to the first waiter if the host uses HTTP/1.1, and otherwise to all
//! waiters. But if other HTTP/2 connections are open, no waiter gets the error, because streams of these connections will
//! become free.
//!
//! If a waiting call is dropped, the opening isn't interrupted. The new connection goes to another waiter. It's closed if
//! all calls that waited have been dropped.
//!
//! # The end of a lease
//!
//! An HTTP/1.1 connection returns to its host when the request has been written and the response has been read, without
//! further bytes behind it. If the call is dropped before that, the connection is closed, because the next call would
//! take the rest of the response for its own response.
//!
//! A stream ends when its [`StreamPermit`] is dropped: when the request has been written and the response has been
//! read, or when the call is dropped, which resets the stream. The HTTP/2 connection stays with the host.
//!
//! # The end of a connection
//!
//! - The upstream closes an idle HTTP/1.1 connection, or sends bytes without a request: the [`Sweeper`] closes the
//!   connection, or the next call that acquires it does.
//! - An HTTP/1.1 connection is about to end according to the upstream's `Keep-Alive: timeout`: it isn't used again.
//! - A connection has been idle for longer than the idle timeout: the [`Sweeper`] closes the connection.
//! - There are too many idle connections: the connections that have been idle for longest are closed. Because calls use
//!   the connection that became idle last, surplus connections stay idle until then.
//! - The upstream sends GOAWAY: the connection gets no new streams. Its streams up to the last stream that GOAWAY names
//!   continue, and the others are sent again or fail. If the connection itself fails, all its streams fail.
//! - An HTTP/2 connection in use doesn't answer a ping: the connection is closed, and its calls fail.
//! - The transport is dropped: the pool and its idle connections are dropped.
//!
//! If an upstream sends bytes that no request asked for, calls of different connection keys share no connections to this
//! upstream for 10 minutes.
//!
//! If an upstream complains about too many calls (the HTTP/2 error ENHANCE_YOUR_CALM), and a connection key has cancelled
//! at least 8 calls, this key gets connections of its own for 2 minutes. Otherwise, the host opens no connection for a while (`Cooldown`):
//! for 1 s, and twice as long for each further complaint, up to 64 s. Meanwhile, calls use the connections that are open.
//! A call that would need a new connection gets the error `Overloaded`, with the rest of the pause as `Retry-After`.
//!
//! # Requests that are sent again
//!
//! The transport, and not the pool, sends a request again, with a new lease. It does so if the upstream can't have acted
//! on the request:
//!
//! - An HTTP/1.1 connection that was idle before turns out to be closed, and no byte of the request was written.
//! - An HTTP/2 connection takes no more streams.
//! - The upstream reports that it hasn't processed the request (REFUSED_STREAM, or a GOAWAY whose last stream comes
//!   before the request), and the body is empty or in memory.
//! - The upstream requires HTTP/1.1 (HTTP_1_1_REQUIRED), and the body is empty or in memory. The host then opens only HTTP/1.1
//!   connections.
//!
//! Over HTTP/2, a request is sent again at most twice for these reasons. A safe request is also sent once more if a connection that
//! had served other requests ends before any byte of the response. This call waits for a connection that is opened after the failure,
//! because other connections may end in the same way. After any other failure, the transport returns an error. The
//! service may then send the request again, by its `RetryPolicy`.
//!
//! # Limits
//!
//! | limit | applies to each | default | option |
//! | --- | --- | --- | --- |
//! | idle HTTP/1.1 connections | host | 64 | `pool_max_idle_per_host` |
//! | idle connections | pool | 1,024 | `pool_max_idle` |
//! | time for which a connection is idle | connection | 50 s | `pool_idle_timeout` |
//! | HTTP/1.1 connections that are being opened | host | 16 | `max_handshakes_per_host` |
//! | calls that wait | host | 1,024 | `max_waiting_per_host` |
//! | time to open a connection, and to wait for it | call | 5 s | `connect_timeout` |
//! | HTTP/2 connections | host | 64 | `http2_max_connections_per_host` |
//! | streams of a connection key | HTTP/2 connection | 32 | `http2_max_streams_per_connection_key` |
//!
//! # Locks
//!
//! Each host has a lock, which is held for a short time and never across an await. Steps that could take the same lock
//! again, such as dropping a lease or replying to a waiter, are collected in a `Deferred` and run after the lock has
//! been released.

mod cooldown;
mod host;
mod multiplexed;
mod separation;
mod sweep;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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
use crate::upstream::HttpProtocol;

/// The pool of a transport.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

/// The settings, the counts and the hosts of a pool.
pub(super) struct Shared {
    connector: Connector,
    protocols: Protocols,
    limits: Limits,
    http1: http1::Settings,
    http1_title_case: http1::Settings,
    http2: http2::Settings,
    hosts: RwLock<HashMap<Key, Arc<Host>, RandomState>>,
    /// The number of idle HTTP/1.1 connections of all hosts.
    idle: AtomicUsize,
    /// The number of HTTP/2 connections of all hosts.
    multiplexed: Arc<AtomicUsize>,
    /// The number of hosts that keep their own TLS sessions.
    hosts_with_sessions: AtomicUsize,
    next_connection_id: AtomicU64,
    sweeper: Sweeper,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        protocols: Protocols,
        limits: Limits,
        http2: http2::Settings,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                connector,
                protocols,
                limits,
                http1: http1::Settings::new(false),
                http1_title_case: http1::Settings::new(true),
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
            // The sweeper drops the host's TLS sessions when they're too old.
            self.shared.sweeper.ensure_running(&self.shared);
            return connector.connect_for_http1(host.peer(&self.shared)?).await;
        }
        connector.connect_for_http1(Peer::new(&key.origin)).await
    }

    /// Returns the host for a call on behalf of `user`: the host of the key, or the host of the user alone if this user must not share
    /// network connections.
    pub(super) fn host_for(&self, key: Key, user: Option<&ConnectionKey>) -> Arc<Host> {
        let host = self.host(key);
        match user {
            Some(user) if host.separates(user) => self.host(host.key().separated(user)),
            _ => host,
        }
    }

    /// Returns the host of the user alone, or `None` if `host` isn't shared, or the user is unknown.
    pub(super) fn separated(&self, host: &Host, user: Option<&ConnectionKey>) -> Option<Arc<Host>> {
        let user = user.filter(|_| host.is_shared())?;
        Some(self.host(host.key().separated(user)))
    }

    /// Returns the host of a key, and creates the host if it doesn't exist.
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

    /// Returns the id of the newest connection.
    pub(super) fn newest_connection_id(&self) -> u64 {
        let next = self.shared.next_connection_id.load(Ordering::Relaxed);
        next.saturating_sub(1)
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
    pub(super) fn http1(&self, title_case: bool) -> &http1::Settings {
        match title_case {
            true => &self.http1_title_case,
            false => &self.http1,
        }
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

    /// Removes the hosts that no call uses and that have nothing to keep.
    fn remove_unused_hosts(&self) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        // A count of 1 means that only the table holds the host. While the table is locked, no call
        // can get such a host.
        hosts.retain(|_, host| Arc::strong_count(host) > 1 || host.is_needed());
    }
}

/// The limits of a pool. Each limit applies to a single host, unless its documentation states otherwise.
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
    /// The time limit for opening a connection, and for waiting for a connection.
    pub(super) connect_timeout: Duration,
    /// The maximum number of HTTP/2 connections.
    pub(super) max_http2_connections: usize,
    /// The maximum number of streams of a connection key on an HTTP/2 connection.
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
            max_http2_connections: 64,
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

    /// Returns the protocols that TLS offers (ALPN, RFC 7301), in the order of preference.
    #[cfg(feature = "rustls")]
    pub(super) fn alpn(self) -> Vec<Vec<u8>> {
        let offered: &[&[u8]] = match self.http1_only {
            true => &[b"http/1.1"],
            false => &[b"h2", b"http/1.1"],
        };
        offered.iter().map(|name| name.to_vec()).collect()
    }

    /// Returns `true` if `stream` uses HTTP/2. If a call needs HTTP/2 and the stream has no TLS,
    /// HTTP/2 is used with prior knowledge, because gRPC clients do the same.
    fn is_http2(self, stream: &Stream, needs_http2: bool) -> bool {
        if needs_http2 && stream.is_plain() {
            return !self.http1_only;
        }
        let is_known = self.prior_knowledge && stream.is_plain();
        !self.http1_only && (is_known || stream.is_http2())
    }

    /// Returns `true` if new connections always use HTTP/1.1, even if the upstream supports HTTP/2.
    fn is_always_http1(self, is_secure: bool) -> bool {
        self.http1_only || !(is_secure || self.prior_knowledge)
    }
}

/// The key of a host. Calls with equal keys may use the same network connections.
#[derive(Clone)]
pub(super) struct Key {
    origin: Origin,
    /// The connection key, if connection keys don't share network connections.
    connection: Option<ConnectionKey>,
    isolation: Isolation,
    form: MessageForm,
}

/// The form of the messages on the network connections of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct MessageForm {
    /// `true` if HTTP/1.1 isn't possible, because the calls are gRPC or the upstream is set to HTTP/2.
    needs_http2: bool,
    /// `true` if the upstream is set to HTTP/1.1.
    needs_http1: bool,
    /// `true` if field names over HTTP/1.1 are written as `Title-Case`.
    title_case: bool,
}

impl Key {
    /// Returns the key of a dispatch. If `isolates_keys` is `true`, each connection key has its own
    /// network connections. `title_case` is the transport's setting.
    pub(super) fn new(
        dispatch: &Dispatch,
        isolates_keys: bool,
        needs_http2: bool,
        title_case: bool,
    ) -> Self {
        let connection = dispatch.connection_key();
        let isolates_keys = isolates_keys || dispatch.isolates_connection_keys();
        Self {
            origin: dispatch.destination().origin().clone(),
            connection: connection.filter(|_| isolates_keys).cloned(),
            isolation: dispatch.isolation().clone(),
            form: MessageForm {
                needs_http2,
                needs_http1: dispatch.required_protocol() == HttpProtocol::Http1,
                title_case: dispatch.title_case().unwrap_or(title_case),
            },
        }
    }

    /// Returns the key of the network connections of one connection key alone.
    fn separated(&self, connection: &ConnectionKey) -> Self {
        Self {
            connection: Some(connection.clone()),
            ..self.clone()
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // Authorities are normalised, and contain the port unless it's the default port of the
        // scheme.
        self.origin.scheme() == other.origin.scheme()
            // As bytes, because `Authority` compares each letter without its case.
            && self.origin.authority().as_str() == other.origin.authority().as_str()
            && self.connection == other.connection
            && self.isolation.key() == other.isolation.key()
            && self.form == other.form
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Every call computes a hash, so the parts that most keys don't have are skipped.
        self.origin.authority().as_str().hash(state);
        if let Some(connection) = &self.connection {
            connection.hash(state);
        }
        if let Some(isolation) = self.isolation.key() {
            isolation.hash(state);
        }
    }
}

/// The right of a call to use a connection for a request and its response.
pub(super) enum Lease {
    /// A whole connection.
    Http1(Box<Http1>),
    /// A connection, and the permit for a stream of the connection.
    Http2(Http2, Arc<StreamPermit>),
}

/// Counts a stream of an HTTP/2 connection as open. Dropping the permit serves the next waiter.
pub(super) struct StreamPermit {
    host: Arc<Host>,
    connection_id: u64,
    user: Option<ConnectionKey>,
    is_complete: AtomicBool,
}

impl StreamPermit {
    pub(super) fn connection_id(&self) -> u64 {
        self.connection_id
    }
}

impl http2::StreamEnd for StreamPermit {
    fn complete(&self) {
        self.is_complete.store(true, Ordering::Relaxed);
    }

    fn is_shared(&self) -> bool {
        self.user.is_some() && self.host.is_shared()
    }

    fn separate(&self) {
        if let Some(user) = &self.user {
            self.host.separate(user);
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let is_complete = self.is_complete.load(Ordering::Relaxed);
        self.host
            .end_stream(self.connection_id, self.user.as_ref(), is_complete);
    }
}

/// A connection that is being opened. If an opening is dropped before it's finished, for example
/// because the runtime shuts down, the opening counts as failed.
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
        // A response's body may be dropped outside of a runtime, and that can start an opening.
        // Without a runtime the opening is dropped here, so it fails.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let opened = opening.open().await;
                opening.finish(opened);
            });
        }
    }

    async fn open(&self) -> Result<Opened, TransportError> {
        let connector = &self.pool.connector;
        let peer = self.host.peer(&self.pool)?;
        let form = self.host.key().form;
        let needs_http1 = form.needs_http1 || self.host.requires_http1();
        let stream = match needs_http1 {
            true => connector.connect_for_http1(peer).await?,
            false => connector.connect(peer).await?,
        };
        let id = self.pool.next_connection_id();
        let MessageForm { needs_http2, .. } = form;
        if !needs_http1 && self.pool.protocols.is_http2(&stream, needs_http2) {
            return self.open_http2(stream, id).await;
        }
        if needs_http2 {
            return Err(TransportErrorKind::Http2Unavailable.into());
        }
        match Http1::handshake(stream, self.pool.http1(form.title_case), &self.host, id).await? {
            Some(connection) => Ok(Opened::Http1(connection)),
            // The upstream closed the connection at once.
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
            // The upstream closed the connection at once.
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

/// The contents of the pool of an [`HttpTransport`](crate::HttpTransport) at a moment. The counts
/// aren't read at the same time, so during traffic they may not fit together exactly.
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
