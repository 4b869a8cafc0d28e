//! One place that connections lead to, and what is known of it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use http::HeaderValue;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::afterwards::Afterwards;
use super::calm::Calm;
use super::key::Key;
use super::lease::{Lease, Stream};
use super::table::Shared;
#[cfg(feature = "rustls")]
use crate::client::connect::Identified;
use crate::client::error::TransportError;
use crate::client::http1::{Home, Http1};
use crate::client::http2::{Closed, Http2};
use crate::connection::ConnectionKey;

/// The connections of one [`Key`], and those who wait for one.
pub(in crate::client) struct Host {
    pub(super) key: Key,
    pub(super) pool: Weak<Shared>,
    /// The authority, as `Host` carries it.
    authority: HeaderValue,
    #[cfg(feature = "rustls")]
    pub(super) tls: Identified,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// HTTP/1.1 connections at rest; that which came back last is at the end.
    pub(super) idle: Vec<Idle>,
    /// HTTP/2 connections that take new streams.
    pub(super) multiplexed: Vec<Multiplexed>,
    pub(super) line: VecDeque<Waiting>,
    /// Connections that are being opened.
    pub(super) opening: usize,
    /// Those of them whose callers have left.
    pub(super) forsaken: usize,
    /// What the vendor spoke last.
    pub(super) speaks: Option<Protocol>,
    pub(super) calm: Calm,
    /// When the last connection was opened that left TLS sessions of the host's own. They're kept
    /// as long as an idle connection, and of as many hosts as there may be idle connections.
    pub(super) sessions: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

pub(super) struct Idle {
    pub(super) connection: Box<Http1>,
    pub(super) since: Instant,
}

pub(super) struct Multiplexed {
    pub(super) connection: Http2,
    pub(super) id: u64,
    /// The streams in use of each connection id.
    users: HashMap<ConnectionKey, usize>,
    /// When the last stream ended, or when it was opened.
    pub(super) since: Instant,
    _counted: Counted,
}

/// Counts a connection for as long as it's there.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call in line.
pub(super) struct Waiting {
    pub(super) user: Option<ConnectionKey>,
    pub(super) hand: oneshot::Sender<Result<Lease, TransportError>>,
}

impl Host {
    pub(super) fn new(key: Key, pool: Weak<Shared>) -> Self {
        // An authority is made of bytes that fields may hold.
        let authority = HeaderValue::from_str(key.origin.authority().as_str());
        Self {
            authority: authority.unwrap_or(HeaderValue::from_static("")),
            key,
            pool,
            #[cfg(feature = "rustls")]
            tls: Identified::default(),
            state: Mutex::default(),
        }
    }

    pub(in crate::client) fn authority(&self) -> HeaderValue {
        self.authority.clone()
    }

    /// Nothing in here panics half-way, and nothing is awaited.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream of connection `id` has ended: whoever waits for one gets it.
    pub(super) fn stream_ended(self: &Arc<Self>, id: u64, user: Option<&ConnectionKey>) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut then = Afterwards::default();
        let mut state = self.lock();
        if let Some(multiplexed) = state.multiplexed.iter_mut().find(|other| other.id == id) {
            multiplexed.leaves(user);
        }
        if !state.line.is_empty() {
            state.serve(self, &pool, &mut then);
        }
        drop(state);
        then.finish(self, &pool);
    }
}

impl Multiplexed {
    /// `all`: the HTTP/2 connections of the pool.
    pub(super) fn new(connection: Http2, id: u64, all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self {
            connection,
            id,
            users: HashMap::new(),
            since: Instant::now(),
            _counted: Counted(Arc::clone(all)),
        }
    }

    /// Whether `user` may have one stream more.
    fn has_room_for(&self, user: Option<&ConnectionKey>, limit: usize) -> bool {
        // A vendor that takes none for now is waited for.
        self.connection.streams() < self.connection.max_streams().max(1)
            && !self.has_spent(user, limit)
    }

    pub(super) fn is_unused(&self) -> bool {
        self.connection.streams() == 0
    }

    /// Whether `user` holds as many streams as one may.
    pub(super) fn has_spent(&self, user: Option<&ConnectionKey>, limit: usize) -> bool {
        let held = user.and_then(|user| self.users.get(user));
        held.is_some_and(|&held| held >= limit)
    }

    fn enters(&mut self, user: Option<&ConnectionKey>) {
        self.connection.count(true);
        if let Some(user) = user {
            *self.users.entry(user.clone()).or_default() += 1;
        }
    }

    fn leaves(&mut self, user: Option<&ConnectionKey>) {
        self.connection.count(false);
        self.since = Instant::now();
        let Some(user) = user else {
            return;
        };
        if let Some(held) = self.users.get_mut(user) {
            *held -= 1;
            if *held == 0 {
                self.users.remove(user);
            }
        }
    }
}

impl State {
    /// A stream that is free, or else the connection that came back last.
    pub(super) fn take(
        &mut self,
        host: &Arc<Host>,
        pool: &Shared,
        user: Option<&ConnectionKey>,
    ) -> Option<Lease> {
        if let Some(stream) = self.open_stream(host, pool.limits.streams, user) {
            return Some(stream);
        }
        let idle = self.idle.pop()?;
        pool.idle.fetch_sub(1, Ordering::Relaxed);
        Some(Lease::Http1(idle.connection))
    }

    fn open_stream(
        &mut self,
        host: &Arc<Host>,
        limit: usize,
        user: Option<&ConnectionKey>,
    ) -> Option<Lease> {
        if self.multiplexed.is_empty() {
            return None;
        }
        let calm = &mut self.calm;
        self.multiplexed.retain_mut(|multiplexed| {
            let open = multiplexed.connection.look();
            if open == Err(Closed { is_busy: true }) {
                calm.asked_by(multiplexed.id);
            }
            open.is_ok()
        });
        let multiplexed = self
            .multiplexed
            .iter_mut()
            .filter(|multiplexed| multiplexed.has_room_for(user, limit))
            .min_by_key(|multiplexed| multiplexed.connection.streams())?;
        multiplexed.enters(user);
        let stream = Stream {
            host: Arc::clone(host),
            id: multiplexed.id,
            user: user.cloned(),
        };
        Some(Lease::Http2(
            multiplexed.connection.clone(),
            Arc::new(stream),
        ))
    }

    /// Gives what there is to those in line, and opens what they lack.
    pub(super) fn serve(&mut self, host: &Arc<Host>, pool: &Shared, then: &mut Afterwards) {
        self.serve_only(host, pool, then);
        self.open_for_line(host, pool, then);
    }

    /// Gives what there is to those in line, the first first; one who has used up his streams lets
    /// others pass.
    pub(super) fn serve_only(&mut self, host: &Arc<Host>, pool: &Shared, then: &mut Afterwards) {
        let mut passed = 0;
        while let Some(waiting) = self.line.get(passed) {
            if waiting.hand.is_closed() {
                self.line.remove(passed);
                continue;
            }
            let user = waiting.user.clone();
            let Some(lease) = self.take(host, pool, user.as_ref()) else {
                if self.multiplexed.is_empty() {
                    break;
                }
                passed += 1;
                continue;
            };
            let Some(waiting) = self.line.remove(passed) else {
                then.spare.push(lease);
                break;
            };
            if let Err(Ok(lease)) = waiting.hand.send(Ok(lease)) {
                then.spare.push(lease);
            }
        }
    }
}

impl Home for Host {
    fn keep(self: Arc<Self>, connection: Box<Http1>) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut then = Afterwards::default();
        let mut state = self.lock();
        then.http1 = state.put(connection, &self.key, &pool);
        // The line is empty on most days.
        if !state.line.is_empty() {
            state.serve(&self, &pool, &mut then);
        }
        drop(state);
        then.finish(&self, &pool);
        pool.sweeper.wanted(&pool);
    }

    fn stirred(&self, id: u64) {
        if let Some(pool) = self.pool.upgrade() {
            pool.sweeper.look(&self.key, id);
        }
    }
}

impl State {
    /// Puts a connection on top of the others. Returned is what there is no room for.
    #[must_use]
    pub(super) fn put(
        &mut self,
        connection: Box<Http1>,
        key: &Key,
        pool: &Shared,
    ) -> Option<Box<Http1>> {
        let limits = &pool.limits;
        let mut oldest = None;
        // One that somebody waits for doesn't come to rest.
        let rests = self.line.iter().all(|waiting| waiting.hand.is_closed());
        if rests && self.idle.len() >= limits.idle.min(limits.idle_in_all) {
            if self.idle.is_empty() {
                return Some(connection);
            }
            oldest = Some(self.idle.remove(0).connection);
            pool.idle.fetch_sub(1, Ordering::Relaxed);
        }
        if connection.is_stirred() {
            // The sweeper may have looked for it already, and in vain.
            pool.sweeper.look(key, connection.id());
        }
        pool.idle.fetch_add(1, Ordering::Relaxed);
        self.idle.push(Idle {
            connection,
            since: Instant::now(),
        });
        if pool.idle.load(Ordering::Relaxed) > limits.idle_in_all {
            pool.sweeper.trim();
        }
        oldest
    }
}
