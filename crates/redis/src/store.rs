//! Implements the traits of a store with the scripts and the cache.

use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::durable::CachedConnection;
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion, GrantUpdate,
    RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use crate::RedisStore;
use crate::records::Records;

impl RedisStore {
    fn records(&self) -> Arc<Records> {
        Arc::clone(&self.0.records)
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
        let (records, owned) = (self.records(), key.clone());
        let revive = async move { records.revive(&owned).await };
        self.0.cache.write_to_end([key], revive).await
    }
}

impl CredentialStore for RedisStore {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let read = async |cached: Option<CachedConnection>| {
            Ok(self.0.records.look_up(key, cached).await?)
        };
        self.0.cache.get_or_read(key, read).await
    }
}

impl TokenStore for RedisStore {
    async fn read(&self, key: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        Ok(self.0.records.read(key).await?)
    }

    async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let (records, owned) = (self.records(), key.clone());
        let lease = async move { records.lease(&owned, time).await };
        self.0.cache.write_to_end([], lease).await
    }

    async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let (records, owned) = (self.records(), key.clone());
        let extend = async move { records.extend(&owned, lease, time).await };
        self.0.cache.write_to_end([], extend).await
    }

    async fn release(&self, key: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let (records, owned) = (self.records(), key.clone());
        let release = async move { records.release(&owned, lease).await };
        self.0.cache.write_to_end([], release).await
    }

    async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (records, owned, update) = (self.records(), key.clone(), update.clone());
        let commit = async move { records.commit(&owned, read, lease, &update).await };
        self.0.cache.write_to_end([key], commit).await
    }
}

impl ConnectionStore for RedisStore {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let (records, owned, connection) = (self.records(), key.clone(), connection.clone());
        let put = async move { records.put(&owned, &connection).await };
        self.0.cache.write_to_end([key], put).await
    }

    async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (records, owned, stored) = (self.records(), key.clone(), stored.clone());
        let restore = async move { records.restore(&owned, &stored, replaced).await };
        self.0.cache.write_to_end([key], restore).await
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        let (records, owned) = (self.records(), key.clone());
        let remove = async move { records.remove(&owned).await };
        self.0.cache.write_to_end([key], remove).await
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        Ok(self.0.records.list(after, limit).await?)
    }
}
