//! The limit for requests that are sent again, so that retries don't make an outage worse.

use std::time::Duration;

use tokio::time::Instant;

use super::origins::{Key, Origins};

/// The time for which calls are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// The number of retries that each window allows in any case, so that an upstream with few calls has
/// retries as well.
const MIN_RETRIES: u32 = 10;
/// The number of calls that allow another retry, so that at most 20 % of the calls are retried.
const CALLS_PER_RETRY: u32 = 5;

/// The budgets of all connection keys at all destinations. A connection key whose calls fail uses up only its own budget.
#[derive(Default)]
pub(super) struct Budget(Origins<Window>);

struct Window {
    began: Instant,
    calls: u32,
    retries: u32,
}

impl Window {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            calls: 0,
            retries: 0,
        }
    }

    /// Returns the present window.
    fn current(&mut self) -> &mut Self {
        if self.began.elapsed() >= WINDOW {
            *self = Self::new();
        }
        self
    }
}

impl Budget {
    /// Counts a call that may be retried.
    pub(super) fn called(&self, key: &Key) {
        let mut windows = self.0.lock();
        let window = windows.entry(key, Window::new).current();
        window.calls = window.calls.saturating_add(1);
    }

    /// Takes a retry from the budget. Returns `false` if the budget is used up.
    pub(super) fn grants(&self, key: &Key) -> bool {
        let mut windows = self.0.lock();
        let window = windows.entry(key, Window::new).current();
        let grants = window.retries < MIN_RETRIES + window.calls / CALLS_PER_RETRY;
        window.retries += u32::from(grants);
        grants
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Location, Scheme};

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_calls_and_a_reserve_are_granted_in_each_window() {
        let origin =
            |host| Key::shared(&Location::parse(host, Some(Scheme::Https)).unwrap().origin);
        let (origin, other) = (origin("a.test"), origin("b.test"));
        let budget = Budget::default();
        let granted = || (0..1000).filter(|_| budget.grants(&origin)).count();
        (0..100).for_each(|_| budget.called(&origin));
        assert_eq!(granted(), 30);
        assert_eq!(granted(), 0);
        assert!(budget.grants(&other));
        tokio::time::advance(WINDOW).await;
        assert_eq!(granted(), 10);
    }
}
