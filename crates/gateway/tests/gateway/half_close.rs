//! Callers that close their sending side after the request, and callers that leave.

use std::time::Duration;

use tokio::time::timeout;

use testkit::caller::{Caller, get};
use testkit::manual::ManualVendor;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::wire::End;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Returns a call with the usual key.
fn call(method: &str, framing: &str, body: &str) -> String {
    format!(
        "{method} /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n{framing}\r\n{body}"
    )
}

#[tokio::test]
async fn b10_a_caller_that_closes_its_sending_side_after_the_request_gets_the_answer() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    for call in [
        call("GET", "", ""),
        call("POST", "Content-Length: 5\r\n", "hello"),
        call("POST", "Transfer-Encoding: chunked\r\n", chunks),
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(&call).await;
        caller.wire.finish().await;
        let mut connection = vendor.accept().await;
        connection.request().await;
        // The gateway has seen the caller's end by the time at which it has answered another caller.
        assert_eq!(gateway.raw(get("/healthz")).await.status(), 200);
        connection.write(OK).await;
        let answer = caller.response("POST").await;
        assert_eq!(
            (answer.status(), answer.text().as_str()),
            (200, "ok"),
            "{call}"
        );
        assert!(caller.closed().await.is_empty());
        connection.wire.finish().await;
        connection.closed().await;
    }
}

#[tokio::test]
async fn b10_a_caller_that_resets_its_connection_ends_the_vendors_request() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    for closes_first in [false, true] {
        let mut caller = Caller::connect(gateway.address).await;
        caller
            .write(call("POST", "Content-Length: 5\r\n", "hello"))
            .await;
        let mut connection = vendor.accept().await;
        connection.request().await;
        if closes_first {
            caller.wire.finish().await;
            assert_eq!(gateway.raw(get("/healthz")).await.status(), 200);
        }
        caller.wire.reset();
        connection.closed().await;
    }
}

#[tokio::test]
async fn b11_an_end_in_the_middle_of_a_body_is_an_abort() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    for call in [
        call("POST", "Content-Length: 6\r\n", "hello"),
        call("POST", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(&call).await;
        let mut connection = vendor.accept().await;
        let head = connection.head().await;
        caller.wire.finish().await;
        let body = connection.body(&head).await;
        assert_eq!(body.end, End::Cut, "{call}");
        assert!(!body.raw.ends_with(b"0\r\n\r\n"), "{call}");
    }
}

/// The caller's system answers probes of the closed connection for `net.ipv4.tcp_fin_timeout`, 60 s by default.
#[tokio::test]
#[ignore = "takes more than a minute"]
async fn b10_a_caller_that_has_left_without_a_reset_is_noticed() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).table("[timeouts]\nresponse_head = \"10m\"\nidle = \"10m\"");
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(call("GET", "", "")).await;
    let mut connection = vendor.accept().await;
    connection.request().await;
    drop(caller);
    let limit = Duration::from_secs(55 + 60);
    let left = timeout(limit, connection.wire.fill()).await;
    assert_eq!(left, Ok(false), "the vendor's request goes on");
}

/// A body that nobody reads yet isn't lost with the caller's end.
#[tokio::test]
async fn b10_a_large_upload_whose_caller_closes_its_sending_side_arrives_whole() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let content = "x".repeat(8 * 1024 * 1024);
    let mut caller = Caller::connect(gateway.address).await;
    let upload = async {
        let framing = format!("Content-Length: {}\r\n", content.len());
        caller.write(call("POST", &framing, &content)).await;
        caller.wire.finish().await;
    };
    let receive = async {
        let mut connection = vendor.accept().await;
        let received = connection.request().await;
        assert_eq!(received.body.data.len(), content.len());
        connection.write(OK).await;
    };
    tokio::join!(upload, receive);
    assert_eq!(caller.response("POST").await.status(), 200);
}
