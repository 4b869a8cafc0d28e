//! The code of each failure, and the data that the caller doesn't get.

use http::Method;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::{CallContext, Connection, ConnectionId, MemoryStore};

use super::failures::{self, CANARY};
use super::problem;
use testkit::caller::{RawResponse, get, raw_call, request};
use testkit::gateway::Setup;
use testkit::head::latin1;
use testkit::pair::Pair;
use testkit::vendor::Vendor;

#[tokio::test]
async fn e1_each_failure_has_its_code_and_status() {
    for failure in failures::all().await {
        let got = (failure.response.status(), failure.response.error());
        assert_eq!(
            got,
            (failure.status, Some(failure.code)),
            "{}",
            failure.what
        );
        problem(&failure.response);
    }
}

/// Returns the answer without its date.
fn dateless(response: &RawResponse) -> (String, Vec<(String, String)>, Vec<u8>) {
    let mut fields = response.head.fields.clone();
    fields.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
    (
        response.head.start.clone(),
        fields,
        response.body.data.clone(),
    )
}

#[tokio::test]
async fn e1_a_refused_id_is_answered_like_an_unknown_id() {
    let vendor = Vendor::ok().await;
    let store = MemoryStore::from_iter([(
        "theirs",
        Connection::new("vendor").with_secret("token", "t"),
    )]);
    let none_of_it = |_: &ConnectionId, _: CallContext<'_>| false;
    let gateway = Setup::new(&vendor)
        .start_with(store, AuthorizeFn::new(none_of_it))
        .await;
    for (method, rest) in [("GET", "/x"), ("POST", "/../x"), ("GET", "/x?__domain=a@b")] {
        let theirs = raw_call(
            gateway.address,
            request(method, &format!("/p/theirs{rest}"), &[], ""),
        )
        .await;
        let nobodys = raw_call(
            gateway.address,
            request(method, &format!("/p/nobody{rest}"), &[], ""),
        )
        .await;
        assert_eq!(theirs.error(), Some("unknown-connection"), "{rest}");
        assert_eq!(dateless(&theirs), dateless(&nobodys), "{rest}");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn e1_a_failing_authorizer_is_store_unavailable() {
    struct Failing;
    impl tower_passthrough::Authorize for Failing {
        async fn authorize(
            &self,
            _: &ConnectionId,
            cx: CallContext<'_>,
        ) -> Result<tower_passthrough::Grant, AuthorizeError> {
            match *cx.method() {
                Method::GET => Err(AuthorizeError::unavailable("down")),
                _ => Err(AuthorizeError::Denied),
            }
        }
    }
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor)
        .start_with(MemoryStore::new(), Failing)
        .await;
    let failed = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (failed.status(), failed.error()),
        (503, Some("store-unavailable"))
    );
    let refused = raw_call(gateway.address, request("PUT", "/p/c/x", &[], "")).await;
    assert_eq!(
        (refused.status(), refused.error()),
        (404, Some("unknown-connection"))
    );
}

#[tokio::test]
async fn e3_each_failure_has_an_error_type_of_rfc_9209() {
    for failure in failures::all().await {
        let expected = format!("passthrough; error={}", failure.proxy_status);
        let got = failure.response.head.values("proxy-status");
        assert_eq!(got, [expected.as_str()], "{}", failure.what);
    }
}

#[tokio::test]
async fn e3_the_vendors_proxy_status_is_returned() {
    let own = "cdn; error=connection_timeout; details=\"a, b\"";
    let reply = format!(
        "HTTP/1.1 504 Gateway Timeout\r\nProxy-Status: {own}\r\nProxy-Status: lb\r\nContent-Length: 0\r\n\r\n"
    );
    let pair = Pair::before(Vendor::answering(reply).await, |setup| setup).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.head.values("proxy-status"), [own, "lb"]);
}

#[tokio::test]
async fn e4_the_body_says_if_the_vendor_may_have_acted() {
    for failure in failures::all().await {
        assert_eq!(
            problem(&failure.response)["sent"],
            failure.sent,
            "{}",
            failure.what
        );
    }
}

#[tokio::test]
async fn e5_an_error_contains_no_secret_no_host_and_no_cause() {
    for failure in failures::all().await {
        let told = latin1(&failure.response.head.raw) + &failure.response.text();
        let never = [
            CANARY,
            "cAn4ry",
            "vendor.test",
            "nowhere.test",
            "private.test",
            "127.0.0.1",
            "10.0.0.1",
            "os error",
            "hyper",
            "rustls",
            "no answer for",
            "/x",
            "mine",
        ];
        for hidden in never.into_iter().chain([failure.hidden.as_str()]) {
            assert!(
                !told.contains(hidden),
                "{}: {hidden} in {told}",
                failure.what
            );
        }
    }
}
