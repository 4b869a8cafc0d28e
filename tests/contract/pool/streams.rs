//! The number of connections to an HTTP/2 vendor, and the calls for which the connections have no stream.

use std::time::Duration;

use tower_passthrough::client::HttpTransportBuilder;

use super::{assert_ok, at_once, next, refusal, telling};
use testkit::caller::{Caller, get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_script::{FrameConnection, FrameVendor, MAX_CONCURRENT_STREAMS};
use testkit::h2_vendor::H2Vendor;
use testkit::relay::Relay;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const ONE_STREAM: &[(u16, u32)] = &[(MAX_CONCURRENT_STREAMS, 1)];

/// Changes the gateway to have that number of HTTP/2 connections to its vendor.
fn setup(vendor: &FrameVendor, connections: usize) -> Setup {
    setup_with(vendor, connections, |transport| transport)
}

fn setup_with(
    vendor: &FrameVendor,
    connections: usize,
    change: impl FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send + 'static,
) -> Setup {
    Setup::new(vendor).transport(move |transport| {
        let transport = transport
            .http2_prior_knowledge(true)
            .http2_max_connections_per_host(connections);
        change(transport)
    })
}

/// Makes a call that uses the vendor's only stream: its head has come, and its end hasn't.
async fn occupied(vendor: &FrameVendor, gateway: &Gateway) -> (Caller, FrameConnection, u32) {
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/long")).await;
    let mut connection = vendor.accept(ONE_STREAM).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    assert_eq!(caller.head().await.status(), 200);
    (caller, connection, stream)
}

#[tokio::test]
async fn k9_a_call_without_a_stream_waits_for_a_stream() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(setup(&vendor, 1));
    let gateway = setup.start().await;
    let (_caller, mut connection, stream) = occupied(&vendor, &gateway).await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 3]);
    super::begun(&mut told, 4).await;
    connection.no_other().await;
    connection.data(stream, "", true).await;
    for _ in 0..3 {
        let stream = connection.request().await;
        connection.no_other().await;
        connection.answer(stream, "own").await;
        assert_ok(&next(&mut callers).await, "own");
    }
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k9_a_cancelled_call_frees_its_stream() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor, 1).start().await;
    let (caller, mut connection, _) = occupied(&vendor, &gateway).await;
    let mut other = Caller::connect(gateway.address).await;
    other.write(get("/p/c/x")).await;
    drop(caller);
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&other.response("GET").await, "own");
}

#[tokio::test]
async fn k9_a_higher_limit_of_the_vendor_is_used() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(setup(&vendor, 1));
    let gateway = setup.start().await;
    let (_caller, mut connection, _) = occupied(&vendor, &gateway).await;
    let mut other = Caller::connect(gateway.address).await;
    other.write(get("/p/c/x")).await;
    super::begun(&mut told, 2).await;
    connection.no_other().await;
    connection.settings(&[(MAX_CONCURRENT_STREAMS, 10)]).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&other.response("GET").await, "own");
}

#[tokio::test]
async fn k9_a_connection_with_goaway_is_replaced() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(setup(&vendor, 1));
    let gateway = setup.start().await;
    let (_caller, mut first, stream) = occupied(&vendor, &gateway).await;
    let mut other = Caller::connect(gateway.address).await;
    other.write(get("/p/c/x")).await;
    super::begun(&mut told, 2).await;
    first.no_other().await;
    first.goaway(stream, 0).await;
    let mut second = vendor.accept(&[]).await;
    let stream = second.request().await;
    second.answer(stream, "own").await;
    assert_ok(&other.response("GET").await, "own");
}

#[tokio::test]
async fn k9_further_connections_are_opened_up_to_a_limit() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor, 2).start().await;
    let (_caller, mut first, stream) = occupied(&vendor, &gateway).await;
    let (_other, mut second, _) = occupied(&vendor, &gateway).await;
    let mut third = Caller::connect(gateway.address).await;
    third.write(get("/p/c/x")).await;
    second.no_other().await;
    first.data(stream, "", true).await;
    let stream = first.request().await;
    first.answer(stream, "own").await;
    assert_ok(&third.response("GET").await, "own");
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k9_the_wait_for_a_stream_counts_into_the_head_timeout() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor, 1)
        .options(|options| options.response_head_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let (_caller, mut connection, _) = occupied(&vendor, &gateway).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (504, Some("upstream-timeout"))
    );
    connection.no_other().await;
}

#[tokio::test]
async fn k9_a_call_beyond_the_queue_is_refused_at_once() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_with(&vendor, 1, |transport| transport.max_waiting_per_host(2))
        .start()
        .await;
    let (_caller, mut connection, stream) = occupied(&vendor, &gateway).await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 3]);
    let answer = next(&mut callers).await;
    assert_eq!(refusal(&answer), (503, "overloaded", false));
    assert_eq!(answer.head.value("retry-after"), Some("1"));

    connection.data(stream, "", true).await;
    for _ in 0..2 {
        let stream = connection.request().await;
        connection.answer(stream, "own").await;
        assert_ok(&next(&mut callers).await, "own");
    }
    connection.no_other().await;
}

#[tokio::test]
async fn k9_a_caller_that_left_frees_its_place_in_the_queue() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_with(&vendor, 1, |transport| transport.max_waiting_per_host(1))
        .start()
        .await;
    let (_caller, mut connection, stream) = occupied(&vendor, &gateway).await;
    for _ in 0..5 {
        let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 2]);
        let answer = next(&mut callers).await;
        // The other call is in the queue, until its caller leaves here.
        assert_eq!(refusal(&answer), (503, "overloaded", false));
        callers.shutdown().await;
        wait_for_place(&gateway).await;
    }
    connection.data(stream, "", true).await;
    assert_ok(&served(&mut connection, &gateway).await, "own");
}

/// Returns when a call can enter the queue: the gateway notices a caller that left when it reads the caller's socket.
async fn wait_for_place(gateway: &Gateway) {
    for _ in 0..100 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let answer = tokio::time::timeout(Duration::from_millis(100), caller.head()).await;
        if answer.is_err() {
            return;
        }
    }
    panic!("the queue stays full");
}

async fn served(
    connection: &mut FrameConnection,
    gateway: &Gateway,
) -> testkit::caller::RawResponse {
    let mut callers = at_once(gateway.address, [get("/p/c/x")]);
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    next(&mut callers).await
}

#[tokio::test]
async fn k9_http1_only_uses_only_http1() {
    let vendor = Vendor::replying_over_tls(&["h2", "http/1.1"], |_| Reply::ok("own")).await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.http1_only(true))
        .start()
        .await;
    assert_ok(&raw_call(gateway.address, get("/p/c/x")).await, "own");
    assert_eq!(vendor.next().await.head.start, "GET /x HTTP/1.1");
}

#[tokio::test]
async fn k9_http2_without_tls_needs_prior_knowledge() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor, 4).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");

    let vendor = Vendor::answering(Reply::ok("own")).await;
    let gateway = Gateway::to(&vendor).await;
    assert_ok(&raw_call(gateway.address, get("/p/c/x")).await, "own");
}

#[tokio::test]
async fn k9_a_burst_of_first_calls_opens_one_connection() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 32]);
    for _ in 0..32 {
        vendor.next().await.ok("own");
    }
    while !callers.is_empty() {
        assert_ok(&next(&mut callers).await, "own");
    }
    assert_eq!(vendor.connections().await, 1);
}

// A runtime with several threads runs the task that was woken last first, which would be the task of the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_that_are_ready_at_the_same_time_are_written_together() {
    const CALLS: usize = 16;
    /// The number of bytes around the content of a TLS 1.3 record (RFC 8446 §5.2).
    const RECORD: usize = 22;
    /// The size of a frame's header (RFC 9113 §4.1), in bytes.
    const HEADER: usize = 9;

    let vendor = FrameVendor::bind_tls().await;
    let relay = Relay::start(vendor.0.address().port()).await;
    let origin = format!("https://vendor.test:{}", relay.port);
    let setup = Setup::new(origin.as_str())
        .transport(|transport| transport.http2_max_connections_per_host(1));
    let (setup, mut told) = telling(setup);
    let gateway = setup.start().await;
    let mut callers = at_once(gateway.address, [get("/p/c/x")]);
    let mut connection = vendor.accept(ONE_STREAM).await;
    let first = connection.request().await;
    for _ in 0..CALLS {
        let address = gateway.address;
        callers.spawn(async move { raw_call(address, get("/p/c/x")).await });
    }
    super::begun(&mut told, 1 + CALLS).await;
    connection.no_other().await;

    relay.limit(usize::MAX, usize::MAX);
    connection.settings(&[(MAX_CONCURRENT_STREAMS, 100)]).await;
    // The acknowledgement of the settings.
    let mut frames = HEADER;
    let mut streams = vec![first];
    for _ in 0..CALLS {
        let request = connection.next().await.expect("a request");
        frames += HEADER + request.payload.len();
        streams.push(request.stream);
    }
    let (sent, _) = relay.passed();
    let records = (sent - frames) / RECORD;
    assert!(records <= 3, "{records} writes for {CALLS} requests");
    for stream in streams {
        connection.answer(stream, "own").await;
        assert_ok(&next(&mut callers).await, "own");
    }
}

#[tokio::test]
async fn k9_a_burst_of_first_calls_to_a_vendor_without_http2_is_served() {
    let vendor = Vendor::replying_over_tls(&["http/1.1"], |_| Reply::ok("own")).await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 50]);
    while !callers.is_empty() {
        assert_ok(&next(&mut callers).await, "own");
    }
}
