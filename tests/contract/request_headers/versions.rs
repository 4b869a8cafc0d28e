//! Versions of HTTP on both sides, and requests that HTTP/2 itself refuses.

use http::{Request, Version};
use tower::ServiceExt;

use super::seen_on_h2;
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_frames::{
    DATA, END_HEADERS, END_STREAM, FrameCaller, GOAWAY, HEADERS, RST_STREAM, fields,
};
use testkit::pair::Pair;
use testkit::vendor::Vendor;
use testkit::wire::End;

/// The pseudo-header fields of a request.
const POST: [(&[u8], &[u8]); 4] = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":authority", b"app.test"),
    (b":path", b"/p/c/x"),
];

fn post_with(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut all = POST.to_vec();
    all.push((name, value));
    fields(&all)
}

#[tokio::test]
async fn h17_fields_that_http2_forbids_are_an_error_and_the_vendor_is_never_called() {
    let pair = Pair::new().await;
    for (name, value) in [
        (&b"connection"[..], &b"close"[..]),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"websocket"),
        (b"keep-alive", b"timeout=5"),
        (b"proxy-connection", b"close"),
        (b"te", b"gzip"),
        (b"x-a", b"1\r\nx-b: 2"),
        (b"x-a", b"1\n"),
        (b"x-a", b"1\r"),
        (b"x-a", b"1\0"),
        (b"X-Upper", b"1"),
        (b"x a", b"1"),
        (b"x-a\r\nx-b", b"1"),
        (b":status", b"200"),
    ] {
        let mut caller = FrameCaller::connect(pair.gateway.address).await;
        let block = post_with(name, value);
        caller
            .send(HEADERS, END_HEADERS | END_STREAM, 1, &block)
            .await;
        let verdict = caller.verdict(1).await;
        let what = (String::from_utf8_lossy(name), value);
        assert!(
            verdict
                .as_ref()
                .is_none_or(|frame| matches!(frame.kind, RST_STREAM | GOAWAY)),
            "{what:?}: {verdict:?}"
        );
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn h17_a_length_that_differs_from_the_data_never_makes_a_request() {
    for (length, data) in [(&b"5"[..], &b"abc"[..]), (b"2", b"abc"), (b"0", b"abc")] {
        let pair = Pair::new().await;
        let mut caller = FrameCaller::connect(pair.gateway.address).await;
        let block = post_with(b"content-length", length);
        caller.send(HEADERS, END_HEADERS, 1, &block).await;
        caller.send(DATA, END_STREAM, 1, data).await;
        let verdict = caller.verdict(1).await;
        assert!(
            verdict
                .as_ref()
                .is_none_or(|frame| matches!(frame.kind, RST_STREAM | GOAWAY)),
            "{length:?}: {verdict:?}"
        );
        // The head may have been sent by then, but no whole request.
        pair.vendor.connections().await;
        pair.vendor.all_closed().await;
        while let Some(received) = pair.vendor.try_next().await {
            assert_eq!(received.body.end, End::Cut, "{length:?}");
        }
    }
}

#[tokio::test]
async fn h20_an_http1_vendor_gets_1_1_for_each_version_of_the_caller() {
    let pair = Pair::new().await;
    let received = pair
        .seen("GET /p/c/x HTTP/1.0\r\nHost: app.test\r\n\r\n")
        .await;
    assert_eq!(received.head.start, "GET /x HTTP/1.1");

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x?a=1").body(()).unwrap();
    let response = caller.call(request).await;
    assert_eq!(
        (response.status.as_u16(), response.body),
        (200, b"ok".to_vec())
    );
    assert_eq!(pair.vendor.next().await.head.start, "GET /x?a=1 HTTP/1.1");
}

#[tokio::test]
async fn h20_an_http1_caller_can_call_an_http2_vendor() {
    let (_vendor, seen) = seen_on_h2(&["X-A: 1"]).await;
    assert_eq!(seen.version(), Version::HTTP_2);
    assert_eq!(seen.uri().path(), "/x");
    assert_eq!(seen.headers()["x-a"], "1");
}

#[tokio::test]
async fn h20_an_unusual_version_is_reset_as_well() {
    let vendor = Vendor::ok().await;
    let service = Setup::new(&vendor).build(([127, 0, 0, 1], 1).into());
    for version in [Version::HTTP_09, Version::HTTP_3] {
        let request = Request::get("/p/c/x")
            .version(version)
            .body(String::new())
            .unwrap();
        let Ok(response) = service.clone().oneshot(request).await;
        assert_eq!(
            (response.status(), response.version()),
            (http::StatusCode::OK, Version::HTTP_11)
        );
        assert_eq!(vendor.next().await.head.start, "GET /x HTTP/1.1");
    }
}
