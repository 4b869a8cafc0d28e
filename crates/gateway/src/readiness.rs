//! The answer to `/readyz`: whether a load balancer should send calls to this process.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::metrics;
use crate::store::{Connections, Reached};

/// The maximum time that the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time for which the result of a check is used again.
const FRESH: Duration = Duration::from_secs(1);

/// The number of failed checks in a row from which the store counts as unreachable.
const FAILURES: u32 = 2;

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
    /// The time of the last check.
    last: Option<Instant>,
    /// The number of checks in a row that have failed.
    failures: u32,
    last_success: Instant,
}

impl Checks {
    fn is_fresh(&self) -> bool {
        self.last.is_some_and(|at| at.elapsed() < FRESH)
    }

    fn record(&mut self, reached: Reached) {
        let now = Instant::now();
        self.last = Some(now);
        match reached {
            Reached::Yes => {
                self.failures = 0;
                self.last_success = now;
            }
            Reached::No => self.failures = self.failures.saturating_add(1),
            // A busy process isn't sent away, and a failure that was found before still counts.
            Reached::Unknown => {}
        }
    }

    /// Returns `true` if the store is reachable, or was reachable within the grace, in which calls are answered from connections in
    /// memory. A single failure doesn't count, because a slow answer also is one. `last_asked` is the time since calls have last reached
    /// the store.
    fn is_ready(&self, grace: Duration, last_asked: Option<Duration>) -> bool {
        let since = self.last_success.elapsed();
        self.failures < FAILURES || last_asked.map_or(since, |asked| asked.min(since)) < grace
    }
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            is_draining: AtomicBool::new(false),
            store: Mutex::new(None),
            checks: tokio::sync::Mutex::new(Checks {
                last: None,
                failures: 0,
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
            let reached = timeout(PATIENCE, store.reach()).await;
            checks.record(reached.unwrap_or_else(|_| {
                metrics::store_operation("list", "failed");
                Reached::No
            }));
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
            failures: 0,
            last_success: Instant::now(),
        };
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let grace = Duration::from_secs(60);
        let is_ready = |checks: &Checks| checks.is_ready(grace, None);
        let fail = |checks: &mut Checks| (0..FAILURES).for_each(|_| checks.record(Reached::No));
        assert!(!checks.is_fresh());
        pass(59).await;
        fail(&mut checks);
        assert!(checks.is_fresh() && is_ready(&checks));
        pass(1).await;
        assert!(!checks.is_fresh() && !is_ready(&checks));
        checks.record(Reached::Yes);
        assert!(is_ready(&checks));
        pass(60).await;
        fail(&mut checks);
        assert!(!is_ready(&checks));
        // Calls have reached the store since.
        assert!(checks.is_ready(grace, Some(Duration::from_secs(59))));
        assert!(!checks.is_ready(grace, Some(grace)));
        // Without a grace, the last checks count, but not a single slow answer.
        let is_ready = |checks: &Checks| checks.is_ready(Duration::ZERO, Some(Duration::ZERO));
        assert!(!is_ready(&checks));
        checks.record(Reached::Unknown);
        assert!(!is_ready(&checks));
        checks.record(Reached::Yes);
        checks.record(Reached::No);
        assert!(is_ready(&checks));
        checks.record(Reached::Unknown);
        assert!(is_ready(&checks));
        checks.record(Reached::No);
        assert!(!is_ready(&checks));
    }
}
