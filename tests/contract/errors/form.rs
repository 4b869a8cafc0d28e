//! The form of an error, which no response of a vendor has.

use super::{failures, problem};
use testkit::caller::{get, request};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

#[tokio::test]
async fn e2_a_vendor_cannot_imitate_an_error_of_the_gateway() {
    let reply = "HTTP/1.1 502 Bad Gateway\r\nPassthrough-Error: upstream-timeout\r\npassthrough-error: x\r\n\
                 Trailer: Passthrough-Error, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                 2\r\nok\r\n0\r\nPassthrough-Error: upstream-timeout\r\nX-Sum: 7\r\n\r\n";
    let pair = Pair::before(Vendor::answering(reply).await, |setup| setup).await;
    let response = pair
        .call(request("GET", "/p/c/x", &["TE: trailers"], ""))
        .await;
    assert_eq!((response.status(), response.error()), (502, None));
    let names: Vec<_> = response
        .body
        .trailers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    assert_eq!(names, ["x-sum"]);

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").header("te", "trailers");
    let response = caller.call(request.body(()).unwrap()).await;
    assert!(!response.headers.contains_key("passthrough-error"));
    let names: Vec<_> = response
        .trailers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(names, ["x-sum"]);
}

#[tokio::test]
async fn e6_a_405_lists_the_allowed_methods() {
    let pair = Pair::new().await;
    for (method, target) in [("TRACE", "/p/c/x"), ("CONNECT", "vendor.test:443")] {
        let response = pair
            .refused(request(method, target, &[], ""), 405, "method-refused")
            .await;
        let allowed: Vec<_> = response.head.value("allow").unwrap().split(", ").collect();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert!(allowed.contains(&method), "{allowed:?}");
        }
        assert!(
            !allowed.contains(&"TRACE") && !allowed.contains(&"CONNECT"),
            "{allowed:?}"
        );
    }
}

#[tokio::test]
async fn e6_a_503_has_retry_after_and_no_error_is_stored() {
    for failure in failures::all().await {
        let head = &failure.response.head;
        assert_eq!(
            head.values("cache-control"),
            ["no-store"],
            "{}",
            failure.what
        );
        let again = head
            .value("retry-after")
            .map(|seconds| seconds.parse::<u32>().unwrap());
        let says_when = matches!(failure.status, 429 | 503);
        assert_eq!(again.is_some(), says_when, "{}", failure.what);
        assert_eq!(head.has("allow"), failure.status == 405, "{}", failure.what);
    }
}

#[tokio::test]
async fn e6_a_head_request_gets_the_same_fields_and_no_body() {
    let pair = Pair::new().await;
    for target in ["/p/nobody/x", "/p/c/../x", "/p/c/x?__domain=evil.test"] {
        let full = pair.call(get(target)).await;
        let head = pair.call(request("HEAD", target, &[], "")).await;
        problem(&full);
        assert_eq!(head.status(), full.status());
        let fields = |response: &testkit::caller::RawResponse| {
            let mut fields = response.head.fields.clone();
            fields.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
            fields.sort();
            fields
        };
        assert_eq!(fields(&head), fields(&full), "{target}");
        // The next answer follows at once.
        let mut caller = testkit::caller::Caller::connect(pair.gateway.address).await;
        caller.call(request("HEAD", target, &[], "")).await;
        assert_eq!(caller.call(get("/p/c/x")).await.status(), 200, "{target}");
    }
}
