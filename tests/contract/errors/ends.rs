//! Ends without an error response: a vendor that breaks off, and a caller that leaves.

use std::time::Duration;

use http::StatusCode;
use tokio::sync::mpsc;
use tower_passthrough::ErrorCode;
use tower_passthrough::observe::{CallReport, Outcome};

use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Origin, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn e8_there_is_no_error_answer_after_the_head() {
    for reply in [
        Reply::from("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").close(),
        Reply::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").close(),
        Reply::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"),
    ] {
        let pair = Pair::before(Vendor::answering(reply).await, |setup| setup).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let head = caller.head().await;
        assert_eq!(head.status(), 200);
        assert!(!head.has("passthrough-error"));
        let rest = caller.closed().await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(rest.contains("hello"), "{rest}");
        for never in ["HTTP/1.1", "passthrough", "problem", "\r\n0\r\n"] {
            assert!(!rest.contains(never), "{never} in {rest}");
        }
    }
}

/// The data that an observer received.
type Told = (Outcome, Option<StatusCode>, Option<ErrorCode>);

async fn observed(vendor: &impl Origin) -> (Gateway, mpsc::UnboundedReceiver<Told>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gateway = Setup::new(vendor)
        .options(|o| {
            o.response_head_timeout(Duration::from_secs(60)).observe_fn(
                move |call: &CallReport<'_>| {
                    let error = call.error();
                    let _ = sender.send((call.outcome(), call.status(), error));
                },
            )
        })
        .start()
        .await;
    (gateway, receiver)
}

#[tokio::test]
async fn e10_a_caller_that_leaves_before_the_head_is_a_cancelled_call() {
    let vendor = Vendor::answering(Reply::silence()).await;
    let (gateway, mut told) = observed(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    vendor.next().await;
    drop(caller);
    let told = within("a report", told.recv()).await.unwrap();
    assert_eq!(told, (Outcome::Cancelled, None, None));
}

#[tokio::test]
async fn e10_an_answer_without_a_byte_of_body_is_a_complete_call() {
    let reply = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    let vendor = Vendor::answering(reply).await;
    let (gateway, mut told) = observed(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_eq!(caller.call(get("/p/c/x")).await.status(), 201);
    let told = within("a report", told.recv()).await.unwrap();
    assert_eq!(told, (Outcome::Complete, Some(StatusCode::CREATED), None));
}

#[tokio::test]
async fn e10_a_caller_that_resets_its_stream_is_a_cancelled_call() {
    let vendor = Vendor::answering(Reply::silence()).await;
    let (gateway, mut told) = observed(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let (response, stream) = caller.open(request, true).await;
    vendor.next().await;
    drop((response, stream));
    let told = within("a report", told.recv()).await.unwrap();
    assert_eq!(told, (Outcome::Cancelled, None, None));
}

#[tokio::test]
async fn e10_a_caller_that_leaves_in_the_body_is_a_cancelled_call() {
    let reply = Reply::from("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    let vendor = Vendor::answering(Reply([reply.0, Reply::silence().0].concat())).await;
    let (gateway, mut told) = observed(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    assert_eq!(caller.head().await.status(), 200);
    drop(caller);
    let told = within("a report", told.recv()).await.unwrap();
    assert_eq!(told, (Outcome::Cancelled, Some(StatusCode::OK), None));
}

#[tokio::test]
async fn e10_an_upload_that_breaks_off_is_not_the_vendors_failure() {
    let vendor = Vendor::ok().await;
    let (gateway, mut told) = observed(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request("POST", "/p/c/x", &["Content-Length: 100"], "hello"))
        .await;
    drop(caller);
    let (outcome, _, error) = within("a report", told.recv()).await.unwrap();
    assert_eq!(outcome, Outcome::Cancelled);
    let vendors = [
        ErrorCode::UpstreamProtocol,
        ErrorCode::UpstreamUnreachable,
        ErrorCode::UpstreamTimeout,
    ];
    assert!(
        error.is_none_or(|error| !vendors.contains(&error)),
        "{error:?}"
    );
}

#[tokio::test]
async fn e10_a_vendor_that_breaks_off_is_not_the_callers_fault() {
    for (reply, expected) in [
        (
            Reply::from("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").close(),
            (Outcome::Aborted, Some(StatusCode::OK), None),
        ),
        (
            Reply::default().close(),
            (
                Outcome::Refused,
                Some(StatusCode::BAD_GATEWAY),
                Some(ErrorCode::UpstreamProtocol),
            ),
        ),
        (
            Reply::ok("ok"),
            (Outcome::Complete, Some(StatusCode::OK), None),
        ),
    ] {
        let vendor = Vendor::answering(reply).await;
        let (gateway, mut told) = observed(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.call(get("/p/c/x")).await;
        assert_eq!(within("a report", told.recv()).await.unwrap(), expected);
    }
}
