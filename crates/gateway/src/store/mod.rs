//! The store of connections while the gateway runs.

mod failing;
mod file;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod serving;
mod sqlite;
mod under_way;

pub(crate) use self::file::{FileStore, is_same};
#[cfg(feature = "postgres")]
pub(crate) use self::postgres::open as open_postgres;
#[cfg(feature = "redis")]
pub(crate) use self::redis::open as open_redis;
pub(crate) use self::serving::{Served, idle, serve};
pub(crate) use self::sqlite::{check, open};
pub(crate) use self::under_way::report_cut;

use std::fmt;
use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::durable::Keys;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::{
    ConnectionStore, CredentialVersion, GrantUpdate, RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use self::failing::told;
use self::sqlite::Persistent;
use crate::config::Store;

/// A store of a kind that the config file can name. Cloning increments a reference count.
#[derive(Clone, Debug)]
pub(crate) enum Connections {
    /// The connections are read from the config file, and then kept in memory.
    File(FileStore),
    Sqlite(Persistent),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Database),
    #[cfg(feature = "redis")]
    Redis(redis::Server),
}

/// Evaluates an expression with the store of any kind.
macro_rules! with_store {
    ($connections:expr, $store:ident => $result:expr) => {
        match $connections {
            Connections::File($store) => $result,
            Connections::Sqlite(Persistent { store: $store, .. }) => $result,
            #[cfg(feature = "postgres")]
            Connections::Postgres(postgres::Database { store: $store, .. }) => $result,
            #[cfg(feature = "redis")]
            Connections::Redis(redis::Server { store: $store, .. }) => $result,
        }
    };
}

impl Connections {
    /// Opens the store of the config. Keeps the data of `previous` if the store is the same.
    ///
    /// # Errors
    ///
    /// If the store can't be opened.
    pub(crate) async fn open(store: Store, previous: Option<&Self>) -> Result<Self, OpenError> {
        match store {
            Store::File(connections) => {
                let previous = match previous {
                    Some(Self::File(previous)) => Some(previous),
                    _ => None,
                };
                Ok(Self::File(FileStore::new(connections, previous)))
            }
            #[cfg(feature = "postgres")]
            Store::Postgres(database) => {
                let previous = match previous {
                    Some(Self::Postgres(previous)) => Some(previous),
                    _ => None,
                };
                let opened = postgres::Database::open(database, previous).await;
                opened.map(Self::Postgres)
            }
            #[cfg(not(feature = "postgres"))]
            Store::Postgres(_) => Err(OpenError::without("postgres")),
            #[cfg(feature = "redis")]
            Store::Redis(server) => {
                let previous = match previous {
                    Some(Self::Redis(previous)) => Some(previous),
                    _ => None,
                };
                let opened = redis::Server::open(server, previous).await;
                opened.map(Self::Redis)
            }
            #[cfg(not(feature = "redis"))]
            Store::Redis(_) => Err(OpenError::without("redis")),
            Store::Sqlite(sqlite) => {
                let previous = match previous {
                    Some(Self::Sqlite(previous)) => Some(previous),
                    _ => None,
                };
                Persistent::open(sqlite, previous).await.map(Self::Sqlite)
            }
        }
    }

    /// Returns `true` if the store answers. No secret is read.
    pub(crate) async fn is_reachable(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Sqlite(sqlite) => told(sqlite.store.list(None, 1).await).is_ok(),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => told(database.store.list(None, 1).await).is_ok(),
            #[cfg(feature = "redis")]
            Self::Redis(server) => {
                let checked = server.store.check().await;
                told(checked.map_err(StoreError::unavailable)).is_ok()
            }
        }
    }

    /// Moves the data from the log next to the file into the file, because a process that is killed
    /// couldn't do that later.
    pub(crate) async fn settle(&self) {
        match self {
            Self::File(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {}
            #[cfg(feature = "redis")]
            Self::Redis(_) => {}
            Self::Sqlite(sqlite) => {
                if let Err(error) = sqlite.store.checkpoint().await {
                    tracing::warn!(%error, "the store's write-ahead log couldn't be removed");
                }
            }
        }
    }
}

/// The error of a store that can't be opened.
#[derive(Debug)]
pub(crate) struct OpenError {
    what: String,
    is_configs: bool,
}

impl OpenError {
    /// Returns `true` if the config is the cause, for example if it has the wrong key.
    pub(crate) fn is_configs(&self) -> bool {
        self.is_configs
    }
}

#[cfg(not(all(feature = "postgres", feature = "redis")))]
impl OpenError {
    /// Returns the error of a kind that isn't compiled in.
    pub(crate) fn without(feature: &str) -> Self {
        Self {
            what: format!("[store]: this program was compiled without the feature `{feature}`"),
            is_configs: true,
        }
    }
}

/// Returns the keys of a store. The config has already checked each key.
fn keys(keys: &[Secret]) -> Option<Keys> {
    let mut keys = keys.iter();
    let first = Keys::from_base64(keys.next()?).ok()?;
    keys.try_fold(first, |all, key| all.and_base64(key).ok())
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for OpenError {}

impl CredentialStore for Connections {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        told(with_store!(self, store => store.connection(id, cx).await))
    }
}

impl TokenStore for Connections {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        told(with_store!(self, store => store.read(id).await))
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let lease = told(with_store!(self, store => store.lease(id, time).await))?;
        if lease.is_some() {
            under_way::began(id);
        }
        Ok(lease)
    }

    async fn extend(
        &self,
        id: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        told(with_store!(self, store => store.extend(id, lease, time).await))
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        // By then, the new tokens are stored.
        under_way::ended(id);
        told(with_store!(self, store => store.release(id, lease).await))
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        told(with_store!(self, store => store.commit(id, read, lease, renewal).await))
    }
}
