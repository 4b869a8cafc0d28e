//! Schemes that see the payload: the payload is buffered, with limits of size and time.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower::ServiceExt as _;
use tower_passthrough::auth::Applied;
use tower_passthrough::auth::AuthRequest;
use tower_passthrough::auth::Requirements;
use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme, PayloadUse};

use testkit::caller::{Caller, get, post, request};
use testkit::gateway::Setup;
use testkit::pair::Pair;
use testkit::vendor::Vendor;

const LIMIT: usize = 16;

/// A scheme that sends the length of the payload to the vendor.
#[derive(Debug)]
struct Measured;

impl AuthScheme for Measured {
    fn requirements(&self) -> Requirements {
        Requirements::new().secret("token")
    }

    fn payload(
        &self,
        _: &http::request::Parts,
        _: &AuthContext<'_>,
    ) -> Result<PayloadUse, AuthError> {
        Ok(PayloadUse::Bytes { limit: LIMIT })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let length = cx.payload().map_or(0, |payload| payload.len());
        request.insert_header(http::HeaderName::from_static("x-length"), length.into());
        Ok(Applied::default())
    }
}

fn measured(setup: Setup) -> Setup {
    setup.upstream(|upstream| upstream.auth(Measured))
}

#[tokio::test]
async fn b1_a_payload_is_buffered_for_a_scheme_that_signs_it() {
    let pair = Pair::with(measured).await;
    let chunked = request(
        "POST",
        "/p/c/x",
        &["Transfer-Encoding: chunked"],
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    );
    for (sent, length) in [
        (get("/p/c/x"), "0"),
        (post("/p/c/x", "hello"), "5"),
        (chunked, "5"),
    ] {
        let received = pair.seen(&sent).await;
        assert_eq!(received.head.value("x-length"), Some(length));
        assert_eq!(received.body.data.len().to_string(), length);
    }
}

#[tokio::test]
async fn e9_a_payload_over_the_limit_is_not_sent() {
    let pair = Pair::with(measured).await;
    let chunked = request(
        "POST",
        "/p/c/x",
        &["Transfer-Encoding: chunked"],
        "14\r\n01234567890123456789\r\n0\r\n\r\n",
    );
    for sent in [post("/p/c/x", &"x".repeat(LIMIT + 1)), chunked] {
        pair.refused(sent, 413, "body-too-large").await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn h18_a_missing_secret_is_an_error_before_the_payload_is_requested() {
    let pair = Pair::with(|setup| {
        measured(setup).connection(tower_passthrough::Connection::new("vendor"))
    })
    .await;
    let lines = ["Expect: 100-continue", "Content-Length: 5"];
    let sent = request("POST", "/p/c/x", &lines, "");
    let response = pair.refused(sent, 424, "reauthorize").await;
    assert!(response.interim.is_empty());
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn b16_a_stalled_payload_times_out() {
    let vendor = Vendor::ok().await;
    let gateway = measured(Setup::new(&vendor))
        .options(|options| options.idle_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    let begun = request("POST", "/p/c/x", &["Content-Length: 10"], "part");
    caller.write(begun).await;
    let response = caller.response("POST").await;
    assert_eq!(response.error(), Some("upstream-timeout"));
    assert!(response.text().contains("\"sent\":false"));
    vendor.untouched().await;
}

/// The body of a layer, which reports 10 bytes and has none.
struct Lying;

impl Body for Lying {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(10)
    }
}

#[tokio::test]
async fn h14_a_payload_with_a_wrong_length_is_not_sent() {
    let vendor = Vendor::ok().await;
    let service = measured(Setup::new(&vendor)).build(([127, 0, 0, 1], 1).into());
    let request = http::Request::post("/p/c/x").header("content-length", "10");
    let Ok(response) = service.oneshot(request.body(Lying).unwrap()).await;
    assert_eq!(response.status(), 400);
    vendor.untouched().await;
}
