//! The parts of a caller's request that are replaced, and the content of the signed request.

use std::time::Duration;

use tower_passthrough::auth::SigV4;

use super::{DUMMY, ID, SECRET, connection, s3, signs};
use testkit::caller::{get, post, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::upload::Upload;
use testkit::vendor::{Received, Vendor};

const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn pair(scheme: SigV4) -> Pair {
    Pair::with(move |setup| signs(setup, scheme)).await
}

fn queue() -> SigV4 {
    SigV4::new("sqs", "eu-central-1").unwrap()
}

fn authorization(received: &Received) -> &str {
    let [value] = received.head.values("authorization")[..] else {
        unreachable!("one credential: {:?}", received.head)
    };
    value
}

fn signed_fields(received: &Received) -> Vec<&str> {
    let (_, rest) = authorization(received)
        .split_once("SignedHeaders=")
        .unwrap();
    rest.split(',').next().unwrap().split(';').collect()
}

#[tokio::test]
async fn t11_other_spellings_of_the_payloads_hash_are_removed() {
    let pair = pair(s3().streaming()).await;
    let lines = [
        "X_Amz_Content_Sha256: UNSIGNED-PAYLOAD",
        "X-Amz_Content-Sha256: UNSIGNED-PAYLOAD",
        "X_Amz_Decoded_Content_Length: 1",
        "X_Amz_Own: 1",
        "Content-Length: 5",
    ];
    let received = pair.seen(request("PUT", "/p/c/b/k", &lines, "hello")).await;
    let names = received.head.names();
    let odd: Vec<_> = names.iter().filter(|name| name.contains('_')).collect();
    assert_eq!(odd, ["x_amz_own"]);
}

#[tokio::test]
async fn b4_a_get_that_announces_chunks_without_a_body_gets_no_length() {
    let pair = pair(s3()).await;
    let lines = ["X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD"];
    let received = pair.seen(request("GET", "/p/c/b/k", &lines, "")).await;
    assert_eq!(received.head.value("content-length"), None);
    assert_eq!(received.head.value("transfer-encoding"), None);
}

#[tokio::test]
async fn t5_the_callers_signature_is_replaced() {
    let pair = pair(s3()).await;
    let lines = [
        DUMMY,
        "X-Amz-Date: 20130524T000000Z",
        "X-Amz-Security-Token: dummy",
        "X_Amz_Date: 20130524T000000Z",
        "X-Amz-Meta-Own: a  b",
        "Content-Type: text/plain",
        "User-Agent: boto",
        "X-Amzn-Trace-Id: Root=1",
        "Date: Fri, 24 May 2013 00:00:00 GMT",
    ];
    let target = "/p/c/bucket/a%20key+(1)?X-Amz-Signature=0&versionId=1&x-amz-security-token=d&acl";
    let received = pair.seen(request("GET", target, &lines, "")).await;
    assert_eq!(received.target(), "/bucket/a%20key+(1)?versionId=1&acl");
    let value = authorization(&received);
    assert!(value.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ID}/20")));
    assert!(value.contains("/eu-central-1/s3/aws4_request, "), "{value}");
    assert_eq!(
        signed_fields(&received),
        [
            "content-type",
            "host",
            "x-amz-content-sha256",
            "x-amz-date",
            "x-amz-meta-own"
        ]
    );
    let [date] = received.head.values("x-amz-date")[..] else {
        unreachable!("one date: {:?}", received.head)
    };
    assert!(date.len() == 16 && !date.starts_with("2013"), "{date}");
    assert!(!received.head.has("x_amz_date") && !received.head.has("x-amz-security-token"));
    assert_eq!(received.head.value("x-amz-meta-own"), Some("a  b"));
    assert!(!String::from_utf8_lossy(&received.head.raw).contains("DUMMY"));
}

#[tokio::test]
async fn a_session_token_is_sent_and_signed() {
    for scheme in [s3(), s3().presigned(Duration::from_secs(60))] {
        let pair = Pair::with(move |setup| {
            signs(setup, scheme).connection(connection().with_secret("session_token", "t0ken/+="))
        })
        .await;
        let received = pair.seen(get("/p/c/bucket/key")).await;
        let in_query = received
            .target()
            .contains("X-Amz-Security-Token=t0ken%2F%2B%3D&");
        let in_field = received.head.value("x-amz-security-token") == Some("t0ken/+=");
        match received.head.has("authorization") {
            true => {
                assert!(in_field && !in_query);
                assert!(signed_fields(&received).contains(&"x-amz-security-token"));
            }
            false => assert!(in_query && !in_field, "{}", received.target()),
        }
    }
}

#[tokio::test]
async fn the_signature_can_be_in_the_query() {
    let pair = pair(s3().presigned(Duration::from_secs(60))).await;
    let lines = [DUMMY, &format!("X-Amz-Content-Sha256: {HASH}")];
    let received = pair
        .seen(request("GET", "/p/c/b/k?x=1&X-Amz-Signature=0", &lines, ""))
        .await;
    assert!(!received.head.has("authorization") && !received.head.has("x-amz-content-sha256"));
    let (kept, query) = received.target().split_once('&').unwrap();
    assert_eq!(kept, "/b/k?x=1");
    let names: Vec<_> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature"
        ]
    );
    assert!(query.contains(&format!("X-Amz-Credential={ID}%2F20")));
    let lines = ["X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER"];
    pair.refused(request("PUT", "/p/c/b/k", &lines, ""), 400, "bad-address")
        .await;
}

#[tokio::test]
async fn a_payload_to_s3_is_signed_with_the_callers_hash() {
    let pair = pair(s3()).await;
    for (said, sent) in [
        (None, "UNSIGNED-PAYLOAD"),
        (Some("nonsense"), "UNSIGNED-PAYLOAD"),
        (Some("UNSIGNED-PAYLOAD"), "UNSIGNED-PAYLOAD"),
        (Some(HASH), HASH),
        (
            Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        ),
    ] {
        let said = said.map(|said| format!("X-Amz-Content-Sha256: {said}"));
        let mut lines = vec!["Content-Length: 5"];
        lines.extend(said.as_deref());
        let received = pair.seen(request("PUT", "/p/c/b/k", &lines, "hello")).await;
        assert_eq!(received.head.values("x-amz-content-sha256"), [sent]);
        assert_eq!(received.body.data, b"hello");
    }
}

#[tokio::test]
async fn chunks_of_an_unknown_kind_are_refused() {
    let pair = pair(s3()).await;
    for kind in [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-EVENTS",
    ] {
        let lines = [
            &*format!("X-Amz-Content-Sha256: {kind}"),
            "Content-Length: 2",
        ];
        let refused = request("PUT", "/p/c/b/k", &lines, "{}");
        pair.refused(refused, 400, "bad-address").await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn a_payload_to_other_services_is_hashed() {
    let pair = pair(queue().signed_payload(16)).await;
    let received = pair.seen(post("/p/c/", "hello")).await;
    assert!(!received.head.has("x-amz-content-sha256"));
    assert_eq!(signed_fields(&received), ["host", "x-amz-date"]);
    assert!(authorization(&received).contains("/eu-central-1/sqs/aws4_request, "));
    pair.refused(post("/p/c/", &"x".repeat(17)), 413, "body-too-large")
        .await;
    // A payload with the caller's hash isn't limited to the size of the buffer.
    let lines = [
        "Content-Length: 17",
        &format!("X-Amz-Content-Sha256: {HASH}"),
    ];
    let received = pair
        .seen(request("POST", "/p/c/", &lines, &"x".repeat(17)))
        .await;
    assert_eq!(received.head.values("x-amz-content-sha256"), [HASH]);
    assert_eq!(
        signed_fields(&received),
        ["host", "x-amz-content-sha256", "x-amz-date"]
    );
}

#[tokio::test]
async fn a_hash_that_connection_nominates_is_not_signed() {
    let pair = pair(queue()).await;
    let lines = [
        "Content-Length: 5",
        "Connection: x-amz-content-sha256",
        &format!("X-Amz-Content-Sha256: {HASH}"),
    ];
    let sent = request("POST", "/p/c/", &lines, "hello");
    pair.refused(sent, 400, "bad-address").await;
}

#[tokio::test]
async fn the_region_may_be_a_variable_of_the_connection() {
    let region = |setup: Setup, value: &str| {
        let scheme = SigV4::new("s3", "{region}").unwrap();
        let connection = connection().with_variable("region", value);
        signs(setup, scheme).connection(connection)
    };
    let pair = Pair::with(|setup| region(setup, "ap-south-1")).await;
    let received = pair.seen(get("/p/c/b/k")).await;
    assert!(authorization(&received).contains("/ap-south-1/s3/aws4_request, "));
    let pair = Pair::with(|setup| region(setup, "ap/south")).await;
    pair.refused(get("/p/c/b/k"), 424, "reauthorize").await;
    let scheme = SigV4::new("s3", "{other}").unwrap();
    let pair = self::pair(scheme).await;
    pair.refused(get("/p/c/b/k"), 424, "reauthorize").await;
    for (service, region) in [("", "r"), ("s", ""), ("s", "a/b"), ("s", "{}"), ("s", "{a")] {
        assert!(SigV4::new(service, region).is_err(), "{service} {region}");
    }
}

#[tokio::test]
async fn t9_unsendable_secrets_are_not_sent() {
    for (name, value) in [
        ("access_key_id", "a\r\nx: y"),
        ("access_key_id", "a/b"),
        ("session_token", "a\r\nx: y"),
    ] {
        let pair = Pair::with(move |setup| {
            signs(setup, s3()).connection(connection().with_secret(name, value))
        })
        .await;
        pair.refused(get("/p/c/b/k"), 424, "reauthorize").await;
        pair.vendor.untouched().await;
    }
    let pair = Pair::with(|setup| {
        signs(setup, queue()).connection(connection().without_secret("secret_access_key"))
    })
    .await;
    pair.refused(post("/p/c/", "x"), 424, "reauthorize").await;
}

#[tokio::test]
async fn a_large_payload_with_a_known_hash_streams() {
    let vendor = Vendor::ok().await;
    let gateway = signs(Setup::new(&vendor), s3()).start().await;
    let length = 32 << 20;
    let lines = [
        &*format!("Content-Length: {length}"),
        &format!("X-Amz-Content-Sha256: {HASH}"),
    ];
    let head = request("PUT", "/p/c/b/k", &lines, "");
    let mut upload = Upload::begin(gateway.address, &head, length).await;
    assert_eq!(upload.head().await.status(), 200);
    let received = vendor.next().await;
    assert_eq!(received.body.data.len(), length);
}

#[tokio::test]
async fn requests_of_http2_callers_are_signed_in_the_same_way() {
    let pair = pair(queue()).await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("POST", "/p/c/q?b=2&a=1")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=AKIADUMMY/x")
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .body(())
        .unwrap();
    let answer = caller.call_with(request, b"hello", None).await;
    assert_eq!(answer.status, 200);
    let received = pair.vendor.next().await;
    assert_eq!(received.target(), "/q?b=2&a=1");
    assert_eq!(received.body.data, b"hello");
    assert_eq!(
        signed_fields(&received),
        ["host", "x-amz-date", "x-amz-target"]
    );
    assert!(!format!("{received:?}").contains(SECRET));
}

#[tokio::test]
async fn h18_an_invalid_region_is_an_error_before_the_payload_is_requested() {
    let pair = Pair::with(|setup| {
        let connection = connection().with_variable("region", "eu.west");
        let scheme = SigV4::new("sqs", "{region}").unwrap();
        signs(setup, scheme).connection(connection)
    })
    .await;
    let lines = ["Expect: 100-continue", "Content-Length: 5"];
    let sent = request("POST", "/p/c/x", &lines, "");
    let response = pair.refused(sent, 424, "reauthorize").await;
    assert!(response.interim.is_empty());
    pair.vendor.untouched().await;
}
