//! Answers that come before the upload has ended, and interim ones.

use http::{Request, Response};

use crate::support::caller::{Caller, RawResponse, get, request};
use crate::support::gateway::Gateway;
use crate::support::h2_caller::{self, H2Caller};
use crate::support::h2_vendor::H2Vendor;
use crate::support::manual::ManualVendor;
use crate::support::pair::Pair;
use crate::support::vendor::Vendor;
use crate::support::wire::End;

const HALF: usize = 64 * 1024;
const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";

fn half_of_upload(target: &str, whole: usize) -> String {
    let length = format!("Content-Length: {whole}");
    request("POST", target, &[&length], &"x".repeat(HALF))
}

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

fn assert_too_large(answer: &RawResponse) {
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (413, "too large")
    );
    assert_eq!(answer.error(), None);
    assert!(answer.complete());
}

#[tokio::test]
async fn b9_an_early_answer_comes_at_once_and_the_upload_goes_on() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(half_of_upload("/p/c/x", 2 * HALF)).await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    connection.write(TOO_LARGE).await;
    assert_too_large(&caller.response("POST").await);

    caller.write("x".repeat(HALF)).await;
    let body = connection.body(&head).await;
    assert_eq!((body.data.len(), body.end), (2 * HALF, End::Complete));
    // The caller's connection is in step.
    let next = caller.call(get("/p/nobody/x")).await;
    assert_eq!(next.error(), Some("unknown-connection"));
}

#[tokio::test]
async fn b9_an_early_answer_over_http2_comes_at_once_and_the_upload_goes_on() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut upload) = caller.open(stream("POST"), false).await;
    upload.send_data("hel".into(), false).unwrap();
    let mut call = vendor.next().await;
    let mut answer = call.answer(Response::builder().status(413).body(()).unwrap());
    answer.send_data("too large".into(), true).unwrap();
    let early = h2_caller::whole(response).await;
    assert_eq!(
        (early.status.as_u16(), early.body.as_slice()),
        (413, &b"too large"[..])
    );

    upload.send_data("lo".into(), true).unwrap();
    assert_eq!(call.read().await.0, b"hello");
}

#[tokio::test]
async fn b9_a_reset_without_error_after_the_whole_answer_is_none() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for _ in 0..8 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(half_of_upload("/p/c/x", 2 * HALF)).await;
        let mut call = vendor.next().await;
        let mut answer = call.answer(Response::builder().status(413).body(()).unwrap());
        answer.send_data("too large".into(), true).unwrap();
        // What h2 sends for an unread body behind the answer is RST_STREAM(NO_ERROR).
        drop((call, answer));
        assert_too_large(&caller.response("POST").await);
    }
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn b9_a_vendor_that_answers_and_closes_is_answered_for_and_never_asked_again() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    for run in 0..12 {
        let mut caller = Caller::connect(gateway.address).await;
        caller
            .write(half_of_upload(&format!("/p/c/{run}"), 1 << 30))
            .await;
        // A request that was sent again would come before the next run's.
        let mut connection = vendor.accept().await;
        assert_eq!(connection.head().await.target(), format!("/{run}"));
        connection.write(TOO_LARGE).await;
        // Bytes of the upload are unread, so this is a reset.
        drop(connection);
        let answer = caller.response("POST").await;
        match answer.error() {
            None => assert_too_large(&answer),
            Some(_) => {
                assert_eq!(answer.status(), 502);
                let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).unwrap();
                assert_eq!(problem["sent"], true, "{problem}");
            }
        }
    }
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/last")).await;
    assert_eq!(vendor.accept().await.head().await.target(), "/last");
}

/// Interim answers before a final one.
const INTERIM: &[&str] = &[
    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n",
];

#[tokio::test]
async fn b15_interim_answers_do_not_disturb_the_final_one() {
    for interim in INTERIM {
        let answer = format!("{interim}HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
        let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        for _ in 0..2 {
            let answer = caller.call(get("/p/c/x")).await;
            assert_eq!(
                (answer.status(), answer.text().as_str()),
                (201, "hello"),
                "{interim:?}"
            );
            assert!(!answer.head.has("link"), "{interim:?}");
            assert!(
                answer.interim.iter().all(|head| !head.has("x-hop")),
                "{interim:?}"
            );
        }
        let mut caller = H2Caller::connect(pair.gateway.address).await;
        let answer = caller.call(stream("GET")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_slice()),
            (201, &b"hello"[..])
        );
    }
}

#[tokio::test]
async fn b15_interim_answers_over_http2_do_not_disturb_the_final_one() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for code in [103, 100, 102] {
        caller.write(get("/p/c/x")).await;
        let mut call = vendor.next().await;
        let interim = Response::builder().status(code).header("link", "</a.css>");
        call.respond
            .send_informational(interim.body(()).unwrap())
            .unwrap();
        call.ok("hello");
        let answer = caller.response("GET").await;
        assert_eq!(
            (answer.status(), answer.text().as_str()),
            (200, "hello"),
            "{code}"
        );
        assert!(!answer.head.has("link"), "{code}");
    }
}
