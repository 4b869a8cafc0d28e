//! The effects of a vendor's 401, and of the other signs that a token was rejected.

use http::StatusCode;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::refresh::{RefreshOutcome, RefreshingStore};
use tower_passthrough::store::ConnectionStore;
use tower_passthrough::{MemoryStore, Upstream, auth};

use testkit::caller::{get, post, raw_call};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::provider::{Answer, Provider, endless, outcome, refreshing};
use testkit::reply::Reply;
use testkit::stores::Process;
use testkit::vendor::Vendor;
use testkit::wait::Signal;
use testkit::wait::within;

#[tokio::test]
async fn r6_a_401_causes_a_refresh_and_the_call_is_sent_again() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.good_from = 1);
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let (refreshing, mut reports) = refreshing(store, provider.source());
    let gateway = provider.gateway(refreshing).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    assert_eq!(provider.asked(), 1);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    for expected in ["Bearer c-a0", "Bearer c-a1"] {
        let received = provider.vendor.next().await;
        assert_eq!(received.head.value("authorization"), Some(expected));
    }
    assert!(provider.vendor.try_next().await.is_none());
}

#[tokio::test]
async fn r6_a_401_for_a_large_body_is_returned_before_the_refresh_ends() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.good_from = 1);
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let gate = Signal::new();
    let (refreshing, mut reports) = refreshing(store, provider.source().behind(&gate));
    let gateway = provider.gateway(refreshing).await;
    let large = "x".repeat((64 << 10) + 1);
    let response = raw_call(gateway.address, post("/p/c/x", &large)).await;
    assert_eq!((response.status(), response.error()), (401, None));
    gate.give();
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_token_that_another_process_stored_is_used_without_a_refresh() {
    let provider = Provider::start().await;
    provider.change("c", |account| {
        account.newest = 1;
        account.good_from = 1;
    });
    let newer = endless("c").with_secret("access_token", "c-a1");
    let store = MemoryStore::from_iter([("c", newer)]);
    let behind = Process::of(&store).cached(endless("c"));
    let gateway = provider
        .gateway(RefreshingStore::new(behind, provider.source()))
        .await;
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    }
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn a_401_for_a_connection_that_the_source_does_not_support_is_returned() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.good_from = 1);
    let stored = endless("c").without_secret("refresh_token");
    let store = MemoryStore::from_iter([("c", stored)]);
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.error()), (401, None));
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn a_401_while_the_endpoint_fails_is_an_error_with_retry_after() {
    let provider = Provider::start().await;
    provider.change("c", |account| {
        account.good_from = 1;
        account.answer =
            Answer::Fails("HTTP/1.1 503 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
    });
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let (refreshing, mut reports) = refreshing(store.clone(), provider.source());
    let gateway = provider.gateway(refreshing.clone()).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.error()),
        (503, Some("refresh-failed"))
    );
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Failed);
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        let after = response.head.value("retry-after").unwrap();
        assert_eq!(response.status(), 503);
        assert!((100..=121).contains(&after.parse::<u32>().unwrap()));
    }
    assert_eq!(provider.asked(), 1);
    within("refreshes", refreshing.idle()).await;

    // The owner has stored another credential.
    let put = endless("c").with_secret("access_token", "c-a1");
    provider.change("c", |account| account.newest = 1);
    let id = "c".try_into().unwrap();
    ConnectionStore::put(&store, &id, &put).await.unwrap();
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
}

#[tokio::test]
async fn after_a_401_calls_work_as_soon_as_the_endpoint_works() {
    let provider = Provider::start().await;
    provider.change("c", |account| {
        account.good_from = 1;
        account.answer = Answer::Fails("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
    });
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.error()),
        (503, Some("refresh-failed"))
    );
    provider.change("c", |account| account.answer = Answer::Rotate);
    within("the end of the back-off", async {
        while raw_call(gateway.address, get("/p/c/x")).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Returns the head of a response without a body.
fn head(status: u16, fields: &str) -> String {
    format!("HTTP/1.1 {status} So\r\n{fields}Content-Length: 0\r\n\r\n")
}

/// Starts a vendor that answers each call with an old token with that reply.
async fn rejecting(reply: String) -> Vendor {
    Vendor::replying(move |received| match received.head.value("authorization") {
        Some("Bearer c-a0") => Reply::from(&*reply),
        token => Reply::ok(token.unwrap_or_default()),
    })
    .await
}

/// Returns the status of a call, and the number of requests to the token endpoint.
async fn call_rejected(
    reply: String,
    change: impl FnOnce(Upstream) -> Upstream + Send + 'static,
) -> (u16, usize) {
    let provider = Provider::start().await;
    let vendor = rejecting(reply).await;
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| change(upstream.auth(auth::AccessToken)))
        .start_with(
            RefreshingStore::new(store, provider.source()),
            AuthorizeFn::new(|_, _| true),
        )
        .await;
    let status = raw_call(gateway.address, post("/p/c/x", "body"))
        .await
        .status();
    (status, provider.asked())
}

#[tokio::test]
async fn r6_an_integration_lists_the_statuses_that_cause_a_refresh() {
    let more = [401, 403, 498].map(|status| StatusCode::from_u16(status).unwrap());
    for (status, is_listed, is_default) in [
        (401, true, true),
        (403, true, false),
        (498, true, false),
        (400, false, false),
        (404, false, false),
        (500, false, false),
        (302, false, false),
    ] {
        let expected = |is_sign| if is_sign { (200, 1) } else { (status, 0) };
        let asked = call_rejected(head(status, ""), |upstream| upstream).await;
        assert_eq!(asked, expected(is_default), "{status} by default");
        let asked =
            call_rejected(head(status, ""), move |upstream| upstream.refresh_on(more)).await;
        assert_eq!(asked, expected(is_listed), "{status} in a list");
    }
    // The upstream may have acted on a request with these statuses.
    let success = [200, 204, 302].map(|status| StatusCode::from_u16(status).unwrap());
    for status in success {
        let reply = head(status.as_u16(), "");
        let asked = call_rejected(reply, move |upstream| upstream.refresh_on(success)).await;
        assert_eq!(asked, (status.as_u16(), 0));
    }
}

#[tokio::test]
async fn r6_the_error_invalid_token_causes_a_refresh_with_each_error_status() {
    let challenge = "WWW-Authenticate: Bearer realm=\"a, b\", error=\"invalid_token\", error_description=\"x\"\r\n";
    for status in [400, 401, 403, 498, 500] {
        let asked = call_rejected(head(status, challenge), |upstream| upstream).await;
        assert_eq!(asked, (200, 1), "{status}");
        let none = |upstream: Upstream| upstream.refresh_on([]);
        let asked = call_rejected(head(status, challenge), none).await;
        assert_eq!(asked, (200, 1), "{status} without other signs");
    }
    for (fields, status) in [
        (challenge, 200),
        (challenge, 302),
        (
            "WWW-Authenticate: Bearer realm=\"error=invalid_token\"\r\n",
            403,
        ),
        (
            "WWW-Authenticate: Bearer error=\"invalid_request\"\r\n",
            400,
        ),
    ] {
        let asked = call_rejected(head(status, fields), |upstream| upstream).await;
        assert_eq!(asked, (status, 0), "{fields}");
    }
}

#[tokio::test]
async fn r6_a_token_with_too_small_a_scope_is_not_refreshed() {
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"admin\"\r\n";
    for status in [401, 403] {
        let listed = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        let asked = call_rejected(head(status, challenge), move |upstream| {
            upstream.refresh_on(listed)
        })
        .await;
        assert_eq!(asked, (status, 0));
    }
}

#[tokio::test]
async fn x5_a_vendor_that_always_answers_a_listed_status_causes_one_refresh_a_minute() {
    let provider = Provider::start().await;
    let vendor = Vendor::answering(head(403, "")).await;
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| {
            upstream
                .auth(auth::AccessToken)
                .refresh_on([StatusCode::FORBIDDEN])
        })
        .start_with(
            RefreshingStore::new(store, provider.source()),
            AuthorizeFn::new(|_, _| true),
        )
        .await;
    for _ in 0..20 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.error()), (403, None));
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn r6_the_status_16_of_a_grpc_call_causes_a_refresh() {
    let provider = Provider::start().await;
    let vendor = H2Vendor::start().await;
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| upstream.auth(auth::AccessToken))
        .start_with(
            RefreshingStore::new(store, provider.source()),
            AuthorizeFn::new(|_, _| true),
        )
        .await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/test.Echo/Unary")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let call = caller.call_with(call.body(()).unwrap(), b"\0\0\0\0\x01a", None);
    let answers = async {
        for (token, status) in [("Bearer c-a0", "16"), ("Bearer c-a1", "7")] {
            let mut stream = vendor.next().await;
            assert_eq!(stream.request.headers()["authorization"], token);
            assert_eq!(stream.read().await.0, b"\0\0\0\0\x01a");
            let only = http::Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", status);
            stream.finish(only.body(()).unwrap());
        }
    };
    let (response, ()) = tokio::join!(call, answers);
    assert_eq!(response.headers["grpc-status"], "7");
    assert_eq!(provider.asked(), 1);
}
