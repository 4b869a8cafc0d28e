//! HTTP/2 callers open WebSockets by an extended CONNECT (RFC 8441), and the vendor speaks HTTP/1.1.

use base64::Engine as _;
use bytes::Bytes;
use h2::ext::Protocol;
use http::Request;

use super::agreement;
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

fn connect(target: &str, protocol: &'static str) -> Request<()> {
    let mut request = h2_caller::request("CONNECT", target)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .header("authorization", "Bearer mine")
        .body(())
        .unwrap();
    request
        .extensions_mut()
        .insert(Protocol::from_static(protocol));
    request
}

/// Returns the value with which a vendor must answer that key, by another library.
fn accept(key: &str) -> String {
    let mut digest = sha1_smol::Sha1::new();
    digest.update(key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(digest.digest().bytes())
}

fn agreement_to(key: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
        accept(key)
    )
}

#[tokio::test]
async fn u6_an_extended_connect_becomes_a_handshake_over_http1() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let (response, mut upload) = caller
        .open(connect("/p/c/live?a=1", "websocket"), false)
        .await;
    let mut vendor = vendor.accept().await;
    let head = vendor.head().await;
    assert_eq!(head.start, "GET /live?a=1 HTTP/1.1");
    assert_eq!(head.values("connection"), ["upgrade"]);
    assert_eq!(head.values("upgrade"), ["websocket"]);
    assert_eq!(head.values("sec-websocket-version"), ["13"]);
    assert_eq!(head.values("sec-websocket-protocol"), ["chat"]);
    assert_eq!(head.values("authorization"), ["Bearer s3cr3t"]);
    assert!(head.value("transfer-encoding").is_none() && head.value("content-length").is_none());
    let key = head.value("sec-websocket-key").unwrap().to_owned();
    vendor.write(agreement_to(&key) + "first words").await;

    let response = h2_caller::answer(response).await;
    assert_eq!(response.status(), 200);
    for name in [
        "sec-websocket-accept",
        "connection",
        "upgrade",
        "content-length",
        "transfer-encoding",
    ] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
    let mut download = response.into_body();
    let mut got = Vec::new();
    while got.len() < 11 {
        let chunk = within("bytes", download.data()).await.unwrap().unwrap();
        let _ = download.flow_control().release_capacity(chunk.len());
        got.extend_from_slice(&chunk);
    }
    assert_eq!(got, b"first words");

    upload
        .send_data(Bytes::from_static(b"to the vendor"), false)
        .unwrap();
    assert_eq!(
        within("bytes", vendor.wire.exactly(13)).await.0,
        b"to the vendor"
    );
    // Each direction ends by itself.
    upload.send_data(Bytes::new(), true).unwrap();
    assert!(vendor.wire.closed().await.is_empty());
    vendor.write("last").await;
    vendor.wire.finish().await;
    let last = within("bytes", download.data()).await.unwrap().unwrap();
    assert_eq!(&last[..], b"last");
    while let Some(more) = within("the end", download.data()).await {
        assert_eq!(more.unwrap(), "", "bytes that nobody sent");
    }
}

#[tokio::test]
async fn u6_a_wrong_answer_to_the_key_is_502() {
    let vendor = Vendor::answering(agreement("")).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let (response, _upload) = caller.open(connect("/p/c/live", "websocket"), false).await;
    let refused = h2_caller::whole(response).await;
    assert_eq!(refused.status, 502);
    assert_eq!(refused.headers["passthrough-error"], "upstream-protocol");
    vendor.all_closed().await;
}

#[tokio::test]
async fn u6_an_ordinary_2xx_does_not_open_the_tunnel() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let (response, _upload) = caller.open(connect("/p/c/live", "websocket"), false).await;
    assert_eq!(h2_caller::whole(response).await.status, 502);
}

#[tokio::test]
async fn u6_a_refusal_is_returned_unchanged() {
    let vendor = Vendor::answering(Reply::from(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    ))
    .await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let (response, _upload) = caller.open(connect("/p/c/live", "websocket"), false).await;
    let refused = h2_caller::whole(response).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body[..]),
        (403, &b"no"[..])
    );
}

#[tokio::test]
async fn u6_other_protocols_are_405() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    for protocol in ["connect-udp", "webtransport"] {
        let (response, _upload) = caller.open(connect("/p/c/live", protocol), false).await;
        let refused = h2_caller::whole(response).await;
        assert_eq!(refused.status, 405, "{protocol}");
        assert_eq!(refused.headers["passthrough-error"], "method-refused");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn u6_a_caller_that_resets_the_stream_ends_the_tunnel() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let (response, mut upload) = caller.open(connect("/p/c/live", "websocket"), false).await;
    let mut vendor = vendor.accept().await;
    let key = vendor
        .head()
        .await
        .value("sec-websocket-key")
        .unwrap()
        .to_owned();
    vendor.write(agreement_to(&key)).await;
    let _response = h2_caller::answer(response).await;
    upload.send_reset(h2::Reason::CANCEL);
    vendor.closed().await;
}

/// For a CONNECT, each 2xx means that the tunnel is open, whatever the caller's content type is.
#[tokio::test]
async fn u6_a_refused_connect_is_never_a_2xx() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let mut caller = caller;
    let mut request = connect("/p/nobody/live", "websocket");
    let grpc = http::HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", grpc);
    let (response, _upload) = caller.open(request, false).await;
    let refused = h2_caller::whole(response).await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.headers["passthrough-error"], "unknown-connection");
}
