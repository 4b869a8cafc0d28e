//! Implements the traits of a store with the database and the cache.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::GenericClient;
use tower_passthrough::durable::CachedConnection;
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion, GrantUpdate,
    RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use crate::PostgresStore;
use crate::rows::Database;

impl PostgresStore {
    fn database(&self) -> Arc<Database> {
        Arc::clone(&self.0.database)
    }

    /// Marks the connection's grant as active, if it's [revoked](tower_passthrough::store::GrantState::Revoked), and returns `true` if it was.
    ///
    /// Use it if a token endpoint refused grants by mistake. The credential isn't changed. It gets a new version, so a refresh that began
    /// before can't revoke it any more, and new tokens of such a refresh are still stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such connection, [`StoreError::Unavailable`] if the store failed or the connection can't be
    /// decrypted.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the grant may or may not be active.
    pub async fn revive(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        let (database, owned) = (self.database(), key.clone());
        let revive = async move { database.revive(&owned).await };
        self.0.cache.write_to_end([key], revive).await
    }

    /// Adds a connection, or replaces the connection of that key, in a transaction of the host application: a row of the host application
    /// and the connection are stored together, or neither of them.
    ///
    /// The transaction must be in the same database, and its role needs the privileges of this store's role. The connection is visible to
    /// calls after the transaction has committed, also through this handle only after the [staleness](crate::PostgresStoreBuilder::staleness).
    ///
    /// ```no_run
    /// use tower_passthrough::Connection;
    /// use tower_passthrough::store::ConnectionKey;
    /// use tower_passthrough_postgres::PostgresStore;
    ///
    /// # type Failure = Box<dyn std::error::Error>;
    /// async fn sign_up(client: &mut tokio_postgres::Client, store: &PostgresStore, token: &str) -> Result<(), Failure> {
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO customers (name) VALUES ('acme')", &[]).await?;
    ///     let connection = Connection::new("hubspot").with_secret("token", token);
    ///     store.put_within(&transaction, &ConnectionKey::new("acme/crm")?, &connection).await?;
    ///     transaction.commit().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if a statement failed. Roll the transaction back then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the transaction may or may not contain the connection. Roll it back.
    pub async fn put_within(
        &self,
        transaction: &(impl GenericClient + Sync),
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let put = self.0.database.put_within(transaction, key, connection);
        Ok(put.await?)
    }
}

impl CredentialStore for PostgresStore {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let read = async |cached: Option<CachedConnection>| {
            Ok(self.0.database.look_up(key, cached).await?)
        };
        self.0.cache.get_or_read(key, read).await
    }
}

impl TokenStore for PostgresStore {
    async fn read(&self, key: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        Ok(self.0.database.read(key).await?)
    }

    async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let (database, owned) = (self.database(), key.clone());
        let lease = async move { database.lease(&owned, time).await };
        self.0.cache.write_to_end([], lease).await
    }

    async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let (database, owned) = (self.database(), key.clone());
        let extend = async move { database.extend(&owned, lease, time).await };
        self.0.cache.write_to_end([], extend).await
    }

    async fn release(&self, key: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let (database, owned) = (self.database(), key.clone());
        let release = async move { database.release(&owned, lease).await };
        self.0.cache.write_to_end([], release).await
    }

    async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (database, owned, update) = (self.database(), key.clone(), update.clone());
        let commit = async move { database.commit(&owned, read, lease, &update).await };
        self.0.cache.write_to_end([key], commit).await
    }
}

impl ConnectionStore for PostgresStore {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let (database, owned, connection) = (self.database(), key.clone(), connection.clone());
        let put = async move { database.put(&owned, &connection).await };
        self.0.cache.write_to_end([key], put).await
    }

    /// Adds or replaces several connections in a single transaction: all of them are stored, or none.
    async fn put_all(
        &self,
        connections: &[(ConnectionKey, Connection)],
    ) -> Result<Vec<CredentialVersion>, StoreError> {
        let (database, owned) = (self.database(), connections.to_vec());
        let put = async move { database.put_all(&owned).await };
        let keys = connections.iter().map(|(key, _)| key);
        self.0.cache.write_to_end(keys, put).await
    }

    async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (database, owned, stored) = (self.database(), key.clone(), stored.clone());
        let restore = async move { database.restore(&owned, &stored, replaced).await };
        self.0.cache.write_to_end([key], restore).await
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        let (database, owned) = (self.database(), key.clone());
        let remove = async move { database.remove(&owned).await };
        self.0.cache.write_to_end([key], remove).await
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        Ok(self.0.database.list(after, limit).await?)
    }
}
