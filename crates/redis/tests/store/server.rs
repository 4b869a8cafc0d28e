//! Stores on real servers.

use testkit::redis::Server;
use tower_passthrough::Secret;
use tower_passthrough_redis::{Keys, RedisStore, RedisStoreBuilder};

pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const OTHER_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";

/// Returns keys, the first of which encrypts.
pub(crate) fn keys(texts: &[&str]) -> Keys {
    let mut keys = Keys::from_base64(&Secret::from(texts[0])).unwrap();
    for text in &texts[1..] {
        keys = keys.and_base64(&Secret::from(*text)).unwrap();
    }
    keys
}

/// Returns the name of a connection's key in Redis, and the names of its shard's keys. The store's own tests check the shard.
pub(crate) fn name(server: &Server, prefix: &str, kind: &str, id: &str) -> String {
    let pattern = format!("{prefix}:{{*}}:{kind}:{id}");
    let found = server.set(&["KEYS", &pattern]);
    assert!(
        !found.is_empty() && !found.contains(' '),
        "{pattern}: {found}"
    );
    found
}

/// Opens stores on a server.
pub(crate) trait Stores {
    async fn open(&self, prefix: &str) -> RedisStore;

    async fn open_with(
        &self,
        prefix: &str,
        set: impl FnOnce(RedisStoreBuilder) -> RedisStoreBuilder,
    ) -> RedisStore;

    fn url(&self) -> Secret;
}

impl Stores for Server {
    async fn open(&self, prefix: &str) -> RedisStore {
        self.open_with(prefix, |builder| builder).await
    }

    async fn open_with(
        &self,
        prefix: &str,
        set: impl FnOnce(RedisStoreBuilder) -> RedisStoreBuilder,
    ) -> RedisStore {
        let builder = set(RedisStore::builder(keys(&[KEY])).prefix(prefix));
        builder.open(&self.url()).await.unwrap()
    }

    fn url(&self) -> Secret {
        Secret::from(format!("redis://127.0.0.1:{}", self.port))
    }
}
