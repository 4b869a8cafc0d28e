//! `[retry]` and `[circuit]`: repeated requests, and the circuit breaker for upstreams that fail.

use std::time::Duration;

use toml::Spanned;
use tower_passthrough::resilience::{CircuitPolicy, RetryPolicy};

use super::file::{Circuit, Retry};
use super::problem::{Problem, Problems};
use super::settings;
use super::value::Count;

const OPEN: Duration = Duration::from_secs(10);

pub(super) fn retry(retry: &Retry, problems: &mut Problems) -> RetryPolicy {
    let attempts = retry.attempts.as_ref();
    if let Some(attempts) = attempts.filter(|attempts| attempts.get_ref().0 == 0) {
        problems.push(Problem::at(
            attempts,
            "expected 1 or more: the total number of attempts",
        ));
    }
    let policy = RetryPolicy::new(attempts.map_or(1, number));
    match &retry.max_wait {
        Some(max_wait) => policy.max_wait(max_wait.0),
        None => policy,
    }
}

/// Returns `None` if the circuit breaker is off.
pub(super) fn circuit(circuit: &Circuit, problems: &mut Problems) -> Option<CircuitPolicy> {
    let open = settings::timeout(circuit.open.as_ref(), OPEN, problems);
    let Some(failures) = &circuit.failures else {
        if let Some(open) = &circuit.open {
            problems.push(Problem::at(
                open,
                "this key needs `failures` in the same table",
            ));
        }
        return None;
    };
    let failures = Some(number(failures)).filter(|&failures| failures > 0)?;
    Some(CircuitPolicy::new().failures(failures).open_for(open))
}

/// Returns the count, limited to the largest number. No upstream reaches that number anyway.
fn number(count: &Spanned<Count>) -> u32 {
    u32::try_from(count.get_ref().0).unwrap_or(u32::MAX)
}
