//! The connection pool: requests that are sent again, connections that are closed, and the protection of tenants from
//! each other.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Response;
use http::header::AUTHORIZATION;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tower_passthrough::Connection;
use tower_passthrough::auth::Applied;
use tower_passthrough::auth::AuthRequest;
use tower_passthrough::auth::Requirements;
use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme, PayloadUse};

use testkit::caller::{Caller, RawResponse, get};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

mod bound;
mod calm;
mod idle;
mod isolation;
mod leaving;
mod leftovers;
mod lifetime;
mod opening;
mod refusals;
mod repeating;
mod resending;
mod shares;
mod shutdown;
mod streams;

/// Bearer authentication, and further properties for tests.
#[derive(Debug, Default)]
struct Scheme {
    /// Payloads are buffered, as if they were signed.
    keeps: bool,
    /// The scheme also authenticates the network connection.
    binds: bool,
    /// The channel for each call that is about to be sent.
    told: Option<mpsc::UnboundedSender<()>>,
}

impl AuthScheme for Scheme {
    fn requirements(&self) -> Requirements {
        Requirements::new()
            .field(AUTHORIZATION)
            .secret("token")
            .binds_connection(self.binds)
    }

    fn payload(
        &self,
        _: &http::request::Parts,
        _: &AuthContext<'_>,
    ) -> Result<PayloadUse, AuthError> {
        Ok(match self.keeps {
            true => PayloadUse::Bytes { limit: 1 << 20 },
            false => PayloadUse::Ignored,
        })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        request.insert_header(
            AUTHORIZATION,
            cx.secret("token")?.to_header_value("Bearer ")?,
        );
        if let Some(told) = &self.told {
            // A test that has ended doesn't read the channel.
            let _ = told.send(());
        }
        Ok(Applied::default())
    }
}

/// Changes the gateway to report each call that is about to be sent.
fn telling(setup: Setup) -> (Setup, mpsc::UnboundedReceiver<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let scheme = Scheme {
        told: Some(tell),
        ..Scheme::default()
    };
    (setup.upstream(|upstream| upstream.auth(scheme)), told)
}

/// Waits until that number of calls is about to be sent.
async fn begun(told: &mut mpsc::UnboundedReceiver<()>, calls: usize) {
    for _ in 0..calls {
        let call = within("a call to be sent", told.recv()).await;
        call.expect("the gateway is there");
    }
}

/// Adds two tenants at one vendor, `one` and `two`, with the tokens `t1` and `t2`.
fn two_tenants(setup: Setup) -> Setup {
    setup
        .also("one", Connection::new("vendor").with_secret("token", "t1"))
        .also("two", Connection::new("vendor").with_secret("token", "t2"))
}

/// Makes calls at the same time, each by another caller.
fn at_once(gateway: SocketAddr, calls: impl IntoIterator<Item = String>) -> JoinSet<RawResponse> {
    let mut callers = JoinSet::new();
    for call in calls {
        callers.spawn(async move { Caller::connect(gateway).await.call(call).await });
    }
    callers
}

/// Starts eight downloads over HTTP/2 that nobody reads, each larger than any window of a connection. The downloads
/// last as long as the returned value.
async fn stall_eight(
    vendor: &H2Vendor,
    gateway: &Gateway,
    target: &str,
) -> Vec<impl Sized + use<>> {
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut caller = H2Caller::connect(gateway.address).await;
        let call = h2_caller::request("GET", target).body(()).unwrap();
        let (response, _) = caller.open(call, true).await;
        let mut answer = vendor.next().await.answer(Response::new(()));
        answer
            .send_data(Bytes::from(vec![b'x'; 32 << 20]), false)
            .unwrap();
        let body = h2_caller::answer(response).await.into_body();
        stalled.push((caller, answer, body));
    }
    stalled
}

/// Checks that a mebibyte is still forwarded.
async fn assert_passes(vendor: &H2Vendor, caller: &mut Caller, target: &str) {
    caller.write(get(target)).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    answer
        .send_data(Bytes::from(vec![b'y'; 1 << 20]), true)
        .unwrap();
    let answer = caller.response("GET").await;
    assert_eq!((answer.body.data.len(), answer.complete()), (1 << 20, true));
}

/// Starts a vendor that begins the answer to `/long` and continues after the signal. The vendor answers all other
/// requests with their target.
async fn begins_long(then: &Signal) -> Vendor {
    let then = then.clone();
    Vendor::replying(move |received| match received.target() {
        "/long" => Reply::from("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello").until(&then),
        target => Reply::ok(target),
    })
    .await
}

/// Returns the next answer to calls that were made at once.
async fn next(callers: &mut JoinSet<RawResponse>) -> RawResponse {
    let answer = within("an answer", callers.join_next()).await;
    answer.expect("a call is left").expect("an answer")
}

/// Returns the status, the code and the value of `sent` of an error of the gateway.
fn refusal(answer: &RawResponse) -> (u16, &str, bool) {
    let code = answer.error().expect("an error of the gateway's own");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).expect("a problem");
    let sent = problem["sent"].as_bool().expect("a member `sent`");
    (answer.status(), code, sent)
}

fn assert_ok(answer: &RawResponse, body: &str) {
    assert_eq!(
        (answer.status(), answer.text().as_str(), answer.complete()),
        (200, body, true)
    );
}
