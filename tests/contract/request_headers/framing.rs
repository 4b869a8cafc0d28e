//! Framing comes from the body, and never from a field of the caller.

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::channel::Channel;
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use tower_passthrough::{BoxError, Connection};
use tower_service::Service;

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::pair::Pair;
use testkit::vendor::Vendor;
use testkit::wire::{End, Framing};

/// Starts a gateway behind a layer of the host application that replaces the body, and leaves the fields.
async fn behind_a_layer<B>(
    vendor: &Vendor,
    change: impl Fn(Incoming) -> B + Clone + Send + 'static,
) -> Gateway
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let listener = bind().await;
    let service = Setup::new(vendor).build(listener.local_addr().unwrap());
    let layer = tower::service_fn(move |request: Request<Incoming>| {
        service.clone().call(request.map(&change))
    });
    Gateway::serve(listener, layer)
}

/// Returns a POST whose length is 40.
fn forty(target: &str) -> String {
    request("POST", target, &["Content-Length: 40"], &"b".repeat(40))
}

#[tokio::test]
async fn h14_the_length_of_an_emptied_body_is_dropped() {
    let vendor = Vendor::ok().await;
    let gateway = behind_a_layer(&vendor, |_| Empty::<Bytes>::new()).await;
    for method in ["POST", "GET", "DELETE"] {
        let sent = forty("/p/c/x").replacen("POST", method, 1);
        let response = raw_call(gateway.address, sent).await;
        assert_eq!(response.status(), 200, "{}", response.text());
        let received = vendor.next().await;
        assert!(
            matches!(received.head.value("content-length"), None | Some("0")),
            "{method}"
        );
        assert!(
            matches!(received.body.framing, Framing::None | Framing::Length(0)),
            "{method}"
        );
    }
    // The vendor reads the next call as a request, and not as the body of the call before.
    assert_eq!(
        raw_call(gateway.address, get("/p/c/next")).await.status(),
        200
    );
    assert_eq!(vendor.next().await.head.start, "GET /next HTTP/1.1");
}

#[tokio::test]
async fn h14_the_length_of_a_replaced_body_is_the_new_length() {
    let vendor = Vendor::ok().await;
    let gateway = behind_a_layer(&vendor, |_| Full::from("hi")).await;
    assert_eq!(
        raw_call(gateway.address, forty("/p/c/x")).await.status(),
        200
    );
    let received = vendor.next().await;
    assert_eq!(received.body.framing, Framing::Length(2));
    assert_eq!(received.body.data, b"hi");
}

#[tokio::test]
async fn h14_the_length_of_a_body_of_unknown_length_is_dropped() {
    let vendor = Vendor::ok().await;
    let gateway = behind_a_layer(&vendor, |_| {
        let (mut sender, body) = Channel::<Bytes, BoxError>::new(1);
        tokio::spawn(async move { sender.send_data(Bytes::from_static(b"hi")).await });
        body
    })
    .await;
    assert_eq!(
        raw_call(gateway.address, forty("/p/c/x")).await.status(),
        200
    );
    let received = vendor.next().await;
    assert!(!received.head.has("content-length"));
    assert_eq!(received.body.framing, Framing::Chunked);
    assert_eq!(received.body.data, b"hi");
}

#[tokio::test]
async fn h15_if_there_are_a_length_and_chunks_only_chunks_arrive() {
    for lines in [
        ["Content-Length: 3", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 3"],
        ["Content-Length: 15", "Transfer-Encoding: CHUNKED"],
    ] {
        let pair = Pair::new().await;
        let sent = request("POST", "/p/c/x", &lines, "5\r\nhello\r\n0\r\n\r\n");
        let received = pair.seen(sent).await;
        assert!(!received.head.has("content-length"), "{lines:?}");
        assert_eq!(
            received.head.values("transfer-encoding"),
            ["chunked"],
            "{lines:?}"
        );
        assert_eq!(received.body.data, b"hello", "{lines:?}");
    }
}

#[tokio::test]
async fn h15_bytes_that_only_the_length_covers_do_not_reach_the_vendor() {
    for lines in [
        ["Content-Length: 35", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 35"],
    ] {
        let pair = Pair::new().await;
        let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nX: y";
        let received = pair.seen(request("POST", "/p/c/x", &lines, smuggled)).await;
        assert!(received.body.data.is_empty(), "{lines:?}");
        assert_eq!(received.body.end, End::Complete);
        assert!(pair.vendor.try_next().await.is_none(), "{lines:?}");
    }
}

#[tokio::test]
async fn h16_framing_that_two_parsers_could_read_differently_is_400_and_close() {
    let pair = Pair::new().await;
    for (version, lines) in [
        ("1.1", &["Transfer-Encoding: gzip"][..]),
        ("1.1", &["Transfer-Encoding: chunked, gzip"]),
        (
            "1.1",
            &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ),
        ("1.1", &["Transfer-Encoding: xchunked"]),
        ("1.1", &["Transfer-Encoding:"]),
        ("1.0", &["Transfer-Encoding: chunked"]),
        ("1.1", &["Content-Length: 5", "Content-Length: 6"]),
        ("1.1", &["Content-Length: 5, 6"]),
        ("1.1", &["Content-Length: +5"]),
        ("1.1", &["Content-Length: -5"]),
        ("1.1", &["Content-Length: 0x5"]),
        ("1.1", &["Content-Length: 5a"]),
        ("1.1", &["Content-Length:"]),
        ("1.1", &["Content-Length: 99999999999999999999"]),
        ("1.1", &["Content-Length : 5"]),
    ] {
        let sent = request("POST", "/p/c/x", lines, "hello").replacen(
            "HTTP/1.1",
            &format!("HTTP/{version}"),
            1,
        );
        let mut caller = Caller::connect(pair.gateway.address).await;
        let response = caller.call(sent).await;
        assert_eq!(response.status(), 400, "{lines:?}");
        caller.closed().await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn h16_chunks_that_two_parsers_could_read_differently_never_make_a_request() {
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5;a=b\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloo\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    ] {
        let pair = Pair::new().await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        caller
            .write(request(
                "POST",
                "/p/c/x",
                &["Transfer-Encoding: chunked"],
                body,
            ))
            .await;
        let answer = caller.closed().await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{body:?}");
        // The head may have been sent by then, but no whole request.
        pair.vendor.connections().await;
        pair.vendor.all_closed().await;
        while let Some(received) = pair.vendor.try_next().await {
            assert_eq!(received.body.end, End::Cut, "{body:?}");
        }
    }
}

/// Returns the head of a request whose caller waits for `100 Continue` before it sends that number of bytes.
fn expecting(method: &str, target: &str, length: usize) -> String {
    let length = format!("Content-Length: {length}");
    request(method, target, &[&length, "Expect: 100-continue"], "")
}

#[tokio::test]
async fn h18_a_refusal_comes_before_the_100() {
    let pair = Pair::with(|setup| {
        setup
            .also(
                "odd",
                Connection::new("vendor").with_secret("token", "a\nb"),
            )
            .options(|o| o.request_body_limit(5))
    })
    .await;
    for (method, target, length, status) in [
        ("POST", "/p/nobody/x", 5, 404),
        ("POST", "/p/c/../x", 5, 400),
        ("POST", "/p/c/x?__domain=evil.test", 5, 403),
        ("POST", "/p/odd/x", 5, 424),
        ("POST", "/p/c/x", 6, 413),
        ("TRACE", "/p/c/x", 5, 405),
    ] {
        let mut caller = Caller::connect(pair.gateway.address).await;
        caller.write(expecting(method, target, length)).await;
        let response = caller.response(method).await;
        let text = response.text();
        assert_eq!(response.status(), status, "{method} {target}: {text}");
        assert!(
            response.interim.is_empty(),
            "{method} {target}: the caller got a 100"
        );
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn h18_the_gateway_meets_the_expectation_and_does_not_forward_it() {
    let pair = Pair::new().await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    caller.write(expecting("POST", "/p/c/x", 5)).await;
    assert_eq!(caller.head().await.status(), 100);
    caller.write("hello").await;
    let response = caller.response("POST").await;
    assert_eq!(response.status(), 200);
    let received = pair.vendor.next().await;
    assert!(!received.head.has("expect"));
    assert_eq!(received.body.data, b"hello");
}
