//! Implements the traits of a store with the scripts and the cache.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::durable::CachedConnection;
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion, GrantUpdate,
    RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use crate::RedisStore;
use crate::error::InternalError;
use crate::records::Records;

/// Runs `work` in a task, so that it ends even if its caller has disconnected.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, InternalError>> + Send + 'static,
) -> Result<T, InternalError> {
    tokio::spawn(work)
        .await
        .map_err(|_| InternalError::Stopped)?
}

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
        let (records, key) = (self.records(), key.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let revive = async move {
            let _invalidate = invalidate;
            records.revive(&key).await
        };
        Ok(to_the_end(revive).await?)
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
        let (records, key) = (self.records(), key.clone());
        Ok(to_the_end(async move { records.lease(&key, time).await }).await?)
    }

    async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let (records, key) = (self.records(), key.clone());
        Ok(to_the_end(async move { records.extend(&key, lease, time).await }).await?)
    }

    async fn release(&self, key: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let (records, key) = (self.records(), key.clone());
        Ok(to_the_end(async move { records.release(&key, lease).await }).await?)
    }

    async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (records, key, update) = (self.records(), key.clone(), update.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let commit = async move {
            let _invalidate = invalidate;
            records.commit(&key, read, lease, &update).await
        };
        Ok(to_the_end(commit).await?)
    }
}

impl ConnectionStore for RedisStore {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let (records, key, connection) = (self.records(), key.clone(), connection.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let put = async move {
            let _invalidate = invalidate;
            records.put(&key, &connection).await
        };
        Ok(to_the_end(put).await?)
    }

    async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (records, key, stored) = (self.records(), key.clone(), stored.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let restore = async move {
            let _invalidate = invalidate;
            records.restore(&key, &stored, replaced).await
        };
        Ok(to_the_end(restore).await?)
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        let (records, key) = (self.records(), key.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let remove = async move {
            let _invalidate = invalidate;
            records.remove(&key).await
        };
        Ok(to_the_end(remove).await?)
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        Ok(self.0.records.list(after, limit).await?)
    }
}
