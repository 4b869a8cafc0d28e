//! Refreshes whose new tokens aren't acknowledged.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{Extensions, Method};
use tower_passthrough::refresh::{
    RefreshOutcome, RefreshingStore, TokenError, TokenSource, Tokens,
};
use tower_passthrough::store::{ConnectionKey, ConnectionStore};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use super::outages::{PATIENCE, within};
use super::{DURABLE, Server, Stores, id, told, valkey};

struct Source;

impl TokenSource for Source {
    fn supports(&self, _: &Connection) -> bool {
        true
    }

    async fn fetch(&self, _: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
        let mut tokens = Tokens::new("t0k3n");
        tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
        Ok(tokens)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_too_few_replicas_have_are_not_stored_also_after_more_attempts() {
    let Some(program) = valkey() else {
        return;
    };
    let server = Server::start_with(&program, DURABLE);
    let mut replica = server.replica(DURABLE);
    let first = server.open("tp").await;
    first
        .put(&id("acme"), &Connection::new("crm"))
        .await
        .unwrap();
    replica.stop();
    let store = server.open_with("tp", |builder| builder.replicas(1)).await;
    let outcomes: Arc<Mutex<Vec<RefreshOutcome>>> = Arc::default();
    let seen = Arc::clone(&outcomes);
    let store = RefreshingStore::new(store, Source)
        .timeout(Duration::from_secs(1))
        .on_refresh(move |report| seen.lock().unwrap().push(report.outcome()));
    let call = async || {
        let (extensions, method) = (Extensions::new(), Method::GET);
        let cx = CallContext::new(&extensions, &method);
        store.connection(&id("acme"), cx).await
    };
    let before = server.calls("waitaof");
    // The first attempt has stored the tokens, and the others find them.
    within(PATIENCE, async || {
        let _ = call().await;
        let attempts = server.calls("waitaof") - before;
        (attempts >= 3).then_some(()).ok_or(attempts)
    })
    .await;
    assert_eq!(*outcomes.lock().unwrap(), [RefreshOutcome::Unstored]);
    replica.run();
    let expected = [RefreshOutcome::Unstored, RefreshOutcome::Refreshed];
    within(PATIENCE, async || {
        let outcomes = outcomes.lock().unwrap().clone();
        (outcomes == expected).then_some(()).ok_or(outcomes)
    })
    .await;
    let connection = call().await.unwrap();
    let used = connection.credential().get("access_token").unwrap();
    assert_eq!(used.expose(), b"t0k3n");
}

/// A primary that refuses writes has no lease, so the token endpoint isn't called and no refresh token is used up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_with_current_tokens_go_on_while_the_primary_refuses_writes() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let first = server.open("tp").await;
    let end = |seconds: u64| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        (now.unwrap().as_secs() + seconds - 20).to_string()
    };
    for (key, seconds) in [("current", 40), ("expired", 0)] {
        let connection = Connection::new("crm")
            .with_secret("access_token", "old")
            .with_secret("expires_at", end(seconds));
        first.put(&id(key), &connection).await.unwrap();
    }
    server.set(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let store = RefreshingStore::new(server.open_with("tp", |builder| builder).await, Source);
    let call = async |key: &str| {
        let (extensions, method) = (Extensions::new(), Method::GET);
        let cx = CallContext::new(&extensions, &method);
        store.connection(&id(key), cx).await
    };
    let current = call("current").await.unwrap();
    let used = current.credential().get("access_token").unwrap();
    assert_eq!(used.expose(), b"old");
    // It's answered by 503 with `Retry-After`.
    match call("expired").await {
        Err(StoreError::Unavailable(error)) => {
            assert!(told(&*error).contains("NOREPLICAS"), "{}", told(&*error));
        }
        other => panic!("{other:?}"),
    }
    server.set(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let refreshed = within(PATIENCE, async || call("expired").await).await;
    let used = refreshed.credential().get("access_token").unwrap();
    assert_eq!(used.expose(), b"t0k3n");
}
