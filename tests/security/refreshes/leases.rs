//! The rest of a lease when the endpoint is called, and new tokens if the store behaves unusually. The clock is paused,
//! so no test waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::{ConnectionStore, GrantState, TokenStore};
use tower_passthrough::{
    Connection, CredentialStore, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};

use testkit::in_process::InProcess;
use testkit::provider::{connection, secret};
use testkit::stores::Process;

/// Rotates `c-r0` to `c-r1` at once, accepts no refresh token twice, and answers later.
#[derive(Clone)]
struct Rotating {
    newest: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    answers_after: Duration,
}

impl Default for Rotating {
    fn default() -> Self {
        Self::slow(Duration::from_secs(1))
    }
}

impl Rotating {
    fn slow(answers_after: Duration) -> Self {
        Self {
            newest: Arc::default(),
            asked: Arc::default(),
            answers_after,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl TokenSource for Rotating {
    fn supports(&self, connection: &Connection) -> bool {
        connection.credential().get("refresh_token").is_some()
    }

    async fn fetch(
        &self,
        _: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let newest = self.newest.load(Ordering::SeqCst);
        if secret(connection, "refresh_token") != Some(format!("c-r{newest}")) {
            return Err(TokenError::Revoked);
        }
        let next = newest + 1;
        self.newest.store(next, Ordering::SeqCst);
        sleep(self.answers_after).await;
        let mut tokens = Tokens::new(format!("c-a{next}"));
        tokens.refresh_token = Some(format!("c-r{next}").into());
        tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
        Ok(tokens)
    }
}

/// Returns the status of a call, with a vendor that accepts every token.
async fn call(store: &(impl CredentialStore + Clone)) -> u16 {
    let upstream = Upstream::new("https://vendor.test").unwrap();
    let integrations = Integrations::new().with("vendor", upstream.auth(auth::AccessToken));
    let service = PassthroughService::builder(store.clone(), integrations)
        .dangerous()
        .allow_all()
        .transport(InProcess::new(|_| Response::new("")))
        .build();
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let Ok(response) = service.oneshot(request).await;
    response.status().as_u16()
}

fn id() -> ConnectionKey {
    "c".try_into().unwrap()
}

fn stale() -> MemoryStore {
    MemoryStore::from_iter([("c", connection("c", -10))])
}

/// Fails unless the store has the newest tokens of the source.
async fn has_the_newest(store: &MemoryStore, source: &Rotating) {
    let record = store.read(&id()).await.unwrap();
    let newest = format!("c-r{}", source.newest.load(Ordering::SeqCst));
    assert_eq!(secret(&record.connection, "refresh_token"), Some(newest));
    assert_eq!(record.state, GrantState::Active);
}

#[tokio::test(start_paused = true)]
async fn o2_a_lease_after_a_wait_has_its_full_length() {
    for left in [5_000, 18_500, 19_000, 19_500, 20_000] {
        let (store, source) = (stale(), Rotating::default());
        // The lease of a process that was killed.
        let lease = store.lease(&id(), Duration::from_millis(left)).await;
        assert!(lease.unwrap().is_some());
        let refreshing = RefreshingStore::new(store.clone(), source.clone());
        assert_eq!(call(&refreshing).await, 200, "{left} ms were left");
        has_the_newest(&store, &source).await;
    }
}

/// An endpoint that answers after 17 s, and an endpoint that needs minutes.
#[tokio::test(start_paused = true)]
async fn o2_an_exchange_goes_on_after_its_callers_were_answered() {
    for seconds in [17, 290] {
        let store = stale();
        let source = Rotating::slow(Duration::from_secs(seconds));
        let refreshing = RefreshingStore::new(store.clone(), source.clone());
        let other_process = RefreshingStore::new(store.clone(), source.clone());
        let began = Instant::now();
        assert_eq!(call(&refreshing).await, 503);
        assert_eq!(began.elapsed().as_secs(), 15);
        assert_eq!(call(&refreshing).await, 503);
        assert_eq!(began.elapsed().as_secs(), 15, "a later call waited");
        if seconds > 60 {
            // The lease is extended, so the other process doesn't ask the endpoint meanwhile.
            assert_eq!(call(&other_process).await, 503);
        }
        refreshing.idle().await;
        assert_eq!(began.elapsed().as_secs(), seconds);
        has_the_newest(&store, &source).await;
        assert_eq!(call(&refreshing).await, 200);
        assert_eq!(call(&other_process).await, 200);
        assert_eq!(source.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn o2_tokens_of_a_slow_exchange_are_stored_without_a_lease() {
    let store = stale();
    let source = Rotating::slow(Duration::from_secs(60));
    let short = Process::of(&store).keeps_leases_short();
    let refreshing = RefreshingStore::new(short, source.clone());
    assert_eq!(call(&refreshing).await, 503);
    refreshing.idle().await;
    assert_eq!(call(&refreshing).await, 200);
    has_the_newest(&store, &source).await;
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn o2_an_exchange_without_an_end_is_given_up() {
    let store = stale();
    let source = Rotating::slow(Duration::from_secs(24 * 60 * 60));
    let refreshing = RefreshingStore::new(store.clone(), source.clone());
    let began = Instant::now();
    assert_eq!(call(&refreshing).await, 503);
    refreshing.idle().await;
    assert_eq!(began.elapsed().as_secs(), 300);
    assert_eq!(source.asked(), 1);
    // The lease was released, so that another process can try at once.
    let lease = store.lease(&id(), Duration::from_secs(1)).await;
    assert!(lease.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn o2_no_exchange_begins_without_enough_time_for_the_answer() {
    let (store, source) = (stale(), Rotating::default());
    let slow = Process::of(&store).slow(Duration::from_millis(9_900));
    let refreshing = RefreshingStore::new(slow, source.clone());
    assert_eq!(call(&refreshing).await, 503);
    has_the_newest(&store, &source).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(call(&refreshing).await, 200);
    has_the_newest(&store, &source).await;
}

#[tokio::test(start_paused = true)]
async fn o2_a_commit_that_never_ends_is_tried_again() {
    let (store, source) = (stale(), Rotating::default());
    let refreshing = RefreshingStore::new(Process::of(&store).hangs(1), source.clone());
    assert_eq!(call(&refreshing).await, 200);
    has_the_newest(&store, &source).await;
}

#[tokio::test(start_paused = true)]
async fn o2_tokens_survive_a_change_of_everything_but_the_refresh_token() {
    let (store, source) = (stale(), Rotating::default());
    let refreshing = RefreshingStore::new(store.clone(), source.clone());
    let owner = async {
        sleep(Duration::from_millis(500)).await;
        let changed = connection("c", -10).with_variable("region", "eu");
        ConnectionStore::put(&store, &id(), &changed).await.unwrap();
    };
    assert_eq!(tokio::join!(call(&refreshing), owner).0, 200);
    has_the_newest(&store, &source).await;
    let stored = store.read(&id()).await.unwrap().connection;
    assert_eq!(stored.variables().get("region"), Some("eu"));
}

#[tokio::test(start_paused = true)]
async fn o3_a_credential_put_meanwhile_is_refreshed_if_needed() {
    let (store, source) = (stale(), Rotating::default());
    let refreshing = RefreshingStore::new(store.clone(), source.clone());
    let owner = async {
        sleep(Duration::from_millis(500)).await;
        let put = Connection::new("vendor").with_secret("refresh_token", "c-r1");
        ConnectionStore::put(&store, &id(), &put).await.unwrap();
    };
    assert_eq!(tokio::join!(call(&refreshing), owner).0, 200);
    has_the_newest(&store, &source).await;
}

#[tokio::test(start_paused = true)]
async fn o1_no_lease_time_is_too_long() {
    for has_timeout in [true, false] {
        let refreshing = RefreshingStore::new(stale(), Rotating::default());
        let refreshing = match has_timeout {
            true => refreshing.timeout(Duration::MAX),
            false => refreshing.lease(Duration::MAX),
        };
        assert_eq!(call(&refreshing).await, 200);
    }
}
