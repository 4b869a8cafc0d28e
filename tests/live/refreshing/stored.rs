//! The parts of an answer that are stored.

use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::RefreshingStore;
use tower_passthrough::store::TokenStore;

use testkit::caller::{get, raw_call};
use testkit::provider::{Answer, Provider, connection, secret};

#[tokio::test]
async fn parts_that_an_answer_omits_are_kept_or_removed() {
    for lifetime in [Some(3_600), None] {
        let provider = Provider::start().await;
        let answer = Answer::KeepingRefreshToken(lifetime);
        provider.change("c", |account| account.answer = answer);
        let stored = connection("c", -10)
            .with_secret("client_id", "mine")
            .with_variable("region", "eu");
        let store = MemoryStore::from_iter([("c", stored)]);
        let gateway = provider
            .gateway(RefreshingStore::new(store.clone(), provider.source()))
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "c-a1"));

        let record = store.read(&"c".try_into().unwrap()).await.unwrap();
        let secret = |name| secret(&record.connection, name);
        assert_eq!(secret("access_token").as_deref(), Some("c-a1"));
        assert_eq!(secret("refresh_token").as_deref(), Some("c-r0"));
        assert_eq!(secret("expires_at").is_some(), lifetime.is_some());
        assert_eq!(secret("scope").as_deref(), Some("all"));
        assert_eq!(secret("client_id").as_deref(), Some("mine"));
        assert_eq!(record.connection.variables().get("region"), Some("eu"));
    }
}
