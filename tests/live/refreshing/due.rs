//! The time of a refresh: before the token ends, so that no call waits; after the token ended, so that all calls wait;
//! and not in other cases.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use http::{Extensions, Method};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower_passthrough::refresh::{
    RefreshOutcome, RefreshingStore, TokenError, TokenSource, Tokens,
};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::TokenStore;
use tower_passthrough::{CallContext, Connection, CredentialStore, MemoryStore};

use testkit::caller::{get, raw_call};
use testkit::provider::{Answer, Provider, connection, endless, outcome, refreshing};
use testkit::wait::{Signal, within};

#[tokio::test]
async fn no_call_waits_while_the_old_token_is_valid() {
    let provider = Provider::start().await;
    let answers = Signal::new();
    provider.change("c", |account| {
        account.answer = Answer::Held(answers.clone())
    });
    let store = MemoryStore::from_iter([("c", connection("c", 100))]);
    let (refreshing, mut reports) = refreshing(store, provider.source());
    let gateway = provider.gateway(refreshing.clone()).await;
    for _ in 0..20 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a0"));
    }
    provider.is_asked().await;
    assert_eq!(provider.asked(), 1);
    answers.give();
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    within("the refresh's end", refreshing.idle()).await;
    for _ in 0..20 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    }
    assert_eq!(provider.asked(), 1);
    assert!(reports.try_recv().is_err(), "another refresh");
}

#[tokio::test]
async fn calls_wait_for_a_new_token_after_the_old_token_ended() {
    for stored in [
        connection("c", -10),
        connection("c", 0),
        connection("c", 3),
        connection("c", 100).without_secret("access_token"),
        endless("c").without_secret("access_token"),
    ] {
        let provider = Provider::start().await;
        let answers = Signal::new();
        provider.change("c", |account| {
            account.answer = Answer::Held(answers.clone())
        });
        let store = MemoryStore::from_iter([("c", stored)]);
        let (refreshing, mut reports) = refreshing(store, provider.source());
        let gateway = provider.gateway(refreshing).await;
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            calls.spawn(raw_call(gateway.address, get("/p/c/x")));
        }
        provider.is_asked().await;
        provider.vendor.untouched().await;
        answers.give();
        while let Some(response) = calls.join_next().await {
            let response = response.unwrap();
            assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
        }
        assert_eq!(provider.asked(), 1);
        assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
        assert!(reports.try_recv().is_err(), "another refresh");
    }
}

#[tokio::test]
async fn fresh_and_unsupported_credentials_are_used_as_stored() {
    let provider = Provider::of(&["fresh", "endless", "foreign"]).await;
    // The source doesn't support a connection without a refresh token.
    let foreign = connection("foreign", -10).without_secret("refresh_token");
    let store = MemoryStore::from_iter([
        ("fresh", connection("fresh", 3_600)),
        ("endless", endless("endless")),
        ("foreign", foreign),
    ]);
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    for id in ["fresh", "endless", "foreign"] {
        let response = raw_call(gateway.address, get(&format!("/p/{id}/x"))).await;
        assert_eq!(
            (response.status(), response.text()),
            (200, format!("{id}-a0"))
        );
        assert_eq!(provider.account(id).asked, 0, "{id}");
    }
}

#[tokio::test]
async fn a_short_lived_token_is_used_for_most_of_its_life() {
    let provider = Provider::start().await;
    // Shorter than the margin before the end, so the token would never be fresh.
    let answer = Answer::KeepingRefreshToken(Some(120));
    provider.change("c", |account| account.answer = answer);
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store, provider.source());
    let gateway = provider.gateway(refreshing.clone()).await;
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
        within("refreshes", refreshing.idle()).await;
    }
    assert_eq!(provider.asked(), 1);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    assert!(reports.try_recv().is_err(), "another refresh");

    // The next process learns the token's lifetime from the time of its refresh.
    let store = refreshing.store().clone();
    let (next, mut reports) = testkit::provider::refreshing(store, provider.source());
    let gateway = provider.gateway(next.clone()).await;
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
        within("refreshes", next.idle()).await;
    }
    assert_eq!(provider.asked(), 1);
    assert!(reports.try_recv().is_err(), "another refresh");
}

#[tokio::test]
async fn a_token_that_ends_at_once_is_used_for_a_while() {
    let provider = Provider::start().await;
    let answer = Answer::KeepingRefreshToken(Some(0));
    provider.change("c", |account| account.answer = answer);
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    for _ in 0..10 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_killed_process_delays_the_refresh_for_the_rest_of_its_lease() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let id = ConnectionKey::try_from("c").unwrap();
    let lease = store.lease(&id, Duration::from_millis(300)).await.unwrap();
    assert!(lease.is_some());
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    assert_eq!(provider.asked(), 1);
}

/// A source that takes almost all of its time.
struct Slow;

impl TokenSource for Slow {
    fn supports(&self, _: &Connection) -> bool {
        true
    }

    async fn fetch(&self, _: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
        sleep(Duration::from_secs(14)).await;
        Ok(Tokens::new("new"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_waited_for_a_lease_has_the_whole_time_for_the_source() {
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let id = ConnectionKey::try_from("c").unwrap();
    let killed = Duration::from_millis(19_900);
    assert!(store.lease(&id, killed).await.unwrap().is_some());
    let refreshing = RefreshingStore::new(store.clone(), Slow);
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    let call = refreshing.connection(&id, cx).await;
    refreshing.idle().await;
    let stored = store.read(&id).await.unwrap().connection;
    assert_eq!(
        stored.credential().get("access_token").unwrap().expose(),
        b"new"
    );
    assert!(call.is_ok());
}

#[tokio::test]
async fn a_fresh_token_costs_no_allocation() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", 3_600))]);
    let refreshing = RefreshingStore::new(store.clone(), provider.source());
    let id = ConnectionKey::try_from("c").unwrap();
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    let allocated = |call: &dyn Fn()| {
        call();
        measure(call).count_total
    };
    let inside = allocated(&|| {
        ready(pin!(async { store.connection(&id, cx).await.is_ok() }));
    });
    let around = allocated(&|| {
        ready(pin!(async { refreshing.connection(&id, cx).await.is_ok() }));
    });
    assert_eq!((inside, around), (0, 0));
}

/// Fails unless the future is ready at the first poll, with the output `true`.
fn ready(future: Pin<&mut dyn Future<Output = bool>>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(future.poll(&mut cx), Poll::Ready(true));
}

/// Exact Online refuses a refresh until the last 30 s of a token of 10 minutes.
#[tokio::test]
async fn an_integration_has_its_own_skew() {
    let seconds = Duration::from_secs;
    for (ends_in, skew, jitter, asked) in [
        (200, seconds(25), Duration::ZERO, 0),
        (40, seconds(25), seconds(5), 0),
        (20, seconds(25), Duration::ZERO, 1),
        // Wider than the skew of the others.
        (3_000, seconds(3_500), Duration::ZERO, 1),
        (4_000, seconds(3_500), Duration::ZERO, 0),
    ] {
        let provider = Provider::start().await;
        let store = MemoryStore::from_iter([("c", connection("c", ends_in))]);
        let refreshing = RefreshingStore::new(store, provider.source())
            .skew_for("vendor", skew, jitter)
            .skew_for("other", seconds(7_200), seconds(7_200));
        let gateway = provider.gateway(refreshing.clone()).await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a0"));
        within("refreshes", refreshing.idle()).await;
        assert_eq!(provider.asked(), asked, "{ends_in} s left, {skew:?}");
    }
}

/// Mailchimp returns `expires_in: 0` for a token that doesn't end, and hosts store such a token with the end 0.
#[tokio::test]
async fn an_end_of_zero_is_unknown() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", endless("c").with_secret("expires_at", "0"))]);
    let refreshing = RefreshingStore::new(store, provider.source());
    let gateway = provider.gateway(refreshing.clone()).await;
    for _ in 0..5 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a0"));
    }
    within("refreshes", refreshing.idle()).await;
    assert_eq!(provider.asked(), 0);
}
