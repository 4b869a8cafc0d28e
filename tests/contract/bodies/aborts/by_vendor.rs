//! The vendor's answer breaks off, or ends with the vendor's connection.

use h2::Reason;
use http::Response;

use super::{
    BY_LENGTH, CHUNKED, LAST_CHUNK, assert_broken, assert_hello, begun_answer, ends_well, stream,
};
use testkit::caller::{Caller, get};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;
use testkit::wire::End;

#[tokio::test]
async fn b12_an_aborted_answer_over_http1_is_an_abort_at_an_http1_caller() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    for answer in [CHUNKED, BY_LENGTH] {
        for by_reset in [false, true] {
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(get("/p/c/x")).await;
            let mut connection = vendor.accept().await;
            connection.head().await;
            connection.write(answer).await;
            begun_answer(&mut caller).await;
            if by_reset {
                connection.reset();
            } else {
                drop(connection);
            }
            // At most the line end of the chunk.
            let rest = caller.closed().await;
            assert!(
                matches!(rest.as_slice(), b"" | b"\r\n"),
                "{answer:?}: {rest:?}"
            );
        }
    }
}

#[tokio::test]
async fn b12_an_aborted_answer_over_http1_is_a_reset_at_an_http2_caller() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    for answer in [CHUNKED, BY_LENGTH] {
        let (response, _) = caller.open(stream("GET"), true).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(answer).await;
        let mut body = h2_caller::answer(response).await.into_body();
        assert_hello(&mut body).await;
        drop(connection);
        assert_broken(&mut body).await;
    }
}

#[tokio::test]
async fn b12_a_stream_that_the_vendor_resets_is_an_abort_at_the_caller() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut streams = H2Caller::connect(gateway.address).await;
    // hyper reads NO_ERROR as an end, although only an upload may end in this way.
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::NO_ERROR] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut answer = vendor.next().await.answer(Response::new(()));
        answer.send_data("hello".into(), false).unwrap();
        begun_answer(&mut caller).await;
        answer.send_reset(reason);
        let rest = caller.closed().await;
        assert!(!ends_well(&rest), "{reason:?}");

        let (response, _) = streams.open(stream("GET"), true).await;
        let mut answer = vendor.next().await.answer(Response::new(()));
        answer.send_data("hello".into(), false).unwrap();
        let mut body = h2_caller::answer(response).await.into_body();
        assert_hello(&mut body).await;
        answer.send_reset(reason);
        assert_broken(&mut body).await;
    }
}

#[tokio::test]
async fn b12_a_broken_connection_to_an_http2_vendor_is_an_abort_at_the_caller() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    answer.send_data("hello".into(), false).unwrap();
    begun_answer(&mut caller).await;
    drop((vendor, answer));
    assert!(!ends_well(&caller.closed().await));
}

/// An answer that ends with the end of the connection.
const CLOSE_DELIMITED: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello";

#[tokio::test]
async fn b13_a_close_delimited_answer_is_framed_again() {
    for answer in [CLOSE_DELIMITED, "HTTP/1.0 200 OK\r\n\r\nhello"] {
        let vendor = Vendor::answering(Reply::from(answer).close()).await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        for _ in 0..2 {
            let answer = caller.call(get("/p/c/x")).await;
            assert_eq!(answer.head.value("transfer-encoding"), Some("chunked"));
            assert_eq!((answer.text().as_str(), answer.complete()), ("hello", true));
        }
        let mut caller = H2Caller::connect(gateway.address).await;
        assert_eq!(caller.call(stream("GET")).await.body, b"hello");
    }
}

#[tokio::test]
async fn b13_a_close_delimited_answer_over_tls_ends_with_close_notify() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Gateway::to(&vendor).await;
    for notified in [true, false] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(CLOSE_DELIMITED).await;
        begun_answer(&mut caller).await;
        if notified {
            connection.wire.finish().await;
        }
        drop(connection);
        assert_eq!(ends_well(&rest_of_body(&mut caller).await), notified);
    }
}

/// Returns the bytes up to the last chunk, or up to the gateway's close.
async fn rest_of_body(caller: &mut Caller) -> Vec<u8> {
    match within("the answer's end", caller.wire.until(LAST_CHUNK)).await {
        Some(rest) => rest,
        None => caller.wire.buffered().to_vec(),
    }
}

#[tokio::test]
async fn b13_a_framed_answer_needs_no_close_notify() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Gateway::to(&vendor).await;
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(answer).await;
        drop(connection);
        let answer = caller.response("GET").await;
        assert_eq!(
            (answer.text().as_str(), answer.body.end),
            ("hello", End::Complete)
        );
    }
}
