//! The back-off from a token endpoint that fails, and other state of a connection between refreshes.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::freshness::Margins;
use crate::single_flight::{Memory, SharedError};
use crate::store::{CredentialVersion, StoredConnection};

/// The wait after the first failure. Each further failure doubles it.
const INITIAL_WAIT: Duration = Duration::from_secs(1);

/// The maximum wait, unless the endpoint requests a longer wait.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The maximum wait that an endpoint can request.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(300);

/// The time after the wait for which the count of failures is kept.
const FAILURE_COUNT_TTL: Duration = Duration::from_secs(300);

/// The pause after a source found that a connection is incomplete.
const INCOMPLETE_PAUSE: Duration = Duration::from_secs(5);

/// The minimum time between two refreshes of a connection because of a 401, as an upstream that always responds with 401
/// would otherwise cause a refresh per call.
const FORCED_REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// The state of a connection between refreshes.
#[derive(Default)]
pub(super) struct Remembered {
    failing: Option<Failing>,
    /// The time until which a token that is due doesn't lead to a refresh.
    paused_until: Option<Instant>,
    /// The time until which the connection counts as incomplete.
    incomplete_until: Option<Instant>,
    /// The time of the last refresh that a 401 forced, and the newest version then. A refresh that failed doesn't count, as
    /// it leads to a back-off.
    forced: Option<(Instant, CredentialVersion)>,
    /// The end of the token and its margins, if its lifetime is short.
    margins: Option<(SystemTime, Margins)>,
}

struct Failing {
    times: u32,
    until: Instant,
    cause: SharedError,
}

/// The reason why no refresh begins.
pub(super) enum NotNow {
    /// The source failed, and isn't called again before that time.
    Failing(Instant, SharedError),
    /// The last refresh was a moment ago.
    Paused,
    /// Only the connection's owner can repair the connection.
    Incomplete,
}

impl Remembered {
    /// Checks whether a caller without a good token may begin a refresh.
    pub(super) fn check_refresh(&self) -> Result<(), NotNow> {
        if is_ahead(self.incomplete_until) {
            return Err(NotNow::Incomplete);
        }
        match &self.failing {
            Some(failing) if Instant::now() < failing.until => {
                Err(NotNow::Failing(failing.until, failing.cause.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Checks whether a refresh may begin while the old token is still valid.
    pub(super) fn check_early_refresh(&self) -> Result<(), NotNow> {
        if is_ahead(self.paused_until) {
            return Err(NotNow::Paused);
        }
        self.check_refresh()
    }

    /// Checks whether a 401 may force a refresh of that version. A newer version that the host application stored
    /// counts as a change. A newer version from another process's refresh doesn't count, regardless of that process's
    /// clock.
    pub(super) fn check_forced_refresh(
        &self,
        version: CredentialVersion,
        is_put: bool,
    ) -> Result<(), NotNow> {
        match self.forced {
            Some((at, forced))
                if (forced == version || !is_put) && at.elapsed() < FORCED_REFRESH_INTERVAL =>
            {
                Err(NotNow::Paused)
            }
            _ => self.check_refresh(),
        }
    }

    /// Returns the margins of the token that ends at `end`, if they were remembered.
    pub(super) fn margins(&self, end: Option<SystemTime>) -> Option<Margins> {
        let (remembered, margins) = self.margins?;
        (Some(remembered) == end).then_some(margins)
    }

    pub(super) fn remember_margins(&mut self, end: SystemTime, margins: Margins) {
        self.margins = Some((end, margins));
    }

    pub(super) fn record_forced_refresh(&mut self, version: CredentialVersion) {
        self.forced = Some((Instant::now(), version));
    }

    /// Prevents refreshes for that time while the old token is still valid.
    pub(super) fn pause(&mut self, time: Duration) {
        self.paused_until = Instant::now().checked_add(time);
    }

    /// Records that the connection is incomplete. The pause is short, as its owner may complete it at any time.
    pub(super) fn record_incomplete(&mut self) {
        self.incomplete_until = Instant::now().checked_add(INCOMPLETE_PAUSE);
        self.forced = None;
    }

    /// Records a failure of the source or the store, and returns the end of the back-off.
    pub(super) fn record_failure(
        &mut self,
        requested_wait: Option<Duration>,
        cause: SharedError,
    ) -> Instant {
        let times = self
            .failing
            .as_ref()
            .map_or(1, |failing| failing.times.saturating_add(1));
        let until = Instant::now() + wait(times, requested_wait);
        self.forced = None;
        self.failing = Some(Failing {
            times,
            until,
            cause,
        });
        until
    }

    /// Records that new tokens are stored as that version.
    pub(super) fn record_refresh(&mut self, version: CredentialVersion) {
        self.failing = None;
        self.paused_until = None;
        self.margins = None;
        if let Some((_, newest)) = &mut self.forced {
            *newest = version;
        }
    }
}

impl Memory for Remembered {
    fn is_empty(&self) -> bool {
        let is_failing = |failing: &Failing| is_ahead(failing.until.checked_add(FAILURE_COUNT_TTL));
        !self.failing.as_ref().is_some_and(is_failing)
            && !is_ahead(self.paused_until)
            && !is_ahead(self.incomplete_until)
            && self
                .forced
                .is_none_or(|(at, _)| at.elapsed() >= FORCED_REFRESH_INTERVAL)
            && self.margins.is_none_or(|(end, _)| end <= SystemTime::now())
    }

    fn on_broken_off(&mut self) {
        self.record_failure(None, SharedError::new("the refresh ended without a result"));
    }
}

/// Returns `true` if any process has refreshed the connection within the interval for forced refreshes. The clocks of two
/// machines may differ in either direction.
pub(super) fn is_recent(record: &StoredConnection) -> bool {
    let now = SystemTime::now();
    record.refreshed_at.is_some_and(|at| {
        let apart = now
            .duration_since(at)
            .unwrap_or_else(|error| error.duration());
        apart < FORCED_REFRESH_INTERVAL
    })
}

fn is_ahead(at: Option<Instant>) -> bool {
    at.is_some_and(|at| Instant::now() < at)
}

/// Returns the wait after that many failures, with jitter, so that connections that share an outage don't all retry at
/// once.
fn wait(times: u32, requested: Option<Duration>) -> Duration {
    let doubled = 2_u32.saturating_pow(times.saturating_sub(1).min(16));
    let own = jittered(INITIAL_WAIT.saturating_mul(doubled).min(MAX_WAIT));
    let requested = requested.unwrap_or_default().min(MAX_REQUESTED_WAIT);
    match requested > own {
        true => requested + jittered(INITIAL_WAIT),
        false => own,
    }
}

/// Growing waits between two reads of the store.
pub(super) struct Waits(Duration);

impl Waits {
    pub(super) const fn new() -> Self {
        Self(Duration::from_millis(50))
    }

    pub(super) async fn next(&mut self) {
        sleep(jittered(self.0)).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(1));
    }
}

/// Returns a random duration between half of `time` and `time`.
fn jittered(time: Duration) -> Duration {
    time / 2 + fraction(time / 2, RandomState::new().hash_one(0))
}

/// Returns the part of `time` that the hash selects.
pub(super) fn fraction(time: Duration, hash: u64) -> Duration {
    let part = u32::try_from(hash >> 32).unwrap_or(u32::MAX);
    time.mul_f64(f64::from(part) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_a_minute() {
        for (times, most) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (6, 32),
            (7, 60),
            (4_000_000_000, 60),
        ] {
            let most = Duration::from_secs(most);
            for _ in 0..100 {
                let wait = wait(times, None);
                assert!(wait >= most / 2 && wait <= most, "{wait:?} after {times}");
            }
        }
    }

    #[test]
    fn an_endpoint_may_ask_for_more_but_not_for_ever() {
        let at_least = |asked: u64, least: u64| {
            let least = Duration::from_secs(least);
            let wait = wait(1, Some(Duration::from_secs(asked)));
            assert!(wait >= least && wait <= least + INITIAL_WAIT, "{wait:?}");
        };
        at_least(30, 30);
        at_least(1_000_000, 300);
        assert!(wait(7, Some(INITIAL_WAIT)) >= MAX_WAIT / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_remembered_for_its_wait_and_its_count_for_longer() {
        let mut memory = Remembered::default();
        assert!(memory.is_empty() && memory.check_refresh().is_ok());
        let until = memory.record_failure(None, SharedError::new("down"));
        assert!(matches!(memory.check_refresh(), Err(NotNow::Failing(at, _)) if at == until));
        tokio::time::advance(until - Instant::now()).await;
        assert!(memory.check_refresh().is_ok());
        assert!(!memory.is_empty());
        let second = memory.record_failure(None, SharedError::new("down")) - Instant::now();
        assert!(second >= INITIAL_WAIT, "{second:?}");
        tokio::time::advance(FAILURE_COUNT_TTL + MAX_WAIT).await;
        assert!(memory.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn x5_a_401_drives_once_a_minute_until_the_credential_changes() {
        let (first, second) = (CredentialVersion::new(1), CredentialVersion::new(2));
        let mut memory = Remembered::default();
        memory.record_forced_refresh(first);
        assert!(memory.check_forced_refresh(first, true).is_err());
        assert!(memory.check_forced_refresh(second, true).is_ok());
        assert!(memory.check_forced_refresh(second, false).is_err());
        memory.record_refresh(second);
        assert!(memory.check_forced_refresh(second, true).is_err());
        tokio::time::advance(FORCED_REFRESH_INTERVAL).await;
        assert!(memory.check_forced_refresh(second, false).is_ok());
        assert!(memory.is_empty());
    }
}
