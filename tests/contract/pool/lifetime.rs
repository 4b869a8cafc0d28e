//! The lifetime of connections: until the idle timeout, or until the vendor closes them, and independent of the
//! caller's connection.

use std::time::Duration;

use testkit::caller::{Caller, get, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn short_lived(setup: Setup) -> Setup {
    setup.transport(|transport| transport.pool_idle_timeout(Duration::from_millis(500)))
}

#[tokio::test]
async fn k8_idle_connections_are_closed_without_another_call() {
    let pair = Pair::with(short_lived).await;
    for _ in 0..3 {
        assert_eq!(pair.call(get("/p/c/x")).await.status(), 200);
    }
    pair.vendor.all_closed().await;
}

#[tokio::test]
async fn k8_idle_http2_connections_are_closed_without_another_call() {
    let vendor = H2Vendor::start().await;
    let gateway = short_lived(Setup::new(&vendor)).start().await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let (response, _) = caller.open(call, true).await;
    vendor.next().await.ok("ok");
    assert_eq!(h2_caller::whole(response).await.status, 200);
    vendor.closed(0).await;
}

#[tokio::test]
async fn k12_connection_close_of_a_caller_keeps_the_vendors_connection() {
    let pair = Pair::new().await;
    let mut used = Vec::new();
    // The calls are repeated until the pool got the connection back in time.
    for _ in 0..20 {
        let mut caller = Caller::connect(pair.gateway.address).await;
        let closing = request("GET", "/p/c/x", &["Connection: close"], "");
        assert_eq!(caller.call(closing).await.status(), 200);
        caller.closed().await;
        let received = pair.vendor.next().await;
        assert!(!received.head.has("connection"), "{received:?}");
        if used.contains(&received.connection) {
            return;
        }
        used.push(received.connection);
    }
    panic!("no connection was used twice");
}

#[tokio::test]
async fn k12_connection_close_of_a_vendor_keeps_the_callers_connection() {
    let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let vendor = Vendor::answering(Reply::from(closing).close()).await;
    let pair = Pair::before(vendor, |setup| setup).await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    for number in 0..3 {
        let answer = caller.call(get("/p/c/x")).await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
        assert!(!answer.head.has("connection"), "{answer:?}");
        assert_eq!(pair.vendor.next().await.connection, number);
    }
}
