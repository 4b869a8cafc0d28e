//! The waker of an HTTP/1.1 connection, which wakes the task that uses the connection, or informs the
//! pool if the connection is idle.
//!
//! A connection keeps the same waker for its whole life, so that nothing is registered again for
//! each call. While a call uses the connection, the waker wakes that call's task. While the
//! connection is idle, the waker informs the pool. While the connection is polled, the waker only
//! records the wake-up, because most wake-ups during a poll are caused by the poll itself, and would
//! make the task run twice.

use std::cell::Cell;
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

thread_local! {
    /// `true` while the wake-ups that this thread causes don't count.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `run`, and ignores the wake-ups of connections that it causes. The wake-ups of other threads count.
///
/// The first poll of hyper's body wakes the connection, and a connection that was woken must be polled again. If the whole body has been
/// read already, this poll does nothing, and takes 860 instructions.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            IS_QUIET.set(false);
        }
    }
    IS_QUIET.set(true);
    let _reset = Reset;
    run()
}

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
        if IS_QUIET.get() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::super::connection::Http1;
    use super::*;

    struct NoPool;

    impl IdlePool for NoPool {
        fn check_in(self: Arc<Self>, _: Box<Http1>) {}

        fn on_idle_activity(&self, _: u64) {}

        fn on_unsolicited(&self) {}

        fn on_large_head(&self) {}

        fn has_large_heads(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_quiet_wake_up_is_ignored_but_not_that_of_another_thread() {
        let wakeups = ConnectionWaker::new(Weak::<NoPool>::new(), 0);
        let waker = Waker::from(Arc::clone(&wakeups));
        wakeups.start_poll();
        quietly(|| waker.wake_by_ref());
        assert!(!wakeups.finish_poll());
        wakeups.start_poll();
        quietly(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| waker.wake_by_ref());
            });
        });
        assert!(wakeups.finish_poll());
        wakeups.start_poll();
        waker.wake_by_ref();
        assert!(wakeups.finish_poll());
    }
}
