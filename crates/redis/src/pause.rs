//! The pauses after failures, during which a server isn't asked.

use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::durable::random_version;

use crate::error::RedisError;

/// The pause after a failed attempt to connect, during which no other attempt begins. The pauses double up to the maximum, and are jittered,
/// because all processes notice a fail-over at once.
pub(crate) struct Pause {
    min: Duration,
    max: Duration,
    /// The number of failures since an attempt succeeded.
    failures: u32,
    /// The error of the last attempt, and the time of the next attempt.
    last: Option<(RedisError, Instant)>,
}

impl Pause {
    /// Returns a `Pause` that hasn't begun. `min` is the pause after the first failure, and `max` the longest pause, both before the jitter.
    pub(crate) const fn between(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            failures: 0,
            last: None,
        }
    }

    /// Fails with the error of the last attempt until the pause is over.
    pub(crate) fn check(&self) -> Result<(), RedisError> {
        match &self.last {
            Some((error, until)) if Instant::now() < *until => {
                Err(RedisError::Pausing(Box::new(error.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Begins a pause, because an attempt has failed. Several failures at once count once.
    pub(crate) fn begin(&mut self, error: &RedisError) {
        let now = Instant::now();
        if self.last.as_ref().is_none_or(|(_, until)| *until <= now) {
            self.failures = self.failures.saturating_add(1);
            let pause = jittered(doubled(self.min, self.max, self.failures));
            self.last = Some((error.clone(), now + pause));
        }
    }

    /// Ends the pause, because an attempt has succeeded.
    pub(crate) fn end(&mut self) {
        self.failures = 0;
        self.last = None;
    }
}

/// Returns the pause after that many failures. The first pause is `min`, and each further pause is twice as long, up to `max`.
pub(crate) fn doubled(min: Duration, max: Duration, failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    min.saturating_mul(factor).min(max)
}

/// Returns a random time from a half of `pause` to `pause`.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let random = random_version().map_or(0, |version| version.get() % 1000);
    let part = 0.5 + f64::from(u16::try_from(random).unwrap_or_default()) / 2000.0;
    pause.mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(3);

    #[test]
    fn pauses_double_up_to_a_maximum_and_are_jittered() {
        assert_eq!(doubled(MIN, MAX, 1), MIN);
        assert_eq!(doubled(MIN, MAX, 2), MIN * 2);
        assert_eq!(doubled(MIN, MAX, 3), MIN * 4);
        assert_eq!(doubled(MIN, MAX, u32::MAX), MAX);
        let pauses: std::collections::HashSet<_> = (0..50).map(|_| jittered(MAX)).collect();
        assert!(pauses.len() > 10);
        assert!(pauses.iter().all(|pause| (MAX / 2..=MAX).contains(pause)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_the_error_of_its_attempt_and_failures_at_once_count_once() {
        let refused = |pause: &Pause| match pause.check() {
            Err(RedisError::Pausing(error)) => Some(*error),
            _ => None,
        };
        let mut pause = Pause::between(MIN, MAX);
        assert_eq!(pause.check(), Ok(()));
        pause.begin(&RedisError::of_code("LOADING"));
        for _ in 0..10 {
            pause.begin(&RedisError::Closed);
        }
        assert_eq!(refused(&pause), Some(RedisError::of_code("LOADING")));
        tokio::time::advance(MIN).await;
        assert_eq!(pause.check(), Ok(()));
        pause.begin(&RedisError::Closed);
        // Twice the first pause, of which the jitter leaves a half at least.
        tokio::time::advance(MIN - Duration::from_millis(1)).await;
        assert_eq!(refused(&pause), Some(RedisError::Closed));
        pause.end();
        assert_eq!(pause.check(), Ok(()));
        pause.begin(&RedisError::Closed);
        tokio::time::advance(MIN).await;
        assert_eq!(pause.check(), Ok(()));
    }
}
