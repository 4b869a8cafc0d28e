//! A circuit for each destination: an upstream that can't be reached isn't called for a while, and callers get an
//! error at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::origins::Origins;
use crate::error::{Error, ErrorCode};
use crate::policy::Origin;
use crate::timeouts::MAX_TIMEOUT;

/// The conditions under which a destination (scheme, host and port) isn't called, and the time for which it isn't
/// called.
///
/// The circuit of a destination opens after a number of failures to connect, or timeouts of the response's head,
/// without a response in between. Calls are then refused as `overloaded`, with `Retry-After`, and nothing is sent.
/// After the time, one call is sent as a probe: a response with any status closes the circuit, and another failure
/// opens it again. Failures that callers cause never count: calls that are cancelled, uploads that break off, stall
/// or are too large, destinations that are refused.
///
/// ```
/// use std::time::Duration;
/// use tower_passthrough::resilience::CircuitPolicy;
///
/// let policy = CircuitPolicy::new().failures(10).open_for(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitPolicy {
    failures: u32,
    open_for: Duration,
}

impl CircuitPolicy {
    /// Returns a policy that opens the circuit after 5 failures in a row, for 10 seconds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: 5,
            open_for: Duration::from_secs(10),
        }
    }

    /// Sets the number of failures in a row after which the circuit opens, at least 1. Default: 5.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// Sets the time for which the circuit stays open before a call may be sent as a probe. Default: 10 s.
    #[must_use]
    pub fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time.min(MAX_TIMEOUT);
        self
    }
}

impl Default for CircuitPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The circuits of all destinations. A closed circuit without failures isn't kept.
pub(super) struct Circuits {
    policy: CircuitPolicy,
    origins: Origins<Circuit>,
}

/// The circuit of a destination.
#[derive(Default)]
struct Circuit {
    /// The number of failures since the last response.
    failures: u32,
    /// The time until which all calls are refused, if the circuit is open. After this time, one probe at a time is
    /// permitted.
    open_until: Option<Instant>,
    /// Can be upgraded as long as the probe is in progress.
    probe: Weak<()>,
}

/// The permission to send a request. A pass that is dropped without a result changes nothing.
pub(super) struct Pass {
    origin: Origin,
    probe: Option<Arc<()>>,
}

impl Circuits {
    pub(super) fn policy(&self) -> CircuitPolicy {
        self.policy
    }

    pub(super) fn new(policy: CircuitPolicy) -> Self {
        Self {
            policy,
            origins: Origins::default(),
        }
    }

    /// Returns the permission to send a request to `origin`.
    ///
    /// # Errors
    ///
    /// `overloaded` while the circuit is open, or while another call is the probe.
    pub(super) fn enter(&self, origin: &Origin) -> Result<Pass, Error> {
        let mut circuits = self.origins.lock();
        let probe = match circuits.get_mut(origin) {
            Some(circuit) => circuit.enter()?,
            None => None,
        };
        let origin = origin.clone();
        Ok(Pass { origin, probe })
    }

    /// Records that the upstream responded.
    pub(super) fn answered(&self, pass: Pass) {
        self.origins.lock().remove(&pass.origin);
    }

    /// Records that the upstream couldn't be reached, or didn't respond.
    pub(super) fn failed(&self, pass: Pass) {
        let mut circuits = self.origins.lock();
        let circuit = circuits.entry(&pass.origin, Circuit::default);
        // If the circuit is open, only the result of a probe counts. A call that began before the circuit opened
        // doesn't count.
        if circuit.open_until.is_none() {
            circuit.failures += 1;
        } else if pass.probe.is_none() {
            return;
        }
        if circuit.failures >= self.policy.failures {
            circuit.open_until = Some(Instant::now() + self.policy.open_for);
        }
    }
}

impl Circuit {
    /// Returns the mark of the probe if the call is a probe, or `None` if the circuit is closed.
    fn enter(&mut self) -> Result<Option<Arc<()>>, Error> {
        let Some(until) = self.open_until else {
            return Ok(None);
        };
        let now = Instant::now();
        if now < until {
            return Err(open(until - now));
        }
        if self.probe.strong_count() > 0 {
            return Err(open(Duration::ZERO));
        }
        let probe = Arc::new(());
        self.probe = Arc::downgrade(&probe);
        Ok(Some(probe))
    }
}

fn open(left: Duration) -> Error {
    // The time is rounded up, because a call that comes too early is refused again.
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    Error::new(
        ErrorCode::Overloaded,
        "the upstream couldn't be reached several times in a row, and isn't called for a while",
    )
    .with_proxy_status("destination_unavailable")
    .with_retry_after(Duration::from_secs(seconds))
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Location, Scheme};

    const OPEN: Duration = Duration::from_secs(10);

    fn circuits() -> (Circuits, Origin) {
        let policy = CircuitPolicy::new().failures(2).open_for(OPEN);
        let origin = Location::parse("v.test", Some(Scheme::Https))
            .unwrap()
            .origin;
        (Circuits::new(policy), origin)
    }

    fn open_circuits() -> (Circuits, Origin) {
        let (circuits, origin) = circuits();
        for _ in 0..2 {
            circuits.failed(circuits.enter(&origin).unwrap());
        }
        (circuits, origin)
    }

    fn left(circuits: &Circuits, origin: &Origin) -> Option<Duration> {
        let refused = circuits.enter(origin).err()?;
        assert_eq!(
            (refused.code(), refused.sent()),
            (ErrorCode::Overloaded, false)
        );
        refused.retry_after()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_between_begins_the_count_anew() {
        let (circuits, origin) = circuits();
        for _ in 0..5 {
            circuits.failed(circuits.enter(&origin).unwrap());
            circuits.answered(circuits.enter(&origin).unwrap());
        }
        assert!(circuits.enter(&origin).is_ok());
        assert!(circuits.origins.lock().get_mut(&origin).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_at_a_time_decides() {
        let (circuits, origin) = open_circuits();
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(left(&circuits, &origin), Some(OPEN));
        tokio::time::advance(OPEN).await;
        let probe = circuits.enter(&origin).unwrap();
        assert_eq!(left(&circuits, &origin), Some(Duration::ZERO));
        circuits.failed(probe);
        assert_eq!(left(&circuits, &origin), Some(OPEN));
        tokio::time::advance(OPEN).await;
        circuits.answered(circuits.enter(&origin).unwrap());
        for _ in 0..5 {
            assert!(circuits.enter(&origin).is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_gives_its_place_back() {
        let (circuits, origin) = open_circuits();
        tokio::time::advance(OPEN).await;
        for _ in 0..3 {
            let probe = circuits.enter(&origin).unwrap();
            assert!(circuits.enter(&origin).is_err());
            drop(probe);
        }
        assert!(circuits.enter(&origin).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_changes_nothing_by_failing() {
        let (circuits, origin) = circuits();
        let passes: Vec<_> = (0..9).map(|_| circuits.enter(&origin).unwrap()).collect();
        for pass in passes {
            circuits.failed(pass);
            tokio::time::advance(OPEN / 20).await;
        }
        // Open since the second.
        assert_eq!(
            left(&circuits, &origin),
            Some(OPEN - Duration::from_secs(4))
        );
    }
}
