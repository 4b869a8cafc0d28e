//! Callers' connections: how many there may be, which are closed to make room, and how long one may be idle.

use h2::ext::Protocol;

use testkit::caller::Caller;
use testkit::h2_caller::{H2Caller, answer, request};
use testkit::h2_frames::{END_HEADERS, END_STREAM, FrameCaller, GOAWAY, HEADERS, SETTINGS, fields};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::process::binary::check;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;
use testkit::websocket;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n")
}

fn limits(lines: &str) -> String {
    format!("[limits]\n{lines}")
}

/// A call that the vendor doesn't answer yet.
async fn under_way(gateway: &Gateway, vendor: &ManualVendor) -> (Caller, VendorConnection) {
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/passthrough/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    (caller, connection)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Peers without a key that take all file descriptors stop no caller, and no connection to an upstream.
#[tokio::test]
async fn connections_without_a_call_never_take_all_file_descriptors() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start_after("ulimit -n 160", &Config::new(&vendor)).await;
    let mut plain = Vec::new();
    let mut frames = Vec::new();
    for number in 0..170 {
        let start = match number % 5 {
            0 => "",
            1 => "PRI * HTTP/2.0\r\n",
            2 => "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nX: ",
            3 => "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
            _ => {
                frames.push(FrameCaller::connect(gateway.address).await);
                continue;
            }
        };
        let mut caller = Caller::connect(gateway.address).await;
        assert!(caller.wire.try_write(start.as_bytes()).await || number > 53);
        plain.push(caller);
    }
    for _ in 0..3 {
        let calls = (0..20).map(|_| gateway.call("/c/x", &[]));
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
        }
    }
    let too_many = |text: &str| text.contains("callers have too many connections");
    let log = gateway.stderr.until("a line about it", too_many).await;
    assert!(!log.contains("no connection can be accepted"), "{log}");
    drop((plain, frames));
}

/// A response that a peer without a key doesn't read holds no place.
#[tokio::test]
async fn a_response_to_a_peer_without_a_key_makes_room() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(&limits("connections = 4"));
    let gateway = Gateway::start(&config).await;
    let mut held = Vec::new();
    for path in ["/passthrough/c/x", "/healthz", "/metrics", "/elsewhere"] {
        let mut peer = FrameCaller::connect(gateway.address).await;
        // No byte of a body may be sent.
        peer.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
        let block = fields(&[
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", path.as_bytes()),
        ]);
        peer.send(HEADERS, END_HEADERS | END_STREAM, 1, &block)
            .await;
        let verdict = peer.verdict(1).await.map(|frame| frame.kind);
        assert_eq!(verdict, Some(HEADERS), "{path}");
        held.push(peer);
    }
    let mut callers = Vec::new();
    for _ in 0..4 {
        let mut caller = Caller::connect(gateway.address).await;
        assert_eq!(caller.call(get("/passthrough/c/x")).await.status(), 200);
        callers.push(caller);
    }
    for mut peer in held {
        while peer.next().await.is_some() {}
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_soft_limit_of_files_is_raised_to_the_hard_limit() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start_after("ulimit -Sn 64", &Config::new(&vendor)).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let mut numbers = line.unwrap().split_whitespace().skip(3);
    let (soft, hard) = (numbers.next().unwrap(), numbers.next().unwrap());
    assert_eq!(soft, hard);
    assert_ne!(soft, "64");
}

#[tokio::test]
async fn at_the_limit_the_longest_idle_connection_is_closed() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(&limits("connections = 2"));
    let gateway = Gateway::start(&config).await;
    let call = get("/passthrough/c/x");
    let mut first = Caller::connect(gateway.address).await;
    assert_eq!(first.call(&call).await.status(), 200);
    let mut second = H2Caller::connect(gateway.address).await;
    let h2_call = || {
        request("GET", "/passthrough/c/x")
            .header("x-api-key", KEY)
            .body(())
            .unwrap()
    };
    assert_eq!(second.call(h2_call()).await.status, 200);
    // The first was idle for longer until now.
    assert_eq!(first.call(&call).await.status(), 200);
    let mut third = Caller::connect(gateway.address).await;
    assert_eq!(third.call(&call).await.status(), 200);
    assert_eq!(first.call(&call).await.status(), 200);
    // The third is the longest idle now.
    let mut fourth = FrameCaller::connect(gateway.address).await;
    fourth.next().await.unwrap();
    assert!(third.closed().await.is_empty());
    assert_eq!(first.call(&call).await.status(), 200);
    let mut fifth = Caller::connect(gateway.address).await;
    assert_eq!(fifth.call(&call).await.status(), 200);
    let goaway = async {
        while let Some(frame) = fourth.next().await {
            if frame.kind == GOAWAY {
                return true;
            }
        }
        false
    };
    assert!(
        within("the end of HTTP/2", goaway).await,
        "HTTP/2 ended without GOAWAY"
    );
}

/// If no connection is idle, new connections wait, and no call is cut.
#[tokio::test]
async fn a_call_under_way_makes_no_room() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).table(&limits("connections = 2"));
    let gateway = Gateway::start(&config).await;
    let (mut first, mut at_first) = under_way(&gateway, &vendor).await;
    let (mut second, mut at_second) = under_way(&gateway, &vendor).await;
    let mut third = Caller::connect(gateway.address).await;
    third.write(get("/passthrough/c/third")).await;
    let full = |text: &str| text.contains("callers have too many connections");
    gateway.stderr.until("a warning", full).await;
    vendor.no_other().await;
    at_first.write(OK).await;
    assert_eq!(first.response("GET").await.text(), "ok");
    // The first connection is idle, and makes room for the third.
    let head = at_first.head().await;
    assert_eq!(head.target(), "/third");
    at_first.write(OK).await;
    assert_eq!(third.response("GET").await.text(), "ok");
    assert!(first.closed().await.is_empty());
    at_second.write(OK).await;
    assert_eq!(second.response("GET").await.text(), "ok");
}

#[tokio::test]
async fn an_address_with_too_many_connections_is_refused_at_once() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(&limits("connections_per_address = 2"));
    let gateway = Gateway::start(&config).await;
    let call = get("/passthrough/c/x");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::connect(gateway.address).await;
        assert_eq!(caller.call(&call).await.status(), 200);
        held.push(caller);
    }
    let mut refused = Caller::connect(gateway.address).await;
    assert!(refused.closed().await.is_empty());
    for caller in &mut held {
        assert_eq!(caller.call(&call).await.status(), 200);
    }
    // A place that becomes free is given again.
    held.pop();
    let again = async {
        loop {
            let mut caller = Caller::connect(gateway.address).await;
            if caller.wire.try_write(call.as_bytes()).await && caller.wire.head().await.is_some() {
                return;
            }
        }
    };
    within("the free place", again).await;
    // A reload changes the limit for new connections.
    let more = limits("connections_per_address = 0");
    gateway.reload(&Config::new(&vendor).table(&more)).await;
    for _ in 0..3 {
        let mut caller = Caller::connect(gateway.address).await;
        assert_eq!(caller.call(&call).await.status(), 200);
        held.push(caller);
    }
}

const IDLE: &str = "[timeouts]\ncaller_idle = \"300ms\"";

/// Waits for longer than a connection may be idle, and than its end may take: until some connections were closed, one
/// after the other.
async fn longer_than_idle(gateway: &Gateway) {
    for _ in 0..6 {
        let mut idle = Caller::connect(gateway.address).await;
        assert_eq!(
            idle.call("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                .await
                .status(),
            200
        );
        assert!(idle.closed().await.is_empty());
    }
}

#[tokio::test]
async fn idle_connections_end() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).table(IDLE)).await;
    let mut silent = Caller::connect(gateway.address).await;
    let mut http1 = Caller::connect(gateway.address).await;
    assert_eq!(http1.call(get("/passthrough/c/x")).await.status(), 200);
    let mut http2 = FrameCaller::connect(gateway.address).await;
    assert!(silent.closed().await.is_empty());
    assert!(http1.closed().await.is_empty());
    let mut said_so = false;
    while let Some(frame) = http2.next().await {
        said_so |= frame.kind == GOAWAY;
    }
    assert!(said_so, "HTTP/2 ended without GOAWAY");
}

#[tokio::test]
async fn a_call_under_way_is_never_idle() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::start(&Config::new(&vendor).table(IDLE)).await;
    // One waits for its head, and one goes on uploading after its response has ended.
    let (mut waiting, mut at_waiting) = under_way(&gateway, &vendor).await;
    let mut uploading = H2Caller::connect(gateway.address).await;
    let post = request("POST", "/passthrough/c/up")
        .header("x-api-key", KEY)
        .body(())
        .unwrap();
    let (response, mut upload) = uploading.open(post, false).await;
    let mut at_upload = vendor.accept().await;
    at_upload.head().await;
    at_upload.write(OK).await;
    let (head, mut body) = answer(response).await.into_parts();
    assert_eq!(head.status, 200);
    while let Some(chunk) = within("the body", body.data()).await {
        let _ = body.flow_control().release_capacity(chunk.unwrap().len());
    }
    longer_than_idle(&gateway).await;
    at_waiting.write(OK).await;
    assert_eq!(waiting.response("GET").await.text(), "ok");
    upload.send_data("late".into(), true).unwrap();
    let late = at_upload.wire.until(b"late");
    assert!(within("the rest of the upload", late).await.is_some());
}

/// Tunnels end by their own timeout.
#[tokio::test]
async fn a_tunnel_is_never_idle() {
    const AGREED: &str =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor)
        .table(IDLE)
        .table(&limits("connections = 3"));
    let gateway = Gateway::start(&config).await;
    let mut http1 = Caller::connect(gateway.address).await;
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let head = get("/passthrough/c/x");
    http1
        .write(format!(
            "{}{handshake}",
            head.trim_end_matches("\r\n").to_owned() + "\r\n"
        ))
        .await;
    let mut at_http1 = vendor.accept().await;
    at_http1.head().await;
    at_http1.write(&format!("{AGREED}\r\n")).await;
    assert_eq!(http1.head().await.status(), 101);

    let mut http2 = H2Caller::connect(gateway.address).await;
    http2.connect_protocol().await;
    let mut connect = request("CONNECT", "/passthrough/c/x")
        .header("x-api-key", KEY)
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap();
    connect
        .extensions_mut()
        .insert(Protocol::from_static("websocket"));
    let (response, mut stream) = http2.open(connect, false).await;
    let mut at_http2 = vendor.accept().await;
    let head = at_http2.head().await;
    let accept = websocket::accept(head.value("sec-websocket-key").unwrap());
    at_http2
        .write(&format!("{AGREED}Sec-WebSocket-Accept: {accept}\r\n\r\n"))
        .await;
    let response = answer(response).await;
    assert_eq!(response.status(), 200);

    longer_than_idle(&gateway).await;
    // Nor do they make room.
    for _ in 0..4 {
        let mut other = Caller::connect(gateway.address).await;
        assert_eq!(other.call(get("/healthz")).await.status(), 200);
    }
    http1.write("one").await;
    assert_eq!(at_http1.wire.exactly(3).await.0, b"one");
    stream.send_data("two".into(), false).unwrap();
    assert_eq!(at_http2.wire.exactly(3).await.0, b"two");
}

#[tokio::test]
async fn a_limit_that_leaves_no_room_for_upstreams_is_a_warning() {
    let vendor = Vendor::ok().await;
    let with = |connections: &str| {
        let config = Config::new(&vendor).table(&limits(connections)).to_string();
        let ended = check(config);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.unusual()
    };
    for fits in [
        "connections = 10",
        "connections = 0",
        "connections_per_address = 1",
    ] {
        assert_eq!(with(fits), "");
    }
    let warning = "limits.connections is 4000000000, but the process can only open ";
    let log = with("connections = 4000000000");
    assert!(log.contains(warning), "{log}");
}
