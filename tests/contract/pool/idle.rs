//! Idle connections: their number, the order of their use, and the time for which they are kept.

use std::time::Duration;

use tower_passthrough::client::HttpTransportBuilder;
use tower_passthrough::policy::DomainPolicy;

use super::{assert_ok, at_once, next};
use testkit::caller::{Caller, get, post};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_script::FrameVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::Signal;

const IDLE: Duration = Duration::from_millis(200);

/// Starts a vendor that answers `/held` when the test gives the signal, and all other requests at once.
async fn holding(release: &Signal) -> Vendor {
    let release = release.clone();
    Vendor::replying(move |received| match received.target() {
        "/held" => Reply::default().until(&release).then(OK),
        _ => Reply::from(OK),
    })
    .await
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Makes these calls at once, each on its own connection, before all are answered.
async fn hold(gateway: &Gateway, vendor: &Vendor, release: &Signal, targets: Vec<String>) {
    let calls = targets.len();
    let mut callers = at_once(gateway.address, targets);
    for _ in 0..calls {
        vendor.next().await;
    }
    release.give();
    while !callers.is_empty() {
        assert_ok(&next(&mut callers).await, "ok");
    }
}

async fn gateway(
    vendor: &Vendor,
    change: impl FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send + 'static,
) -> Gateway {
    Setup::new(vendor).transport(change).start().await
}

#[tokio::test]
async fn k8_a_burst_leaves_no_socket_once_it_has_been_idle() {
    let release = Signal::new();
    let vendor = holding(&release).await;
    let gateway = gateway(&vendor, |transport| transport.pool_idle_timeout(IDLE)).await;
    hold(&gateway, &vendor, &release, vec![get("/p/c/held"); 20]).await;
    vendor.closed_so_many(20).await;
}

#[tokio::test]
async fn k8_a_connection_in_use_is_never_idle() {
    let vendor = FrameVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| {
            transport
                .http2_prior_knowledge(true)
                .pool_idle_timeout(IDLE)
        })
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    caller.head().await;
    // The test is about time limits, so it waits.
    tokio::time::sleep(4 * IDLE).await;
    let mut other = Caller::connect(gateway.address).await;
    other.write(get("/p/c/x")).await;
    let others = connection.request().await;
    connection.answer(others, "other").await;
    assert_ok(&other.response("GET").await, "other");
    connection.data(stream, "own", true).await;
    assert_eq!(
        caller.wire.until(b"0\r\n\r\n").await.unwrap(),
        b"3\r\nown\r\n0\r\n\r\n"
    );
    connection.closed().await;
}

#[tokio::test]
async fn k8_idle_connections_per_host_are_limited() {
    for limit in [0, 2] {
        let release = Signal::new();
        let vendor = holding(&release).await;
        let gateway = gateway(&vendor, move |transport| {
            transport.pool_max_idle_per_host(limit)
        })
        .await;
        hold(&gateway, &vendor, &release, vec![get("/p/c/held"); 6]).await;
        vendor.closed_so_many(6 - limit).await;
        assert_eq!(vendor.closed_by_now(), 6 - limit);
        assert_eq!(vendor.connections().await, 6);
    }
}

/// Starts a gateway whose vendor has another name too, so that the pool sees two hosts.
async fn gateway_of_two_hosts(
    vendor: &Vendor,
    change: impl FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send + 'static,
) -> Gateway {
    let other = other_host(vendor);
    let domains = DomainPolicy::none().allow(&other).unwrap();
    Setup::new(vendor)
        .upstream(|upstream| upstream.domains(domains))
        .transport(change)
        .start()
        .await
}

fn other_host(vendor: &Vendor) -> String {
    format!("eu.vendor.test:{}", vendor.address().port())
}

#[tokio::test]
async fn k8_idle_connections_in_total_are_limited() {
    for limit in [0, 3] {
        let release = Signal::new();
        let vendor = holding(&release).await;
        let gateway =
            gateway_of_two_hosts(&vendor, move |transport| transport.pool_max_idle(limit)).await;
        let other = get(&format!("/p/c/held?__domain={}", other_host(&vendor)));
        let calls = [vec![get("/p/c/held"); 3], vec![other; 3]].concat();
        hold(&gateway, &vendor, &release, calls).await;
        vendor.closed_so_many(6 - limit).await;
        assert_eq!(vendor.closed_by_now(), 6 - limit);
        assert_eq!(vendor.connections().await, 6);
    }
}

#[tokio::test]
async fn k8_a_pool_full_of_connections_to_another_host_stops_no_call() {
    let vendor = Vendor::answering(OK).await;
    let gateway = gateway_of_two_hosts(&vendor, |transport| transport.pool_max_idle(1)).await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_ok(&caller.call(get("/p/c/x")).await, "ok");
    let other = get(&format!("/p/c/x?__domain={}", other_host(&vendor)));
    for _ in 0..2 {
        assert_ok(&caller.call(&other).await, "ok");
    }
}

#[tokio::test]
async fn k8_the_last_returned_connection_is_used_first() {
    let releases: [Signal; 3] = std::array::from_fn(|_| Signal::new());
    let signals = releases.clone();
    let vendor = Vendor::replying(move |received| {
        let held = received.target().strip_prefix("/held/");
        match held.and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => Reply::default().until(&signals[number]).then(OK),
            None => Reply::from(OK),
        }
    })
    .await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = Vec::new();
    let mut connections = Vec::new();
    for number in 0..3 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get(&format!("/p/c/held/{number}"))).await;
        connections.push(vendor.next().await.connection);
        callers.push(caller);
    }
    assert_eq!(connections, [0, 1, 2]);
    for number in [2, 0, 1] {
        releases[number].give();
        assert_ok(&callers[number].response("GET").await, "ok");
    }
    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..3 {
        assert_ok(&caller.call(get("/p/c/x")).await, "ok");
        assert_eq!(vendor.next().await.connection, 1);
    }
}

#[tokio::test]
async fn k8_in_a_full_pool_the_oldest_connection_of_any_host_is_closed() {
    let vendor = Vendor::answering(OK).await;
    let gateway = gateway_of_two_hosts(&vendor, |transport| transport.pool_max_idle(1)).await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_ok(&caller.call(get("/p/c/x")).await, "ok");
    let other = get(&format!("/p/c/x?__domain={}", other_host(&vendor)));
    assert_ok(&caller.call(&other).await, "ok");
    vendor.closed_so_many(1).await;
    assert_ok(&caller.call(&other).await, "ok");
    assert_eq!(vendor.connections().await, 2);
}

/// Returns a vendor that keeps each connection open, and announces that it will close the connection.
async fn vendor_that_hints(hint: &'static str) -> Vendor {
    let head = format!("HTTP/1.1 200 OK\r\nKeep-Alive: {hint}\r\nContent-Length: 2\r\n\r\nok");
    Vendor::answering(Reply::from(head)).await
}

#[tokio::test]
async fn k8_no_request_is_sent_in_the_last_second_before_the_vendors_close() {
    for (hint, connections) in [
        ("timeout=0", 3),
        ("timeout=1", 3),
        ("max=5, Timeout=1", 3),
        ("timeout=600", 1),
        ("max=5", 1),
        ("soon", 1),
    ] {
        let vendor = vendor_that_hints(hint).await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        for _ in 0..3 {
            assert_ok(&caller.call(post("/p/c/x", "hello")).await, "ok");
        }
        assert_eq!(vendor.connections().await, connections, "{hint}");
    }
}

/// The connection is still open at the vendor, which is why the hint alone prevents the reuse.
#[tokio::test]
async fn k8_a_connection_whose_hint_is_over_is_not_reused() {
    let vendor = vendor_that_hints("timeout=2").await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_ok(&caller.call(post("/p/c/x", "hello")).await, "ok");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_ok(&caller.call(post("/p/c/x", "hello")).await, "ok");
    assert_eq!(vendor.connections().await, 2);
}
