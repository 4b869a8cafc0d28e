//! The rules for sending a request again: the methods, the failures and the waits.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use http::{Method, StatusCode};

use super::Sent;
use super::budget::Budget;
use crate::client::TransportErrorKind;
use crate::encoding::http_date::retry_after;
use crate::timeouts::MAX_TIMEOUT;

/// The first back-off. Each further back-off is twice as long.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
/// The maximum back-off.
const MAX_BACKOFF: Duration = Duration::from_secs(1);
/// The default maximum time to wait for an upstream's `Retry-After`.
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5);

/// The policy for sending requests again that are safe to repeat: GET, HEAD, OPTIONS and QUERY (RFC 9110 §9.2.1) with a
/// body that is empty, or was buffered for a signature.
///
/// A request is sent again after a failure to connect, after a connection that ended before the response's head, and
/// after the upstream's own 502, 503 and 504, with exponential back-off and jitter. The wait is exactly a
/// `Retry-After`, if it's no longer than [`max_wait`](Self::max_wait), also after a 429. If it's longer, the
/// upstream's response is returned at once. In each ten seconds, the number of retries of a connection key to a
/// destination is at most a fifth of the key's calls to it, plus ten. The caller gets the last response or error,
/// unchanged.
///
/// ```
/// use std::time::Duration;
/// use tower_passthrough::resilience::RetryPolicy;
///
/// let policy = RetryPolicy::new(3).max_wait(Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    max_wait: Duration,
}

impl RetryPolicy {
    /// Returns a policy with that maximum number of attempts. 1 and 0 mean that no request is sent again.
    #[must_use]
    pub const fn new(attempts: u32) -> Self {
        Self {
            attempts,
            max_wait: DEFAULT_MAX_WAIT,
        }
    }

    /// Sets the maximum time to wait for an upstream's `Retry-After`. Default: 5 s.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait.min(MAX_TIMEOUT);
        self
    }
}

/// A policy and its budget.
pub(super) struct Retry {
    policy: RetryPolicy,
    pub(super) budget: Budget,
}

impl Retry {
    pub(super) fn policy(&self) -> RetryPolicy {
        self.policy
    }

    /// Returns `None` if the policy permits only one attempt.
    pub(super) fn new(policy: RetryPolicy) -> Option<Self> {
        (policy.attempts > 1).then(|| Self {
            policy,
            budget: Budget::default(),
        })
    }

    pub(super) fn attempts(&self) -> u32 {
        self.policy.attempts
    }

    /// Returns the wait between attempt number `attempt` and the next attempt, or `None` if the request isn't sent
    /// again.
    pub(super) fn wait(&self, attempt: u32, sent: &Sent) -> Option<Duration> {
        let response = match sent {
            Ok(response) => response,
            Err(error) => return is_worth_another(error.kind()).then(|| back_off(attempt)),
        };
        let is_limit = match response.status() {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => false,
            _ => return None,
        };
        match retry_after(response.headers()) {
            Some(wait) => Some(wait).filter(|&wait| wait <= self.policy.max_wait),
            None => (!is_limit).then(|| back_off(attempt)),
        }
    }
}

/// Returns `true` if a request with that method changes nothing at the upstream (RFC 9110 §9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || method.as_str() == "QUERY"
}

/// Returns `true` if another attempt may succeed.
const fn is_worth_another(kind: TransportErrorKind) -> bool {
    use TransportErrorKind as Kind;
    match kind {
        Kind::Dns
        | Kind::ConnectionRefused
        | Kind::ConnectionFailed
        | Kind::ConnectionTimeout
        | Kind::Unsent
        | Kind::ResponseIncomplete => true,
        Kind::TlsProtocol
        | Kind::TlsCertificate
        | Kind::Http2Unavailable
        | Kind::DestinationProhibited
        | Kind::Loop
        | Kind::PlaintextProhibited
        | Kind::Overloaded
        | Kind::HttpProtocol
        | Kind::ResponseTimeout
        | Kind::UpgradeFailed
        | Kind::ClientCertificate => false,
    }
}

/// Returns a random time between the half and the whole of a back-off that doubles with each attempt. The time is
/// random so that calls that failed together don't retry together.
fn back_off(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = INITIAL_BACKOFF
        .saturating_mul(1 << doublings)
        .min(MAX_BACKOFF);
    // Each `RandomState` has other random keys.
    let random = RandomState::new().hash_one(attempt) >> 32;
    let jitter = u32::try_from(random).unwrap_or_default();
    whole / 2 + (whole / 2).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_its_cap() {
        for (attempt, whole) in [(1, 100), (2, 200), (4, 800), (5, 1000), (u32::MAX, 1000)] {
            let whole = Duration::from_millis(whole);
            for _ in 0..20 {
                let wait = back_off(attempt);
                assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
            }
        }
    }

    #[test]
    fn safe_methods_are_those_of_the_standard() {
        for (method, safe) in [
            ("GET", true),
            ("HEAD", true),
            ("OPTIONS", true),
            ("QUERY", true),
            ("query", false),
            ("POST", false),
            ("PUT", false),
            ("DELETE", false),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            assert_eq!(is_safe(&method), safe, "{method}");
        }
    }
}
