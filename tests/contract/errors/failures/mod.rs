//! Calls that fail, each in another way.

mod answers;
mod connections;
mod refusals;
mod stores;

use std::time::Duration;

use tower_passthrough::Connection;

use testkit::caller::{RawResponse, raw_call};
use testkit::gateway::Setup;

/// A secret that occurs nowhere by chance.
pub(super) const CANARY: &str = "cAn4ry~s3cr3t+/=";

/// A failed call, and the error that the call must have.
pub(super) struct Failure {
    pub(super) what: &'static str,
    pub(super) response: RawResponse,
    /// The text that the caller must not learn.
    pub(super) hidden: String,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) proxy_status: &'static str,
    pub(super) sent: bool,
}

impl Failure {
    /// Returns `true` if the same call fails until the host application has changed its setup.
    pub(super) fn is_lasting(&self) -> bool {
        self.what == UNKNOWN_INTEGRATION
    }
}

/// The name of the failure of a connection whose integration the host application doesn't know.
const UNKNOWN_INTEGRATION: &str = "an integration that doesn't exist";

/// The time that a vendor may take that never answers.
const SHORT: Duration = Duration::from_millis(200);

/// Makes a call of each kind that can fail.
pub(super) async fn all() -> Vec<Failure> {
    of_caller(|request| request).await
}

/// Makes the same calls as a gRPC caller.
pub(super) async fn all_by_grpc() -> Vec<Failure> {
    of_caller(|request| request.replacen("\r\n", "\r\nContent-Type: application/grpc\r\n", 1)).await
}

/// Turns a request into the request of a kind of caller.
type Caller = fn(String) -> String;

async fn of_caller(caller: Caller) -> Vec<Failure> {
    let mut failures = refusals::all(caller).await;
    failures.extend(stores::all(caller).await);
    failures.extend(connections::all(caller).await);
    failures.extend(answers::all(caller).await);
    failures
}

fn setup(origin: &str) -> Setup {
    Setup::new(origin).connection(Connection::new("vendor").with_secret("token", CANARY))
}

/// Status, code, error type of `Proxy-Status`, and whether the request may have been sent.
type Expected = (u16, &'static str, &'static str, bool);

/// Returns the answer of a gateway in front of a vendor at that origin.
async fn fail(
    what: &'static str,
    expected: Expected,
    (origin, setup): (&str, Setup),
    request: String,
) -> Failure {
    let gateway = setup.start().await;
    let response = raw_call(gateway.address, request).await;
    let port = origin.rsplit(':').next().unwrap_or_default();
    failure(what, expected, response, port)
}

fn failure(
    what: &'static str,
    (status, code, proxy_status, sent): Expected,
    response: RawResponse,
    hidden: &str,
) -> Failure {
    Failure {
        what,
        response,
        hidden: hidden.to_owned(),
        status,
        code,
        proxy_status,
        sent,
    }
}
