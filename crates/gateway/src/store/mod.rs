//! The store of connections while the gateway runs.

mod failing;
mod file;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod revoked;
mod serving;
mod sqlite;
mod under_way;

#[cfg(feature = "redis")]
pub(crate) use self::failing::with_sources;
pub(crate) use self::file::FileStore;
#[cfg(feature = "postgres")]
pub(crate) use self::postgres::{check as check_postgres, open as open_postgres};
#[cfg(feature = "redis")]
pub(crate) use self::redis::{check as check_redis, open as open_redis};
pub(crate) use self::revoked::{clear as forget_revoked, count as revoked};
pub(crate) use self::serving::{Served, idle, serve};
pub(crate) use self::sqlite::{check, open};
pub(crate) use self::under_way::report_cut;

use std::fmt;
use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::durable::{CacheStatus, Keys};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::{
    ConnectionStore, CredentialVersion, GrantState, GrantUpdate, RefreshLease, StoredConnection,
    TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};
#[cfg(feature = "redis")]
use tower_passthrough_redis::RedisRates;

use self::failing::told;
use self::sqlite::Persistent;
use crate::config::Store;
use crate::metrics;

/// The default of `outage_grace` of the stores on a server.
#[cfg(any(feature = "postgres", feature = "redis"))]
const OUTAGE_GRACE: Duration = Duration::from_secs(60);

/// The time for which a process with a file counts as ready although the file can't be read. A file that is moved or a full disk
/// may be repaired meanwhile.
const GRACE: Duration = Duration::from_secs(60);

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

/// The answer of a store that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Yes,
    No,
    /// This process has too many operations under way, so the store wasn't asked.
    #[cfg_attr(
        not(any(feature = "postgres", test)),
        expect(dead_code, reason = "only a database has such a limit")
    )]
    Unknown,
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

    /// Returns `true` if both are the same open store, or the config file.
    pub(crate) fn is_same_store(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(_), Self::File(_)) => true,
            (Self::Sqlite(one), Self::Sqlite(other)) => one.is_same(other),
            #[cfg(feature = "postgres")]
            (Self::Postgres(one), Self::Postgres(other)) => one.is_same(other),
            #[cfg(feature = "redis")]
            (Self::Redis(one), Self::Redis(other)) => one.is_same(other),
            _ => false,
        }
    }

    /// Returns the result of a small question to the store. No secret is read.
    pub(crate) async fn reach(&self) -> Reached {
        let answer = match self {
            Self::File(_) => return Reached::Yes,
            Self::Sqlite(sqlite) => sqlite.store.list(None, 1).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let answer = database.store.list(None, 1).await;
                if answer.as_ref().is_err_and(postgres::is_overloaded) {
                    let _ = counted("list", answer);
                    return Reached::Unknown;
                }
                answer
            }
            #[cfg(feature = "redis")]
            Self::Redis(server) => {
                // A server that refuses writes is logged and counted. It doesn't take the process out of service, because calls are answered,
                // and the answer doesn't wait for a node of a cluster that is away.
                server.check_writes();
                let checked = server.store.check().await;
                let answer = counted("check", checked.map_err(StoreError::unavailable));
                return match answer {
                    Ok(()) => Reached::Yes,
                    Err(_) => Reached::No,
                };
            }
        };
        match counted("list", answer) {
            Ok(_) => Reached::Yes,
            Err(_) => Reached::No,
        }
    }

    /// Returns the time for which the process counts as ready after the store was last reachable.
    pub(crate) fn grace(&self) -> Duration {
        match self {
            Self::File(_) | Self::Sqlite(_) => GRACE,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.outage_grace(),
            #[cfg(feature = "redis")]
            Self::Redis(server) => server.outage_grace(),
        }
    }

    /// Returns rates that are counted on the server of the store, if it can count.
    #[cfg(feature = "redis")]
    pub(crate) fn rates(&self) -> Option<RedisRates> {
        match self {
            Self::Redis(server) => Some(server.store.rates()),
            _ => None,
        }
    }

    /// Returns the state of the connections in memory, if they are stored elsewhere.
    pub(crate) fn cache_status(&self) -> Option<CacheStatus> {
        match self {
            Self::File(_) => None,
            Self::Sqlite(sqlite) => Some(sqlite.store.cache_status()),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Some(database.store.cache_status()),
            #[cfg(feature = "redis")]
            Self::Redis(server) => Some(server.store.cache_status()),
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
    pub(crate) fn new(what: String, is_configs: bool) -> Self {
        Self { what, is_configs }
    }

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

/// Logs a failure, counts the operation, and returns the result unchanged.
fn counted<T>(operation: &'static str, result: Result<T, StoreError>) -> Result<T, StoreError> {
    counted_as(operation, "ok", result)
}

/// Like [`counted`], with another outcome if the result isn't an error.
fn counted_as<T>(
    operation: &'static str,
    outcome: &'static str,
    result: Result<T, StoreError>,
) -> Result<T, StoreError> {
    let outcome = match &result {
        Ok(_) => outcome,
        Err(StoreError::NotFound) => "not_found",
        Err(_) => "failed",
    };
    metrics::store_operation(operation, outcome);
    told(result)
}

impl CredentialStore for Connections {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let found = with_store!(self, store => store.connection(id, cx).await);
        if let Err(StoreError::NotFound) = &found {
            revoked::set(id, false);
        }
        counted("connection", found)
    }
}

impl TokenStore for Connections {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        let read = with_store!(self, store => store.read(id).await);
        match &read {
            Ok(stored) => revoked::set(id, stored.state == GrantState::Revoked),
            Err(StoreError::NotFound) => revoked::set(id, false),
            Err(_) => {}
        }
        counted("read", read)
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let lease = with_store!(self, store => store.lease(id, time).await);
        let outcome = match &lease {
            Ok(None) => "held",
            _ => "ok",
        };
        let lease = counted_as("lease", outcome, lease)?;
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
        let extended = with_store!(self, store => store.extend(id, lease, time).await);
        let outcome = match &extended {
            Ok(false) => "lost",
            _ => "ok",
        };
        counted_as("extend", outcome, extended)
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        // By then, the new tokens are stored.
        under_way::ended(id);
        let released = with_store!(self, store => store.release(id, lease).await);
        counted("release", released)
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let committed = with_store!(self, store => store.commit(id, read, lease, renewal).await);
        let outcome = match &committed {
            Ok(None) => "superseded",
            _ => "ok",
        };
        if let Ok(Some(_)) = &committed {
            revoked::set(id, matches!(renewal, GrantUpdate::Revoked));
        }
        counted_as("commit", outcome, committed)
    }
}
