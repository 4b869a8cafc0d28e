//! A store of connections in memory, which can change while calls run.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use tokio::time::Instant;

use super::tokens::{
    ConnectionStore, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease,
    StoredConnection, TokenStore,
};
use super::{CredentialStore, StoreError};
use crate::authorize::CallContext;
use crate::connection::Connection;
use crate::connection::ConnectionKey;

/// A store of connections in memory.
///
/// Clones share a map. A change is visible to the next call.
///
/// ```
/// use tower_passthrough::{Connection, ConnectionId, MemoryStore};
///
/// let store = MemoryStore::from_iter([("acme", Connection::new("hubspot").with_secret("token", "s3cr3t"))]);
/// store.insert_now(ConnectionId::new("beta")?, Connection::new("slack").with_secret("token", "0th3r"));
/// assert!(store.remove_now("acme"));
/// # Ok::<_, tower_passthrough::address::InvalidConnectionId>(())
/// ```
///
/// Tokens that were refreshed are lost when the process ends: if an upstream rotates refresh tokens, a connection can't be used
/// after a restart.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<RwLock<Map>>);

#[derive(Default)]
struct Map {
    // By the bytes of keys: a key as text is checked to be UTF-8 each time, and this is looked up on each call.
    entries: HashMap<Box<[u8]>, Entry, RandomState>,
    /// The newest version and fence: none is given twice.
    newest: u64,
}

struct Entry {
    record: StoredConnection,
    lease: Option<(RefreshLease, Instant)>,
}

impl Map {
    fn next(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    fn put(&mut self, id: &str, connection: Connection) -> Option<Connection> {
        let version = CredentialVersion::new(self.next());
        let entry = Entry {
            record: StoredConnection::new(connection, version),
            lease: None,
        };
        let old = self.entries.insert(id.as_bytes().into(), entry);
        old.map(|entry| entry.record.connection)
    }

    fn entry(&mut self, id: &ConnectionKey) -> Result<&mut Entry, StoreError> {
        self.entries
            .get_mut(id.as_bytes())
            .ok_or(StoreError::NotFound)
    }
}

impl MemoryStore {
    /// Returns a store without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection, or replaces the connection of that key and returns the old connection.
    pub fn insert_now(
        &self,
        key: impl Into<ConnectionKey>,
        connection: Connection,
    ) -> Option<Connection> {
        self.write().put(key.into().as_str(), connection)
    }

    /// Removes a connection. Returns `true` if there was such a connection.
    pub fn remove_now(&self, key: &str) -> bool {
        self.write().entries.remove(key.as_bytes()).is_some()
    }

    fn shared(&self) -> RwLockReadGuard<'_, Map> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Map> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        let map = self.shared();
        let entry = map.entries.get(id.as_bytes());
        Ok(entry.ok_or(StoreError::NotFound)?.record.clone())
    }
}

impl CredentialStore for MemoryStore {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let map = self.shared();
        let entry = map.entries.get(id.as_bytes());
        Ok(entry.ok_or(StoreError::NotFound)?.record.connection.clone())
    }
}

impl TokenStore for MemoryStore {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        self.record(id)
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let mut map = self.write();
        let lease = RefreshLease::new(map.next());
        let entry = map.entry(id)?;
        let now = Instant::now();
        if entry.lease.is_some_and(|(_, end)| now < end) {
            return Ok(None);
        }
        // A lease whose end the clock can't represent would never expire.
        let end = now
            .checked_add(time)
            .ok_or_else(|| StoreError::unavailable("the lease is too long"))?;
        entry.lease = Some((lease, end));
        Ok(Some(lease))
    }

    async fn extend(
        &self,
        id: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let mut map = self.write();
        let Ok(Entry {
            lease: Some((held, end)),
            ..
        }) = map.entry(id)
        else {
            return Ok(false);
        };
        let now = Instant::now();
        let Some(later) = now.checked_add(time) else {
            return Err(StoreError::unavailable("the lease is too long"));
        };
        let is_held = *held == lease && now < *end;
        if is_held {
            *end = later;
        }
        Ok(is_held)
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        if let Ok(entry) = self.write().entry(id) {
            if let Some((held, end)) = &mut entry.lease {
                if *held == lease {
                    *end = Instant::now();
                }
            }
        }
        Ok(())
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let mut map = self.write();
        let next = CredentialVersion::new(map.next());
        let Entry {
            record,
            lease: newest,
        } = map.entry(id)?;
        if record.version != read {
            return Ok(None);
        }
        match renewal {
            GrantUpdate::Refreshed(connection) => {
                *record =
                    StoredConnection::new(connection.clone(), next).refreshed_at(SystemTime::now());
            }
            GrantUpdate::Revoked if newest.is_none_or(|(newest, _)| newest != lease) => {
                return Ok(None);
            }
            GrantUpdate::Revoked => record.state = GrantState::Revoked,
        }
        Ok(Some(record.version))
    }
}

impl ConnectionStore for MemoryStore {
    async fn put(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let mut map = self.write();
        drop(map.put(id.as_str(), connection.clone()));
        Ok(map.entry(id)?.record.version)
    }

    async fn restore(
        &self,
        id: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let mut map = self.write();
        let newest = map.entries.get(id.as_bytes());
        if newest.map(|entry| entry.record.version) != replaced {
            return Ok(None);
        }
        drop(map.put(id.as_str(), stored.connection.clone()));
        let Entry { record, .. } = map.entry(id)?;
        record.state = stored.state;
        record.refreshed_at = stored.refreshed_at;
        Ok(Some(record.version))
    }

    async fn remove(&self, id: &ConnectionKey) -> Result<bool, StoreError> {
        Ok(Self::remove_now(self, id.as_str()))
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        let map = self.shared();
        // A text that isn't a key can't be looked up, so it isn't listed either.
        let listed = map.entries.iter().filter_map(|(id, entry)| {
            let id = ConnectionKey::new(std::str::from_utf8(id).ok()?).ok()?;
            let StoredConnection {
                connection, state, ..
            } = &entry.record;
            Some(ConnectionSummary::new(
                id,
                connection.shared_integration(),
                *state,
            ))
        });
        let is_after = |listed: &ConnectionSummary| {
            after.is_none_or(|after| listed.key.as_str() > after.as_str())
        };
        let mut listed: Vec<_> = listed.filter(is_after).collect();
        listed.sort_unstable_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
        listed.truncate(limit);
        Ok(listed)
    }
}

impl<I: Into<Box<str>>> FromIterator<(I, Connection)> for MemoryStore {
    /// Ids aren't validated. No request can find a connection with an invalid id.
    fn from_iter<T: IntoIterator<Item = (I, Connection)>>(connections: T) -> Self {
        let mut map = Map::default();
        for (id, connection) in connections {
            map.put(&id.into(), connection);
        }
        Self(Arc::new(RwLock::new(map)))
    }
}

// No ids: there may be very many.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("connections", &self.shared().entries.len())
            .finish()
    }
}
