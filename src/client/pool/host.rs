//! The host of a key: its idle HTTP/1.1 connections, its HTTP/2 connections, the connections that are being opened, and
//! the line of calls that wait.
//!
//! Each event changes the [`State`] under its lock: a call arrives or leaves, a lease is given back, an opening ends,
//! or a connection ends. After most events the first waiters are served, and new openings are planned for the waiters
//! that remain. The documentation of the [pool](super) explains the rules.
//!
//! Rules: `docs/rules/forwarding.md#7-connection-pool`.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::HeaderValue;
use smallvec::SmallVec;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::cooldown::Cooldown;
use super::multiplexed::Multiplexed;
use super::separation::Separation;
use super::{Key, Lease, Limits, Opened, Opening, PoolStatus, Shared, StreamPermit};
#[cfg(feature = "rustls")]
use crate::client::connect::IdentityTls;
use crate::client::connect::Peer;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::http1::{End, Http1, IdlePool};
use crate::client::http2::{Closed, Http2};
use crate::connection::ConnectionKey;
use crate::policy::Scheme;

/// The connections of a [`Key`], and the calls that wait for a connection.
pub(crate) struct Host {
    key: Key,
    pool: Weak<Shared>,
    /// The authority of the origin, for the field `Host`.
    authority: HeaderValue,
    #[cfg(feature = "rustls")]
    identity_tls: IdentityTls,
    separation: Separation,
    /// `false` if [`State::large_heads_since`] is `None`, so that most calls need no lock and no clock.
    may_have_large_heads: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The idle HTTP/1.1 connections, in the order in which they were checked in.
    idle: Vec<Idle>,
    /// The HTTP/2 connections that take new streams.
    multiplexed: Vec<Multiplexed>,
    /// The calls that wait for a connection or a stream, in the order of their rounds, and of their arrival within a round.
    waiters: VecDeque<Waiter>,
    /// The round of the call that was served last.
    round: u64,
    /// A task will serve the waiters when the idle connections have rested.
    awaits_rest: bool,
    /// The number of connections that are being opened.
    opening: usize,
    /// The number of openings whose waiters have left. When such an opening is finished and no call
    /// waits, the connection is closed.
    abandoned: usize,
    /// The protocol of the last connection that was opened.
    protocol: Option<Protocol>,
    /// The time at which the upstream has required HTTP/1.1, which is used from then on.
    http1_since: Option<Instant>,
    /// The time of the last response with more fields than hyper accepts by default.
    large_heads_since: Option<Instant>,
    cooldown: Cooldown,
    /// The time of the last connection with a client certificate, whose TLS sessions are kept here.
    /// TLS sessions are kept for the idle timeout of connections. The maximum number of hosts with
    /// TLS sessions is the maximum number of idle connections.
    sessions_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

struct Idle {
    connection: Box<Http1>,
    since: Instant,
}

/// The time for which an HTTP/1.1 connection rests before it's used for another connection key. If the upstream sends a second response
/// to the last request by mistake, the bytes arrive meanwhile, and the connection is closed rather than used.
const REST: Duration = Duration::from_millis(25);
/// The number of HTTP/2 connections that may be opened for a single connection key.
const MAX_CONNECTIONS_OF_A_KEY: usize = 4;

/// The time for which a host remembers that its upstream requires HTTP/1.1, or has sent a large head.
const MEMORY: Duration = Duration::from_secs(10 * 60);

/// A call that waits for a connection or a stream.
struct Waiter {
    user: Option<ConnectionKey>,
    /// The round in which the call is served. In each round, each connection key has one call, so a key with many calls doesn't hold up
    /// the calls of others.
    round: u64,
    /// If set, the call gets only an unused connection with a higher id.
    newer_than: Option<u64>,
    reply: oneshot::Sender<Result<Lease, TransportError>>,
}

impl Host {
    pub(super) fn new(key: Key, pool: Weak<Shared>) -> Self {
        // An authority contains only bytes that are valid in a field value, so this doesn't fail.
        let authority = HeaderValue::from_str(key.origin.authority().as_str());
        Self {
            authority: authority.unwrap_or(HeaderValue::from_static("")),
            key,
            pool,
            #[cfg(feature = "rustls")]
            identity_tls: IdentityTls::default(),
            separation: Separation::default(),
            may_have_large_heads: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Returns `true` if the connection key must not share network connections with others at this host.
    pub(super) fn separates(&self, user: &ConnectionKey) -> bool {
        self.is_shared() && self.separation.applies_to(user)
    }

    /// Gives the later calls of a connection key network connections of their own.
    pub(super) fn separate(&self, user: &ConnectionKey) {
        if self.is_shared() {
            self.separation.separate(user);
        }
    }

    /// Returns `true` if several connection keys may use the connections of this host.
    pub(super) fn is_shared(&self) -> bool {
        self.key.connection.is_none()
    }

    /// Returns a lease. If no lease is free, waits for the first lease that becomes free, from
    /// another call or from a new connection. With `newer_than`, the lease is of a connection with a higher id, and no call has used
    /// the connection if it's an HTTP/1.1 connection.
    ///
    /// # Errors
    ///
    /// `Overloaded` if too many calls wait, or if the upstream has complained and the pause after the
    /// complaint isn't over. Otherwise the reason why no connection could be opened.
    ///
    /// # Cancel safety
    ///
    /// A call that stops waiting loses its place. The connection that would have served the call
    /// goes to another waiter, or is closed if no other call waits.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        pool: &Arc<Shared>,
        user: Option<&ConnectionKey>,
        newer_than: Option<u64>,
    ) -> Result<Lease, TransportError> {
        loop {
            let lease = match self.check_out_or_wait(pool, user, newer_than)? {
                Acquisition::Ready(Lease::Http1(mut connection)) => {
                    // The upstream may have closed the connection while it was idle.
                    connection.mark_reused();
                    Lease::Http1(connection)
                }
                Acquisition::Ready(stream) => stream,
                Acquisition::Waiting(wait) => wait.lease(pool).await?,
            };
            let Lease::Http1(connection) = lease else {
                return Ok(lease);
            };
            let home: Arc<Self> = Arc::clone(self);
            if let Some(connection) = connection.check_out(home, user) {
                return Ok(Lease::Http1(connection));
            }
        }
    }

    fn check_out_or_wait(
        self: &Arc<Self>,
        pool: &Arc<Shared>,
        user: Option<&ConnectionKey>,
        newer_than: Option<u64>,
    ) -> Result<Acquisition<'_>, TransportError> {
        let mut state = self.lock();
        if let Some(lease) = state.check_out(self, pool, user, newer_than) {
            return Ok(Acquisition::Ready(lease));
        }
        let needs_opening = state.multiplexed.is_empty() || newer_than.is_some();
        if needs_opening && state.opening == 0 {
            if let Some(remaining) = state.cooldown.remaining() {
                return Err(overloaded(remaining));
            }
        }
        let mut deferred = Deferred::default();
        let lease = state.wait(user, newer_than, pool.limits.max_waiting, &mut deferred)?;
        state.plan_openings(self, pool, &mut deferred);
        let needs_stream = !needs_opening;
        drop(state);
        let wait = Wait {
            host: self,
            lease,
            needs_stream,
        };
        deferred.finish(self, pool);
        Ok(Acquisition::Waiting(wait))
    }

    /// Serves the waiters again when the connections that are idle now have rested.
    fn serve_after_rest(self: &Arc<Self>, pool: &Arc<Shared>) {
        let (host, pool) = (Arc::downgrade(self), Arc::downgrade(pool));
        let Ok(runtime) = Handle::try_current() else {
            self.lock().awaits_rest = false;
            return;
        };
        runtime.spawn(async move {
            sleep(REST).await;
            let (Some(host), Some(pool)) = (host.upgrade(), pool.upgrade()) else {
                return;
            };
            let mut deferred = Deferred::default();
            let mut state = host.lock();
            state.awaits_rest = false;
            state.serve_and_open(&host, &pool, &mut deferred);
            drop(state);
            deferred.finish(&host, &pool);
        });
    }

    /// Locks the state. Poisoning is ignored, because nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if new connections always use HTTP/1.1, even if the upstream supports HTTP/2.
    fn is_always_http1(&self, pool: &Shared) -> bool {
        let is_secure = self.key.origin.scheme() == Scheme::Https;
        let form = self.key.form;
        form.needs_http1 || !form.needs_http2 && pool.protocols.is_always_http1(is_secure)
    }

    /// Uses only HTTP/1.1 for [`MEMORY`], because the upstream requires it. The calls on HTTP/2 connections go on.
    pub(crate) fn require_http1(self: &Arc<Self>) {
        let mut state = self.lock();
        state.http1_since = Some(Instant::now());
        state.protocol = Some(Protocol::Http1);
        let closing = std::mem::take(&mut state.multiplexed);
        // The calls that waited for a stream need another connection.
        let mut deferred = Deferred::default();
        let pool = self.pool.upgrade();
        if let Some(pool) = &pool {
            state.plan_openings(self, pool, &mut deferred);
            deferred.failed = state.take_unservable();
        }
        drop(state);
        drop(closing);
        if let Some(pool) = &pool {
            deferred.finish(self, pool);
        }
    }

    /// Returns `true` if the upstream requires HTTP/1.1.
    pub(super) fn requires_http1(&self) -> bool {
        self.lock().requires_http1()
    }

    /// Returns the destination of new connections. If the key has a client certificate, the
    /// destination contains the TLS configuration with that certificate. A host has at most one
    /// client certificate, and the TLS sessions of the certificate are dropped with the host.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unnecessary_wraps, reason = "the TLS of an identity can fail")
    )]
    pub(super) fn peer(&self, pool: &Shared) -> Result<Peer<'_>, TransportError> {
        #[cfg(feature = "rustls")]
        if let Some(identity) = self.key.isolation.identity() {
            if self.lock().sessions_since.replace(Instant::now()).is_none() {
                let others = pool.hosts_with_sessions.fetch_add(1, Ordering::Relaxed);
                if others >= pool.limits.max_idle {
                    pool.sweeper.request_trim();
                }
            }
            let origin = &self.key.origin;
            return self.identity_tls.peer(origin, identity, &pool.connector);
        }
        #[cfg(not(feature = "rustls"))]
        let _ = pool;
        Ok(Peer::new(&self.key.origin))
    }

    /// Adds a connection that has been opened, or fails the waiters that the opening was for.
    pub(super) fn finish_opening(
        self: &Arc<Self>,
        pool: &Arc<Shared>,
        opened: Result<Opened, TransportError>,
    ) {
        let mut deferred = Deferred::default();
        let mut state = self.lock();
        state.opening = state.opening.saturating_sub(1);
        let is_abandoned = state.waiters.is_empty() && state.abandoned > 0;
        state.abandoned = (state.abandoned - usize::from(is_abandoned)).min(state.opening);
        let has_failed = opened.is_err();
        match opened {
            Ok(Opened::Http1(connection)) if is_abandoned => deferred.http1 = Some(connection),
            Ok(Opened::Http2(connection, _)) if is_abandoned => deferred.http2 = Some(connection),
            Ok(Opened::Http1(connection)) => {
                state.protocol = Some(Protocol::Http1);
                deferred.http1 = state.check_in(connection, &self.key, pool);
            }
            // The connection was opened before the upstream required HTTP/1.1.
            Ok(Opened::Http2(connection, _)) if state.requires_http1() => {
                deferred.http2 = Some(connection);
            }
            Ok(Opened::Http2(connection, id)) => {
                state.protocol = Some(Protocol::Http2);
                let multiplexed = Multiplexed::new(connection, id, &pool.multiplexed);
                state.multiplexed.push(multiplexed);
                if pool.multiplexed.load(Ordering::Relaxed) > pool.limits.max_idle {
                    pool.sweeper.request_trim();
                }
            }
            Err(error) => {
                // If the upstream has no HTTP/1.1, the next opening offers HTTP/2 again.
                state.http1_since = None;
                state.fail_waiters(self.is_always_http1(pool), error, &mut deferred);
            }
        }
        if has_failed && !state.multiplexed.is_empty() {
            // The other connections still serve the waiters. The next opening is planned when a
            // stream ends or a call arrives, so that failing openings don't follow each other
            // without a pause.
            state.serve_waiters(self, pool, &mut deferred);
        } else {
            state.serve_and_open(self, pool, &mut deferred);
        }
        drop(state);
        deferred.finish(self, pool);
        pool.sweeper.ensure_running(pool);
    }

    /// Counts a stream of connection `id` as ended, and serves the waiters. `is_complete` is `false` if the call was cancelled.
    pub(super) fn end_stream(
        self: &Arc<Self>,
        id: u64,
        user: Option<&ConnectionKey>,
        is_complete: bool,
    ) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        if let (Some(user), false, true) = (user, is_complete, self.is_shared()) {
            self.separation.record_reset(user);
        }
        let mut deferred = Deferred::default();
        let mut state = self.lock();
        if let Some(multiplexed) = state.multiplexed.iter_mut().find(|other| other.id() == id) {
            multiplexed.close_stream(user);
        }
        if !state.waiters.is_empty() {
            state.serve_and_open(self, &pool, &mut deferred);
        }
        drop(state);
        deferred.finish(self, &pool);
    }

    /// Removes the HTTP/2 connection `id`, which has ended. `is_busy` is `true` if the upstream
    /// complained about too many calls.
    pub(super) fn on_http2_end(self: &Arc<Self>, id: u64, is_busy: bool) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut deferred = Deferred::default();
        if is_busy {
            self.record_complaint(id);
        }
        let mut state = self.lock();
        if let Some(at) = state.multiplexed.iter().position(|other| other.id() == id) {
            deferred.http2 = Some(state.multiplexed.swap_remove(at).into_connection());
        }
        // The calls that waited for a stream of the removed connection need another connection.
        state.plan_openings(self, &pool, &mut deferred);
        deferred.failed = state.take_unservable();
        drop(state);
        deferred.finish(self, &pool);
    }

    /// Serves the waiters after an event on the HTTP/2 connection `id`, if the connection has more
    /// room or is closing. `has_grown` is `true` if the upstream has raised its stream limit.
    pub(super) fn on_http2_activity(self: &Arc<Self>, id: u64, has_grown: bool) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut state = self.lock();
        if state.waiters.is_empty() {
            return;
        }
        let mut multiplexed = state.multiplexed.iter_mut();
        let is_closing = multiplexed
            .find(|other| other.id() == id)
            .is_some_and(|other| other.check_open().is_err());
        if !has_grown && !is_closing {
            return;
        }
        let mut deferred = Deferred::default();
        state.serve_and_open(self, &pool, &mut deferred);
        drop(state);
        deferred.finish(self, &pool);
    }

    /// Records that the upstream complained about too many calls, on connection `id`. If a connection key has cancelled many calls, it's
    /// separated, and the other keys aren't held back.
    pub(crate) fn record_complaint(&self, id: u64) {
        self.lock().on_complaint(self, id);
    }

    /// Polls the idle connection `id`, and closes the connection if it has ended. Does nothing if the
    /// connection has been checked out.
    pub(super) fn poll_idle(self: &Arc<Self>, id: u64, pool: &Arc<Shared>) {
        let mut state = self.lock();
        let mut idle = state.idle.iter();
        let Some(at) = idle.position(|idle| idle.connection.id() == id) else {
            return;
        };
        let Idle { connection, since } = state.idle.remove(at);
        drop(state);
        let connection = match connection.poll_idle() {
            Ok(connection) => connection,
            Err(end) => {
                pool.idle.fetch_sub(1, Ordering::Relaxed);
                if end == End::Unsolicited {
                    self.on_unsolicited();
                }
                return;
            }
        };
        let mut state = self.lock();
        let at = state.idle.partition_point(|idle| idle.since <= since);
        state.idle.insert(at, Idle { connection, since });
        // A call may have arrived while the connection was out of the list, and may wait now.
        let mut deferred = Deferred::default();
        state.serve_and_open(self, pool, &mut deferred);
        drop(state);
        deferred.finish(self, pool);
    }

    /// Closes expired connections. Returns the time at which the next connection expires.
    pub(super) fn sweep(&self, now: Instant, pool: &Shared) -> Instant {
        let limit = pool.limits.idle_timeout;
        if let Some(newest) = now.checked_sub(limit) {
            self.close_idle(newest, pool);
            self.forget_sessions(newest, pool);
        }
        let state = self.lock();
        let idle = state.idle.first().map(|idle| idle.since);
        let unused = state.multiplexed.iter().filter(|other| other.is_unused());
        let unused = unused.map(|other| other.idle_since());
        let all = idle.into_iter().chain(unused).chain(state.sessions_since);
        let oldest = all.min().unwrap_or(now);
        (oldest + limit).max(now)
    }

    /// Closes the connections that have been idle since `newest` or longer.
    pub(super) fn close_idle(&self, newest: Instant, pool: &Shared) {
        let mut state = self.lock();
        let old = state.idle.partition_point(|idle| idle.since <= newest);
        pool.idle.fetch_sub(old, Ordering::Relaxed);
        let closed: Vec<_> = state.idle.drain(..old).collect();
        let (unused, used): (Vec<_>, _) = std::mem::take(&mut state.multiplexed)
            .into_iter()
            .partition(|other| other.is_unused() && other.idle_since() <= newest);
        state.multiplexed = used;
        drop(state);
        drop((closed, unused));
    }

    /// Gives up the TLS sessions if no connection has been opened since `newest`. The TLS sessions
    /// are dropped with the host.
    pub(super) fn forget_sessions(&self, newest: Instant, pool: &Shared) {
        let mut state = self.lock();
        if state.sessions_since.is_some_and(|since| since <= newest) {
            state.sessions_since = None;
            pool.hosts_with_sessions.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Returns the start of the idle time of each unused connection.
    pub(super) fn idle_since(&self) -> Vec<Instant> {
        let state = self.lock();
        let idle = state.idle.iter().map(|idle| idle.since);
        let unused = state.multiplexed.iter().filter(|other| other.is_unused());
        idle.chain(unused.map(|other| other.idle_since())).collect()
    }

    /// Returns the time of the last connection with a client certificate, if its TLS sessions are
    /// kept.
    pub(super) fn sessions_since(&self) -> Option<Instant> {
        self.lock().sessions_since
    }

    /// Returns `true` if the host has connections or TLS sessions, or still remembers a complaint, the protocol or a large head of the
    /// upstream.
    pub(super) fn is_needed(&self) -> bool {
        let state = self.lock();
        let is_empty = state.idle.is_empty() && state.multiplexed.is_empty();
        !is_empty
            || state.cooldown.is_remembered()
            || state.http1_since.is_some_and(is_remembered)
            || state.large_heads_since.is_some_and(is_remembered)
            || state.sessions_since.is_some()
            || self.separation.is_remembered()
    }

    /// Adds the counts of this host to the counts of the pool.
    pub(super) fn add_to_status(&self, status: &mut PoolStatus) {
        let state = self.lock();
        let waiting = state.waiters.iter().filter(|call| !call.reply.is_closed());
        status.waiting += waiting.count();
        status.opening += state.opening;
        let multiplexed = state.multiplexed.iter();
        let streams = multiplexed.map(|open| open.streams());
        status.http2_streams += streams.sum::<usize>();
    }
}

impl IdlePool for Host {
    fn check_in(self: Arc<Self>, connection: Box<Http1>) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut deferred = Deferred::default();
        let mut state = self.lock();
        deferred.http1 = state.check_in(connection, &self.key, &pool);
        if !state.waiters.is_empty() {
            state.serve_and_open(&self, &pool, &mut deferred);
        }
        drop(state);
        deferred.finish(&self, &pool);
        pool.sweeper.ensure_running(&pool);
    }

    fn on_unsolicited(&self) {
        self.separation.separate_all();
    }

    fn on_large_head(&self) {
        let mut state = self.lock();
        state.large_heads_since = Some(Instant::now());
        self.may_have_large_heads.store(true, Ordering::Relaxed);
    }

    fn has_large_heads(&self) -> bool {
        if !self.may_have_large_heads.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = self.lock();
        state.large_heads_since = state
            .large_heads_since
            .filter(|since| is_remembered(*since));
        let has_large_heads = state.large_heads_since.is_some();
        self.may_have_large_heads
            .store(has_large_heads, Ordering::Relaxed);
        has_large_heads
    }

    fn on_idle_activity(&self, id: u64) {
        if let Some(pool) = self.pool.upgrade() {
            pool.sweeper.on_idle_activity(&self.key, id);
        }
    }
}

/// Returns `true` if the upstream's behavior at that time still counts.
fn is_remembered(since: Instant) -> bool {
    since.elapsed() < MEMORY
}

impl State {
    /// Returns `true` if the upstream requires HTTP/1.1. After a while, HTTP/2 is tried again.
    fn requires_http1(&mut self) -> bool {
        if self.http1_since.is_some_and(|since| !is_remembered(since)) {
            self.http1_since = None;
            self.protocol = None;
        }
        self.http1_since.is_some()
    }

    /// Returns a free stream, or else the HTTP/1.1 connection that was checked in last.
    fn check_out(
        &mut self,
        host: &Arc<Host>,
        pool: &Shared,
        user: Option<&ConnectionKey>,
        newer_than: Option<u64>,
    ) -> Option<Lease> {
        let limit = pool.limits.max_streams_per_key;
        if let Some(stream) = self.open_stream(host, limit, user, newer_than) {
            return Some(stream);
        }
        let connection = match newer_than {
            None => self.take_idle(host, user)?,
            Some(id) => self.take_unused(id)?,
        };
        pool.idle.fetch_sub(1, Ordering::Relaxed);
        Some(Lease::Http1(connection))
    }

    /// Takes the connection that was checked in last by the same user, or a connection that has rested.
    fn take_idle(&mut self, host: &Host, user: Option<&ConnectionKey>) -> Option<Box<Http1>> {
        let is_fit = |idle: &Idle| !host.is_shared() || idle.connection.is_free_for(user);
        if !self.idle.last().is_some_and(is_fit) {
            let rested = Instant::now().checked_sub(REST)?;
            let is_fit = |idle: &Idle| idle.since <= rested || is_fit(idle);
            let at = self.idle.iter().rposition(is_fit)?;
            return Some(self.idle.remove(at).connection);
        }
        Some(self.idle.pop()?.connection)
    }

    /// Takes a connection with an id above `id` that no call has used.
    fn take_unused(&mut self, id: u64) -> Option<Box<Http1>> {
        let mut idle = self.idle.iter();
        let is_fit = |idle: &Idle| idle.connection.is_unused() && idle.connection.id() > id;
        let at = idle.position(is_fit)?;
        Some(self.idle.remove(at).connection)
    }

    fn open_stream(
        &mut self,
        host: &Arc<Host>,
        limit: usize,
        user: Option<&ConnectionKey>,
        newer_than: Option<u64>,
    ) -> Option<Lease> {
        if self.multiplexed.is_empty() {
            return None;
        }
        let mut complaints = SmallVec::<[u64; 1]>::new();
        self.multiplexed.retain_mut(|multiplexed| {
            let open = multiplexed.check_open();
            if open == Err(Closed { is_busy: true }) {
                complaints.push(multiplexed.id());
            }
            open.is_ok()
        });
        for id in complaints {
            self.on_complaint(host, id);
        }
        let multiplexed = self
            .multiplexed
            .iter_mut()
            .filter(|multiplexed| newer_than.is_none_or(|id| multiplexed.id() > id))
            .filter(|multiplexed| multiplexed.has_room_for(user, limit, host.is_shared()))
            .min_by_key(|multiplexed| multiplexed.streams())?;
        let connection = multiplexed.open_stream(user);
        let permit = StreamPermit {
            host: Arc::clone(host),
            connection_id: multiplexed.id(),
            user: user.cloned(),
            is_complete: AtomicBool::new(false),
        };
        Some(Lease::Http2(connection, Arc::new(permit)))
    }

    /// Handles a complaint on connection `id`: the key that has cancelled many calls is separated. Without such a key, the host isn't
    /// called for a while.
    fn on_complaint(&mut self, host: &Host, id: u64) {
        if self.cooldown.is_known(id) {
            return;
        }
        match host.is_shared() && host.separation.separate_culprit() {
            true => self.cooldown.know(id),
            false => self.cooldown.record(id),
        }
    }

    /// Adds an idle connection. If the host then has too many idle connections, returns the
    /// connection that must be closed.
    #[must_use]
    fn check_in(&mut self, connection: Box<Http1>, key: &Key, pool: &Shared) -> Option<Box<Http1>> {
        let limits = &pool.limits;
        let mut oldest = None;
        // If a call waits, the connection goes to that call, so the limit for idle connections
        // doesn't apply.
        let stays_idle = self.waiters.iter().all(|waiter| waiter.reply.is_closed());
        if stays_idle && self.idle.len() >= limits.max_idle_per_host.min(limits.max_idle) {
            if self.idle.is_empty() {
                return Some(connection);
            }
            oldest = Some(self.idle.remove(0).connection);
            pool.idle.fetch_sub(1, Ordering::Relaxed);
        }
        if connection.has_idle_activity() {
            // The sweeper may already have looked for the connection before it was in this list.
            pool.sweeper.on_idle_activity(key, connection.id());
        }
        pool.idle.fetch_add(1, Ordering::Relaxed);
        self.idle.push(Idle {
            connection,
            since: Instant::now(),
        });
        if pool.idle.load(Ordering::Relaxed) > limits.max_idle {
            pool.sweeper.request_trim();
        }
        oldest
    }

    /// Adds a waiter. If too many calls wait, the last call of the connection key with the most waiting calls gets an error: that's the new
    /// call, or a call that waits already.
    fn wait(
        &mut self,
        user: Option<&ConnectionKey>,
        newer_than: Option<u64>,
        max_waiting: usize,
        deferred: &mut Deferred,
    ) -> Result<oneshot::Receiver<Result<Lease, TransportError>>, TransportError> {
        if self.waiters.len() >= max_waiting {
            self.waiters.retain(|waiter| !waiter.reply.is_closed());
        }
        let others = self.waiters.iter().rev();
        let last = others
            .into_iter()
            .find(|waiter| waiter.user.as_ref() == user);
        // A key that has streams comes after keys that have fewer.
        let held = user.map_or(0, |user| self.streams_of(user) as u64);
        let round = last.map_or(self.round + held, |last| last.round + 1);
        let at = self.waiters.partition_point(|waiter| waiter.round <= round);
        if self.waiters.len() >= max_waiting {
            if at == self.waiters.len() {
                return Err(TransportErrorKind::Overloaded.into());
            }
            let error = || TransportError::from(TransportErrorKind::Overloaded);
            let last = self.waiters.pop_back();
            deferred.failed.extend(last.map(|last| (last, error())));
        }
        let (reply, lease) = oneshot::channel();
        let waiter = Waiter {
            user: user.cloned(),
            round,
            newer_than,
            reply,
        };
        self.waiters.insert(at, waiter);
        Ok(lease)
    }

    /// Serves the waiters, and plans openings for the waiters that remain.
    fn serve_and_open(&mut self, host: &Arc<Host>, pool: &Shared, deferred: &mut Deferred) {
        self.serve_waiters(host, pool, deferred);
        self.plan_openings(host, pool, deferred);
    }

    /// Serves the waiters in the order of their rounds. A waiter that can't be served now doesn't block the other waiters.
    fn serve_waiters(&mut self, host: &Arc<Host>, pool: &Shared, deferred: &mut Deferred) {
        let mut skipped = 0;
        while let Some(waiter) = self.waiters.get(skipped) {
            if waiter.reply.is_closed() {
                self.waiters.remove(skipped);
                continue;
            }
            let (user, newer_than) = (waiter.user.clone(), waiter.newer_than);
            let Some(lease) = self.check_out(host, pool, user.as_ref(), newer_than) else {
                if self.multiplexed.is_empty() && self.idle.is_empty() {
                    break;
                }
                skipped += 1;
                continue;
            };
            let Some(waiter) = self.waiters.remove(skipped) else {
                deferred.unused.push(lease);
                break;
            };
            self.round = self.round.max(waiter.round);
            if let Err(Ok(lease)) = waiter.reply.send(Ok(lease)) {
                deferred.unused.push(lease);
            }
        }
        // Rest doesn't help a call that needs a new connection.
        let mut waiters = self.waiters.iter();
        if !self.idle.is_empty() && waiters.any(|waiter| waiter.newer_than.is_none()) {
            deferred.awaits_rest = !std::mem::replace(&mut self.awaits_rest, true);
        }
    }

    /// Plans as many openings as the waiters need and the limits permit.
    fn plan_openings(&mut self, host: &Host, pool: &Shared, deferred: &mut Deferred) {
        if self.cooldown.remaining().is_some() {
            return;
        }
        let needed = self.needed_openings(pool, host.is_always_http1(pool));
        let more = needed.saturating_sub(self.opening);
        self.opening += more;
        deferred.openings += more;
    }

    /// Returns the number of connections that should be opening.
    fn needed_openings(&self, pool: &Shared, is_http1: bool) -> usize {
        let waiting = self.waiters.len();
        let limits = &pool.limits;
        match self.protocol {
            Some(Protocol::Http1) => waiting.min(limits.max_handshakes),
            // One connection serves all waiters until the connection is full.
            Some(Protocol::Http2) => usize::from(self.needs_more_streams(limits)),
            None if is_http1 => waiting.min(limits.max_handshakes),
            // The first connection shows which protocol the upstream supports.
            None => waiting.min(1),
        }
    }

    /// Returns `true` if another connection must be opened for a waiter: because the host has few connections, or because the waiter's
    /// connection key has no stream at all.
    fn needs_more_streams(&self, limits: &Limits) -> bool {
        if self
            .waiters
            .iter()
            .any(|waiter| self.lacks_connection(waiter))
        {
            return true;
        }
        let connections = self.multiplexed.len();
        // The newest connection may have room for all waiters.
        if self.multiplexed.iter().any(|other| !other.has_settings()) {
            return false;
        }
        if connections >= limits.max_http2_connections.max(1) {
            return false;
        }
        let is_enough_for_busy_keys =
            connections >= MAX_CONNECTIONS_OF_A_KEY && !self.has_more_users_than(connections);
        self.waiters.iter().any(|waiter| {
            let user = waiter.user.as_ref();
            !is_enough_for_busy_keys || user.is_some_and(|user| self.streams_of(user) == 0)
        })
    }

    /// Returns `true` if the call needs a newer connection than all that are open.
    fn lacks_connection(&self, waiter: &Waiter) -> bool {
        let is_newer = |id| self.multiplexed.iter().any(|other| other.id() > id);
        waiter.newer_than.is_some_and(|id| !is_newer(id))
    }

    /// Returns `true` if more than `number` connection keys have streams.
    fn has_more_users_than(&self, number: usize) -> bool {
        let mut seen = HashSet::new();
        let mut users = self.multiplexed.iter().flat_map(Multiplexed::users);
        users.any(|user| seen.insert(user) && seen.len() > number)
    }

    /// Returns the number of streams of a connection key.
    fn streams_of(&self, user: &ConnectionKey) -> usize {
        let multiplexed = self.multiplexed.iter();
        multiplexed.map(|other| other.streams_of(user)).sum()
    }

    /// Removes all waiters, with their errors, if a cooldown prevents the opening of the connection
    /// that they need.
    fn take_unservable(&mut self) -> Vec<(Waiter, TransportError)> {
        let remaining = self.cooldown.remaining();
        let Some(remaining) =
            remaining.filter(|_| self.multiplexed.is_empty() && self.opening == 0)
        else {
            return Vec::new();
        };
        let waiters = std::mem::take(&mut self.waiters).into_iter();
        waiters
            .map(|waiter| (waiter, overloaded(remaining)))
            .collect()
    }

    /// Removes the waiters that a failed opening was for: the first waiter, or all waiters if a
    /// single HTTP/2 connection was to serve them. Waiters for a stream of another connection
    /// continue to wait, except those that need a new connection.
    fn fail_waiters(&mut self, is_http1: bool, error: TransportError, deferred: &mut Deferred) {
        let affected = match self.protocol {
            _ if is_http1 => self.waiters.len().min(1),
            Some(Protocol::Http1) => self.waiters.len().min(1),
            _ if self.multiplexed.is_empty() => self.waiters.len(),
            _ => 0,
        };
        let error = Arc::new(error);
        let mut failed: Vec<_> = self.waiters.drain(..affected).collect();
        if affected == 0 {
            let waiters = std::mem::take(&mut self.waiters).into_iter();
            let (lacking, others): (Vec<_>, _) =
                waiters.partition(|waiter| self.lacks_connection(waiter));
            failed = lacking;
            self.waiters = others.into();
        }
        let failed = failed.into_iter();
        deferred
            .failed
            .extend(failed.map(|waiter| (waiter, TransportError::from_shared(&error))));
    }
}

/// Returns the error for calls during a cooldown.
fn overloaded(remaining: Duration) -> TransportError {
    TransportError::from(TransportErrorKind::Overloaded).with_retry_after(remaining)
}

/// The part of a step that runs after the lock has been released. Each action here may lock the host
/// again: dropping a lease does, a reply may wake a call that does, and an opening does if it fails
/// at once.
#[derive(Default)]
#[must_use]
struct Deferred {
    /// The leases for calls that have left.
    unused: Vec<Lease>,
    /// A connection to close.
    http1: Option<Box<Http1>>,
    /// A connection to close.
    http2: Option<Http2>,
    failed: Vec<(Waiter, TransportError)>,
    /// Serve the waiters again when the idle connections have rested.
    awaits_rest: bool,
    /// The number of connections to open, which [`State::opening`] already contains.
    openings: usize,
}

impl Deferred {
    fn finish(self, host: &Arc<Host>, pool: &Arc<Shared>) {
        for (waiter, error) in self.failed {
            // Sending fails only if the call has left.
            let _ = waiter.reply.send(Err(error));
        }
        for _ in 0..self.openings {
            Opening::start(host, pool);
        }
        if self.awaits_rest {
            host.serve_after_rest(pool);
        }
        drop((self.unused, self.http1, self.http2));
    }
}

/// The result of the first step of [`Host::acquire`].
enum Acquisition<'a> {
    Ready(Lease),
    Waiting(Wait<'a>),
}

/// The side of a [`Waiter`] that the waiting call holds.
struct Wait<'a> {
    host: &'a Arc<Host>,
    lease: oneshot::Receiver<Result<Lease, TransportError>>,
    /// `true` if HTTP/2 connections are open, and all of them are full.
    needs_stream: bool,
}

impl Wait<'_> {
    async fn lease(mut self, pool: &Shared) -> Result<Lease, TransportError> {
        let lost = |_| TransportError::from(TransportErrorKind::ConnectionFailed);
        if self.needs_stream {
            // The timeout for connections doesn't apply, because the wait may depend on other calls:
            // streams end with their calls. The timeout for the response's head limits this wait.
            return (&mut self.lease).await.map_err(lost)?;
        }
        match timeout(pool.limits.connect_timeout, &mut self.lease).await {
            Ok(lease) => lease.map_err(lost)?,
            Err(_) => Err(TransportErrorKind::ConnectionTimeout.into()),
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.lease.is_terminated() {
            return;
        }
        // No connection is opened for a call that has left.
        self.lease.close();
        // If a stream has just been sent, dropping it serves the next waiter.
        if let Ok(Ok(Lease::Http1(connection))) = self.lease.try_recv() {
            Arc::clone(self.host).check_in(connection);
            return;
        }
        let mut state = self.host.lock();
        state.waiters.retain(|waiter| !waiter.reply.is_closed());
        if state.opening > state.waiters.len() + state.abandoned {
            state.abandoned += 1;
        }
    }
}
