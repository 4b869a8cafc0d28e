//! Stores in the databases of real servers.

use testkit::postgres::Database;
use tower_passthrough::Secret;
use tower_passthrough_postgres::{Keys, PostgresStore, PostgresStoreBuilder};

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

/// Opens stores in a database.
pub(crate) trait Stores {
    async fn open(&self) -> PostgresStore;

    async fn open_with(
        &self,
        set: impl FnOnce(PostgresStoreBuilder) -> PostgresStoreBuilder,
    ) -> PostgresStore;

    /// Connects without a store.
    async fn client(&self) -> tokio_postgres::Client;

    /// Returns the URL for a user, at a port.
    fn secret_url(&self, user: &str, port: u16) -> Secret;

    /// Returns the URL for the superuser.
    fn secret(&self) -> Secret;
}

impl Stores for Database<'_> {
    async fn open(&self) -> PostgresStore {
        self.open_with(|builder| builder).await
    }

    async fn open_with(
        &self,
        set: impl FnOnce(PostgresStoreBuilder) -> PostgresStoreBuilder,
    ) -> PostgresStore {
        let builder = set(PostgresStore::builder(keys(&[KEY])).connections(2));
        builder.open(&self.secret()).await.unwrap()
    }

    async fn client(&self) -> tokio_postgres::Client {
        let url = self.url();
        let connecting = tokio_postgres::connect(&url, tokio_postgres::NoTls);
        let (client, connection) = connecting.await.unwrap();
        tokio::spawn(connection);
        client
    }

    fn secret_url(&self, user: &str, port: u16) -> Secret {
        Secret::from(self.url_of(user, port))
    }

    fn secret(&self) -> Secret {
        Secret::from(self.url())
    }
}
