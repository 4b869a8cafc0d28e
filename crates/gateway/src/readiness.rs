//! The answer to `/readyz`: whether a load balancer should send calls to this process.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::store::Connections;

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
    /// The time and the result of the last check.
    last: Option<(Instant, bool)>,
    last_success: Instant,
}

impl Checks {
    fn is_fresh(&self) -> bool {
        self.last.is_some_and(|(at, _)| at.elapsed() < FRESH)
    }

    fn record(&mut self, is_reachable: bool) {
        let now = Instant::now();
        self.last = Some((now, is_reachable));
        if is_reachable {
            self.last_success = now;
        }
    }

    /// Returns `true` if the store is reachable, or was reachable within the grace, in which calls are answered from connections in
    /// memory. `last_asked` is the time since calls have last reached the store.
    fn is_ready(&self, grace: Duration, last_asked: Option<Duration>) -> bool {
        let is_reachable = self.last.is_some_and(|(_, is_reachable)| is_reachable);
        let since = self.last_success.elapsed();
        is_reachable || last_asked.map_or(since, |asked| asked.min(since)) < grace
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
        let store = self
            .0
            .store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(store) = store else {
            return false;
        };
        let mut checks = self.0.checks.lock().await;
        if !checks.is_fresh() {
            let is_reachable = timeout(PATIENCE, store.is_reachable()).await == Ok(true);
            checks.record(is_reachable);
        }
        let last_asked = store.cache_status().and_then(|cache| cache.last_asked);
        checks.is_ready(store.grace(), last_asked)
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
        let grace = Duration::from_secs(60);
        let is_ready = |checks: &Checks| checks.is_ready(grace, None);
        assert!(!checks.is_fresh());
        pass(59).await;
        checks.record(false);
        assert!(checks.is_fresh() && is_ready(&checks));
        pass(1).await;
        assert!(!checks.is_fresh() && !is_ready(&checks));
        checks.record(true);
        assert!(is_ready(&checks));
        pass(60).await;
        checks.record(false);
        assert!(!is_ready(&checks));
        // Calls have reached the store since.
        assert!(checks.is_ready(grace, Some(Duration::from_secs(59))));
        assert!(!checks.is_ready(grace, Some(grace)));
        // Without a grace, only the last check counts.
        assert!(!checks.is_ready(Duration::ZERO, Some(Duration::ZERO)));
        checks.record(true);
        assert!(checks.is_ready(Duration::ZERO, None));
    }
}
