//! The gateway's errors, as gRPC callers get them.

use super::{failures, problem};
use testkit::caller::{raw_call, request};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;

#[tokio::test]
async fn g1_errors_to_a_grpc_caller_are_200_with_headers_only() {
    let pair = Pair::new().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    for content_type in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=x",
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/grpc-web-text",
    ] {
        let request = h2_caller::request("POST", "/p/nobody/x")
            .header("content-type", content_type)
            .header("te", "trailers");
        let response = caller.call(request.body(()).unwrap()).await;
        assert_eq!(response.status, 200, "{content_type}");
        assert_eq!(response.headers["content-type"], content_type);
        assert_eq!(response.headers["grpc-status"], "5", "{content_type}");
        assert_eq!(response.headers["passthrough-error"], "unknown-connection");
        assert!(
            response.body.is_empty() && response.trailers.is_empty(),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn g1_the_message_is_the_percent_encoded_detail() {
    let pair = Pair::new().await;
    let line = ["Content-Type: application/grpc"];
    for target in [
        "/p/nobody/x",
        "/p/c/../x",
        "/p/c/x?__domain=a@b",
        "/p/c/x?__domain=evil.test",
    ] {
        let plain = pair.call(request("POST", target, &[], "")).await;
        let detail = problem(&plain)["detail"].as_str().unwrap().to_owned();
        let response = pair.call(request("POST", target, &line, "")).await;
        let message = response.head.value("grpc-message").unwrap();
        let decoded = decode(message);
        assert_eq!(decoded, detail, "{message}");
        assert!(
            message.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{message}"
        );
    }
}

fn decode(message: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = message.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn g1_similar_content_types_get_json() {
    let pair = Pair::new().await;
    for content_type in [
        "application/grpcx",
        "application/json",
        "text/application/grpc",
        "application/grpc-webx",
    ] {
        let line = format!("Content-Type: {content_type}");
        let sent = request("POST", "/p/nobody/x", &[&line], "");
        let response = pair.refused(sent, 404, "unknown-connection").await;
        problem(&response);
        assert!(!response.head.has("grpc-status"), "{content_type}");
    }
}

#[tokio::test]
async fn g1_a_vendors_answer_to_a_grpc_caller_is_unchanged() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let sent = request("POST", "/p/c/x", &["Content-Type: application/grpc"], "");
    let answer = async { vendor.next().await.ok("ok") };
    let (response, ()) = tokio::join!(raw_call(gateway.address, sent), answer);
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    assert!(!response.head.has("grpc-status"));
}

#[tokio::test]
async fn g2_each_code_has_its_grpc_status() {
    for failure in failures::all_by_grpc().await {
        let status = match failure.code {
            "bad-address" | "bad-domain" => "3",
            "upstream-timeout" => "4",
            "unknown-connection" => "5",
            "scope-refused" | "domain-refused" | "destination-refused" => "7",
            "body-too-large" | "rate-limited" => "8",
            "reauthorize" => "9",
            "method-refused" => "12",
            _ => "14",
        };
        let response = &failure.response;
        assert_eq!(response.status(), 200, "{}", failure.what);
        assert_eq!(
            response.head.value("content-type"),
            Some("application/grpc")
        );
        assert_eq!(
            response.head.value("grpc-status"),
            Some(status),
            "{}",
            failure.what
        );
        assert!(response.body.data.is_empty(), "{}", failure.what);
    }
}
