//! A circuit for each destination: an upstream that can't be reached isn't called for a while, and callers get an
//! error at once.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::origins::{Key, Origins};
use crate::error::{Error, ErrorCode};
use crate::policy::Origin;
use crate::timeouts::MAX_TIMEOUT;

/// The conditions under which a destination (scheme, host and port) isn't called, and the time for which it isn't
/// called.
///
/// A destination has a circuit for all connections together. It opens after a number of failures to connect, without a
/// response in between. A connection key has a circuit of its own at each destination. It opens after as many timeouts
/// of the response's head, so slow calls of one tenant don't shut the destination for other tenants. A failure of a
/// call that began before the destination's last response doesn't count.
///
/// While a circuit is open, calls are refused as `overloaded`, with `Retry-After`, and nothing is sent. After the time, one
/// call with a safe method is sent as a probe (another method only if no safe call comes): a response with any status closes
/// the circuit, and another failure opens it again. If a probe takes longer than 2 seconds, the next call is a probe as
/// well. Failures that callers cause never count: calls that are cancelled, uploads that break off, stall or are too large,
/// destinations that are refused.
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

/// The time after which a probe that hasn't ended doesn't keep other calls from being probes.
const PROBE_TIME: Duration = Duration::from_secs(2);

/// The circuits of all destinations, and of the connection keys at the destinations.
pub(super) struct Circuits {
    policy: CircuitPolicy,
    origins: Origins<Circuit>,
    /// The time of the last response of each destination.
    answers: Origins<Instant>,
}

/// The circuit of a destination, or of a connection key at a destination.
#[derive(Default)]
struct Circuit {
    /// The number of failures since the last response.
    failures: u32,
    /// The time until which all calls are refused, if the circuit is open. After this time, a single probe at a time is
    /// permitted.
    open_until: Option<Instant>,
    probe: Probe,
}

/// The probe of an open circuit.
#[derive(Default)]
struct Probe {
    /// Can be upgraded as long as the probe is in progress.
    call: Weak<()>,
    began: Option<Instant>,
}

/// The permission to send a request. A pass that is dropped without a result changes nothing.
pub(super) struct Pass {
    shared: Key,
    own: Key,
    began: Instant,
    /// Held while the call is a probe.
    _probes: [Option<Arc<()>>; 2],
}

impl Circuits {
    pub(super) fn policy(&self) -> CircuitPolicy {
        self.policy
    }

    pub(super) fn new(policy: CircuitPolicy) -> Self {
        Self {
            policy,
            origins: Origins::default(),
            answers: Origins::default(),
        }
    }

    /// Returns the permission to send a request to `origin`. `own` is the call's connection key there.
    ///
    /// # Errors
    ///
    /// `overloaded` while a circuit is open, or while another call is the probe.
    pub(super) fn enter(&self, origin: &Origin, own: &Key, is_safe: bool) -> Result<Pass, Error> {
        let (shared, own) = (Key::shared(origin), own.clone());
        let mut circuits = self.origins.lock();
        let mut probe = |key| match circuits.get_mut(key) {
            Some(circuit) => circuit.enter(is_safe, self.policy.open_for),
            None => Ok(None),
        };
        let probes = [probe(&shared)?, probe(&own)?];
        Ok(Pass {
            shared,
            own,
            began: Instant::now(),
            _probes: probes,
        })
    }

    /// Records that the upstream responded.
    pub(super) fn answered(&self, pass: Pass) {
        let now = Instant::now();
        *self.answers.lock().entry(&pass.shared, || now) = now;
        let mut circuits = self.origins.lock();
        circuits.remove(&pass.shared);
        circuits.remove(&pass.own);
    }

    /// Records that the upstream couldn't be reached.
    pub(super) fn unreachable(&self, pass: Pass) {
        self.failed(&pass, &pass.shared);
    }

    /// Records that the upstream didn't respond in time. That counts only for the call's connection key, because the caller
    /// may have chosen a slow call.
    pub(super) fn silent(&self, pass: Pass) {
        self.failed(&pass, &pass.own);
    }

    fn failed(&self, pass: &Pass, key: &Key) {
        let answered = self.answers.lock().get_mut(&pass.shared).copied();
        if answered.is_some_and(|answered| answered > pass.began) {
            return;
        }
        let mut circuits = self.origins.lock();
        let circuit = circuits.entry(key, Circuit::default);
        // If the circuit is open, only the result of a probe counts. A call that began before the circuit opened
        // doesn't count.
        match circuit.open_until {
            None => circuit.failures += 1,
            Some(until) if pass.began < until => return,
            Some(_) => {}
        }
        if circuit.failures >= self.policy.failures {
            circuit.open_until = Some(Instant::now() + self.policy.open_for);
        }
    }
}

impl Circuit {
    /// Returns the mark of the probe if the call is a probe, or `None` if the circuit is closed.
    fn enter(&mut self, is_safe: bool, open_for: Duration) -> Result<Option<Arc<()>>, Error> {
        let Some(until) = self.open_until else {
            return Ok(None);
        };
        let now = Instant::now();
        if now < until {
            return Err(open(until - now));
        }
        // A caller that waits for the next safe call could wait for ever, so other methods are probes after a while.
        let is_fit = is_safe || now >= until + open_for;
        let is_probed = self.probe.call.strong_count() > 0
            && self
                .probe
                .began
                .is_some_and(|began| now < began + PROBE_TIME);
        if is_probed || !is_fit {
            return Err(open(Duration::ZERO));
        }
        let probe = Arc::new(());
        self.probe = Probe {
            call: Arc::downgrade(&probe),
            began: Some(now),
        };
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
    use crate::connection::ConnectionKey;
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
            circuits.unreachable(enter(&circuits, &origin).unwrap());
        }
        (circuits, origin)
    }

    fn key(name: &str) -> ConnectionKey {
        ConnectionKey::try_from(name).unwrap()
    }

    fn enter(circuits: &Circuits, origin: &Origin) -> Result<Pass, Error> {
        enter_as(circuits, origin, "ann", true)
    }

    fn enter_as(
        circuits: &Circuits,
        origin: &Origin,
        name: &str,
        is_safe: bool,
    ) -> Result<Pass, Error> {
        circuits.enter(origin, &Key::new(origin, Some(&key(name))), is_safe)
    }

    fn left(circuits: &Circuits, origin: &Origin) -> Option<Duration> {
        let refused = enter(circuits, origin).err()?;
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
            circuits.unreachable(enter(&circuits, &origin).unwrap());
            circuits.answered(enter(&circuits, &origin).unwrap());
        }
        assert!(enter(&circuits, &origin).is_ok());
        assert!(
            circuits
                .origins
                .lock()
                .get_mut(&Key::shared(&origin))
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_at_a_time_decides() {
        let (circuits, origin) = open_circuits();
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(left(&circuits, &origin), Some(OPEN));
        tokio::time::advance(OPEN).await;
        let probe = enter(&circuits, &origin).unwrap();
        assert_eq!(left(&circuits, &origin), Some(Duration::ZERO));
        circuits.unreachable(probe);
        assert_eq!(left(&circuits, &origin), Some(OPEN));
        tokio::time::advance(OPEN).await;
        circuits.answered(enter(&circuits, &origin).unwrap());
        for _ in 0..5 {
            assert!(enter(&circuits, &origin).is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_gives_its_place_back() {
        let (circuits, origin) = open_circuits();
        tokio::time::advance(OPEN).await;
        for _ in 0..3 {
            let probe = enter(&circuits, &origin).unwrap();
            assert!(enter(&circuits, &origin).is_err());
            drop(probe);
        }
        assert!(enter(&circuits, &origin).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_changes_nothing_by_failing() {
        let (circuits, origin) = circuits();
        let passes: Vec<_> = (0..9).map(|_| enter(&circuits, &origin).unwrap()).collect();
        for pass in passes {
            circuits.unreachable(pass);
            tokio::time::advance(OPEN / 20).await;
        }
        // Open since the second.
        assert_eq!(
            left(&circuits, &origin),
            Some(OPEN - Duration::from_secs(4))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn x9_slow_calls_of_a_key_open_only_its_own_circuit() {
        let (circuits, origin) = circuits();
        for _ in 0..5 {
            if let Ok(pass) = enter_as(&circuits, &origin, "ben", true) {
                circuits.silent(pass);
            }
        }
        assert!(enter_as(&circuits, &origin, "ben", true).is_err());
        assert!(enter(&circuits, &origin).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn x9_a_failure_of_a_call_that_began_before_the_last_response_says_nothing() {
        let (circuits, origin) = circuits();
        let passes: Vec<_> = (0..9).map(|_| enter(&circuits, &origin).unwrap()).collect();
        tokio::time::advance(Duration::from_secs(1)).await;
        circuits.answered(enter_as(&circuits, &origin, "ben", true).unwrap());
        for pass in passes {
            circuits.silent(pass);
        }
        assert!(enter(&circuits, &origin).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_is_a_safe_call_if_there_is_one_and_a_slow_probe_holds_up_nobody() {
        let (circuits, origin) = open_circuits();
        tokio::time::advance(OPEN).await;
        assert!(enter_as(&circuits, &origin, "ann", false).is_err());
        let probe = enter(&circuits, &origin).unwrap();
        assert!(enter(&circuits, &origin).is_err());
        tokio::time::advance(PROBE_TIME).await;
        let second = enter(&circuits, &origin);
        assert!(second.is_ok());
        drop((probe, second));
        tokio::time::advance(OPEN).await;
        assert!(enter_as(&circuits, &origin, "ann", false).is_ok());
    }
}
