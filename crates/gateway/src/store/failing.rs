//! Logs the reasons for failures of the store. Callers only learn that the store failed.

use std::error::Error;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::StoreError;

/// The minimum time between two log lines, because a store may fail for each call.
const PAUSE: Duration = Duration::from_secs(10);

static TOLD: Mutex<Told> = Mutex::new(Told::new());

/// The failures that were logged.
struct Told {
    last: Option<Instant>,
    /// The number of failures since then that weren't logged.
    left_out: u64,
}

impl Told {
    const fn new() -> Self {
        Self {
            last: None,
            left_out: 0,
        }
    }

    /// Counts a failure. If it should be logged, returns the number of failures that weren't
    /// logged.
    fn again(&mut self, now: Instant) -> Option<u64> {
        let is_early = |last| now.saturating_duration_since(last) < PAUSE;
        if self.last.is_some_and(is_early) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Returns the result unchanged. If the store is unavailable, logs the reason.
pub(super) fn told<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(StoreError::Unavailable(error)) = &result {
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = told.again(Instant::now());
        drop(told);
        if let Some(left_out) = left_out {
            tracing::warn!(left_out, "the store failed: {}", with_sources(&**error));
        }
    }
    result
}

/// Returns the error with its causes. The errors of the stores contain no secret, and no data of
/// the request.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_in_a_while_with_the_number_left_out() {
        let mut told = Told::new();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(told.again(start), Some(0));
        assert_eq!(told.again(after(1)), None);
        assert_eq!(told.again(after(9)), None);
        assert_eq!(told.again(after(10)), Some(2));
        assert_eq!(told.again(after(11)), None);
        assert_eq!(told.again(after(30)), Some(1));
    }
}
