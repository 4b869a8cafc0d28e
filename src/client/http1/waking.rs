//! Who is told that something happened on a connection.
//!
//! A connection has one waker for all its life, so that nothing is registered anew for each call.
//! What it does depends on where the connection is: in the hands of a call it wakes that call's
//! task; in the pool it tells the pool. While the connection is polled it only notes the wake, as
//! most of those are the connection's own doing, and would make the task run twice.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use atomic_waker::AtomicWaker;

use super::connection::Home;

/// In the hands of a call that isn't polling it.
const LENT: u8 = 0;
/// Being polled.
const POLLED: u8 = 1;
/// Being polled, and woken meanwhile.
const WOKEN: u8 = 2;
/// In the pool.
const IDLE: u8 = 3;
/// In the pool, and something happened.
const STIRRED: u8 = 4;

/// The waker of one connection.
pub(super) struct Waking {
    state: AtomicU8,
    user: AtomicWaker,
    home: Weak<dyn Home>,
    id: u64,
}

impl Waking {
    /// That of a connection that is in use.
    pub(super) fn new(home: Weak<dyn Home>, id: u64) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(LENT),
            user: AtomicWaker::new(),
            home,
            id,
        })
    }

    /// Sets the task that uses the connection.
    pub(super) fn belongs_to(&self, user: &Waker) {
        self.user.register(user);
    }

    /// The connection is polled from now on. Whether something had happened in the pool.
    pub(super) fn begin(&self) -> bool {
        self.state.swap(POLLED, Ordering::AcqRel) == STIRRED
    }

    /// Whether something has happened since it went into the pool.
    pub(super) fn is_stirred(&self) -> bool {
        self.state.load(Ordering::Acquire) == STIRRED
    }

    /// The connection has been polled. Whether it must be once more.
    pub(super) fn end(&self) -> bool {
        self.state.swap(LENT, Ordering::AcqRel) == WOKEN
    }

    /// The connection goes into the pool, unless something happened since [`begin`](Self::begin).
    pub(super) fn rest(&self) -> bool {
        let rests = self
            .state
            .compare_exchange(POLLED, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if rests {
            // The last user's task may have ended, and needn't be kept in memory.
            drop(self.user.take());
        }
        rests
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let noted =
            self.state
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
                    POLLED => Some(WOKEN),
                    IDLE => Some(STIRRED),
                    _ => None,
                });
        match noted {
            Ok(IDLE) => {
                if let Some(home) = self.home.upgrade() {
                    home.stirred(self.id);
                }
            }
            Err(LENT) => self.user.wake(),
            _ => {}
        }
    }
}
