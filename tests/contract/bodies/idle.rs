//! The idle timeout ends a call in which no byte moves, and not a call that takes long.
//!
//! These tests wait in real time, because they test time limits. A slow machine only makes the waits longer.

use std::time::Duration;

use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor;
use testkit::manual::ManualVendor;
use testkit::wait::within;

use super::streaming::fill;

const BEGUN: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

async fn gateway(vendor: &ManualVendor, idle: Duration) -> Gateway {
    let setup = Setup::new(vendor).options(move |options| options.idle_timeout(idle));
    setup.start().await
}

/// The pause between two bytes, which is much shorter than [`IDLE`].
const PAUSE: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_secs(2);

/// The number of pauses, which together are longer than [`IDLE`].
const PAUSES: usize = 10;

#[tokio::test]
async fn b16_an_answer_in_which_no_byte_moves_times_out() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor, Duration::from_millis(300)).await;

    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.write(BEGUN).await;
    caller.head().await;
    assert_eq!(caller.closed().await, b"5\r\nhello\r\n");
    connection.closed().await;

    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let (response, _) = caller.open(call, true).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.write(BEGUN).await;
    let mut body = h2_caller::answer(response).await.into_body();
    assert!(within("a reset", h2_vendor::read(&mut body)).await.is_err());
    connection.closed().await;
}

#[tokio::test]
async fn b16_a_long_answer_with_moving_bytes_continues() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor, IDLE).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.write(BEGUN).await;
    for _ in 0..PAUSES {
        tokio::time::sleep(PAUSE).await;
        connection.write("1\r\nx\r\n").await;
    }
    connection.write("0\r\n\r\n").await;
    let answer = caller.response("GET").await;
    assert_eq!(
        (answer.text(), answer.complete()),
        (format!("hello{}", "x".repeat(PAUSES)), true)
    );
}

#[tokio::test]
async fn b16_bytes_of_the_upload_count_too() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor, IDLE).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request(
            "POST",
            "/p/c/x",
            &["Transfer-Encoding: chunked"],
            "",
        ))
        .await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    connection.write(BEGUN).await;
    caller.head().await;
    for _ in 0..PAUSES {
        tokio::time::sleep(PAUSE).await;
        caller.write("1\r\nx\r\n").await;
    }
    caller.write("0\r\n\r\n").await;
    assert_eq!(connection.body(&head).await.data.len(), PAUSES);
    connection.write("0\r\n\r\n").await;
    let rest = within("the answer's end", caller.wire.until(b"0\r\n\r\n")).await;
    assert!(rest.is_some(), "the answer was cut");
}

#[tokio::test]
async fn b16_the_vendor_is_not_idle_while_the_caller_is_blocked() {
    let vendor = ManualVendor::bind().await;
    let idle = Duration::from_millis(300);
    let gateway = gateway(&vendor, idle).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
        .await;
    caller.head().await;
    let written = fill(&mut connection.wire).await;
    tokio::time::sleep(3 * idle).await;
    let (read, _) = within("the written bytes", caller.wire.exactly(written)).await;
    assert_eq!(read.len(), written);
}

#[tokio::test]
async fn b16_an_upload_that_stalls_after_its_answer_times_out() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor, Duration::from_millis(300)).await;
    for answer in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno",
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        let begun = request("POST", "/p/c/x", &["Content-Length: 1000"], "part");
        caller.write(begun).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(answer).await;
        caller.response("POST").await;
        // The caller stays connected, and sends no more bytes.
        connection.closed().await;
    }
}

#[tokio::test]
async fn b16_a_blocked_caller_is_not_idle_after_an_early_answer() {
    let vendor = ManualVendor::bind().await;
    let idle = Duration::from_millis(300);
    let gateway = gateway(&vendor, idle).await;
    let mut caller = Caller::connect(gateway.address).await;
    let fields = ["Transfer-Encoding: chunked"];
    caller
        .write(request("POST", "/p/c/x", &fields, "3\r\nabc\r\n"))
        .await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
        .await;
    caller.head().await;
    caller.write("0\r\n\r\n").await;
    assert_eq!(connection.body(&head).await.data, b"abc");
    let written = fill(&mut connection.wire).await;
    tokio::time::sleep(3 * idle).await;
    let (read, _) = within("the written bytes", caller.wire.exactly(written)).await;
    assert_eq!(read.len(), written);
}
