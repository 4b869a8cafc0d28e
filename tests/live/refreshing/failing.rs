//! A token endpoint, a source or a hook that fails.

use std::time::Duration;

use tokio::task::JoinSet;
use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::{RefreshOutcome, RefreshingStore};
use tower_passthrough::store::TokenStore;

use testkit::caller::{RawResponse, get, raw_call};
use testkit::provider::{Answer, Provider, connection, outcome, refreshing, secret};
use testkit::wait::{Signal, within};

const DOWN: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const BUSY: &str =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";

/// Returns the seconds of `Retry-After` in the answer to a refused call.
fn retry_after(response: &RawResponse) -> u64 {
    assert_eq!(
        (response.status(), response.error()),
        (503, Some("refresh-failed"))
    );
    let value = response.head.value("retry-after").unwrap();
    value.parse().unwrap()
}

#[tokio::test]
async fn o4_a_failing_endpoint_gets_a_pause_and_calls_work_after_its_recovery() {
    let provider = Provider::of(&["c", "other"]).await;
    provider.change("c", |account| account.answer = Answer::Fails(DOWN));
    let store = MemoryStore::from_iter([
        ("c", connection("c", -10)),
        ("other", connection("other", -10)),
    ]);
    let (refreshing, mut reports) = refreshing(store, provider.source());
    let gateway = provider.gateway(refreshing).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(retry_after(&response), 1);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Failed);

    let response = raw_call(gateway.address, get("/p/other/x")).await;
    assert_eq!(
        (response.status(), response.text().as_str()),
        (200, "other-a1")
    );

    provider.change("c", |account| account.answer = Answer::Rotate);
    let recovered = async {
        loop {
            let response = raw_call(gateway.address, get("/p/c/x")).await;
            if response.status() == 200 {
                return response;
            }
            assert_eq!(retry_after(&response), 1);
        }
    };
    let response = within("the recovery", recovered).await;
    assert_eq!(response.text(), "c-a1");
    assert_eq!(provider.asked(), 2);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
}

#[tokio::test]
async fn a_failed_refresh_delays_no_other_process() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.answer = Answer::Fails(BUSY));
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let process = || RefreshingStore::new(store.clone(), provider.source());
    let failing = provider.gateway(process()).await;
    retry_after(&raw_call(failing.address, get("/p/c/x")).await);
    provider.change("c", |account| account.answer = Answer::Rotate);
    let other = provider.gateway(process()).await;
    let response = raw_call(other.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    // The token that the other process has stored is fresh, so the back-off doesn't matter any more.
    let response = raw_call(failing.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
}

#[tokio::test]
async fn o4_retry_after_of_an_endpoint_is_respected() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.answer = Answer::Fails(BUSY));
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let gateway = provider
        .gateway(RefreshingStore::new(store, provider.source()))
        .await;
    for _ in 0..50 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        let after = retry_after(&response);
        assert!((100..=121).contains(&after), "{after}");
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_valid_token_is_used_while_the_endpoint_fails() {
    for (ends_in, answer) in [(100, DOWN), (4, DOWN), (100, BUSY), (4, BUSY)] {
        let provider = Provider::start().await;
        provider.change("c", |account| account.answer = Answer::Fails(answer));
        let store = MemoryStore::from_iter([("c", connection("c", ends_in))]);
        let (refreshing, mut reports) = refreshing(store, provider.source());
        let gateway = provider.gateway(refreshing.clone()).await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a0"));
        assert_eq!(outcome(&mut reports).await, RefreshOutcome::Failed);
        within("the refresh's end", refreshing.idle()).await;
        if ends_in == 100 && answer == BUSY {
            for _ in 0..10 {
                assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
            }
            assert_eq!(provider.asked(), 1);
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_a_failure() {
    let provider = Provider::start().await;
    let never = Signal::new();
    provider.change("c", |account| account.answer = Answer::Held(never));
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store, provider.source());
    let limit = Duration::from_millis(100);
    let refreshing = refreshing.timeout(limit).exchange_timeout(limit);
    let gateway = provider.gateway(refreshing).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(retry_after(&response), 1);
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Failed);
}

#[tokio::test]
async fn o2_an_endpoint_that_answers_late_is_waited_for_without_the_callers() {
    let provider = Provider::start().await;
    let answers = Signal::new();
    provider.change("c", |account| {
        account.answer = Answer::Held(answers.clone());
    });
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store.clone(), provider.source());
    let refreshing = refreshing.timeout(Duration::from_millis(100));
    let gateway = provider.gateway(refreshing.clone()).await;
    // Each call is answered, and none of them asks the endpoint again.
    for _ in 0..3 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(retry_after(&response), 5);
    }
    assert_eq!(provider.asked(), 1);
    answers.give();
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Refreshed);
    within("the refresh's end", refreshing.idle()).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    let record = store.read(&"c".try_into().unwrap()).await.unwrap();
    let refresh_token = secret(&record.connection, "refresh_token");
    assert_eq!(refresh_token.as_deref(), Some("c-r1"));
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_source_that_panics_leaves_no_call_waiting() {
    let provider = Provider::start().await;
    let gate = Signal::new();
    let source = provider.source().behind(&gate);
    source.panics(true);
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let (refreshing, mut reports) = refreshing(store, source.clone());
    let gateway = provider.gateway(refreshing).await;
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        calls.spawn(raw_call(gateway.address, get("/p/c/x")));
    }
    gate.give();
    while let Some(response) = calls.join_next().await {
        assert_eq!(retry_after(&response.unwrap()), 1);
    }
    assert_eq!(outcome(&mut reports).await, RefreshOutcome::Failed);
    source.panics(false);
    let recovered =
        async { while raw_call(gateway.address, get("/p/c/x")).await.status() != 200 {} };
    within("the recovery", recovered).await;
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_hook_that_panics_breaks_nothing() {
    let provider = Provider::start().await;
    let store = MemoryStore::from_iter([("c", connection("c", -10))]);
    let refreshing = RefreshingStore::new(store, provider.source());
    let gateway = provider
        .gateway(refreshing.on_refresh(|_| panic!("panics on purpose")))
        .await;
    for _ in 0..2 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));
    }
    assert_eq!(provider.asked(), 1);
}
