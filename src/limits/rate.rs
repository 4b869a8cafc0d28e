//! The limit for the rate at which calls of a connection key begin in this process: a token bucket of `governor` for each key.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::connection::ConnectionKey;
use crate::error::{Error, ErrorCode};

/// The rate at which calls of a connection may begin, for
/// [`PassthroughBuilder::rate_per_connection_key`](crate::PassthroughBuilder::rate_per_connection_key).
///
/// After a pause, a burst of calls may begin at once. After the burst, calls may begin evenly at the rate.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use tower_passthrough::limits::Rate;
///
/// # fn main() -> Result<(), std::num::TryFromIntError> {
/// let rate = Rate::per_second(NonZeroU32::try_from(10)?).burst(NonZeroU32::try_from(20)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rate(Quota);

impl Rate {
    /// governor computes with nanoseconds in 64 bits, which a longer time could overflow.
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

    /// Returns a rate of that many calls a second, with a burst of the same number.
    #[must_use]
    pub const fn per_second(calls: NonZeroU32) -> Self {
        Self(Quota::per_second(calls))
    }

    /// Returns a rate of that many calls a minute, with a burst of the same number.
    #[must_use]
    pub const fn per_minute(calls: NonZeroU32) -> Self {
        Self(Quota::per_minute(calls))
    }

    /// Sets the number of calls that may begin at once after a pause. The maximum is the number of calls that the rate
    /// allows in a century. Default: the number of calls of the rate.
    #[must_use]
    pub fn burst(self, calls: NonZeroU32) -> Self {
        let most = Self::CENTURY.as_nanos() / self.interval().as_nanos();
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let most = NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN);
        Self(self.0.allow_burst(calls.min(most)))
    }

    /// Returns the rate of one of several replicas that have the same rate together: the rate and the burst divided by the number of
    /// replicas, and a burst of at least 1.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    ///
    /// use tower_passthrough::limits::Rate;
    ///
    /// # fn main() -> Result<(), std::num::TryFromIntError> {
    /// let rate = Rate::per_second(NonZeroU32::try_from(30)?);
    /// let share = Rate::per_second(NonZeroU32::try_from(10)?);
    /// assert_eq!(rate.share_of(NonZeroU32::try_from(3)?).burst_size(), share.burst_size());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn share_of(self, replicas: NonZeroU32) -> Self {
        let interval = self.interval().saturating_mul(replicas.get());
        let quota = Quota::with_period(interval.min(Self::CENTURY)).unwrap_or(self.0);
        let burst = self.burst_size().get() / replicas;
        Self(quota).burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
    }

    /// Returns the time after which one more call may begin. At least 1 ns.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.0.replenish_interval().max(Duration::from_nanos(1))
    }

    /// Returns the number of calls that may begin at once after a pause.
    #[must_use]
    pub const fn burst_size(&self) -> NonZeroU32 {
        self.0.burst_size()
    }

    /// Returns the time in which the whole burst may begin evenly.
    pub(super) fn window(&self) -> Duration {
        self.interval().saturating_mul(self.burst_size().get())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate")
            .field("one_each", &self.0.replenish_interval())
            .field("burst", &self.0.burst_size())
            .finish()
    }
}

type Buckets = HashMapStateStore<ConnectionKey, RandomState>;
type Limiter = RateLimiter<ConnectionKey, Buckets, MonotonicClock, NoOpMiddleware<Instant>>;
type Instant = <MonotonicClock as Clock>::Instant;

/// The buckets of the connection keys. Full buckets are removed from time to time.
pub(super) struct Rates {
    rate: Rate,
    limiter: Limiter,
    /// The number of calls until full buckets are removed.
    until_sweep: AtomicUsize,
}

impl Rates {
    /// The minimum number of calls between two sweeps.
    const MIN_SWEEP_INTERVAL: usize = 1024;

    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            limiter: RateLimiter::new(rate.0, Buckets::default(), MonotonicClock),
            until_sweep: AtomicUsize::new(Self::MIN_SWEEP_INTERVAL),
        }
    }

    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    pub(super) fn check(&self, id: &ConnectionKey) -> Result<(), Error> {
        let checked = self.limiter.check_key(id);
        self.sweep_in_time();
        checked.map_err(|not_until| {
            let wait = not_until.wait_time_from(self.limiter.clock().now());
            too_fast(wait)
        })
    }

    /// Removes the buckets that are full again, so that memory is bounded by the number of recent calls. A full bucket
    /// has the same meaning as a missing bucket.
    ///
    /// The next sweep comes after as many calls as this sweep has left buckets, but after at least
    /// [`MIN_SWEEP_INTERVAL`](Self::MIN_SWEEP_INTERVAL) calls. Each call adds at most one bucket, so the table has at
    /// most two buckets for each call since the last sweep, and on average a call pays for the check of at most two
    /// buckets.
    fn sweep_in_time(&self) {
        // Only one call reads 1 and sweeps. The counter of later calls wraps around, until the sweep sets it again.
        if self.until_sweep.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            let left = self.limiter.len();
            self.until_sweep
                .store(left.max(Self::MIN_SWEEP_INTERVAL), Ordering::Relaxed);
        }
    }
}

/// Returns the error of a call that may begin after that time.
pub(super) fn too_fast(wait: Duration) -> Error {
    Error::new(
        ErrorCode::RateLimited,
        "the calls of this connection begin at a higher rate than the host application allows; wait for the time in Retry-After",
    )
    .with_retry_after(wait)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn id(text: &str) -> ConnectionKey {
        ConnectionKey::try_from(text).unwrap()
    }

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn x2_full_buckets_are_forgotten() {
        // A bucket is full again after a microsecond.
        let rates = Rates::new(Rate::per_second(number(1_000_000)).burst(number(1)));
        for nth in 0..10_000 {
            assert!(rates.check(&id(&nth.to_string())).is_ok());
            assert!(
                rates.limiter.len() <= 2 * Rates::MIN_SWEEP_INTERVAL,
                "{nth}"
            );
        }
    }

    #[test]
    fn what_is_not_full_is_kept() {
        let rates = Rates::new(Rate::per_minute(number(1)));
        for nth in 0..3000 {
            assert!(rates.check(&id(&nth.to_string())).is_ok());
        }
        for nth in 0..3000 {
            assert!(rates.check(&id(&nth.to_string())).is_err());
        }
        assert_eq!(rates.limiter.len(), 3000);
    }

    #[test]
    fn it_says_when_the_next_call_may_begin() {
        let rates = Rates::new(Rate::per_minute(number(1)).burst(number(2)));
        let after = || {
            let refused = rates.check(&id("c")).err();
            refused.and_then(|error| error.retry_after())
        };
        assert_eq!((after(), after()), (None, None));
        let wait = after().unwrap_or_default();
        assert!(wait > Duration::from_secs(30), "{wait:?}");
        assert!(wait <= Duration::from_secs(60), "{wait:?}");
    }
}
