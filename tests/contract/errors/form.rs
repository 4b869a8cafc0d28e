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
        let says_when = matches!(failure.status, 429 | 503) && !failure.is_lasting();
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

/// Octokit, `@gitbeaker` and other SDKs parse only `application/json`.
#[tokio::test]
async fn e11_an_error_is_plain_json_unless_the_caller_names_problem_json() {
    let pair = Pair::new().await;
    for (accept, expected) in [
        (&[][..], "application/json"),
        (&["*/*"], "application/json"),
        (&["application/*"], "application/json"),
        (&["application/json"], "application/json"),
        (&["application/problem+jsonx"], "application/json"),
        (&["application/problem+json;q=0"], "application/json"),
        (&["application/problem+json; Q=0.000"], "application/json"),
        (&["application/problem+json"], "application/problem+json"),
        (
            &["application/json, Application/Problem+JSON; charset=utf-8;q=0.1"],
            "application/problem+json",
        ),
        (
            &[
                "text/html",
                "application/problem+json;q=0, application/problem+json ;q=1",
            ],
            "application/problem+json",
        ),
    ] {
        let fields: Vec<_> = accept
            .iter()
            .map(|line| format!("Accept: {line}"))
            .collect();
        let fields: Vec<_> = fields.iter().map(String::as_str).collect();
        let response = pair.call(request("GET", "/p/nobody/x", &fields, "")).await;
        assert_eq!(
            response.head.values("content-type"),
            [expected],
            "{accept:?}"
        );
        let plain = pair.call(get("/p/nobody/x")).await;
        assert_eq!(response.text(), plain.text(), "{accept:?}");
    }
    // The upstream gets the field as the caller sent it.
    let seen = pair
        .seen(request(
            "GET",
            "/p/c/x",
            &["Accept: application/problem+json"],
            "",
        ))
        .await;
    assert_eq!(seen.head.values("accept"), ["application/problem+json"]);
}

/// The SDKs of OpenAI, Anthropic and Stripe repeat a POST by themselves after a 502 or a 504.
#[tokio::test]
async fn e12_sdks_are_asked_not_to_repeat_a_request_that_may_have_been_acted_on() {
    let vendor = Vendor::answering("HTTP/1.1 2x0 OK\r\n\r\n").await;
    let pair = Pair::before(vendor, |setup| setup).await;
    for (method, is_safe) in [
        ("GET", true),
        ("HEAD", true),
        ("OPTIONS", true),
        ("QUERY", true),
        ("POST", false),
        ("PUT", false),
        ("PATCH", false),
        ("DELETE", false),
        ("get", false),
        ("MERGE", false),
    ] {
        let sent = pair.call(request(method, "/p/c/x", &[], "")).await;
        assert_eq!(sent.error(), Some("upstream-protocol"), "{method}");
        let unsent = pair.call(request(method, "/p/c/../x", &[], "")).await;
        assert_eq!(unsent.error(), Some("bad-address"), "{method}");
        let hint: &[&str] = if is_safe { &[] } else { &["false"] };
        for name in ["x-should-retry", "stripe-should-retry"] {
            assert_eq!(sent.head.values(name), hint, "{method} {name}");
            assert!(!unsent.head.has(name), "{method} {name}");
        }
    }
}

#[tokio::test]
async fn e12_the_vendors_own_hint_is_returned() {
    let reply = "HTTP/1.1 503 Busy\r\nX-Should-Retry: true\r\nStripe-Should-Retry: true\r\n\
                 Content-Length: 0\r\n\r\n";
    let pair = Pair::before(Vendor::answering(reply).await, |setup| setup).await;
    let response = pair.call(request("POST", "/p/c/x", &[], "")).await;
    assert_eq!(response.head.values("x-should-retry"), ["true"]);
    assert_eq!(response.head.values("stripe-should-retry"), ["true"]);
}
