//! Wakes the task that uses a connection, or informs the pool in which it's idle.
//!
//! A connection has one waker for all its life, so that nothing is registered again for each call.
//! While a call uses the connection, the waker wakes that call's task. While the connection is idle,
//! the waker informs the pool. While the connection is polled, the waker only notes the wake-up: most
//! of those are caused by the poll itself, and would make the task run twice.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use atomic_waker::AtomicWaker;

use super::connection::IdlePool;

/// Used by a call that isn't polling the connection.
const IN_USE: u8 = 0;
/// Being polled.
const POLLING: u8 = 1;
/// Being polled, and woken since the poll started.
const POLLING_WOKEN: u8 = 2;
/// In the pool.
const IDLE: u8 = 3;
/// In the pool, and woken since.
const IDLE_WOKEN: u8 = 4;

/// The waker of one connection.
pub(super) struct ConnectionWaker {
    state: AtomicU8,
    user: AtomicWaker,
    pool: Weak<dyn IdlePool>,
    connection_id: u64,
}

impl ConnectionWaker {
    /// Returns the waker of a connection that is in use.
    pub(super) fn new(pool: Weak<dyn IdlePool>, connection_id: u64) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(IN_USE),
            user: AtomicWaker::new(),
            pool,
            connection_id,
        })
    }

    /// Sets the task that uses the connection.
    pub(super) fn register(&self, user: &Waker) {
        self.user.register(user);
    }

    /// Starts a poll. Returns `true` if the connection was woken while it was idle.
    pub(super) fn start_poll(&self) -> bool {
        self.state.swap(POLLING, Ordering::AcqRel) == IDLE_WOKEN
    }

    /// Finishes a poll. Returns `true` if the connection was woken meanwhile, and must be polled again.
    pub(super) fn finish_poll(&self) -> bool {
        self.state.swap(IN_USE, Ordering::AcqRel) == POLLING_WOKEN
    }

    /// Finishes a poll, and marks the connection as idle. Returns `false` if the connection was woken
    /// since [`start_poll`](Self::start_poll): then it isn't idle, and must be polled again.
    pub(super) fn park(&self) -> bool {
        let is_parked = self
            .state
            .compare_exchange(POLLING, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if is_parked {
            // Frees the last user's task, which may have ended.
            drop(self.user.take());
        }
        is_parked
    }

    /// Returns `true` if the connection is idle, and was woken since it was parked.
    pub(super) fn is_idle_woken(&self) -> bool {
        self.state.load(Ordering::Acquire) == IDLE_WOKEN
    }
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let previous = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
                POLLING => Some(POLLING_WOKEN),
                IDLE => Some(IDLE_WOKEN),
                _ => None,
            });
        match previous {
            Ok(IDLE) => {
                if let Some(pool) = self.pool.upgrade() {
                    pool.on_idle_activity(self.connection_id);
                }
            }
            Err(IN_USE) => self.user.wake(),
            _ => {}
        }
    }
}
