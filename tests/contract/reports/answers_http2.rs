//! Answers of HTTP/2 vendors that break a rule, and that some clients accept.

use testkit::caller::{Caller, get};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_frames::{DATA, END_HEADERS, END_STREAM, HEADERS, fields};
use testkit::h2_script::FrameVendor;

#[tokio::test]
async fn v6_a_field_of_a_connection_over_http2_fails_only_its_own_call() {
    for (name, value) in [
        (&b"connection"[..], &b"keep-alive"[..]),
        (b"keep-alive", b"timeout=3, max=993"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
    ] {
        let vendor = FrameVendor::bind_tls().await;
        let gateway = Setup::new(&vendor).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        let head = fields(&[(b":status", b"200"), (name, value)]);
        connection
            .send(HEADERS, END_HEADERS | END_STREAM, stream, &head)
            .await;
        let answer = caller.response("GET").await;
        assert_eq!(
            answer.error(),
            Some("upstream-protocol"),
            "{name:?}: {answer:?}"
        );

        // The same network connection serves the next call.
        caller.write(get("/p/c/x")).await;
        let stream = connection.request().await;
        connection.answer(stream, "next").await;
        let answer = caller.response("GET").await;
        assert_eq!(
            (answer.status(), &*answer.text()),
            (200, "next"),
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn b12_a_length_that_differs_from_the_data_never_looks_complete() {
    for (length, data) in [(&b"5"[..], "ok"), (b"1", "ok"), (b"0", "ok")] {
        let vendor = FrameVendor::bind_tls().await;
        let gateway = Setup::new(&vendor).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        let head = fields(&[(b":status", b"200"), (b"content-length", length)]);
        connection.send(HEADERS, END_HEADERS, stream, &head).await;
        connection.data(stream, data, true).await;
        let answer = caller.response("GET").await;
        let is_cut = !answer.complete() || answer.error() == Some("upstream-protocol");
        // With a length of 0, the caller's answer has ended before the data come, and nothing of the data follows.
        let is_empty = length == b"0" && answer.text().is_empty();
        assert!(is_cut || is_empty, "{length:?}: {answer:?}");
    }
}

#[tokio::test]
async fn b7_trailers_after_an_announced_length_of_zero_arrive() {
    let vendor = FrameVendor::bind_tls().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/pkg.Service/Method")
        .header("content-type", "application/grpc-web+proto")
        .header("te", "trailers");
    let (response, _body) = caller.open(call.body(()).unwrap(), true).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    let head = [
        (&b":status"[..], &b"200"[..]),
        (b"content-type", b"application/grpc-web+proto"),
        (b"content-length", b"0"),
    ];
    connection
        .send(HEADERS, END_HEADERS, stream, &fields(&head))
        .await;
    connection.send(DATA, 0, stream, &[]).await;
    let trailers = fields(&[(b"grpc-status", b"7"), (b"grpc-message", b"no")]);
    connection
        .send(HEADERS, END_HEADERS | END_STREAM, stream, &trailers)
        .await;
    let answer = h2_caller::whole(response).await;
    assert_eq!(answer.headers["content-length"], "0");
    assert_eq!(answer.trailers["grpc-status"], "7");
}
