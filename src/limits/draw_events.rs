//! The events of draws that fail, and of the next draw that succeeds. Without the feature `tracing` there are none.

#[cfg(feature = "tracing")]
pub(super) use self::on::DrawEvents;

#[cfg(not(feature = "tracing"))]
pub(super) use self::off::DrawEvents;

#[cfg(feature = "tracing")]
mod on {
    use std::error::Error;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use tokio::time::Instant;

    use crate::connection::ConnectionKey;
    use crate::error::causes;

    /// The minimum time between two events of failures. While a source fails, there is a draw each second, and one more for each key.
    const PAUSE: Duration = Duration::from_secs(10);

    /// The failures that were logged.
    #[derive(Debug, Default)]
    pub(crate) struct DrawEvents {
        /// `true` if a failure was logged after the last draw that succeeded.
        has_failed: AtomicBool,
        failures: Mutex<Failures>,
    }

    #[derive(Debug, Default)]
    struct Failures {
        logged_at: Option<Instant>,
        /// The number of failures after `logged_at` that weren't logged.
        left_out: u64,
    }

    impl Failures {
        /// Counts a failure. Returns the number of failures that weren't logged, if the failure must be logged.
        fn add(&mut self) -> Option<u64> {
            let now = Instant::now();
            if self.logged_at.is_some_and(|at| now < at + PAUSE) {
                self.left_out = self.left_out.saturating_add(1);
                return None;
            }
            self.logged_at = Some(now);
            Some(std::mem::take(&mut self.left_out))
        }
    }

    impl DrawEvents {
        /// Logs the failure and its causes, unless a failure was logged shortly before.
        pub(crate) fn on_failed(&self, key: &ConnectionKey, error: &(dyn Error + 'static)) {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            let left_out = failures.add();
            drop(failures);
            if let Some(left_out) = left_out {
                self.has_failed.store(true, Ordering::Relaxed);
                tracing::warn!(
                    target: "tower_passthrough",
                    // Quoted, because a caller may have chosen the key, and an unquoted key could look like another field.
                    connection = tracing::field::debug(key.as_str()),
                    left_out,
                    "a draw of the rate that all processes share failed, so this process counts the calls of the connection{}",
                    causes(error)
                );
            }
        }

        /// Logs the first draw that succeeds after a logged failure.
        pub(crate) fn on_drawn(&self) {
            if self.has_failed.load(Ordering::Relaxed)
                && self.has_failed.swap(false, Ordering::Relaxed)
            {
                tracing::info!(
                    target: "tower_passthrough",
                    "a draw of the rate that all processes share succeeded again"
                );
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::error::Error;

    use crate::connection::ConnectionKey;

    /// A replacement for the events if the feature `tracing` is off.
    #[derive(Debug, Default)]
    pub(crate) struct DrawEvents;

    impl DrawEvents {
        pub(crate) fn on_failed(&self, _: &ConnectionKey, _: &(dyn Error + 'static)) {}

        pub(crate) fn on_drawn(&self) {}
    }
}
