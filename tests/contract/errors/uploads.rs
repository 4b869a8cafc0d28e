//! Refusals while the caller uploads.

use super::problem;
use testkit::caller::{Caller, get, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller, whole};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::upload::upload;
use testkit::vendor::Vendor;
use testkit::wire::End;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn e7_a_refusal_arrives_before_the_upload_is_read() {
    let pair = Pair::with(|setup| setup.options(|o| o.request_body_limit(1024))).await;
    for (target, status) in [("/p/nobody/x", 404), ("/p/c/../x", 400), ("/p/c/x", 413)] {
        let length = format!("Content-Length: {}", 10 * MIB);
        let sent = request("POST", target, &[&length], "");
        // In one case the caller stops in the middle, and in the other case the caller continues to send.
        for uploaded in [64 * 1024, 10 * MIB] {
            let head = upload(pair.gateway.address, &sent, uploaded).await;
            assert_eq!(head.status(), status, "{target}");
        }
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn e7_a_small_upload_is_read_to_its_end_to_avoid_a_reset() {
    let pair = Pair::new().await;
    let body = "b".repeat(200 * 1024);
    let length = format!("Content-Length: {}", body.len());
    let mut caller = Caller::connect(pair.gateway.address).await;
    let sent = request("POST", "/p/nobody/x", &[&length], &body);
    let response = caller.call(sent).await;
    assert_eq!(
        (response.status(), response.error()),
        (404, Some("unknown-connection"))
    );
    problem(&response);
    // With unread bytes, the connection would be closed, and the kernel would reset it.
    assert_eq!(caller.call(get("/p/c/x")).await.status(), 200);
}

#[tokio::test]
async fn e7_a_refused_upload_is_not_read_without_end() {
    let pair = Pair::new().await;
    let length = format!("Content-Length: {}", 1024 * MIB);
    let mut caller = Caller::connect(pair.gateway.address).await;
    caller
        .write(request("POST", "/p/nobody/x", &[&length], ""))
        .await;
    assert_eq!(caller.response("POST").await.status(), 404);
    let chunk = vec![0; 64 * 1024];
    let mut written = 0;
    while let Some(more) = caller.wire.write_some(&chunk).await {
        written += more;
        assert!(written < 256 * MIB, "the gateway continues to read");
    }
}

fn chunked(body: &str) -> String {
    let framed = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    request("POST", "/p/c/x", &["Transfer-Encoding: chunked"], &framed)
}

fn sized(body: &str) -> String {
    let length = format!("Content-Length: {}", body.len());
    request("POST", "/p/c/x", &[&length], body)
}

#[tokio::test]
async fn e9_a_known_length_over_the_limit_is_413_and_the_vendor_isnt_called() {
    let pair = Pair::with(|setup| setup.options(|o| o.request_body_limit(10))).await;
    let response = pair
        .refused(sized("elevenbytes"), 413, "body-too-large")
        .await;
    assert_eq!(problem(&response)["sent"], false);
    pair.vendor.untouched().await;

    for sent in [sized("ten bytes!"), chunked("ten bytes!"), get("/p/c/x")] {
        pair.seen(sent).await;
    }
}

#[tokio::test]
async fn e9_an_unknown_length_over_the_limit_is_413_and_the_vendor_sees_an_abort() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .options(|o| o.request_body_limit(10))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request(
            "POST",
            "/p/c/x",
            &["Transfer-Encoding: chunked"],
            "5\r\nhello\r\n",
        ))
        .await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    caller.write("6\r\n there!\r\n0\r\n\r\n").await;
    let body = connection.body(&head).await;
    assert_eq!(body.end, End::Cut);
    assert!(b"hello".starts_with(&body.data[..]), "{:?}", body.data);
    let response = caller.response("POST").await;
    assert_eq!(
        (response.status(), response.error()),
        (413, Some("body-too-large"))
    );
    assert_eq!(problem(&response)["sent"], true);
}

#[tokio::test]
async fn e9_a_length_over_the_limit_is_413_over_http2() {
    let vendor = Vendor::answering(Reply::ok("ok")).await;
    let gateway = Setup::new(&vendor)
        .options(|o| o.request_body_limit(10))
        .start()
        .await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let request = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (response, mut stream) = caller.open(request, false).await;
    stream.send_data("elevenbytes".into(), true).unwrap();
    let response = whole(response).await;
    assert_eq!(response.status, 413);
    assert_eq!(response.headers["passthrough-error"], "body-too-large");
    while let Some(received) = vendor.try_next().await {
        assert_eq!(received.body.end, End::Cut);
    }
}
