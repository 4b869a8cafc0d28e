//! The total timeout, if the host application sets it.

use std::time::Duration;

use testkit::caller::{Caller, get};
use testkit::gateway::{Gateway, Setup};
use testkit::manual::ManualVendor;

const TOTAL: Duration = Duration::from_millis(400);

async fn gateway(vendor: &ManualVendor) -> Gateway {
    Setup::new(vendor)
        .options(|options| options.total_timeout(TOTAL))
        .start()
        .await
}

#[tokio::test]
async fn b16_the_total_timeout_ends_a_call_without_an_answer() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    let answer = caller.response("GET").await;
    assert_eq!(
        (answer.status(), answer.error()),
        (504, Some("upstream-timeout"))
    );
    assert!(
        answer.text().contains(r#""sent":true"#),
        "{}",
        answer.text()
    );
    connection.closed().await;
}

#[tokio::test]
async fn b16_the_total_timeout_ends_an_answer_with_moving_bytes() {
    let vendor = ManualVendor::bind().await;
    let gateway = gateway(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    caller.head().await;
    let moving = async {
        loop {
            connection.write("1\r\nx\r\n").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let read = tokio::select! {
        read = caller.closed() => read,
        () = moving => unreachable!("the vendor writes without end"),
    };
    assert!(read.starts_with(b"1\r\nx\r\n"), "nothing came");
    assert!(!read.ends_with(b"0\r\n\r\n"), "the body looks complete");
}
