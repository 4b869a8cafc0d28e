//! The waker of an HTTP/1.1 connection, which wakes the task that uses the connection, or informs the
//! pool if the connection is idle.
//!
//! A connection keeps the same waker for its whole life, so that nothing is registered again for
//! each call. While a call uses the connection, the waker wakes that call's task. While the
//! connection is idle, the waker informs the pool. While the connection is polled, the waker only
//! records the wake-up, because most wake-ups during a poll are caused by the poll itself, and would
//! make the task run twice.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use atomic_waker::AtomicWaker;

use super::connection::IdlePool;

/// A call uses the connection, but isn't polling it at the moment.
const IN_USE: u8 = 0;
/// The connection is being polled.
const POLLING: u8 = 1;
/// The connection is being polled, and was woken since the poll started.
const POLLING_WOKEN: u8 = 2;
/// The connection is in the pool.
const IDLE: u8 = 3;
/// The connection is in the pool, and was woken since it was parked.
const IDLE_WOKEN: u8 = 4;

/// The waker of a connection.
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

    /// Finishes a poll. Returns `true` if the connection was woken during the poll, and must be
    /// polled again.
    pub(super) fn finish_poll(&self) -> bool {
        self.state.swap(IN_USE, Ordering::AcqRel) == POLLING_WOKEN
    }

    /// Finishes a poll, and marks the connection as idle. Returns `false` if the connection was woken
    /// since [`start_poll`](Self::start_poll), so that the connection isn't idle and must be polled
    /// again.
    pub(super) fn park(&self) -> bool {
        let is_parked = self
            .state
            .compare_exchange(POLLING, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if is_parked {
            // The task of the last call may have ended, and its waker would keep its memory.
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
