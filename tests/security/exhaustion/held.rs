//! The memory and the connections that calls hold.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{Dispatch, TransportError};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    CallContext, Connection, CredentialStore, Integrations, MemoryStore, PassthroughService,
    StoreError, Transport, Upstream, auth,
};

use super::Void;
use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::schemes::Payload;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};
use testkit::wire::Wire;

/// The largest number of bytes that may be between a peer that sends and a peer that doesn't read, with the buffers of
/// the kernels included.
const IN_BETWEEN: usize = 24 << 20;

/// Writes until the peer reads nothing for a second, and returns the number of bytes that the peer took.
async fn fill(wire: &mut Wire) -> usize {
    let chunk = [b'x'; 64 * 1024];
    let mut written = 0;
    while written < 4 * IN_BETWEEN {
        match tokio::time::timeout(Duration::from_secs(1), wire.write_some(&chunk)).await {
            Ok(Some(some)) => written += some,
            _ => break,
        }
    }
    written
}

#[tokio::test]
async fn x1_a_caller_that_does_not_read_holds_little() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut stalled = Caller::connect(gateway.address).await;
    stalled.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            1_u64 << 40
        ))
        .await;
    let written = fill(&mut connection.wire).await;
    assert!(written < IN_BETWEEN, "{written} bytes are held");
}

#[tokio::test]
async fn x1_a_vendor_that_does_not_read_holds_little() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request(
            "POST",
            "/p/c/x",
            &[&format!("Content-Length: {}", 1_u64 << 40)],
            "",
        ))
        .await;
    let written = fill(&mut caller.wire).await;
    assert!(written < IN_BETWEEN, "{written} bytes are held");
}

#[tokio::test]
async fn x1_a_body_over_the_limit_is_not_forwarded() {
    let pair = Pair::with(|setup| setup.options(|options| options.request_body_limit(1000))).await;
    pair.refused(
        request("POST", "/p/c/x", &["Content-Length: 1001"], ""),
        413,
        "body-too-large",
    )
    .await;
    pair.vendor.untouched().await;
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let response = pair
        .call(request(
            "POST",
            "/p/c/x",
            &["Transfer-Encoding: chunked"],
            &chunk,
        ))
        .await;
    assert_eq!(
        (response.status(), response.error()),
        (413, Some("body-too-large"))
    );
    let exact = format!("3e8\r\n{}\r\n0\r\n\r\n", "x".repeat(1000));
    let good = pair
        .call(request(
            "POST",
            "/p/c/x",
            &["Transfer-Encoding: chunked"],
            &exact,
        ))
        .await;
    assert_eq!(good.status(), 200);
}

#[tokio::test]
async fn x2_idle_connections_are_limited_and_closed() {
    const AT_ONCE: usize = 12;
    let signal = Signal::new();
    let reply = Reply::default()
        .until(&signal)
        .then("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let vendor = Vendor::answering(reply).await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| {
            transport
                .pool_max_idle_per_host(2)
                .pool_idle_timeout(Duration::from_millis(200))
        })
        .start()
        .await;
    let mut calls = JoinSet::new();
    for _ in 0..AT_ONCE {
        calls.spawn(raw_call(gateway.address, get("/p/c/x")));
    }
    for _ in 0..AT_ONCE {
        vendor.next().await;
    }
    assert_eq!(vendor.connections().await, AT_ONCE);
    signal.give();
    while let Some(response) = calls.join_next().await {
        assert_eq!(response.unwrap().text(), "ok");
    }
    // No call is made any more, so a pool that looks only during calls would keep the connections.
    vendor.all_closed().await;
}

/// A store that has a connection for each id.
struct Everything;

impl CredentialStore for Everything {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(Connection::new("x").with_secret("token", "t"))
    }
}

/// Returns the resident memory of the process, as the kernel reports it.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: usize = line
        .split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kilobytes * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "measures the process, so it must run alone; takes more than a minute"]
async fn x2_a_million_ids_leave_no_memory_behind() {
    let upstream = Upstream::new("https://vendor.test")
        .unwrap()
        .auth(auth::Bearer);
    let service = PassthroughService::builder(Everything, Integrations::new().with("x", upstream))
        .dangerous()
        .allow_all()
        .transport(Void(Arc::default()))
        .in_flight_limit(8)
        .in_flight_per_connection_key(8);
    let service = service.rate_per_connection_key(tower_passthrough::limits::Rate::per_second(
        std::num::NonZeroU32::new(1_000_000).unwrap(),
    ));
    let service = service.build();
    let call = |nth: usize| {
        let id = format!("{nth}-{}", "x".repeat(100));
        service.clone().oneshot(
            Request::get(format!("/{id}/x"))
                .body(String::new())
                .unwrap(),
        )
    };
    for nth in 0..1000 {
        call(nth).await.unwrap();
    }
    let before = resident();
    for nth in 0..1_000_000 {
        call(nth).await.unwrap();
    }
    // A map of the ids would hold at least 100 MB.
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more");
}

#[tokio::test]
async fn x1_bodies_buffered_for_signatures_are_bounded_in_total() {
    let pair = Pair::with(|setup| {
        let setup = setup.upstream(|upstream| upstream.auth(Payload));
        setup.options(|options| options.buffered_bodies_limit(1600))
    })
    .await;
    // Most of a body comes, and the rest never comes.
    let mut caller = Caller::connect(pair.gateway.address).await;
    let part = request("POST", "/p/c/x", &["Content-Length: 700"], &"x".repeat(600));
    caller.write(part).await;
    let another = request("POST", "/p/c/x", &["Content-Length: 600"], &"y".repeat(600));
    let refusal = within("a refusal", async {
        loop {
            let response = pair.call(&another).await;
            if response.status() != 200 {
                return response;
            }
        }
    })
    .await;
    assert_eq!(
        (refusal.status(), refusal.error()),
        (503, Some("overloaded"))
    );
    assert_eq!(refusal.head.value("retry-after"), Some("1"));
    drop(caller);
    within("room", async {
        while pair.call(&another).await.status() != 200 {}
    })
    .await;
}

/// Reports for each payload whether only the transport holds its memory after it was sent.
struct Alone(Sender<bool>);

impl Transport for Alone {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let mut body = request.into_body();
        let frame = body.frame().await.unwrap().unwrap();
        let data = frame.into_data().unwrap();
        assert!(body.frame().await.is_none());
        drop(body);
        self.0.send(data.is_unique()).unwrap();
        Ok(Response::new(UpstreamBody::from("ok")))
    }
}

/// The memory of a payload is counted as long as the body exists, so the memory must be freed with the body.
#[tokio::test]
async fn x1_a_payload_that_was_sent_is_freed() {
    let (sender, held) = channel();
    let upstream = Upstream::new("https://vendor.test").unwrap().auth(Payload);
    let store = MemoryStore::from_iter([("c", Connection::new("x"))]);
    let service = PassthroughService::builder(store, Integrations::new().with("x", upstream))
        .dangerous()
        .allow_all()
        .transport(Alone(sender))
        .build();
    let call = Request::post("/c/x").body("payload".to_owned()).unwrap();
    assert_eq!(service.oneshot(call).await.unwrap().status(), 200);
    assert!(held.recv().unwrap(), "the payload outlives its body");
}
