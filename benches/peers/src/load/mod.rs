//! The load: callers that keep their connections open, and use as little processor time as possible.

mod caller;
pub mod closed;
pub mod exchange;
pub mod http2;
pub mod open;
pub mod probe;
pub mod streams;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The progress of a load, which is read while the load runs.
#[derive(Debug, Default)]
pub struct Progress {
    calls: AtomicU64,
    bytes: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the number of answered calls, and the number of bytes in the direction that
    /// transfers more.
    pub fn so_far(&self) -> (u64, u64) {
        (
            self.calls.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
