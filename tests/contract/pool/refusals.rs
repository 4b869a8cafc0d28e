//! Requests that an HTTP/2 vendor didn't process are sent again a limited number of times, if that is possible.
//! Requests that the vendor may have processed are never sent again.

use super::{Scheme, assert_ok, refusal};
use testkit::caller::{Caller, get, post};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_script::{
    CANCEL, FrameConnection, FrameVendor, HTTP_1_1_REQUIRED, INTERNAL_ERROR, NO_ERROR,
    REFUSED_STREAM,
};
use testkit::manual::ManualVendor;

fn setup(vendor: &FrameVendor) -> Setup {
    Setup::new(vendor).transport(|transport| transport.http2_prior_knowledge(true))
}

/// Starts a gateway that buffers bodies.
async fn keeping(vendor: &FrameVendor) -> Gateway {
    let scheme = Scheme {
        keeps: true,
        ..Scheme::default()
    };
    let setup = setup(vendor).upstream(|upstream| upstream.auth(scheme));
    setup.start().await
}

/// Returns a caller, and the connection on which its first call was answered, on stream 1.
async fn used(vendor: &FrameVendor, gateway: &Gateway) -> (Caller, FrameConnection) {
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/first")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    assert_eq!(stream, 1);
    connection.answer(stream, "first").await;
    assert_ok(&caller.response("GET").await, "first");
    (caller, connection)
}

/// Returns calls that can be sent again: their method, their bytes and their body.
fn repeatable() -> [(&'static str, String, &'static str); 2] {
    [
        ("GET", get("/p/c/x"), ""),
        ("POST", post("/p/c/x", "hello"), "hello"),
    ]
}

/// Returns the stream of the next request, which has that body.
async fn request(connection: &mut FrameConnection, body: &str) -> u32 {
    let stream = connection.request().await;
    if !body.is_empty() {
        assert_eq!(connection.body(stream).await, body.as_bytes());
    }
    stream
}

#[tokio::test]
async fn k1_a_request_above_the_last_stream_of_a_goaway_is_sent_again() {
    for (method, call, body) in repeatable() {
        let vendor = FrameVendor::bind().await;
        let gateway = keeping(&vendor).await;
        let (mut caller, mut first) = used(&vendor, &gateway).await;
        caller.write(call).await;
        assert_eq!(request(&mut first, body).await, 3);
        first.goaway(1, NO_ERROR).await;

        let mut second = vendor.accept(&[]).await;
        let stream = request(&mut second, body).await;
        second.answer(stream, "own").await;
        assert_ok(&caller.response(method).await, "own");
        first.closed().await;
        second.no_other().await;
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k1_a_request_below_the_last_stream_of_a_goaway_is_answered() {
    let vendor = FrameVendor::bind().await;
    let gateway = keeping(&vendor).await;
    let (mut caller, mut first) = used(&vendor, &gateway).await;
    caller.write(post("/p/c/x", "hello")).await;
    let stream = request(&mut first, "hello").await;
    first.goaway(stream, NO_ERROR).await;
    first.ping().await;
    // Meanwhile another call can't use this connection.
    let mut other = Caller::connect(gateway.address).await;
    other.write(get("/p/c/other")).await;
    let mut second = vendor.accept(&[]).await;
    let others = second.request().await;
    second.answer(others, "other").await;
    assert_ok(&other.response("GET").await, "other");

    first.answer(stream, "own").await;
    assert_ok(&caller.response("POST").await, "own");
    first.closed().await;
    second.no_other().await;
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k1_a_refused_stream_is_sent_again_twice_at_most() {
    for (method, call, body) in repeatable() {
        let vendor = FrameVendor::bind().await;
        let gateway = keeping(&vendor).await;
        let (mut caller, mut connection) = used(&vendor, &gateway).await;
        caller.write(&call).await;
        for _ in 0..2 {
            let stream = request(&mut connection, body).await;
            connection.reset(stream, REFUSED_STREAM).await;
        }
        let stream = request(&mut connection, body).await;
        connection.answer(stream, "own").await;
        assert_ok(&caller.response(method).await, "own");

        caller.write(&call).await;
        for _ in 0..3 {
            let stream = request(&mut connection, body).await;
            connection.reset(stream, REFUSED_STREAM).await;
        }
        let answer = caller.response(method).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
        connection.no_other().await;
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k1_a_refused_request_whose_body_streamed_is_not_sent_again() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut caller, mut first) = used(&vendor, &gateway).await;
    caller.write(post("/p/c/x", "hello")).await;
    let stream = request(&mut first, "hello").await;
    first.reset(stream, REFUSED_STREAM).await;
    let answer = caller.response("POST").await;
    assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    first.no_other().await;

    caller.write(post("/p/c/x", "hello")).await;
    let stream = request(&mut first, "hello").await;
    first.goaway(stream - 2, NO_ERROR).await;
    let answer = caller.response("POST").await;
    assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    first.closed().await;
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k1_a_post_after_the_vendor_left_is_sent_on_a_new_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    for says_so in [true, false] {
        let (mut caller, mut first) = used(&vendor, &gateway).await;
        if says_so {
            first.goaway(1, NO_ERROR).await;
        } else {
            first.wire.finish().await;
        }
        first.closed().await;
        caller.write(post("/p/c/x", "hello")).await;
        let mut second = vendor.accept(&[]).await;
        let stream = request(&mut second, "hello").await;
        second.answer(stream, "own").await;
        assert_ok(&caller.response("POST").await, "own");
        second.goaway(stream, NO_ERROR).await;
        second.closed().await;
        vendor.0.no_other().await;
    }
}

/// Checks that a request isn't sent again if the vendor may have processed the request before `ends`.
async fn assert_not_sent_again(
    calls: &[(&'static str, String, &'static str)],
    ends: impl AsyncFn(&mut FrameConnection, u32),
) {
    for (method, call, body) in calls {
        let vendor = FrameVendor::bind().await;
        let gateway = keeping(&vendor).await;
        let (mut caller, mut connection) = used(&vendor, &gateway).await;
        caller.write(call).await;
        let stream = request(&mut connection, body).await;
        ends(&mut connection, stream).await;
        let answer = caller.response(method).await;
        assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k2_a_stream_that_was_reset_is_not_sent_again() {
    for code in [INTERNAL_ERROR, CANCEL, NO_ERROR] {
        assert_not_sent_again(&repeatable(), async |connection, stream| {
            connection.reset(stream, code).await;
            connection.no_other().await;
        })
        .await;
    }
}

#[tokio::test]
async fn k2_a_post_whose_http2_connection_ended_is_not_sent_again() {
    let post = [("POST", post("/p/c/x", "hello"), "hello")];
    assert_not_sent_again(&post, async |connection, _| connection.wire.finish().await).await;
    // The vendor may have processed the streams up to the last stream.
    assert_not_sent_again(&post, async |connection, stream| {
        connection.goaway(stream, NO_ERROR).await;
        connection.wire.finish().await;
    })
    .await;
}

#[tokio::test]
async fn k2_an_answer_that_ends_with_refused_stream_is_not_requested_again() {
    let vendor = FrameVendor::bind().await;
    let gateway = keeping(&vendor).await;
    let (mut caller, mut connection) = used(&vendor, &gateway).await;
    caller.write(get("/p/c/x")).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    connection.data(stream, "hello", false).await;
    assert_eq!(caller.head().await.status(), 200);
    connection.reset(stream, REFUSED_STREAM).await;
    let rest = caller.closed().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    connection.no_other().await;
    vendor.0.no_other().await;
}

/// Binds a vendor over TLS that speaks both versions of HTTP.
async fn vendor_of_both_versions() -> FrameVendor {
    FrameVendor(ManualVendor::bind_tls(&["h2", "http/1.1"]).await)
}

#[tokio::test]
async fn k1_after_http_1_1_required_the_origin_is_called_over_http1() {
    for is_goaway in [false, true] {
        for (method, call, body) in repeatable() {
            let vendor = vendor_of_both_versions().await;
            let scheme = Scheme {
                keeps: true,
                ..Scheme::default()
            };
            let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(scheme));
            let gateway = setup.start().await;
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(&call).await;
            let mut first = vendor.accept(&[]).await;
            let stream = request(&mut first, body).await;
            match is_goaway {
                true => first.goaway(0, HTTP_1_1_REQUIRED).await,
                false => first.reset(stream, HTTP_1_1_REQUIRED).await,
            }
            let mut second = vendor.0.accept().await;
            for is_last in [false, false, true] {
                let received = second.request().await;
                assert_eq!(received.head.method(), method);
                assert_eq!(received.head.fields[0].0, "host");
                assert_eq!(received.body.data, body.as_bytes());
                second
                    .write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
                    .await;
                assert_ok(&caller.response(method).await, "own");
                if !is_last {
                    caller.write(&call).await;
                }
            }
            vendor.0.no_other().await;
        }
    }
}

#[tokio::test]
async fn k1_a_streamed_request_that_needs_http1_fails_and_the_next_one_succeeds() {
    let vendor = vendor_of_both_versions().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(post("/p/c/x", "hello")).await;
    let mut first = vendor.accept(&[]).await;
    let stream = request(&mut first, "hello").await;
    first.reset(stream, HTTP_1_1_REQUIRED).await;
    let answer = caller.response("POST").await;
    assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    caller.write(post("/p/c/x", "hello")).await;
    let mut second = vendor.0.accept().await;
    assert_eq!(second.request().await.body.data, b"hello");
    second
        .write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
        .await;
    assert_ok(&caller.response("POST").await, "own");
}

/// The host application has said that the upstream uses HTTP/2, and a single answer doesn't change that for all callers.
#[tokio::test]
async fn k1_without_tls_http_1_1_required_is_a_failure_of_one_call() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut first = vendor.accept(&[]).await;
    let stream = first.request().await;
    first.reset(stream, HTTP_1_1_REQUIRED).await;
    let answer = caller.response("GET").await;
    assert_eq!(answer.status(), 502);
    caller.write(get("/p/c/x")).await;
    let stream = first.request().await;
    first.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
}

#[tokio::test]
async fn k1_a_misdirected_request_is_the_vendors_answer() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut caller, mut first) = used(&vendor, &gateway).await;
    caller.write(get("/p/c/x")).await;
    let stream = first.request().await;
    first.answer_without_body(stream, "421").await;
    assert_eq!(caller.response("GET").await.status(), 421);
    first.no_other().await;
    vendor.0.no_other().await;
}
