//! The traits of a store, put together of lanes, rows and the cache.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection as Sqlite;

use super::cache::Stamp;
use super::error::{Fault, SqliteStoreError};
use super::keys::Keys;
use super::{SqliteStore, file, rows};
use crate::authorize::CallContext;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionStore, ConnectionSummary, CredentialStore, CredentialVersion, GrantUpdate,
    RefreshLease, StoreError, StoredConnection, TokenStore,
};

impl SqliteStore {
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Sqlite, &Keys) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let keys = Arc::clone(&self.0.keys);
        let read = move |sqlite: &mut Sqlite| read(sqlite, &keys);
        self.0.readers.run(read).await
    }

    /// What was kept of the connection counts no more when `write` has ended, well or not.
    async fn writing<T: Send + 'static>(
        &self,
        id: &ConnectionKey,
        write: impl FnOnce(&mut Sqlite, &Keys, &ConnectionKey) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (shared, id) = (Arc::clone(&self.0), id.clone());
        let write = move |sqlite: &mut Sqlite| {
            let result = write(sqlite, &shared.keys, &id);
            shared.cache.written(&id);
            shared.cache.forget(&id);
            result
        };
        self.0.writer.run(write).await
    }

    /// Leases are none of the cache's business.
    async fn leasing<T: Send + 'static>(
        &self,
        id: &ConnectionKey,
        write: impl FnOnce(&mut Sqlite, &ConnectionKey) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let id = id.clone();
        let write = move |sqlite: &mut Sqlite| write(sqlite, &id);
        self.0.writer.run(write).await
    }

    async fn load(&self, id: &ConnectionKey, stamp: Stamp) -> Result<Connection, Fault> {
        let (asked, known) = (id.clone(), self.0.cache.known(id));
        let look_up =
            move |sqlite: &Sqlite, keys: &Keys| rows::look_up(sqlite, keys, &asked, known);
        match self.reading(look_up).await {
            Ok(known) => {
                self.0.cache.keep(id, stamp, &known);
                Ok(known.connection)
            }
            Err(fault) => {
                self.0.cache.forget(id);
                Err(fault)
            }
        }
    }
}

fn shared(fault: Arc<Fault>) -> StoreError {
    match &*fault {
        Fault::NotFound => StoreError::NotFound,
        Fault::Unreadable => StoreError::unavailable(SqliteStoreError::Unreadable),
        _ => StoreError::unavailable(SqliteStoreError::Unavailable(fault.into())),
    }
}

impl CredentialStore for SqliteStore {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let cache = &self.0.cache;
        let stamp = cache.stamp(id, self.0.watch.generation().await?);
        if let Some(connection) = cache.get(id, stamp) {
            return Ok(connection);
        }
        let flight = cache.flight(id, stamp);
        flight.outcome(self.load(id, stamp)).await.map_err(shared)
    }
}

impl TokenStore for SqliteStore {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        let id = id.clone();
        let read = move |sqlite: &Sqlite, keys: &Keys| rows::read(sqlite, keys, &id);
        Ok(self.reading(read).await?)
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let lease = move |sqlite: &mut Sqlite, id: &ConnectionKey| rows::lease(sqlite, id, time);
        Ok(self.leasing(id, lease).await?)
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let release =
            move |sqlite: &mut Sqlite, id: &ConnectionKey| rows::release(sqlite, id, lease);
        Ok(self.leasing(id, release).await?)
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let renewal = renewal.clone();
        let commit = move |sqlite: &mut Sqlite, keys: &Keys, id: &ConnectionKey| {
            rows::commit(sqlite, keys, id, read, lease, &renewal)
        };
        Ok(self.writing(id, commit).await?)
    }
}

impl ConnectionStore for SqliteStore {
    async fn put(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let connection = connection.clone();
        let put = move |sqlite: &mut Sqlite, keys: &Keys, id: &ConnectionKey| {
            rows::put(sqlite, keys, id, &connection)
        };
        Ok(self.writing(id, put).await?)
    }

    async fn remove(&self, id: &ConnectionKey) -> Result<bool, StoreError> {
        let remove = move |sqlite: &mut Sqlite, _: &Keys, id: &ConnectionKey| {
            let removed = rows::remove(sqlite, id)?;
            // Until then the file itself still has the record.
            let _ = file::settle(sqlite);
            Ok(removed)
        };
        Ok(self.writing(id, remove).await?)
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
