//! The task that closes connections that have been idle for too long, and handles events on idle
//! HTTP/1.1 connections, such as the end of a connection. An idle connection has no other task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::{Key, Shared};

/// The minimum time between two sweeps of all hosts.
const MIN_SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// The requests to the sweeping task.
#[derive(Default)]
pub(super) struct Sweeper {
    notify: Arc<Notify>,
    /// The idle connections on which an event has happened.
    active: Mutex<Vec<(Key, u64)>>,
    /// `true` if there are more idle connections than permitted.
    needs_trim: AtomicBool,
    is_running: Arc<AtomicBool>,
}

impl Sweeper {
    /// Starts the task, unless the task runs already. The task is needed from the first connection
    /// on.
    pub(super) fn ensure_running(&self, pool: &Arc<Shared>) {
        if self.is_running.load(Ordering::Relaxed) || self.is_running.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::clone(&self.is_running));
        let notify = Arc::clone(&self.notify);
        let pool = Arc::downgrade(pool);
        // Outside of a runtime there are no connections to sweep.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(sweep(pool, notify, running));
        }
    }

    /// Makes the task close surplus idle connections.
    pub(super) fn request_trim(&self) {
        if !self.needs_trim.swap(true, Ordering::Relaxed) {
            self.notify.notify_one();
        }
    }

    /// Makes the task handle an event on the idle connection `id`.
    pub(super) fn on_idle_activity(&self, key: &Key, id: u64) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.push((key.clone(), id));
        drop(active);
        self.notify.notify_one();
    }

    /// Wakes the task, which ends if the pool has been dropped.
    pub(super) fn wake(&self) {
        self.notify.notify_one();
    }

    fn take_active(&self) -> Vec<(Key, u64)> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut active)
    }
}

/// Marks the task as running. If the runtime drops the task, this mark is dropped with it, and
/// another task can start.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn sweep(pool: Weak<Shared>, notify: Arc<Notify>, _running: Running) {
    let mut next = Instant::now();
    loop {
        // A timeout isn't an error here: it means that idle connections may have expired.
        let _ = timeout_at(next, notify.notified()).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        for (key, id) in pool.sweeper.take_active() {
            if let Some(host) = pool.find_host(&key) {
                host.poll_idle(id, &pool);
            }
        }
        if pool.sweeper.needs_trim.swap(false, Ordering::Relaxed) {
            trim(&pool);
        }
        let now = Instant::now();
        if next <= now {
            // Connections that are checked in from now on expire after this time.
            let mut first = now + pool.limits.idle_timeout;
            for host in pool.all_hosts() {
                first = first.min(host.sweep(now, &pool));
            }
            pool.remove_unused_hosts();
            next = first.max(now + MIN_SWEEP_INTERVAL);
        }
    }
}

/// Closes the connections that have been idle for longest, and drops the oldest TLS sessions, until
/// the limit for all hosts together is met.
fn trim(pool: &Shared) {
    let hosts = pool.all_hosts();
    let idle = hosts.iter().flat_map(|host| host.idle_since());
    if let Some(newest) = newest_surplus(idle.collect(), pool.limits.max_idle) {
        hosts.iter().for_each(|host| host.close_idle(newest, pool));
    }
    let sessions = hosts.iter().filter_map(|host| host.sessions_since());
    if let Some(newest) = newest_surplus(sessions.collect(), pool.limits.max_idle) {
        hosts
            .iter()
            .for_each(|host| host.forget_sessions(newest, pool));
    }
    drop(hosts);
    pool.remove_unused_hosts();
}

/// Returns the newest of the instants that exceed the limit, or `None` if there aren't too many. The
/// oldest instants exceed the limit first.
fn newest_surplus(mut since: Vec<Instant>, limit: usize) -> Option<Instant> {
    since.sort_unstable();
    // The target is somewhat below the limit, so that the next connection doesn't cause another sort.
    let kept = limit - limit / 8;
    since.get(since.len().checked_sub(kept + 1)?).copied()
}
