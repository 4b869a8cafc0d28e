//! How long to leave a token endpoint alone that fails, and what else is remembered of a connection.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::flight::Memory;
use super::freshness::Margins;
use super::landed::SharedError;
use crate::store::{CredentialVersion, StoredConnection};

/// The wait after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait of our own.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait that an endpoint can ask for.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(300);

/// How much longer than the wait the count of failures is kept.
const KEPT: Duration = Duration::from_secs(300);

/// For how long a connection that lacks something isn't looked at again.
const LACKING: Duration = Duration::from_secs(5);

/// How often a connection is renewed because of 401s (SECURITY X5).
const ONCE_IN: Duration = Duration::from_secs(60);

/// What is remembered of a connection between refreshes.
#[derive(Default)]
pub(super) struct Remembered {
    failing: Option<Failing>,
    /// Until when a token that is due is no reason to look again.
    quiet_until: Option<Instant>,
    /// Until when the connection lacks what only its owner can give.
    lacks_until: Option<Instant>,
    /// When a 401 last led to a refresh, and the version that was the newest then. One that failed
    /// doesn't count: the endpoint is left alone for other reasons then.
    driven: Option<(Instant, CredentialVersion)>,
    /// The margins of the token that ends then, if its life is short.
    margins: Option<(SystemTime, Margins)>,
}

struct Failing {
    times: u32,
    until: Instant,
    cause: SharedError,
}

/// Why no refresh begins.
pub(super) enum NotNow {
    /// The endpoint is left alone until then.
    Failing(Instant, SharedError),
    /// There was one a moment ago.
    Quiet,
    /// Only the connection's owner can help.
    Lacking,
}

impl Remembered {
    /// Whether a caller that needs a token may ask for one.
    pub(super) fn may_ask(&self) -> Result<(), NotNow> {
        if is_ahead(self.lacks_until) {
            return Err(NotNow::Lacking);
        }
        match &self.failing {
            Some(failing) if Instant::now() < failing.until => {
                Err(NotNow::Failing(failing.until, failing.cause.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it's worth looking for a newer token, as the old one is still good.
    pub(super) fn may_look(&self) -> Result<(), NotNow> {
        if is_ahead(self.quiet_until) {
            return Err(NotNow::Quiet);
        }
        self.may_ask()
    }

    /// Whether a 401 may lead to a refresh of that version. One that another process has renewed
    /// makes no difference, whatever its clock says; one that was put does.
    pub(super) fn may_be_driven(
        &self,
        version: CredentialVersion,
        is_put: bool,
    ) -> Result<(), NotNow> {
        match self.driven {
            Some((at, of)) if (of == version || !is_put) && at.elapsed() < ONCE_IN => {
                Err(NotNow::Quiet)
            }
            _ => self.may_ask(),
        }
    }

    /// The margins of the token that ends at `end`, if its lifetime is known.
    pub(super) fn margins(&self, end: Option<SystemTime>) -> Option<Margins> {
        let (of, margins) = self.margins?;
        (Some(of) == end).then_some(margins)
    }

    pub(super) fn knows(&mut self, end: SystemTime, margins: Margins) {
        self.margins = Some((end, margins));
    }

    pub(super) fn is_driven(&mut self, version: CredentialVersion) {
        self.driven = Some((Instant::now(), version));
    }

    pub(super) fn is_quiet_for(&mut self, time: Duration) {
        self.quiet_until = Instant::now().checked_add(time);
    }

    /// Nothing can be asked for what the connection has. Its owner may mend that at any time.
    pub(super) fn is_lacking(&mut self) {
        self.lacks_until = Instant::now().checked_add(LACKING);
        self.driven = None;
    }

    /// The endpoint failed; until when to leave it alone.
    pub(super) fn failed(&mut self, asked_for: Option<Duration>, cause: SharedError) -> Instant {
        let times = self
            .failing
            .as_ref()
            .map_or(1, |failing| failing.times.saturating_add(1));
        let until = Instant::now() + wait(times, asked_for);
        self.driven = None;
        self.failing = Some(Failing {
            times,
            until,
            cause,
        });
        until
    }

    /// There are new tokens, of that version.
    pub(super) fn renewed(&mut self, version: CredentialVersion) {
        self.failing = None;
        self.quiet_until = None;
        self.margins = None;
        if let Some((_, of)) = &mut self.driven {
            *of = version;
        }
    }
}

impl Memory for Remembered {
    fn is_empty(&self) -> bool {
        let is_failing = |failing: &Failing| is_ahead(failing.until.checked_add(KEPT));
        !self.failing.as_ref().is_some_and(is_failing)
            && !is_ahead(self.quiet_until)
            && !is_ahead(self.lacks_until)
            && self.driven.is_none_or(|(at, _)| at.elapsed() >= ONCE_IN)
            && self.margins.is_none_or(|(end, _)| end <= SystemTime::now())
    }

    fn broke_off(&mut self) {
        self.failed(None, SharedError::new("the refresh broke off"));
    }
}

/// Whether it was renewed a moment ago, by whichever process, so that no 401 leads to another
/// refresh (SECURITY X5). Clocks of two machines may differ either way.
pub(super) fn is_recent(record: &StoredConnection) -> bool {
    let now = SystemTime::now();
    record.refreshed_at.is_some_and(|at| {
        let apart = now
            .duration_since(at)
            .unwrap_or_else(|error| error.duration());
        apart < ONCE_IN
    })
}

fn is_ahead(at: Option<Instant>) -> bool {
    at.is_some_and(|at| Instant::now() < at)
}

/// With jitter, so that the connections that an outage has hit don't all come back at once.
fn wait(times: u32, asked_for: Option<Duration>) -> Duration {
    let doubled = 2_u32.saturating_pow(times.saturating_sub(1).min(16));
    let own = jittered(FIRST.saturating_mul(doubled).min(LONGEST));
    let asked_for = asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR);
    match asked_for > own {
        true => asked_for + jittered(FIRST),
        false => own,
    }
}

/// Growing waits between two looks at the store.
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

/// Between half of it and the whole.
fn jittered(time: Duration) -> Duration {
    time / 2 + share(time / 2, RandomState::new().hash_one(0))
}

/// A part of `time`, as a hash says.
pub(super) fn share(time: Duration, hash: u64) -> Duration {
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
            assert!(wait >= least && wait <= least + FIRST, "{wait:?}");
        };
        at_least(30, 30);
        at_least(1_000_000, 300);
        assert!(wait(7, Some(FIRST)) >= LONGEST / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_remembered_for_its_wait_and_its_count_for_longer() {
        let mut memory = Remembered::default();
        assert!(memory.is_empty() && memory.may_ask().is_ok());
        let until = memory.failed(None, SharedError::new("down"));
        assert!(matches!(memory.may_ask(), Err(NotNow::Failing(at, _)) if at == until));
        tokio::time::advance(until - Instant::now()).await;
        assert!(memory.may_ask().is_ok());
        assert!(!memory.is_empty());
        let second = memory.failed(None, SharedError::new("down")) - Instant::now();
        assert!(second >= FIRST, "{second:?}");
        tokio::time::advance(KEPT + LONGEST).await;
        assert!(memory.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn x5_a_401_drives_once_a_minute_until_the_credential_changes() {
        let (first, second) = (CredentialVersion::new(1), CredentialVersion::new(2));
        let mut memory = Remembered::default();
        memory.is_driven(first);
        assert!(memory.may_be_driven(first, true).is_err());
        assert!(memory.may_be_driven(second, true).is_ok());
        assert!(memory.may_be_driven(second, false).is_err());
        memory.renewed(second);
        assert!(memory.may_be_driven(second, true).is_err());
        tokio::time::advance(ONCE_IN).await;
        assert!(memory.may_be_driven(second, false).is_ok());
        assert!(memory.is_empty());
    }
}
