//! gRPC calls to vendors with HTTP/2, and to vendors without HTTP/2.

use http::{HeaderMap, HeaderValue, Response};
use tokio::sync::mpsc;
use tower_passthrough::observe::CallReport;

use testkit::caller::{RawResponse, request};
use testkit::gateway::{Builder, Gateway, Setup};
use testkit::h2_caller::{self, H2Caller, H2Response};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

fn call(content_type: &str) -> http::Request<()> {
    h2_caller::request("POST", "/p/c/test.Echo/Unary")
        .header("content-type", content_type)
        .header("te", "trailers")
        .header("grpc-timeout", "5S")
        .body(())
        .unwrap()
}

async fn ask(gateway: &Gateway, content_type: &str) -> H2Response {
    let mut caller = H2Caller::connect(gateway.address).await;
    caller
        .call_with(call(content_type), b"\0\0\0\0\0", None)
        .await
}

fn assert_unavailable(response: &H2Response) {
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["grpc-status"], "14");
    assert_eq!(
        response.headers["passthrough-error"],
        "upstream-unreachable"
    );
    let status = &response.headers["proxy-status"];
    assert_eq!(status, "passthrough; error=http_protocol_error");
    assert!(response.body.is_empty() && response.trailers.is_empty());
}

#[tokio::test]
async fn g3_a_vendor_that_agrees_on_http1_gets_no_grpc_call() {
    for alpn in [&["http/1.1"][..], &[]] {
        let vendor = Vendor::replying_over_tls(alpn, |_| Reply::ok("ok")).await;
        let (tell, mut told) = mpsc::unbounded_channel();
        let watch = move |options: Builder| {
            options.observe_fn(move |call: &CallReport<'_>| {
                let _ = tell.send(call.cause().map(tower_passthrough::Error::sent));
            })
        };
        let gateway = Setup::new(&vendor).options(watch).start().await;
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=y",
        ] {
            assert_unavailable(&ask(&gateway, content_type).await);
            assert_eq!(within("a report", told.recv()).await, Some(Some(false)));
        }
        assert!(vendor.try_next().await.is_none());
        // Other calls still reach this vendor, also gRPC-Web.
        for content_type in ["application/json", "application/grpc-web+proto"] {
            let response = ask(&gateway, content_type).await;
            assert_eq!(
                (response.status.as_u16(), &response.body[..]),
                (200, &b"ok"[..])
            );
            vendor.next().await;
        }
    }
}

#[tokio::test]
async fn g3_a_transport_without_http2_makes_no_grpc_call() {
    let vendor = H2Vendor::start().await;
    let setup = Setup::new(&vendor).transport(|transport| transport.http1_only(true));
    let gateway = setup.start().await;
    assert_unavailable(&ask(&gateway, "application/grpc").await);
    assert_eq!(vendor.connections().await, 0);
}

/// An `http` vendor isn't asked for its protocol: the answer to the preface isn't HTTP/2.
#[tokio::test]
async fn g3_an_http_vendor_with_http1_is_status_14() {
    let pair = Pair::new().await;
    let response = ask(&pair.gateway, "application/grpc").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["grpc-status"], "14");
    // Other calls have another pool.
    let response = ask(&pair.gateway, "text/plain").await;
    assert_eq!(
        (response.status.as_u16(), &response.body[..]),
        (200, &b"ok"[..])
    );
}

#[tokio::test]
async fn g3_te_and_the_deadline_are_forwarded_and_headers_only_answers_stay() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut upload) = caller.open(call("application/grpc+proto"), false).await;
    upload.send_data("\0\0\0\0\0".into(), true).unwrap();
    let mut stream = vendor.next().await;
    let headers = stream.request.headers();
    assert_eq!(headers["te"], "trailers");
    assert_eq!(headers["grpc-timeout"], "5S");
    assert_eq!(headers["content-type"], "application/grpc+proto");
    assert_eq!(stream.request.uri().path(), "/test.Echo/Unary");
    let only = Response::builder()
        .header("content-type", "application/grpc+proto")
        .header("grpc-status", "9")
        .header("grpc-message", "50%25 caf%C3%A9")
        .header("x-why-bin", "AP8");
    stream.finish(only.body(()).unwrap());
    let answer = h2_caller::answer(response).await;
    let headers = answer.headers();
    assert_eq!(headers["grpc-status"], "9");
    assert_eq!(headers["grpc-message"], "50%25 caf%C3%A9");
    assert_eq!(headers["x-why-bin"], "AP8");
    assert!(!headers.contains_key("content-length"));
    assert!(answer.body().is_end_stream(), "a frame came after the head");
}

#[tokio::test]
async fn g3_a_call_that_the_caller_resets_is_reset_at_the_vendor() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (_response, mut upload) = caller.open(call("application/grpc"), false).await;
    let mut stream = vendor.next().await;
    upload.send_reset(h2::Reason::CANCEL);
    assert_eq!(stream.reset().await, h2::Reason::CANCEL);
}

/// An HTTP/1.1 caller gets chunks, and trailers if the caller accepts trailers.
#[tokio::test]
async fn g3_an_http1_caller_gets_grpc_as_chunks_and_trailers() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let lines = [
        "Content-Type: application/grpc",
        "TE: trailers",
        "Content-Length: 7",
    ];
    let sent = request("POST", "/p/c/test.Echo/Unary", &lines, "\0\0\0\0\x02hi");
    let caller = testkit::caller::raw_call(gateway.address, sent);
    let answer = async {
        let mut stream = vendor.next().await;
        let (body, _) = stream.read().await;
        assert_eq!(body, b"\0\0\0\0\x02hi");
        let head = Response::builder()
            .header("content-type", "application/grpc")
            .header("trailer", "grpc-status");
        let mut answer = stream.answer(head.body(()).unwrap());
        answer.send_data("\0\0\0\0\x02ho".into(), false).unwrap();
        let status = HeaderMap::from_iter([(
            "grpc-status".parse().unwrap(),
            HeaderValue::from_static("0"),
        )]);
        answer.send_trailers(status).unwrap();
    };
    let (response, ()): (RawResponse, ()) = tokio::join!(caller, answer);
    assert_eq!(
        (response.status(), response.text().as_str()),
        (200, "\0\0\0\0\x02ho")
    );
    assert_eq!(
        response.body.trailers,
        [("grpc-status".to_owned(), "0".to_owned())]
    );
}

/// gRPC-Web sends its trailers in the body, as a frame, over any version of HTTP.
#[tokio::test]
async fn g3_grpc_web_is_forwarded_unchanged_over_http1() {
    let frames = b"\0\0\0\0\x02hi\x80\0\0\0\x0fgrpc-status:0\r\n";
    let mut reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: {}\r\n\r\n",
        frames.len()
    )
    .into_bytes();
    reply.extend_from_slice(frames);
    let pair = Pair::before(Vendor::answering(reply).await, |setup| setup).await;
    let lines = [
        "Content-Type: application/grpc-web+proto",
        "X-Grpc-Web: 1",
        "Content-Length: 7",
    ];
    let response = pair
        .call(request(
            "POST",
            "/p/c/test.Echo/Unary",
            &lines,
            "\0\0\0\0\x02ho",
        ))
        .await;
    assert_eq!(response.body.data, frames);
    assert_eq!(
        response.head.value("content-type"),
        Some("application/grpc-web+proto")
    );
    let received = pair.vendor.next().await;
    assert_eq!(received.body.data, b"\0\0\0\0\x02ho");
    assert_eq!(received.head.value("x-grpc-web"), Some("1"));
}

/// Ordinary calls don't need HTTP/2, and have separate connections.
#[tokio::test]
async fn g3_grpc_and_other_calls_have_separate_connections() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for (content_type, connection) in [
        ("application/json", 0),
        ("application/grpc", 1),
        ("application/json", 0),
        ("application/grpc+proto", 1),
    ] {
        let answer = async {
            let mut stream = vendor.next().await;
            stream.ok("ok");
            stream.connection
        };
        let (response, seen) = tokio::join!(ask(&gateway, content_type), answer);
        assert_eq!(response.body, b"ok");
        assert_eq!(seen, connection, "{content_type}");
    }
}
