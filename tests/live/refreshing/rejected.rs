//! The effects of a vendor's 401.

use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::{RefreshOutcome, RefreshingStore};
use tower_passthrough::store::ConnectionStore;

use testkit::caller::{get, post, raw_call};
use testkit::provider::{Answer, Provider, endless, outcome, refreshing};
use testkit::stores::Process;
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
