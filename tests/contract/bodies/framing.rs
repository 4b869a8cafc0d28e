//! Framing is kept: a length stays a length, chunks stay chunks, and a request without a body stays without a body.

use http::{Request, Response};

use testkit::caller::{Caller, RawResponse, get, post, request};
use testkit::gateway::{Gateway, Mount};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_frames::{DATA, END_HEADERS, END_STREAM, FrameCaller, HEADERS, encode, fields};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use testkit::wire::Framing;

/// Returns a request with that body in two chunks.
fn chunked(method: &str) -> String {
    let chunks = "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    request(method, "/p/c/x", &["Transfer-Encoding: chunked"], chunks)
}

/// Returns a request over HTTP/2, with or without a length.
fn stream(method: &str, length: Option<usize>) -> Request<()> {
    let mut request = h2_caller::request(method, "/p/c/x");
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    request.body(()).unwrap()
}

/// Returns the request that an HTTP/1.1 vendor receives for a request over HTTP/2 with the body `hello`.
async fn seen_of_stream(pair: &Pair, request: Request<()>) -> Received {
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let response = caller.call_with(request, b"hello", None).await;
    assert_eq!(response.status, 200);
    pair.vendor.next().await
}

fn assert_by_length(received: &Received) {
    assert_eq!(received.head.value("content-length"), Some("5"));
    assert!(!received.head.has("transfer-encoding"), "{received:?}");
    assert_eq!(received.body.data, b"hello");
}

fn assert_by_chunks(received: &Received) {
    assert_eq!(received.head.value("transfer-encoding"), Some("chunked"));
    assert!(!received.head.has("content-length"), "{received:?}");
    assert_eq!(received.body.data, b"hello");
}

#[tokio::test]
async fn b2_a_known_length_stays_a_length_to_an_http1_vendor() {
    let pair = Pair::new().await;
    assert_by_length(&pair.seen(post("/p/c/x", "hello")).await);
    assert_by_length(&seen_of_stream(&pair, stream("PUT", Some(5))).await);
}

#[tokio::test]
async fn b2_an_unknown_length_stays_chunked_to_an_http1_vendor() {
    let pair = Pair::new().await;
    assert_by_chunks(&pair.seen(chunked("POST")).await);
    assert_by_chunks(&seen_of_stream(&pair, stream("PUT", None)).await);
}

#[tokio::test]
async fn b2_an_http2_vendor_gets_a_length_only_if_the_caller_sent_it() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for (request, length) in [
        (post("/p/c/x", "hello"), Some("5")),
        (chunked("POST"), None),
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(request).await;
        let mut call = vendor.next().await;
        let told = call.request.headers().get("content-length");
        assert_eq!(told.map(|value| value.to_str().unwrap()), length);
        assert_eq!(call.read().await.0, b"hello");
        call.ok("ok");
        assert_eq!(caller.response("POST").await.status(), 200);
    }
}

#[tokio::test]
async fn b2_framing_is_kept_under_each_mount() {
    for mount in [Mount::Nest, Mount::Layer] {
        let pair = Pair::with(|setup| setup.mount(mount)).await;
        assert_by_length(&pair.seen(post("/p/c/x", "hello")).await);
        assert_by_chunks(&pair.seen(chunked("POST")).await);
        assert_by_chunks(&pair.seen(chunked("GET")).await);
        assert_by_length(&seen_of_stream(&pair, stream("PUT", Some(5))).await);
        assert_by_chunks(&seen_of_stream(&pair, stream("GET", None)).await);
    }
}

fn assert_answer_by_length(answer: &RawResponse) {
    assert_eq!(answer.head.value("content-length"), Some("5"));
    assert!(!answer.head.has("transfer-encoding"), "{answer:?}");
    assert_eq!((answer.text().as_str(), answer.complete()), ("hello", true));
}

fn assert_answer_by_chunks(answer: &RawResponse) {
    assert_eq!(answer.body.framing, Framing::Chunked);
    assert!(!answer.head.has("content-length"), "{answer:?}");
    assert_eq!((answer.text().as_str(), answer.complete()), ("hello", true));
}

#[tokio::test]
async fn b2_an_http1_vendors_answer_keeps_its_framing() {
    let by_length = Pair::before(Vendor::answering(Reply::ok("hello")).await, |setup| setup).await;
    assert_answer_by_length(&by_length.call(get("/p/c/x")).await);
    let mut caller = H2Caller::connect(by_length.gateway.address).await;
    let answer = caller.call(stream("GET", None)).await;
    assert_eq!(answer.headers["content-length"], "5");
    assert_eq!(answer.body, b"hello");

    let chunks =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let by_chunks = Pair::before(Vendor::answering(chunks).await, |setup| setup).await;
    assert_answer_by_chunks(&by_chunks.call(get("/p/c/x")).await);
    let mut caller = H2Caller::connect(by_chunks.gateway.address).await;
    let answer = caller.call(stream("GET", None)).await;
    assert!(!answer.headers.contains_key("content-length"));
    assert!(!answer.headers.contains_key("transfer-encoding"));
    assert_eq!(answer.body, b"hello");
}

#[tokio::test]
async fn b2_an_http2_vendors_answer_has_a_length_if_the_vendor_sent_it() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;

    caller.write(get("/p/c/x")).await;
    let told = Response::builder()
        .header("content-length", 5)
        .body(())
        .unwrap();
    let mut body = vendor.next().await.answer(told);
    body.send_data("hello".into(), true).unwrap();
    assert_answer_by_length(&caller.response("GET").await);

    caller.write(get("/p/c/x")).await;
    vendor.next().await.ok("hello");
    assert_answer_by_chunks(&caller.response("GET").await);
}

#[tokio::test]
async fn b3_the_body_of_a_get_with_unknown_length_arrives() {
    let pair = Pair::new().await;
    assert_by_chunks(&pair.seen(chunked("GET")).await);
    assert_by_chunks(&pair.seen(chunked("HEAD")).await);
    assert_by_chunks(&seen_of_stream(&pair, stream("GET", None)).await);
    assert_by_length(
        &pair
            .seen(request("GET", "/p/c/x", &["Content-Length: 5"], "hello"))
            .await,
    );
    assert_by_length(&seen_of_stream(&pair, stream("GET", Some(5))).await);
}

#[tokio::test]
async fn b3_the_body_of_a_get_with_unknown_length_arrives_over_http2() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(chunked("GET")).await;
    let mut call = vendor.next().await;
    assert!(!call.request.headers().contains_key("transfer-encoding"));
    assert_eq!(call.read().await.0, b"hello");
    call.ok("ok");
    assert_eq!(caller.response("GET").await.status(), 200);

    let mut caller = H2Caller::connect(gateway.address).await;
    let (_response, mut body) = caller.open(stream("GET", None), false).await;
    body.send_data("hello".into(), true).unwrap();
    assert_eq!(vendor.next().await.read().await.0, b"hello");
}

#[tokio::test]
async fn b4_a_request_without_a_body_stays_without_a_body() {
    let pair = Pair::new().await;
    let mut streams = H2Caller::connect(pair.gateway.address).await;
    for method in ["GET", "DELETE", "OPTIONS", "HEAD"] {
        let plain = pair.seen(request(method, "/p/c/x", &[], "")).await;
        assert_eq!(streams.call(stream(method, None)).await.status, 200);
        for received in [plain, pair.vendor.next().await] {
            assert_eq!(received.head.method(), method);
            assert!(!received.head.has("content-length"), "{received:?}");
            assert!(!received.head.has("transfer-encoding"), "{received:?}");
        }
    }
}

#[tokio::test]
async fn b4_the_length_of_an_empty_post_stays() {
    let pair = Pair::new().await;
    let plain = pair.seen(post("/p/c/x", "")).await;
    let mut streams = H2Caller::connect(pair.gateway.address).await;
    assert_eq!(streams.call(stream("POST", Some(0))).await.status, 200);
    for received in [plain, pair.vendor.next().await] {
        assert_eq!(received.head.value("content-length"), Some("0"));
        assert!(!received.head.has("transfer-encoding"), "{received:?}");
    }
}

#[tokio::test]
async fn b4_an_empty_post_put_or_patch_announces_its_length() {
    let pair = Pair::new().await;
    let mut streams = H2Caller::connect(pair.gateway.address).await;
    for method in ["POST", "PUT", "PATCH"] {
        // The head ends the stream.
        assert_eq!(streams.call(stream(method, None)).await.status, 200);
        let by_head = pair.vendor.next().await;
        let plain = pair.seen(request(method, "/p/c/x", &[], "")).await;
        for received in [by_head, plain] {
            assert_eq!(
                received.head.values("content-length"),
                ["0"],
                "{received:?}"
            );
            assert!(!received.head.has("transfer-encoding"), "{received:?}");
        }
    }
}

/// An empty frame that ends the stream comes with the head, so the gateway knows that the request has no content.
#[tokio::test]
async fn b4_a_stream_that_ends_with_an_empty_frame_has_no_content() {
    let pair = Pair::new().await;
    for (method, lengths) in [
        ("GET", &[][..]),
        ("HEAD", &[]),
        ("DELETE", &[]),
        ("OPTIONS", &[]),
        ("POST", &["0"]),
        ("PUT", &["0"]),
        ("PATCH", &["0"]),
    ] {
        let mut caller = FrameCaller::connect(pair.gateway.address).await;
        let head = fields(&[
            (b":method", method.as_bytes()),
            (b":scheme", b"http"),
            (b":authority", b"app.test"),
            (b":path", b"/p/c/x"),
        ]);
        let frames = [
            encode(HEADERS, END_HEADERS, 1, &head),
            encode(DATA, END_STREAM, 1, b""),
        ];
        assert!(caller.try_send(&frames.concat()).await);
        let received = pair.vendor.next().await;
        assert_eq!(received.head.method(), method);
        assert_eq!(received.head.values("content-length"), lengths, "{method}");
        assert!(!received.head.has("transfer-encoding"), "{received:?}");
    }
}

/// The first frame is read before the head is sent, and must not be lost.
#[tokio::test]
async fn b4_a_stream_with_content_stays_chunked() {
    let pair = Pair::new().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    for (body, trailers) in [(&b"hello"[..], false), (b"hello", true), (b"", true)] {
        let trailers = trailers.then(|| {
            http::HeaderMap::from_iter([(
                http::HeaderName::from_static("x-sum"),
                http::HeaderValue::from_static("1"),
            )])
        });
        let has_trailers = trailers.is_some();
        let mut call = stream("POST", None);
        call.headers_mut()
            .insert("trailer", "x-sum".parse().unwrap());
        let response = caller.call_with(call, body, trailers).await;
        assert_eq!(response.status, 200);
        let received = pair.vendor.next().await;
        assert_eq!(received.head.value("transfer-encoding"), Some("chunked"));
        assert_eq!(received.body.data, body);
        assert_eq!(!received.body.trailers.is_empty(), has_trailers);
    }
}

#[tokio::test]
async fn b4_a_request_without_a_body_over_http2_ends_with_its_head() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (request, length) in [(get("/p/c/x"), None), (post("/p/c/x", ""), Some("0"))] {
        caller.write(request).await;
        let mut call = vendor.next().await;
        assert!(call.body.is_end_stream());
        let told = call.request.headers().get("content-length");
        assert_eq!(told.map(|value| value.to_str().unwrap()), length);
        call.ok("ok");
        assert_eq!(caller.response("GET").await.status(), 200);
    }
}

#[tokio::test]
async fn b12_a_length_in_a_chunked_answer_truncates_nothing() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
                a\r\n0123456789\r\n0\r\n\r\n";
    let pair = Pair::before(Vendor::answering(both).await, |setup| setup).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.text(), "0123456789");
    assert!(response.complete() && !response.head.has("content-length"));
}
