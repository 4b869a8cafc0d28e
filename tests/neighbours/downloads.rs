//! Responses in pieces of a few bytes, to callers over HTTP/2 whose h2 has its default settings.

use bytes::Bytes;
use h2::RecvStream;
use testkit::gateway::Gateway;
use testkit::h2_caller::{H2Caller, answer, request};
use testkit::h2_frames::{DATA, encode};
use testkit::h2_script::FrameVendor;
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::wait::within;
use tokio::task::JoinSet;

use super::{setup, setup_h2};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
/// The number of tiny pieces. h2 tolerates about a hundred frames of this size that are unread.
const PIECES: usize = 20_000;

/// Begins a call, and returns the upstream's connection after it has received the request.
async fn begin(
    vendor: &ManualVendor,
    gateway: &Gateway,
) -> (VendorConnection, JoinSet<RecvStream>, H2Caller) {
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller
        .open(request("GET", "/p/a0/x").body(()).unwrap(), true)
        .await;
    let mut call = JoinSet::new();
    call.spawn(async { answer(response).await.into_body() });
    let mut connection = vendor.accept().await;
    connection.head().await;
    (connection, call, caller)
}

/// Returns the next piece of a body.
async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    let data = within("a piece", body.data()).await?.unwrap();
    body.flow_control().release_capacity(data.len()).unwrap();
    Some(data)
}

/// Returns the rest of a body.
async fn rest(body: &mut RecvStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(data) = piece(body).await {
        all.extend_from_slice(&data);
    }
    all
}

/// Waits until the caller has received so many bytes, without reading any of them.
async fn received(body: &mut RecvStream, bytes: usize) {
    let arrival = async {
        while body.flow_control().used_capacity() < bytes && !body.is_end_stream() {
            tokio::task::yield_now().await;
        }
    };
    within("the bytes", arrival).await;
}

#[tokio::test]
async fn x16_tiny_chunks_of_a_response_end_no_connection_of_a_caller() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut connection, mut call, _caller) = begin(&vendor, &gateway).await;
    let chunks = "1\r\nx\r\n".repeat(PIECES);
    connection.write(format!("{CHUNKED}{chunks}1388\r\n")).await;
    connection
        .write(format!(
            "{}\r\n{chunks}0\r\nx-t: v\r\n\r\n",
            "y".repeat(5000)
        ))
        .await;
    let mut body = call.join_next().await.unwrap().unwrap();
    let read = rest(&mut body).await;
    let expected = format!("{0}{1}{0}", "x".repeat(PIECES), "y".repeat(5000));
    assert!(read == expected.as_bytes(), "{} bytes", read.len());
    let trailers = within("the trailers", body.trailers()).await.unwrap();
    assert_eq!(trailers.unwrap()["x-t"], "v");
}

/// The large pieces are only just large: they give nothing back of what the small pieces cost.
#[tokio::test]
async fn x16_pieces_that_a_caller_does_not_read_end_no_connection() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut connection, mut call, _caller) = begin(&vendor, &gateway).await;
    let pair = format!("1\r\nx\r\n100\r\n{}\r\n", "y".repeat(256));
    let pairs = pair.repeat(200) + &"1\r\nx\r\n".repeat(5000);
    connection.write(format!("{CHUNKED}{pairs}0\r\n\r\n")).await;
    let mut body = call.join_next().await.unwrap().unwrap();
    received(&mut body, 200 * 257 + 5000).await;
    let expected = format!("x{}", "y".repeat(256)).repeat(200) + &"x".repeat(5000);
    let read = rest(&mut body).await;
    assert!(read == expected.as_bytes(), "{} bytes", read.len());
}

#[tokio::test]
async fn x16_tiny_frames_of_an_upstream_end_no_connection_of_a_caller() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller
        .open(request("GET", "/p/a0/x").body(()).unwrap(), true)
        .await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    let mut body = answer(response).await.into_body();
    // Fewer at once than the gateway's own h2 tolerates, from which it takes more of them in one piece.
    for nth in 1..=20 {
        let frames = encode(DATA, 0, stream, b"x").repeat(100);
        connection.wire.write(&frames).await;
        received(&mut body, nth * 100).await;
    }
    connection.data(stream, "y", true).await;
    let read = rest(&mut body).await;
    let expected = "x".repeat(2000) + "y";
    assert!(read == expected.as_bytes(), "{} bytes", read.len());
}

#[tokio::test]
async fn x16_a_small_piece_waits_for_no_other_piece() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut connection, mut call, _caller) = begin(&vendor, &gateway).await;
    connection.write(CHUNKED).await;
    let mut body = call.join_next().await.unwrap().unwrap();
    for _ in 0..100 {
        connection.write("1\r\nx\r\n").await;
        assert_eq!(piece(&mut body).await.unwrap(), "x");
    }
    connection.write("0\r\n\r\n").await;
    assert!(rest(&mut body).await.is_empty());
}

#[tokio::test]
async fn x16_small_pieces_before_an_error_arrive() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut connection, mut call, _caller) = begin(&vendor, &gateway).await;
    connection
        .write(format!("{CHUNKED}1\r\nx\r\n1\r\ny\r\nnot a chunk\r\n"))
        .await;
    let mut body = call.join_next().await.unwrap().unwrap();
    let mut read = Vec::new();
    let error = loop {
        let next = within("a piece", body.data()).await;
        match next.unwrap() {
            Ok(data) => read.extend_from_slice(&data),
            Err(error) => break error,
        }
    };
    assert_eq!(read, b"xy");
    assert!(error.is_reset(), "{error:?}");
}
