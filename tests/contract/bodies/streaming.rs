//! Bodies stream: the speed of one side limits the speed of the other side, and each frame is forwarded at once.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use testkit::caller::{Caller, get, request};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::io::Io;
use testkit::manual::ManualVendor;
use testkit::wait::within;
use testkit::wire::Wire;

const TEN_GIB: u64 = 10 << 30;

/// More bytes than the four socket buffers of the kernel and hyper's buffers can hold.
const BUFFERS: usize = 96 << 20;

/// More bytes than the windows of both connections and hyper's buffers between them can hold.
const WINDOWS: usize = 4 << 20;

/// The time without progress after which a peer counts as stalled.
const STALL: Duration = Duration::from_millis(700);

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

/// Returns a caller with a small receive buffer.
async fn small_caller(gateway: &Gateway) -> Caller {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let socket = within("the gateway's listener", socket.connect(gateway.address))
        .await
        .unwrap();
    Caller {
        wire: Wire::new(Io::Plain(socket)),
    }
}

/// Writes until the gateway takes no more bytes, and returns the number of bytes that it took.
pub(super) async fn fill(wire: &mut Wire) -> usize {
    let block = vec![b'x'; 64 * 1024];
    let mut written = 0;
    while let Ok(taken) = timeout(STALL, wire.write_some(&block)).await {
        written += taken.expect("the gateway closed");
        assert!(
            written < BUFFERS,
            "{written} bytes went to a peer that doesn't read"
        );
    }
    written
}

/// Sends until the gateway grants no more capacity, and returns the number of bytes that it took.
async fn fill_stream(stream: &mut SendStream<Bytes>) -> usize {
    let mut written = 0;
    loop {
        stream.reserve_capacity(16 * 1024);
        let Ok(granted) = timeout(STALL, poll_fn(|cx| stream.poll_capacity(cx))).await else {
            return written;
        };
        let granted = granted.expect("an open stream").expect("an open stream");
        stream.send_data(vec![b'x'; granted].into(), false).unwrap();
        written += granted;
        assert!(
            written < WINDOWS,
            "{written} bytes went to a peer that doesn't read"
        );
    }
}

/// Reads and releases at least that many bytes.
async fn take(body: &mut RecvStream, count: usize) {
    let mut taken = 0;
    while taken < count {
        let chunk = within("more of the body", body.data())
            .await
            .unwrap()
            .unwrap();
        let _ = body.flow_control().release_capacity(chunk.len());
        taken += chunk.len();
    }
}

#[tokio::test]
async fn b1_a_caller_that_stops_reading_stalls_the_vendor() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = small_caller(&gateway).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {TEN_GIB}\r\n\r\n"
        ))
        .await;
    assert_eq!(
        caller.head().await.value("content-length"),
        Some("10737418240")
    );

    let written = fill(&mut connection.wire).await;
    // No byte was lost, and the download continues.
    within("the written bytes", caller.wire.exactly(written)).await;
    connection.write(b"more").await;
    assert!(within("more", caller.wire.until(b"more")).await.is_some());
}

#[tokio::test]
async fn b1_a_vendor_that_stops_reading_stalls_the_caller() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let length = format!("Content-Length: {TEN_GIB}");
    caller
        .write(request("POST", "/p/c/x", &[&length], ""))
        .await;
    let mut connection = vendor.accept().await;
    assert_eq!(
        connection.head().await.value("content-length"),
        Some("10737418240")
    );

    let written = fill(&mut caller.wire).await;
    within("the written bytes", connection.wire.exactly(written)).await;
    caller.write(b"more").await;
    assert!(
        within("more", connection.wire.until(b"more"))
            .await
            .is_some()
    );
}

#[tokio::test]
async fn b1_a_caller_that_stops_reading_stalls_the_vendors_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller.open(stream("GET"), true).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    let mut body = h2_caller::answer(response).await.into_body();

    let written = fill_stream(&mut answer).await;
    answer.send_data("more".into(), false).unwrap();
    take(&mut body, written + 4).await;
}

#[tokio::test]
async fn b1_a_vendor_that_stops_reading_stalls_the_callers_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (_response, mut upload) = caller.open(stream("POST"), false).await;
    let mut call = vendor.next().await;

    let written = fill_stream(&mut upload).await;
    upload.send_data("more".into(), false).unwrap();
    take(&mut call.body, written + 4).await;
}

const EVENT_STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Returns an event, and its form as a chunk.
fn event(number: usize) -> (String, String) {
    let event = format!("data: {number}\n\n");
    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
    (event, chunk)
}

// Each event is written only after the event before has arrived, so a gateway that waits for more bytes would stop the
// test.

#[tokio::test]
async fn b14_an_event_of_an_http1_vendor_is_forwarded_at_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;

    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.write(EVENT_STREAM).await;
    assert_eq!(
        caller.head().await.value("content-type"),
        Some("text/event-stream")
    );
    for number in 0..5 {
        let (_, chunk) = event(number);
        connection.write(&chunk).await;
        let arrived = within("an event", caller.wire.exactly(chunk.len())).await.0;
        assert_eq!(arrived, chunk.as_bytes());
    }

    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller.open(stream("GET"), true).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.write(EVENT_STREAM).await;
    let mut body = h2_caller::answer(response).await.into_body();
    for number in 0..5 {
        let (event, chunk) = event(number);
        connection.write(&chunk).await;
        assert_eq!(
            within("an event", body.data()).await.unwrap().unwrap(),
            event
        );
    }
}

#[tokio::test]
async fn b14_an_event_of_an_http2_vendor_is_forwarded_at_once() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;

    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    caller.head().await;
    for number in 0..5 {
        let (event, chunk) = event(number);
        answer.send_data(event.into(), false).unwrap();
        let arrived = within("an event", caller.wire.exactly(chunk.len())).await.0;
        assert_eq!(arrived, chunk.as_bytes());
    }

    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller.open(stream("GET"), true).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    let mut body = h2_caller::answer(response).await.into_body();
    for number in 0..5 {
        let (event, _) = event(number);
        answer.send_data(event.clone().into(), false).unwrap();
        assert_eq!(
            within("an event", body.data()).await.unwrap().unwrap(),
            event
        );
    }
}

#[tokio::test]
async fn b14_a_piece_of_an_upload_is_forwarded_at_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request(
            "POST",
            "/p/c/x",
            &["Transfer-Encoding: chunked"],
            "",
        ))
        .await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    for number in 0..5 {
        let (_, chunk) = event(number);
        caller.write(&chunk).await;
        let arrived = within("a piece", connection.wire.exactly(chunk.len()))
            .await
            .0;
        assert_eq!(arrived, chunk.as_bytes());
    }

    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (_response, mut upload) = caller.open(stream("POST"), false).await;
    let mut call = vendor.next().await;
    for number in 0..5 {
        let (piece, _) = event(number);
        upload.send_data(piece.clone().into(), false).unwrap();
        assert_eq!(
            within("a piece", call.body.data()).await.unwrap().unwrap(),
            piece
        );
    }
}
