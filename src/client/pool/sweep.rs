//! The task that closes what has been idle for too long, and looks after connections on which
//! something happened while nobody used them (FORWARDING K5, K8).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::afterwards::Afterwards;
use super::host::{Host, Idle};
use super::key::Key;
use super::table::Shared;

/// Sweeps aren't closer together than this, however many connections come of age.
const STEP: Duration = Duration::from_millis(100);

/// The sweeping task, and what it's told.
#[derive(Default)]
pub(super) struct Sweeper {
    bell: Arc<Notify>,
    stirred: Mutex<Vec<(Key, u64)>>,
    /// Whether there are more connections at rest than may.
    is_overfull: AtomicBool,
    /// Whether the task runs.
    runs: Arc<AtomicBool>,
}

impl Sweeper {
    /// There is something in the pool: from now on the task is needed.
    pub(super) fn wanted(&self, pool: &Arc<Shared>) {
        if self.runs.load(Ordering::Relaxed) || self.runs.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::clone(&self.runs));
        let bell = Arc::clone(&self.bell);
        let pool = Arc::downgrade(pool);
        // Outside of a runtime nothing is swept, and nothing gets here.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(sweep(pool, bell, running));
        }
    }

    /// There are more connections at rest than there may be.
    pub(super) fn trim(&self) {
        if !self.is_overfull.swap(true, Ordering::Relaxed) {
            self.bell.notify_one();
        }
    }

    /// Something happened on connection `id`, at rest.
    pub(super) fn look(&self, key: &Key, id: u64) {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        stirred.push((key.clone(), id));
        drop(stirred);
        self.bell.notify_one();
    }

    /// The pool is gone.
    pub(super) fn ends(&self) {
        self.bell.notify_one();
    }

    fn take(&self) -> Vec<(Key, u64)> {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut stirred)
    }
}

/// If the task ends with its runtime, another may begin.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn sweep(pool: Weak<Shared>, bell: Arc<Notify>, _running: Running) {
    let mut next = Instant::now();
    loop {
        // Rung or not, there may be something to look at.
        let _ = timeout_at(next, bell.notified()).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        for (key, id) in pool.sweeper.take() {
            if let Some(host) = pool.find(&key) {
                host.look_at(id, &pool);
            }
        }
        if pool.sweeper.is_overfull.swap(false, Ordering::Relaxed) {
            pool.trim();
        }
        let now = Instant::now();
        if next <= now {
            // What comes into the pool from now on isn't of age before that.
            let mut first = now + pool.limits.idle_time;
            for host in pool.all() {
                first = first.min(host.sweep(now, &pool));
            }
            pool.forget_unused();
            next = first.max(now + STEP);
        }
    }
}

impl Shared {
    /// Closes those that have been idle for longest, of whichever host, until there is room again,
    /// and forgets the oldest TLS sessions of hosts.
    fn trim(&self) {
        let hosts = self.all();
        let idle = hosts.iter().flat_map(|host| host.idle_since());
        if let Some(newest) = self.surplus(idle.collect()) {
            hosts.iter().for_each(|host| host.close_older(newest, self));
        }
        let sessions = hosts.iter().filter_map(|host| host.lock().sessions);
        if let Some(newest) = self.surplus(sessions.collect()) {
            hosts
                .iter()
                .for_each(|host| host.forget_sessions(newest, self));
        }
        drop(hosts);
        self.forget_unused();
    }

    /// The newest of those that there is no room for.
    fn surplus(&self, mut since: Vec<Instant>) -> Option<Instant> {
        since.sort_unstable();
        // Somewhat below the limit, so that not each further one makes them be sorted.
        let limit = self.limits.idle_in_all;
        let kept = limit - limit / 8;
        since.get(since.len().checked_sub(kept + 1)?).copied()
    }
}

impl Host {
    /// Since when each of its unused connections has been idle.
    fn idle_since(&self) -> Vec<Instant> {
        let state = self.lock();
        let idle = state.idle.iter().map(|idle| idle.since);
        let unused = state.multiplexed.iter().filter(|other| other.is_unused());
        idle.chain(unused.map(|other| other.since)).collect()
    }

    /// Closes what hasn't been used since then.
    fn close_older(&self, newest: Instant, pool: &Shared) {
        let mut state = self.lock();
        let old = state.idle.partition_point(|idle| idle.since <= newest);
        pool.idle.fetch_sub(old, Ordering::Relaxed);
        let closed: Vec<_> = state.idle.drain(..old).collect();
        let (unused, used): (Vec<_>, _) = std::mem::take(&mut state.multiplexed)
            .into_iter()
            .partition(|other| other.is_unused() && other.since <= newest);
        state.multiplexed = used;
        drop(state);
        drop((closed, unused));
    }

    /// Forgets TLS sessions that no connection has been opened for since then.
    fn forget_sessions(&self, newest: Instant, pool: &Shared) {
        let mut state = self.lock();
        if state.sessions.is_some_and(|since| since <= newest) {
            state.sessions = None;
            pool.sessions.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Closes what has been idle for too long. Returned is when the next one will have been.
    fn sweep(&self, now: Instant, pool: &Shared) -> Instant {
        let limit = pool.limits.idle_time;
        if let Some(newest) = now.checked_sub(limit) {
            self.close_older(newest, pool);
            self.forget_sessions(newest, pool);
        }
        let state = self.lock();
        let idle = state.idle.first().map(|idle| idle.since);
        let unused = state.multiplexed.iter().filter(|other| other.is_unused());
        let multiplexed = unused.map(|other| other.since);
        let first = idle.into_iter().chain(multiplexed).chain(state.sessions);
        let first = first.min().unwrap_or(now);
        (first + limit).max(now)
    }

    /// Looks at connection `id`, if it's still at rest.
    fn look_at(self: &Arc<Self>, id: u64, pool: &Arc<Shared>) {
        let mut state = self.lock();
        let at = state
            .idle
            .iter()
            .position(|idle| idle.connection.id() == id);
        let Some(at) = at else {
            return;
        };
        let Idle { connection, since } = state.idle.remove(at);
        drop(state);
        let Some(connection) = connection.look() else {
            pool.idle.fetch_sub(1, Ordering::Relaxed);
            return;
        };
        let mut state = self.lock();
        let at = state.idle.partition_point(|idle| idle.since <= since);
        state.idle.insert(at, Idle { connection, since });
        // Somebody may have come in between, and found nothing.
        let mut then = Afterwards::default();
        state.serve(self, pool, &mut then);
        drop(state);
        then.finish(self, pool);
    }

    /// Whether there is something to be remembered of it.
    pub(super) fn is_needed(&self) -> bool {
        let state = self.lock();
        let is_empty = state.idle.is_empty() && state.multiplexed.is_empty();
        !is_empty || state.calm.lasts() || state.sessions.is_some()
    }
}
