//! An exchange leaves nothing that another exchange could find.

use bytes::Bytes;
use http::Response;

use super::{assert_ok, begins_long};
use testkit::caller::{Caller, get};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_script::FrameVendor;
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";

#[tokio::test]
async fn k4_a_thousand_answers_dropped_half_read_leave_no_connection() {
    let never = Signal::new();
    let vendor = begins_long(&never).await;
    let gateway = Gateway::to(&vendor).await;
    for _ in 0..500 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/long")).await;
        caller.head().await;
    }
    vendor.all_closed().await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_ok(&caller.call(get("/p/c/own")).await, "/own");

    // All these answers together are larger than the window of the connection: bytes that nobody reads must be returned
    // to the window.
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    for _ in 0..500 {
        let call = h2_caller::request("GET", "/p/c/long").body(()).unwrap();
        let (response, _) = caller.open(call, true).await;
        let mut answer = vendor.next().await.answer(Response::new(()));
        answer
            .send_data(Bytes::from(vec![b'x'; 100_000]), false)
            .unwrap();
        drop(h2_caller::answer(response).await);
        let reset = std::future::poll_fn(|cx| answer.poll_reset(cx));
        within("a reset of the stream", reset).await.unwrap();
    }
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/own")).await;
    vendor.next().await.ok("own");
    assert_ok(&caller.response("GET").await, "own");
    // The key has cancelled many calls, so it got a connection of its own.
    assert_eq!(vendor.connections().await, 2);
}

#[tokio::test]
async fn k5_bytes_on_an_idle_connection_close_it() {
    for vendor in [
        ManualVendor::bind().await,
        ManualVendor::bind_tls(&["http/1.1"]).await,
    ] {
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        for stray in [
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned",
            "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
            "x",
        ] {
            caller.write(get("/p/c/x")).await;
            let mut connection = vendor.accept().await;
            connection.head().await;
            connection.write(OK).await;
            assert_ok(&caller.response("GET").await, "first");
            connection.write(stray).await;
            // The connection is closed without another call.
            connection.closed().await;
        }
    }
}

#[tokio::test]
async fn k5_an_idle_connection_that_the_vendor_closes_is_closed() {
    for vendor in [
        ManualVendor::bind().await,
        ManualVendor::bind_tls(&["http/1.1"]).await,
    ] {
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(OK).await;
        assert_ok(&caller.response("GET").await, "first");
        connection.wire.finish().await;
        connection.closed().await;
    }
    for vendor in [FrameVendor::bind().await, FrameVendor::bind_tls().await] {
        let gateway = Setup::new(&vendor)
            .transport(|transport| transport.http2_prior_knowledge(true))
            .start()
            .await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        connection.answer(stream, "first").await;
        assert_ok(&caller.response("GET").await, "first");
        connection.wire.finish().await;
        connection.closed().await;
    }
}

// The test uses several threads, because the connection goes back to the pool while its end arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k5_a_connection_that_ends_as_it_becomes_idle_is_closed() {
    let vendor = Vendor::answering(Reply::from(OK).finish()).await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let address = gateway.address;
        callers.spawn(async move {
            let mut caller = Caller::connect(address).await;
            for _ in 0..100 {
                let answer = caller.call(get("/p/c/x")).await;
                // If the vendor closes the connection while a call takes it from the pool, the call may fail.
                assert!(matches!(answer.status(), 200 | 502), "{answer:?}");
            }
        });
    }
    within("all calls", callers.join_all()).await;
    vendor.all_closed().await;
}
