//! A connection that only its owner can repair.

use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::RefreshOutcome;
use tower_passthrough::store::{ConnectionStore, GrantState, TokenStore};

use testkit::caller::{get, raw_call};
use testkit::provider::{Provider, connection, outcome, refreshing};
use testkit::wait::within;

#[tokio::test]
async fn o4_a_revoked_connection_works_until_its_token_ends_and_after_a_new_grant() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.revoked = true);
    let store = MemoryStore::from_iter([("c", connection("c", 100))]);
    let (refreshing, mut reports) = refreshing(store.clone(), provider.source());
    let gateway = provider.gateway(refreshing.clone()).await;
    let id = "c".try_into().unwrap();
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a0"));
        within("refreshes", refreshing.idle()).await;
    }
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Revoked);
    assert_eq!(provider.asked(), 1);
    assert_eq!(store.read(&id).await.unwrap().state, GrantState::Revoked);

    // From now on, a 401 leads to `reauthorize`.
    provider.change("c", |account| account.good_from = 1);
    for _ in 0..3 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.error()),
            (424, Some("reauthorize"))
        );
    }
    assert_eq!(provider.asked(), 1);

    provider.change("c", |account| {
        account.newest = 7;
        account.revoked = false;
    });
    let put = connection("c", 3_600)
        .with_secret("access_token", "c-a7")
        .with_secret("refresh_token", "c-r7");
    ConnectionStore::put(&store, &id, &put).await.unwrap();
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a7"));
    assert!(reports.try_recv().is_err(), "another refresh");
}
