//! The order of the fields: `Host` first, then the caller's fields in their order.

use super::seen_on_h2;
use testkit::caller::{Caller, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::vendor::Received;

/// Fields of a caller, among which some aren't forwarded.
const FIELDS: [&str; 9] = [
    "X-Last: 1",
    "Connection: close, x-gone",
    "Accept: */*",
    "X-Gone: 1",
    "Cookie: a=b",
    "B: 1",
    "User-Agent: app",
    "B: 2",
    "A: 1",
];

/// Returns the names that the vendor received, in their order.
fn order(received: &Received) -> Vec<&str> {
    let fields = received.head.fields.iter();
    fields.map(|(name, _)| name.as_str()).collect()
}

const ORDER: [&str; 8] = [
    "host",
    "x-last",
    "accept",
    "b",
    "b",
    "user-agent",
    "a",
    "authorization",
];

#[tokio::test]
async fn h13_host_is_first_and_the_callers_fields_keep_their_order() {
    let pair = Pair::new().await;
    assert_eq!(
        order(&pair.seen(request("GET", "/p/c/x", &FIELDS, "")).await),
        ORDER
    );
    // The caller's own `Host` isn't first.
    let lines = FIELDS.join("\r\n");
    let late = format!("GET /p/c/x HTTP/1.1\r\n{lines}\r\nHost: app.test\r\n\r\n");
    assert_eq!(order(&pair.seen(late).await), ORDER);
    // No field is removed.
    let kept = pair
        .seen(request("GET", "/p/c/x", &["B: 1", "A: 1"], ""))
        .await;
    assert_eq!(order(&kept), ["host", "b", "a", "authorization"]);
}

#[tokio::test]
async fn h13_host_is_first_for_a_caller_over_http2() {
    let pair = Pair::new().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let mut call = h2_caller::request("GET", "/p/c/x");
    for (name, value) in [
        ("x-last", "1"),
        ("cookie", "a=b"),
        ("b", "1"),
        ("b", "2"),
        ("a", "1"),
    ] {
        call = call.header(name, value);
    }
    assert_eq!(caller.call(call.body(()).unwrap()).await.status, 200);
    let received = pair.vendor.next().await;
    assert_eq!(
        order(&received),
        ["host", "x-last", "b", "b", "a", "authorization"]
    );
}

#[tokio::test]
async fn h13_the_order_stays_to_a_vendor_over_http2() {
    let (_vendor, seen) = seen_on_h2(&FIELDS).await;
    let names: Vec<_> = seen
        .headers()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ORDER[1..]);
}

#[tokio::test]
async fn h13_host_is_first_in_title_case() {
    let setup = |setup: Setup| setup.transport(|transport| transport.title_case_headers(true));
    let pair = Pair::with(setup).await;
    let received = pair.seen(request("GET", "/p/c/x", &FIELDS, "")).await;
    let expected = [
        "Host",
        "X-Last",
        "Accept",
        "B",
        "B",
        "User-Agent",
        "A",
        "Authorization",
    ];
    assert_eq!(order(&received), expected);
}

#[tokio::test]
async fn h13_host_is_first_in_the_handshake_of_a_websocket() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let fields = [
        "Origin: https://app.test",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    caller.write(request("GET", "/p/c/live", &fields, "")).await;
    let asked = vendor.accept().await.head().await;
    let names: Vec<_> = asked.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["host", "origin"], "{names:?}");
}
