//! Implements the traits of a store with pools, rows and the cache.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection as Sqlite;
use tower_passthrough::durable::{CachedConnection, Keys};
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion, GrantUpdate,
    RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use crate::error::InternalError;
use crate::{SqliteStore, file, rows};

impl SqliteStore {
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Sqlite, &Keys) -> Result<T, InternalError> + Send + 'static,
    ) -> Result<T, InternalError> {
        let keys = Arc::clone(&self.0.keys);
        let read = move |sqlite: &mut Sqlite| read(sqlite, &keys);
        self.0.readers.run(read).await
    }

    /// Runs `write`. Then invalidates the cached connection, also if `write` failed or its caller has disconnected.
    async fn writing<T: Send + 'static>(
        &self,
        key: &ConnectionKey,
        write: impl FnOnce(&mut Sqlite, &Keys, &ConnectionKey) -> Result<T, InternalError>
        + Send
        + 'static,
    ) -> Result<T, InternalError> {
        let (keys, key) = (Arc::clone(&self.0.keys), key.clone());
        let invalidate = self.0.cache.invalidate_on_drop(&key);
        let write = move |sqlite: &mut Sqlite| {
            let _invalidate = invalidate;
            write(sqlite, &keys, &key)
        };
        self.0.writer.run(write).await
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
        let revive =
            |sqlite: &mut Sqlite, keys: &Keys, key: &ConnectionKey| rows::revive(sqlite, keys, key);
        Ok(self.writing(key, revive).await?)
    }

    /// Runs a write that doesn't affect the cache, because the cache contains no leases.
    async fn leasing<T: Send + 'static>(
        &self,
        key: &ConnectionKey,
        write: impl FnOnce(&mut Sqlite, &ConnectionKey) -> Result<T, InternalError> + Send + 'static,
    ) -> Result<T, InternalError> {
        let key = key.clone();
        let write = move |sqlite: &mut Sqlite| write(sqlite, &key);
        self.0.writer.run(write).await
    }
}

impl CredentialStore for SqliteStore {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let read = async |cached: Option<CachedConnection>| {
            let key = key.clone();
            let look_up =
                move |sqlite: &Sqlite, keys: &Keys| rows::look_up(sqlite, keys, &key, cached);
            Ok(self.reading(look_up).await?)
        };
        self.0.cache.get_or_read(key, read).await
    }
}

impl TokenStore for SqliteStore {
    async fn read(&self, key: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        let key = key.clone();
        let read = move |sqlite: &Sqlite, keys: &Keys| rows::read(sqlite, keys, &key);
        Ok(self.reading(read).await?)
    }

    async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let lease = move |sqlite: &mut Sqlite, key: &ConnectionKey| rows::lease(sqlite, key, time);
        Ok(self.leasing(key, lease).await?)
    }

    async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let extend =
            move |sqlite: &mut Sqlite, key: &ConnectionKey| rows::extend(sqlite, key, lease, time);
        Ok(self.leasing(key, extend).await?)
    }

    async fn release(&self, key: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let release =
            move |sqlite: &mut Sqlite, key: &ConnectionKey| rows::release(sqlite, key, lease);
        Ok(self.leasing(key, release).await?)
    }

    async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let update = update.clone();
        let commit = move |sqlite: &mut Sqlite, keys: &Keys, key: &ConnectionKey| {
            rows::commit(sqlite, keys, key, read, lease, &update)
        };
        Ok(self.writing(key, commit).await?)
    }
}

impl ConnectionStore for SqliteStore {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let connection = connection.clone();
        let put = move |sqlite: &mut Sqlite, keys: &Keys, key: &ConnectionKey| {
            rows::put(sqlite, keys, key, &connection)
        };
        Ok(self.writing(key, put).await?)
    }

    /// Adds or replaces several connections in a single transaction: all of them are stored, or none.
    async fn put_all(
        &self,
        connections: &[(ConnectionKey, Connection)],
    ) -> Result<Vec<CredentialVersion>, StoreError> {
        let (keys, connections) = (Arc::clone(&self.0.keys), connections.to_vec());
        let invalidate = |(key, _): &(ConnectionKey, _)| self.0.cache.invalidate_on_drop(key);
        let invalidate: Vec<_> = connections.iter().map(invalidate).collect();
        let put = move |sqlite: &mut Sqlite| {
            let _invalidate = invalidate;
            rows::put_all(sqlite, &keys, &connections)
        };
        Ok(self.0.writer.run(put).await?)
    }

    async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let stored = stored.clone();
        let restore = move |sqlite: &mut Sqlite, keys: &Keys, key: &ConnectionKey| {
            rows::restore(sqlite, keys, key, &stored, replaced)
        };
        Ok(self.writing(key, restore).await?)
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        let remove = move |sqlite: &mut Sqlite, _: &Keys, key: &ConnectionKey| {
            let removed = rows::remove(sqlite, key)?;
            // Without a checkpoint, the file itself would still contain the record.
            let _ = file::checkpoint(sqlite);
            Ok(removed)
        };
        Ok(self.writing(key, remove).await?)
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        let after = after.cloned();
        let list = move |sqlite: &Sqlite, _: &Keys| rows::list(sqlite, after.as_ref(), limit);
        Ok(self.reading(list).await?)
    }
}
