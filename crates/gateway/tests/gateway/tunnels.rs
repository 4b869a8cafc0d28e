//! WebSockets through the gateway: its keys, its stop, and a reload of its config.

use rustix::process::Signal;

use testkit::caller::Caller;
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::wait::within;

fn handshake(key: &str) -> String {
    format!(
        "GET /passthrough/c/live HTTP/1.1\r\nHost: a\r\nx-api-key: {key}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// Opens a tunnel through a gateway with that config.
async fn open(config: &Config, vendor: &ManualVendor) -> (Gateway, Caller, VendorConnection) {
    let gateway = Gateway::start(config).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake(KEY)).await;
    let mut vendor = vendor.accept().await;
    let head = vendor.head().await;
    assert_eq!(
        head.value("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert!(head.value("x-api-key").is_none());
    let agreement =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    vendor.write(agreement).await;
    assert_eq!(caller.head().await.status(), 101);
    (gateway, caller, vendor)
}

#[tokio::test]
async fn t18_a_key_in_a_subprotocol_is_found_and_removed() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let own = format!("x-api-key: {KEY}\r\n");
    for (other, offered, kept) in [
        (
            "",
            format!("realtime, openai-insecure-api-key.{KEY}, openai-beta.realtime-v1"),
            Some("realtime, openai-beta.realtime-v1"),
        ),
        ("", format!("token, {KEY}"), Some("token")),
        ("", KEY.to_owned(), None),
        ("", format!("{KEY}, ,"), None),
        (
            "",
            format!("a\r\nSec-WebSocket-Protocol: b.{KEY}"),
            Some("a"),
        ),
        // The key is also removed if `x-api-key` contains it.
        (
            &*own,
            format!("realtime, openai-insecure-api-key.{KEY}"),
            Some("realtime"),
        ),
        (
            &*own,
            "graphql-ws, v1.2".to_owned(),
            Some("graphql-ws, v1.2"),
        ),
    ] {
        let head = handshake(KEY).replace(&own, other);
        let head = head.replace(
            "Upgrade: websocket",
            &format!("Upgrade: websocket\r\nSec-WebSocket-Protocol: {offered}"),
        );
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(head).await;
        let mut connection = vendor.accept().await;
        let head = connection.head().await;
        assert_eq!(head.value("sec-websocket-protocol"), kept, "{offered}");
        let values = head.fields.iter().map(|(_, value)| value);
        assert!(
            values.into_iter().all(|value| !value.contains(KEY)),
            "{offered}"
        );
    }
    for offered in [
        "openai-insecure-api-key.another".to_owned(),
        format!("{}{KEY}", "a, ".repeat(16)),
        format!("b.a{KEY}"),
    ] {
        let head = handshake(KEY).replace(&own, "");
        let head = head.replace(
            "Upgrade: websocket",
            &format!("Upgrade: websocket\r\nSec-WebSocket-Protocol: {offered}"),
        );
        let refused = Caller::connect(gateway.address).await.call(head).await;
        assert_eq!(refused.status(), 401, "{offered}");
    }
}

async fn passes(caller: &mut Caller, vendor: &mut VendorConnection) {
    caller.write("there").await;
    assert_eq!(within("bytes", vendor.wire.exactly(5)).await.0, b"there");
    vendor.write("back").await;
    assert_eq!(within("bytes", caller.wire.exactly(4)).await.0, b"back");
}

#[tokio::test]
async fn a_tunnel_needs_a_key_and_is_one_call() {
    let vendor = ManualVendor::bind().await;
    let (gateway, mut caller, mut connection) = open(&Config::new(&vendor), &vendor).await;
    passes(&mut caller, &mut connection).await;
    let refused = Caller::connect(gateway.address)
        .await
        .call(handshake("another"))
        .await;
    assert_eq!(refused.status(), 401);
    caller.wire.finish().await;
    connection.wire.finish().await;
    let calls = gateway.calls(2).await;
    assert!(
        calls.iter().any(|call| call.contains("status=101")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn u7_a_stop_waits_for_a_tunnel() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).top("shutdown = \"1h\"");
    let (mut gateway, mut caller, mut connection) = open(&config, &vendor).await;
    gateway.signal(Signal::TERM);
    passes(&mut caller, &mut connection).await;
    caller.wire.finish().await;
    connection.wire.finish().await;
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn u7_a_tunnel_is_cut_at_the_time_limit_of_the_stop() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).top("shutdown = \"300ms\"");
    let (mut gateway, mut caller, mut connection) = open(&config, &vendor).await;
    gateway.signal(Signal::TERM);
    caller.closed().await;
    connection.closed().await;
    assert_eq!(gateway.exit().await.code(), Some(0));
    assert_eq!(gateway.calls(1).await.len(), 1);
}

#[tokio::test]
async fn a_tunnel_continues_after_a_reload() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor);
    let (gateway, mut caller, mut connection) = open(&config, &vendor).await;
    gateway.reload(&config).await;
    passes(&mut caller, &mut connection).await;
}

/// If the vendor has ended, the bytes that the caller still sends are for the vendor, so the gateway doesn't read and
/// drop them to reach an orderly end.
#[tokio::test]
async fn u7_the_vendors_end_loses_no_bytes_of_the_caller() {
    const MUCH: usize = 8 << 20;
    let vendor = ManualVendor::bind().await;
    let (_gateway, mut caller, mut connection) = open(&Config::new(&vendor), &vendor).await;
    connection.wire.finish().await;
    // The end has arrived before the bytes begin to flow.
    let mut end = tokio::spawn(async move {
        caller.wire.write(&vec![b'x'; MUCH]).await;
        caller.wire.finish().await;
        caller.closed().await
    });
    // The vendor doesn't read for longer than the gateway waits for an orderly end. The system decides how many of the
    // bytes are in the sockets' buffers by then.
    let _ = tokio::time::timeout(std::time::Duration::from_millis(1500), &mut end).await;
    let (got, _) = within("the sent bytes", connection.wire.exactly(MUCH)).await;
    assert_eq!(got.len(), MUCH);
}
