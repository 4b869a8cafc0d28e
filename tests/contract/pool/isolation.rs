//! One pool serves many tenants: no answer, request or stall of one tenant reaches another tenant.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use tower::util::MapRequest;
use tower_passthrough::Connection;

use super::{assert_passes, begins_long, stall_eight};
use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

fn stream(method: &str, target: &str) -> Request<()> {
    h2_caller::request(method, target).body(()).unwrap()
}

#[tokio::test]
async fn k4_an_answer_dropped_half_read_closes_its_connection() {
    let never = Signal::new();
    let vendor = begins_long(&never).await;
    let gateway = Gateway::to(&vendor).await;
    let mut streams = H2Caller::connect(gateway.address).await;
    for _ in 0..50 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/long")).await;
        caller.head().await;
        let (response, _) = streams.open(stream("GET", "/p/c/long"), true).await;
        drop(h2_caller::answer(response).await);
    }
    vendor.all_closed().await;
    assert_eq!(vendor.connections().await, 100);
    let mut caller = Caller::connect(gateway.address).await;
    for target in ["/own", "/next"] {
        assert_eq!(
            caller.call(get(&format!("/p/c{target}"))).await.text(),
            target
        );
    }
}

#[tokio::test]
async fn k4_a_stream_dropped_half_read_is_reset_and_its_connection_stays() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for _ in 0..30 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/long")).await;
        let mut answer = vendor.next().await.answer(Response::new(()));
        answer
            .send_data(Bytes::from(vec![b'x'; 100_000]), false)
            .unwrap();
        caller.head().await;
        drop(caller);
        let reset = std::future::poll_fn(|cx| answer.poll_reset(cx));
        within("a reset of the stream", reset).await.unwrap();
    }
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/own")).await;
    vendor.next().await.ok("own");
    assert_eq!(caller.response("GET").await.text(), "own");
    assert_eq!(vendor.connections().await, 1);
}

const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned";

#[tokio::test]
async fn k5_a_connection_with_bytes_after_an_answer_is_closed() {
    for (method, answer) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 78\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Length: 78\r\n\r\n",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 78\r\n\r\n",
        ),
    ] {
        let vendor = Vendor::replying(move |received| match received.target() {
            "/poisoned" => Reply::from(format!("{answer}{POISON}")),
            _ => Reply::ok("own"),
        })
        .await;
        let pair = Pair::before(vendor, |setup| setup).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        let first = caller.call(request(method, "/p/c/poisoned", &[], "")).await;
        assert!(!first.text().contains("poisoned"), "{first:?}");
        pair.vendor.closed(0).await;
        let second = caller.call(get("/p/c/own")).await;
        assert_eq!(
            (second.status(), second.text().as_str()),
            (200, "own"),
            "{method} {answer:?}"
        );
    }
}

/// Adds two tenants at one vendor, each with its own token.
fn two_tenants(setup: Setup) -> Setup {
    setup
        .also("one", Connection::new("vendor").with_secret("token", "t1"))
        .also("two", Connection::new("vendor").with_secret("token", "t2"))
}

#[tokio::test]
async fn k6_a_length_without_a_body_does_not_swallow_the_next_tenants_request() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/one" => Reply::from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        _ => Reply::ok("own"),
    })
    .await;
    // A layer of the host application has read the body, and left the field.
    let listener = bind().await;
    let service = two_tenants(Setup::new(&vendor)).build(listener.local_addr().unwrap());
    let emptied = MapRequest::new(service, |request: Request<Incoming>| {
        request.map(|_| Empty::<Bytes>::new())
    });
    let gateway = Gateway::serve(listener, emptied);

    let body = "x".repeat(40);
    let one = request("POST", "/p/one/one", &["Content-Length: 40"], &body);
    let answer = Caller::connect(gateway.address).await.call(one).await;
    assert_eq!(answer.status(), 401);
    let received = vendor.next().await;
    assert!(
        matches!(received.head.value("content-length"), None | Some("0")),
        "{received:?}"
    );

    let answer = Caller::connect(gateway.address)
        .await
        .call(get("/p/two/two"))
        .await;
    assert_eq!(answer.text(), "own");
    let received = vendor.next().await;
    assert_eq!(received.head.start, "GET /two HTTP/1.1");
    assert_eq!(received.head.value("authorization"), Some("Bearer t2"));
    assert!(received.body.data.is_empty());
}

#[tokio::test]
async fn k6_a_connection_with_a_broken_request_gets_no_other_request() {
    let vendor = ManualVendor::bind().await;
    let gateway = two_tenants(Setup::new(&vendor)).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request(
            "POST",
            "/p/one/one",
            &["Content-Length: 40"],
            "hello",
        ))
        .await;
    let mut first = vendor.accept().await;
    first.head().await;
    assert!(
        within("the upload's beginning", first.wire.until(b"hello"))
            .await
            .is_some()
    );
    first
        .write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(caller.response("POST").await.status(), 401);

    // The connection still waits for 35 bytes, so it can't be used for another call, whether the first caller is still
    // connected or has left.
    for _ in 0..2 {
        let mut other = Caller::connect(gateway.address).await;
        other.write(get("/p/two/two")).await;
        let mut second = vendor.accept().await;
        let received = second.request().await;
        assert_eq!(received.head.start, "GET /two HTTP/1.1");
        assert_eq!(received.head.value("authorization"), Some("Bearer t2"));
        second
            .write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nown")
            .await;
        assert_eq!(other.response("GET").await.text(), "own");
        caller.wire.finish().await;
    }
    assert_eq!(first.wire.closed().await, b"");
}

#[tokio::test]
async fn k10_stalled_downloads_do_not_stop_other_calls_on_their_connection() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    // This call opens one connection, before all other calls need a connection at the same time.
    let mut last = Caller::connect(gateway.address).await;
    last.write(get("/p/c/first")).await;
    vendor.next().await.ok("ok");
    assert_eq!(last.response("GET").await.status(), 200);

    let _stalled = stall_eight(&vendor, &gateway, "/p/c/long").await;
    assert_passes(&vendor, &mut last, "/p/c/short").await;
    assert_eq!(vendor.connections().await, 1);
}
