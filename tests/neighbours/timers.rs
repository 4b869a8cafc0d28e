//! Time limits, and bytes that keep arriving.

use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use testkit::caller::{Caller, get};
use testkit::manual::ManualVendor;
use testkit::wait::within;
use tokio::task::{JoinSet, coop};
use tower::ServiceExt as _;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{Dispatch, TransportError};
use tower_passthrough::upgrade::UpgradeTracker;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughService, Transport, Upstream,
};

use super::{assert_ok, begin, setup};

#[tokio::test]
async fn x8_interim_responses_without_end_fail_their_call() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor)
        .options(|builder| builder.response_head_timeout(Duration::from_secs(1)))
        .start()
        .await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    let mut attacker = vendor.accept().await;
    attacker.head().await;
    let flood = tokio::spawn(async move {
        let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
        while attacker.wire.try_write(interim.as_bytes()).await {}
    });
    let answer = calls.join_next().await.unwrap().unwrap();
    assert_eq!(answer.error(), Some("upstream-timeout"), "{answer:?}");
    // The gateway has closed the connection.
    flood.await.unwrap();

    begin(&mut calls, gateway.address, "/p/v/x".into());
    let mut own = vendor.accept().await;
    own.head().await;
    own.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
        .await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
}

/// Each interim response comes in time, and the bytes stay below the limit.
#[tokio::test]
async fn x8_interim_responses_do_not_put_off_the_timeout_of_the_head() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor)
        .options(|builder| builder.response_head_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    let mut attacker = vendor.accept().await;
    attacker.head().await;
    let drip = tokio::spawn(async move {
        while attacker
            .wire
            .try_write(b"HTTP/1.1 102 Processing\r\n\r\n")
            .await
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let answer = calls.join_next().await.unwrap().unwrap();
    assert_eq!(answer.error(), Some("upstream-timeout"), "{answer:?}");
    drip.await.unwrap();
}

/// A transport that always has something to do, and so uses up the task's budget each time that it's polled.
struct Busy;

impl Transport for Busy {
    async fn send(
        &self,
        _: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        std::future::poll_fn(|cx| {
            while let Poll::Ready(budget) = coop::poll_proceed(cx) {
                budget.made_progress();
            }
            Poll::Pending
        })
        .await
    }
}

#[tokio::test]
async fn x8_an_upstream_that_is_always_busy_does_not_put_off_the_timeout() {
    let store = MemoryStore::from_iter([("a0", Connection::new("x"))]);
    let upstream = Upstream::new("https://vendor.test").unwrap();
    let service = PassthroughService::builder(store, Integrations::new().with("x", upstream))
        .dangerous()
        .allow_all()
        .transport(Busy)
        .response_head_timeout(Duration::from_millis(50))
        .build();
    let call = Request::get("/a0/x").body(String::new()).unwrap();
    let answer = within("the timeout", service.oneshot(call)).await.unwrap();
    assert_eq!(answer.status(), 504);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x8_a_busy_tunnel_is_cut_at_once() {
    let vendor = ManualVendor::bind().await;
    let tunnels = UpgradeTracker::new();
    let tracker = tunnels.clone();
    let gateway = setup(&vendor)
        .options(move |builder| builder.upgrade_tracker(tracker))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    let fields = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    caller
        .write(format!("GET /p/a0/ws HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
        .await;
    let mut upstream = vendor.accept().await;
    upstream.head().await;
    upstream
        .write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .await;
    assert_eq!(caller.head().await.status(), 101);
    // Bytes flow as fast as the machine permits.
    let sending = tokio::spawn(async move {
        let bytes = vec![b'x'; 64 * 1024];
        while upstream.wire.try_write(&bytes).await {}
    });
    let reading = tokio::spawn(async move { while caller.wire.fill().await {} });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(tunnels.open(), 1);
    tunnels.cut();
    within("the end of the tunnel", tunnels.ended()).await;
    sending.await.unwrap();
    reading.await.unwrap();
}

#[tokio::test]
async fn x9_slow_calls_of_a_key_shut_the_upstream_for_no_other_key() {
    let vendor = testkit::vendor::Vendor::replying(|received| match received.target() {
        "/slow" => testkit::reply::Reply::silence(),
        _ => testkit::reply::Reply::ok("own"),
    })
    .await;
    let gateway = setup(&vendor)
        .options(|builder| {
            let policy = tower_passthrough::resilience::CircuitPolicy::new().failures(2);
            builder
                .circuit(policy)
                .response_head_timeout(Duration::from_millis(100))
        })
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    for error in ["upstream-timeout", "upstream-timeout", "overloaded"] {
        let answer = caller.call(get("/p/a0/slow")).await;
        assert_eq!(answer.error(), Some(error), "{answer:?}");
    }
    assert_ok(&caller.call(get("/p/v/x")).await, "own");
}
