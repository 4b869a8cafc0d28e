//! Two processes over one store.

use tokio::task::JoinSet;
use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::{RefreshOutcome, RefreshingStore};
use tower_passthrough::store::{GrantState, TokenStore};

use testkit::caller::{get, raw_call};
use testkit::provider::{Answer, Provider, connection, endless, outcome, refreshing, secret};
use testkit::stores::Process;
use testkit::wait::{Signal, within};

#[tokio::test]
async fn o1_two_processes_with_fifty_callers_each_make_one_refresh() {
    for stored in [connection("c", -10), endless("c")] {
        let provider = Provider::start().await;
        let answers = Signal::new();
        provider.change("c", |account| {
            account.good_from = 1;
            account.answer = Answer::Held(answers.clone());
        });
        let store = MemoryStore::from_iter([("c", stored)]);
        let process = || RefreshingStore::new(store.clone(), provider.source());
        let one = provider.gateway(process()).await;
        let other = provider.gateway(process()).await;
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            calls.spawn(raw_call(one.address, get("/p/c/x")));
            calls.spawn(raw_call(other.address, get("/p/c/x")));
        }
        provider.is_asked().await;
        answers.give();
        while let Some(response) = calls.join_next().await {
            let response = response.unwrap();
            assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
        }
        assert_eq!(provider.asked(), 1);
        assert!(!provider.account("c").revoked);
    }
}

#[tokio::test]
async fn o1_a_token_stored_before_the_lease_is_used() {
    for stored in [connection("c", -10), endless("c")] {
        let provider = Provider::start().await;
        provider.change("c", |account| {
            account.newest = 1;
            account.good_from = 1;
        });
        let newer = connection("c", 3_600).with_secret("access_token", "c-a1");
        let store = MemoryStore::from_iter([("c", stored)]);
        let process = Process::of(&store).meanwhile(newer);
        let (refreshing, mut reports) = refreshing(process, provider.source());
        let gateway = provider.gateway(refreshing).await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
        assert_eq!(outcome(&mut reports).await, RefreshOutcome::Superseded);
        assert_eq!(provider.asked(), 0);
    }
}

#[tokio::test]
async fn o3_a_suspended_writer_overwrites_no_newer_credential() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.answer = Answer::Lenient);
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let wakes = Signal::new();
    let asleep = Process::of(&store).oversleeps().commits(&wakes);
    let asleep_in_commit = asleep.committing.clone();
    let (asleep, mut reports) = refreshing(asleep, provider.source());
    let asleep = provider.gateway(asleep).await;
    let late = tokio::spawn(raw_call(asleep.address, get("/p/c/x")));
    within("the commit", asleep_in_commit.given()).await;

    let awake = RefreshingStore::new(store.clone(), provider.source());
    let awake = provider.gateway(awake).await;
    let response = raw_call(awake.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a2"));

    wakes.give();
    let response = within("the late answer", late).await.unwrap();
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a2"));
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Superseded);
    let record = store.read(&"c".try_into().unwrap()).await.unwrap();
    let refresh_token = secret(&record.connection, "refresh_token");
    assert_eq!(refresh_token.as_deref(), Some("c-r2"));
}

#[tokio::test]
async fn o4_invalid_grant_of_a_lost_race_is_not_believed() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let asks = Signal::new();
    // The lease ends at once, and the process hasn't called the endpoint yet, as if it had been suspended.
    let source = provider.source().behind(&asks);
    let begins = source.begins.clone();
    let (late, mut reports) = refreshing(Process::of(&store).oversleeps(), source);
    let gateway = provider.gateway(late).await;
    let call = tokio::spawn(raw_call(gateway.address, get("/p/c/x")));
    within("the lease", begins.given()).await;

    let other = RefreshingStore::new(store.clone(), provider.source());
    let other = provider.gateway(other).await;
    let response = raw_call(other.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));

    asks.give();
    let response = within("the late answer", call).await.unwrap();
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Superseded);
    let record = store.read(&"c".try_into().unwrap()).await.unwrap();
    assert_eq!(record.state, GrantState::Active);
}
