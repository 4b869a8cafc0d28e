//! HEAD and expectations between the versions of HTTP.

use http::{Request, Response};

use testkit::caller::{Caller, get, request};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

#[tokio::test]
async fn b5_the_length_of_a_head_is_returned_between_the_versions() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for length in [Some("1234"), None, Some("0")] {
        caller.write(request("HEAD", "/p/c/x", &[], "")).await;
        let mut head = Response::builder();
        if let Some(length) = length {
            head = head.header("content-length", length);
        }
        vendor.next().await.finish(head.body(()).unwrap());
        let answer = caller.response("HEAD").await;
        assert_eq!(answer.head.value("content-length"), length);
        assert!(!answer.head.has("transfer-encoding"), "{answer:?}");
        // No byte of a body comes before the next answer.
        caller.write(get("/p/c/x")).await;
        vendor.next().await.ok("next");
        assert_eq!(caller.response("GET").await.text(), "next");
    }

    for (line, length) in [
        ("Content-Length: 1234", Some("1234")),
        ("Transfer-Encoding: chunked", None),
        ("Content-Length: 0", Some("0")),
    ] {
        let vendor = Vendor::replying(move |received| match received.head.method() {
            "HEAD" => Reply::bytes(format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n")),
            _ => Reply::ok("next"),
        });
        let pair = Pair::before(vendor.await, |setup| setup).await;
        let mut caller = H2Caller::connect(pair.gateway.address).await;
        let answer = caller.call(stream("HEAD")).await;
        let told = answer.headers.get("content-length");
        assert_eq!(told.map(|value| value.to_str().unwrap()), length, "{line}");
        assert!(answer.body.is_empty(), "{line}");
        assert_eq!(caller.call(stream("GET")).await.body, b"next", "{line}");
        assert_eq!(pair.vendor.connections().await, 1, "{line}");
    }
}

const EXPECTING: [&str; 2] = ["Content-Length: 5", "Expect: 100-continue"];

#[tokio::test]
async fn h18_the_expectation_is_also_met_in_front_of_an_http2_vendor() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request("POST", "/p/c/x", &EXPECTING, ""))
        .await;
    assert_eq!(caller.head().await.status(), 100);
    caller.write("hello").await;
    let mut call = vendor.next().await;
    assert!(!call.request.headers().contains_key("expect"));
    assert_eq!(call.read().await.0, b"hello");
    call.ok("ok");
    let answer = caller.response("POST").await;
    assert_eq!((answer.status(), answer.interim.len()), (200, 0));
}

#[tokio::test]
async fn h18_the_expectation_of_an_http2_caller_is_not_forwarded() {
    let pair = Pair::new().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x").header("expect", "100-continue");
    let answer = caller.call_with(call.body(()).unwrap(), b"hello", None);
    assert_eq!(answer.await.status, 200);
    let received = pair.vendor.next().await;
    assert!(!received.head.has("expect"));
    assert_eq!(received.body.data, b"hello");
}

/// A vendor that needs no body answers before the caller has sent the body.
#[tokio::test]
async fn h18_an_answer_without_the_body_is_returned_before_the_upload() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request("POST", "/p/c/x", &EXPECTING, ""))
        .await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    // The vendor's 100 is for the gateway alone, because the gateway has already sent a 100 to the caller.
    connection
        .write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let answer = caller.response("POST").await;
    assert_eq!((answer.status(), answer.text().as_str()), (403, "no"));
    assert_eq!(answer.interim.len(), 1, "{answer:?}");
    // The caller sends the body after the 100 all the same, and both connections can be used for the next call.
    caller.write("hello").await;
    assert_eq!(connection.body(&head).await.data, b"hello");
    caller.write(get("/p/c/next")).await;
    assert_eq!(connection.request().await.target(), "/next");
    vendor.no_other().await;
}
