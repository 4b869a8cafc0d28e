//! The answer to `/readyz`: whether a load balancer should send calls to this process.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::store::Connections;

/// The time for which the process counts as ready after the store was last reachable. Calls can be
/// answered meanwhile from connections that are kept in memory.
const GRACE: Duration = Duration::from_secs(60);

/// The maximum time that the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time for which the result of a check is used again.
const FRESH: Duration = Duration::from_secs(1);

/// The state of this process. Cloning increments a reference count.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<Inner>);

struct Inner {
    is_draining: AtomicBool,
    /// The store of the newest config.
    store: Mutex<Option<Connections>>,
    /// Held during a check, so that there is a single check at a time.
    checks: tokio::sync::Mutex<Checks>,
}

#[derive(Clone, Copy, Debug)]
struct Checks {
    last: Option<Instant>,
    last_success: Instant,
}

impl Checks {
    fn is_fresh(&self) -> bool {
        self.last.is_some_and(|last| last.elapsed() < FRESH)
    }

    fn record(&mut self, is_reachable: bool) {
        let now = Instant::now();
        self.last = Some(now);
        if is_reachable {
            self.last_success = now;
        }
    }

    fn is_within_grace(&self) -> bool {
        self.last_success.elapsed() < GRACE
    }
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            is_draining: AtomicBool::new(false),
            store: Mutex::new(None),
            checks: tokio::sync::Mutex::new(Checks {
                last: None,
                last_success: Instant::now(),
            }),
        }))
    }

    /// Sets the store that is checked from now on. It was just opened.
    pub(crate) fn set_store(&self, store: Connections) {
        let mut current = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(store);
    }

    /// Records that the process stops.
    pub(crate) fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the process takes calls and the store was reachable within the grace.
    pub(crate) async fn is_ready(&self) -> bool {
        if self.0.is_draining.load(Ordering::Relaxed) {
            return false;
        }
        let mut checks = self.0.checks.lock().await;
        if !checks.is_fresh() {
            let store = self
                .0
                .store
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let is_reachable = match store {
                Some(store) => timeout(PATIENCE, store.is_reachable()).await == Ok(true),
                None => false,
            };
            checks.record(is_reachable);
        }
        checks.is_within_grace()
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("is_draining", &self.0.is_draining)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock stands still, and is set.
    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_has_a_grace() {
        let mut checks = Checks {
            last: None,
            last_success: Instant::now(),
        };
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        assert!(!checks.is_fresh());
        pass(59).await;
        checks.record(false);
        assert!(checks.is_fresh() && checks.is_within_grace());
        pass(1).await;
        assert!(!checks.is_fresh() && !checks.is_within_grace());
        checks.record(true);
        assert!(checks.is_within_grace());
        pass(60).await;
        assert!(!checks.is_within_grace());
    }
}
