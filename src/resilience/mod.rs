//! Protects calls from an upstream's outage: requests are sent again within a budget, and a circuit for each destination opens when the
//! destination can't be reached.
//!
//! ```
//! # #[cfg(feature = "test-util")]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use std::time::Duration;
//! use http::{Request, Response, StatusCode};
//! use tower::ServiceExt;
//! use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
//! use tower_passthrough::resilience::{CircuitPolicy, RetryPolicy};
//! use tower_passthrough::test_util::FakeUpstream;
//!
//! let failure = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body("")?;
//! let upstream = FakeUpstream::from_responses([failure, Response::new("[]")]);
//! let service = PassthroughService::builder(
//!     MemoryStore::from_iter([("acme", Connection::new("crm"))]),
//!     Integrations::new().with("crm", Upstream::new("https://api.crm.test")?),
//! )
//! .authorize_fn(|_, _| true)
//! .caller_credentials([])
//! .retry(RetryPolicy::new(3))
//! .circuit(CircuitPolicy::new().failures(10).open_for(Duration::from_secs(30)))
//! .transport(upstream.clone())
//! .build();
//!
//! let response = service.oneshot(Request::get("/acme/contacts").body(String::new())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! assert_eq!(upstream.received().len(), 2);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "test-util"))]
//! # fn main() {}
//! ```
//!
//! Retries and circuits are off by default, and each of them costs a look-up for each call. Failures that callers cause, such as uploads
//! that break off or stall, don't count.

mod budget;
mod circuit;
mod origins;
mod retry;

pub use self::circuit::CircuitPolicy;
pub use self::retry::RetryPolicy;

pub(crate) use self::retry::is_safe;

use std::future::Future;
use std::sync::Arc;

use http::Response;
use tokio::time::{Instant, sleep};

use self::circuit::{Circuits, Pass};
use self::origins::Key;
use self::retry::Retry;
use crate::body::{UploadState, UpstreamBody};
use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;
use crate::limits::share;
use crate::observe::CallGuard;
use crate::policy::Origin;

/// The result of an attempt.
type Sent = Result<Response<UpstreamBody>, TransportError>;

/// An attempt that has begun.
pub(crate) struct Attempt<F> {
    /// The future of the response, and of the number of resends by the transport.
    pub(crate) sending: F,
    /// `true` if a client certificate is presented.
    pub(crate) has_client_identity: bool,
}

/// The policies that the host application has set. Cloning increments at most two reference counts.
#[derive(Clone, Default)]
pub(crate) struct Resilience {
    retry: Option<Arc<Retry>>,
    circuits: Option<Arc<Circuits>>,
}

/// The meaning of an attempt for the health of its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The upstream sent a response, with any status.
    Answered,
    /// The upstream couldn't be reached.
    Unreachable,
    /// The upstream didn't respond to a complete request in time.
    Silent,
    /// The attempt shows nothing about the upstream's health, because it failed for another reason: the caller, a refusal,
    /// or a lost connection.
    Neither,
}

impl Resilience {
    pub(crate) fn is_off(&self) -> bool {
        self.retry.is_none() && self.circuits.is_none()
    }

    pub(crate) fn set_retry(&mut self, policy: RetryPolicy) {
        self.retry = Retry::new(policy).map(Arc::new);
    }

    pub(crate) fn set_circuit(&mut self, policy: CircuitPolicy) {
        self.circuits = Some(Arc::new(Circuits::new(policy)));
    }

    /// Shares the budget and the circuits of another service, if both services have the same policies. The
    /// retry policy and the circuit policy are compared separately.
    pub(crate) fn share_with(&mut self, other: &Self) {
        share(&mut self.retry, other.retry.as_ref(), |a, b| {
            a.policy() == b.policy()
        });
        share(&mut self.circuits, other.circuits.as_ref(), |a, b| {
            a.policy() == b.policy()
        });
    }

    /// Sends a request, and sends the copies that `again` makes as often as the retry policy permits, but
    /// not after `end`. Returns the result of the last attempt, unchanged.
    ///
    /// # Errors
    ///
    /// The errors of `send` and of its future, and `overloaded` while the destination's circuit is open.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a wait between attempts. If the call was a probe of a circuit, another
    /// call can become the probe.
    pub(crate) async fn send<O, F>(
        &self,
        mut outgoing: O,
        again: fn(&O) -> Option<O>,
        origin: &Origin,
        end: Option<Instant>,
        guard: &mut CallGuard,
        send: impl Fn(O, &mut CallGuard) -> Result<Attempt<F>, Error>,
    ) -> Result<Sent, Error>
    where
        F: Future<Output = (Result<Sent, Error>, u32)>,
    {
        let is_safe = retry::is_safe(guard.method());
        let key = Key::new(origin, guard.connection_key());
        let retry = self.retry.as_deref().filter(|_| is_safe);
        if let Some(retry) = retry {
            retry.budget.called(&key);
        }
        let mut pass = self.enter(origin, &key, is_safe)?;
        let mut attempt = 1;
        loop {
            let left = retry.filter(|retry| attempt < retry.attempts());
            let left = left.and_then(|retry| Some((retry, again(&outgoing)?)));
            let Attempt {
                sending,
                has_client_identity,
            } = send(outgoing, guard)?;
            let (sent, resends) = sending.await;
            guard.add_attempts(resends);
            let upload = guard.upload().map(|upload| upload.state());
            self.judge(pass, verdict(&sent, upload, has_client_identity, end));

            let Some((retry, spare)) = left else {
                return sent;
            };
            let wait = match &sent {
                Ok(sent) if !is_callers(upload) => retry.wait(attempt, sent),
                // The time limit of the call is over, or the caller's upload failed.
                _ => None,
            };
            let fits = |wait| end.is_none_or(|end| Instant::now() + wait < end);
            let Some(wait) = wait.filter(|&wait| fits(wait) && retry.budget.grants(&key)) else {
                return sent;
            };
            // A response that isn't returned is dropped before the wait, so that it holds no connection.
            let failed = sent.map(Result::err);
            sleep(wait).await;
            pass = match (self.enter(origin, &key, is_safe), failed) {
                (Ok(pass), _) => pass,
                (Err(_), Ok(Some(error))) => return Ok(Err(error)),
                (Err(refused), _) => return Err(refused.with_sent(true)),
            };
            outgoing = spare;
            attempt += 1;
        }
    }

    /// Returns the circuit's permission to send, or `None` if no circuit is configured.
    fn enter(&self, origin: &Origin, key: &Key, is_safe: bool) -> Result<Option<Pass>, Error> {
        let circuits = self.circuits.as_deref();
        circuits
            .map(|circuits| circuits.enter(origin, key, is_safe))
            .transpose()
    }

    fn judge(&self, pass: Option<Pass>, verdict: Verdict) {
        if let (Some(circuits), Some(pass)) = (&self.circuits, pass) {
            match verdict {
                Verdict::Answered => circuits.answered(pass),
                Verdict::Unreachable => circuits.unreachable(pass),
                Verdict::Silent => circuits.silent(pass),
                Verdict::Neither => {}
            }
        }
    }
}

/// Returns `true` if the upload failed because of the caller.
fn is_callers(upload: Option<UploadState>) -> bool {
    matches!(
        upload,
        Some(
            UploadState::Broken
                | UploadState::TooLarge
                | UploadState::Stalled
                | UploadState::NoRoom
        )
    )
}

fn verdict(
    sent: &Result<Sent, Error>,
    upload: Option<UploadState>,
    has_client_identity: bool,
    end: Option<Instant>,
) -> Verdict {
    use TransportErrorKind as Kind;
    let error = match sent {
        Ok(Ok(_)) => return Verdict::Answered,
        Ok(Err(error)) => error,
        // A request that wasn't sent, for example because it waited for a connection, shows nothing about the upstream's
        // health. Neither does a timeout while the caller still uploads.
        Err(error) if !error.sent() => return Verdict::Neither,
        Err(_) => {
            let is_over = end.is_some_and(|end| end <= Instant::now());
            return match upload {
                // The cause of the delay isn't known: the caller's body, a store, or an earlier attempt.
                _ if is_over => Verdict::Neither,
                None | Some(UploadState::Ended) => Verdict::Silent,
                Some(UploadState::AwaitsUpstream) => Verdict::Silent,
                _ => Verdict::Neither,
            };
        }
    };
    match error.kind() {
        _ if is_callers(upload) => Verdict::Neither,
        // The upstream may refuse only this client certificate.
        Kind::TlsProtocol | Kind::ConnectionFailed if has_client_identity => Verdict::Neither,
        Kind::Dns
        | Kind::ConnectionRefused
        | Kind::ConnectionFailed
        | Kind::ConnectionTimeout
        | Kind::TlsProtocol
        | Kind::TlsCertificate => Verdict::Unreachable,
        Kind::ResponseTimeout => Verdict::Silent,
        Kind::Http2Unavailable
        | Kind::DestinationProhibited
        | Kind::Loop
        | Kind::PlaintextProhibited
        | Kind::Unsent
        | Kind::Overloaded
        | Kind::HttpProtocol
        | Kind::ResponseIncomplete
        | Kind::UpgradeFailed
        | Kind::ClientCertificate => Verdict::Neither,
    }
}
