//! Requests that are sent again by default because the vendor can't have seen them, and requests that aren't sent again.

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use testkit::caller::{Caller, RawResponse, get, post, request};
use testkit::counts::Counts;
use testkit::gateway::Gateway;
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn assert_unanswered(answer: &RawResponse) {
    assert_eq!(answer.status(), 502, "{answer:?}");
    assert!(answer.error().is_some());
    let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).unwrap();
    assert_eq!(problem["sent"], true, "{problem}");
}

#[tokio::test]
async fn k1_a_post_after_the_vendor_closed_the_idle_connection_is_seen_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for number in 0..5 {
        caller.write(post(&format!("/p/c/{number}"), "hello")).await;
        let mut connection = vendor.accept().await;
        let received = connection.request().await;
        assert_eq!(received.target(), format!("/{number}"));
        assert_eq!(received.body.data, b"hello");
        connection.write(OK).await;
        assert_eq!(caller.response("POST").await.status(), 200);
        connection.wire.finish().await;
        connection.closed().await;
    }
}

#[tokio::test]
async fn k1_a_post_that_races_with_the_vendors_close_is_never_seen_twice() {
    let vendor = Vendor::answering(Reply::from(OK).close()).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for number in 0..40 {
        let answer = caller.call(post(&format!("/p/c/{number}"), "hello")).await;
        if answer.status() == 200 {
            assert_eq!(vendor.next().await.target(), format!("/{number}"));
        } else {
            assert_unanswered(&answer);
        }
    }
    assert!(
        vendor.try_next().await.is_none(),
        "a request was seen twice"
    );
}

/// Starts a vendor that answers `/first`, and closes without a byte after any other request.
async fn vendor_that_hangs_up() -> Vendor {
    Vendor::replying(|received| match received.target() {
        "/first" => Reply::from(OK),
        _ => Reply::default().close(),
    })
    .await
}

#[tokio::test]
async fn k2_a_request_that_was_written_and_not_answered_is_not_sent_again() {
    let get = get("/p/c/x");
    let chunked = request(
        "POST",
        "/p/c/x",
        &["Transfer-Encoding: chunked"],
        "5\r\nhello\r\n0\r\n\r\n",
    );
    for call in [
        post("/p/c/x", "hello"),
        get,
        chunked,
        request("PUT", "/p/c/x", &["Content-Length: 0"], ""),
    ] {
        let vendor = vendor_that_hangs_up().await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        assert_unanswered(&caller.call(&call).await);
        assert_eq!(vendor.next().await.target(), "/x");
        assert_eq!(vendor.connections().await, 1, "{call:?}");
    }
}

#[tokio::test]
async fn k2_a_written_request_on_a_reused_connection_is_not_sent_again() {
    let vendor = vendor_that_hangs_up().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    // The calls are repeated until the pool got the first connection back in time.
    for _ in 0..20 {
        assert_eq!(
            caller
                .call(testkit::caller::get("/p/c/first"))
                .await
                .status(),
            200
        );
        let first = vendor.next().await;
        let answer = caller.call(post("/p/c/x", "hello")).await;
        assert_unanswered(&answer);
        let second = vendor.next().await;
        assert_eq!(second.target(), "/x");
        assert_eq!(second.body.data, b"hello");
        assert!(
            vendor.try_next().await.is_none(),
            "the request was seen twice"
        );
        if first.connection == second.connection {
            return;
        }
    }
    panic!("no connection was used twice");
}

#[tokio::test]
async fn k2_a_request_that_was_reset_is_not_sent_again() {
    let vendor = Vendor::answering(Reply::default().reset()).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_unanswered(&caller.call(post("/p/c/x", "hello")).await);
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn k3_a_new_connection_that_fails_is_not_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counts = Counts::default();
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let counts = counts.clone();
        async move {
            while let Ok((socket, peer)) = listener.accept().await {
                counts.accepted(peer);
                drop(socket);
            }
        }
    });
    let vendor = format!("http://vendor.test:{}", address.port());
    let gateway = Gateway::to(vendor.as_str()).await;
    for (number, call) in [get("/p/c/x"), post("/p/c/x", "hello"), post("/p/c/x", "")]
        .iter()
        .enumerate()
    {
        let answer = Caller::connect(gateway.address).await.call(call).await;
        assert_eq!(answer.status(), 502);
        assert!(answer.error().is_some());
        assert_eq!(counts.connections(address).await, number + 1);
    }
}
