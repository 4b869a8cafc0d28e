//! New tokens are stored before they are used, even if all callers leave.

use tokio::task::JoinSet;
use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::RefreshOutcome;
use tower_passthrough::store::{ConnectionStore, TokenStore};

use testkit::caller::{Caller, get, raw_call};
use testkit::provider::{Answer, Provider, connection, outcome, refreshing, secret};
use testkit::stores::Process;
use testkit::wait::{Signal, within};

#[tokio::test]
async fn o2_callers_that_leave_stop_no_refresh() {
    let provider = Provider::start().await;
    let answers = Signal::new();
    provider.change("c", |account| {
        account.answer = Answer::Held(answers.clone())
    });
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store.clone(), provider.source());
    let gateway = provider.gateway(refreshing).await;
    let mut callers = Vec::new();
    for _ in 0..10 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        callers.push(caller);
    }
    provider.is_asked().await;
    for caller in callers {
        caller.wire.reset();
    }
    answers.give();
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    let record = store.read(&"c".try_into().unwrap()).await.unwrap();
    let refresh_token = secret(&record.connection, "refresh_token");
    assert_eq!(refresh_token.as_deref(), Some("c-r1"));
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn o2_no_token_is_used_before_it_is_stored() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let stored = Signal::new();
    let slow = Process::of(&store).commits(&stored).fails(2);
    let committing = slow.committing.clone();
    let (refreshing, mut reports) = refreshing(slow, provider.source());
    let gateway = provider.gateway(refreshing).await;
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        calls.spawn(raw_call(gateway.address, get("/p/c/x")));
    }
    within("the commit", committing.given()).await;
    provider.vendor.untouched().await;
    stored.give();
    // The store fails twice, and the endpoint isn't called again because of this.
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Unstored);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    while let Some(response) = calls.join_next().await {
        let response = response.unwrap();
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    }
    assert_eq!(provider.asked(), 1);
    let record = store.read(&"c".try_into().unwrap()).await.unwrap();
    let refresh_token = secret(&record.connection, "refresh_token");
    assert_eq!(refresh_token.as_deref(), Some("c-r1"));
}

#[tokio::test]
async fn o3_a_credential_put_meanwhile_stays() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let commits = Signal::new();
    let slow = Process::of(&store).commits(&commits);
    let committing = slow.committing.clone();
    let (refreshing, mut reports) = refreshing(slow, provider.source());
    let gateway = provider.gateway(refreshing).await;
    let call = tokio::spawn(raw_call(gateway.address, get("/p/c/x")));
    within("the commit", committing.given()).await;

    provider.change("c", |account| account.newest = 7);
    let put = connection("c", 3_600)
        .with_secret("access_token", "c-a7")
        .with_secret("refresh_token", "c-r7");
    let id = "c".try_into().unwrap();
    ConnectionStore::put(&store, &id, &put).await.unwrap();
    commits.give();
    let response = within("the answer", call).await.unwrap();
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a7"));
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Superseded);
    let record = store.read(&id).await.unwrap();
    let refresh_token = secret(&record.connection, "refresh_token");
    assert_eq!(refresh_token.as_deref(), Some("c-r7"));
}
