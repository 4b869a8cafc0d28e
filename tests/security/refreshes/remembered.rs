//! `invalid_grant` is remembered, and outages are retried.

use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::{RefreshOutcome, RefreshingStore};
use tower_passthrough::store::ConnectionStore;

use testkit::caller::{get, raw_call};
use testkit::provider::{Answer, Provider, connection, outcome, refreshing};
use testkit::wait::within;

#[tokio::test]
async fn o4_invalid_grant_is_remembered_until_the_credential_changes() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.revoked = true);
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store.clone(), provider.source());
    let gateway = provider.gateway(refreshing).await;
    // Another process remembers the answer as well.
    let other = RefreshingStore::new(store.clone(), provider.source());
    let other = provider.gateway(other).await;
    for _ in 0..10 {
        for gateway in [&gateway, &other] {
            let response = raw_call(gateway.address, get("/p/c/x")).await;
            assert_eq!(
                (response.status(), response.error()),
                (424, Some("reauthorize"))
            );
        }
    }
    assert_eq!(provider.asked(), 1);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Revoked);
    assert!(
        reports.try_recv().is_err(),
        "the revoked grant was reported twice"
    );
    provider.vendor.untouched().await;

    // Each credential that the owner puts is tried, also a refresh token alone.
    provider.change("c", |account| {
        account.newest = 7;
        account.revoked = false;
    });
    let put = connection("c", -10).with_secret("refresh_token", "c-r7");
    let id = "c".try_into().unwrap();
    ConnectionStore::put(&store, &id, &put).await.unwrap();
    for gateway in [&gateway, &other] {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a8"));
    }
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn o4_an_outage_is_not_invalid_grant() {
    for answer in [
        "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "no HTTP at all",
        "",
    ] {
        let provider = Provider::start().await;
        provider.change("c", |account| account.answer = Answer::Fails(answer));
        let store = MemoryStore::from_iter([("c", connection("c", -10))]);
        let gateway = provider
            .gateway(RefreshingStore::new(store, provider.source()))
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.error()),
            (503, Some("refresh-failed"))
        );
        provider.change("c", |account| account.answer = Answer::Rotate);
        let recovered =
            async { while raw_call(gateway.address, get("/p/c/x")).await.status() != 200 {} };
        within("the recovery", recovered).await;
        assert_eq!(provider.asked(), 2);
    }
}
