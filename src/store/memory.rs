//! Connections in memory, which can change while calls run.
//!
//! ```
//! use tower_passthrough::{Connection, ConnectionId, MemoryStore};
//!
//! let store = MemoryStore::from_iter([("acme", Connection::new("hubspot").with("token", "s3cr3t"))]);
//! store.insert(ConnectionId::try_from("beta")?, Connection::new("slack").with("token", "0th3r"));
//! assert!(store.remove("acme"));
//! # Ok::<_, tower_passthrough::InvalidConnectionId>(())
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use tokio::time::Instant;

use super::context::CallContext;
use super::tokens::{
    ConnectionStore, Lease, Listed, Record, Renewal, Standing, TokenStore, Version,
};
use super::{CredentialStore, StoreError};
use crate::address::ConnectionId;
use crate::connection::Connection;

/// A [`CredentialStore`] in memory. Clones share one map; a change counts for the next call.
///
/// Tokens that are renewed in it are gone with the process: where a vendor rotates refresh tokens,
/// a connection doesn't outlive that.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<RwLock<Map>>);

#[derive(Default)]
struct Map {
    entries: HashMap<Box<str>, Entry, RandomState>,
    /// The newest version and fence: none is given twice.
    newest: u64,
}

struct Entry {
    record: Record,
    lease: Option<(Lease, Instant)>,
}

impl Map {
    fn next(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    fn put(&mut self, id: &str, connection: Connection) -> Option<Connection> {
        let version = Version::new(self.next());
        let entry = Entry {
            record: Record::new(connection, version),
            lease: None,
        };
        let old = self.entries.insert(id.into(), entry);
        old.map(|entry| entry.record.connection)
    }

    fn entry(&mut self, id: &ConnectionId) -> Result<&mut Entry, StoreError> {
        self.entries
            .get_mut(id.as_str())
            .ok_or(StoreError::NotFound)
    }
}

impl MemoryStore {
    /// A store without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection, or replaces the one of that id.
    pub fn insert(&self, id: ConnectionId, connection: Connection) -> Option<Connection> {
        self.write().put(id.as_str(), connection)
    }

    /// Removes a connection; whether there was one.
    pub fn remove(&self, id: &str) -> bool {
        self.write().entries.remove(id).is_some()
    }

    fn shared(&self) -> RwLockReadGuard<'_, Map> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Map> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, id: &ConnectionId) -> Result<Record, StoreError> {
        let map = self.shared();
        let entry = map.entries.get(id.as_str());
        Ok(entry.ok_or(StoreError::NotFound)?.record.clone())
    }
}

impl CredentialStore for MemoryStore {
    async fn connection(
        &self,
        id: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let map = self.shared();
        let entry = map.entries.get(id.as_str());
        Ok(entry.ok_or(StoreError::NotFound)?.record.connection.clone())
    }
}

impl TokenStore for MemoryStore {
    async fn read(&self, id: &ConnectionId) -> Result<Record, StoreError> {
        self.record(id)
    }

    async fn lease(&self, id: &ConnectionId, time: Duration) -> Result<Option<Lease>, StoreError> {
        let mut map = self.write();
        let lease = Lease::new(map.next());
        let entry = map.entry(id)?;
        let now = Instant::now();
        if entry.lease.is_some_and(|(_, end)| now < end) {
            return Ok(None);
        }
        // One without an end that the clock can tell would never come free.
        let end = now
            .checked_add(time)
            .ok_or_else(|| StoreError::unavailable("no lease is that long"))?;
        entry.lease = Some((lease, end));
        Ok(Some(lease))
    }

    async fn release(&self, id: &ConnectionId, lease: Lease) -> Result<(), StoreError> {
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
        id: &ConnectionId,
        read: Version,
        lease: Lease,
        renewal: &Renewal,
    ) -> Result<Option<Version>, StoreError> {
        let mut map = self.write();
        let next = Version::new(map.next());
        let Entry {
            record,
            lease: newest,
        } = map.entry(id)?;
        if record.version != read {
            return Ok(None);
        }
        match renewal {
            Renewal::Renewed(connection) => {
                *record = Record::new(connection.clone(), next).renewed_at(SystemTime::now());
            }
            Renewal::Dead if newest.is_none_or(|(newest, _)| newest != lease) => return Ok(None),
            Renewal::Dead => record.standing = Standing::Dead,
        }
        Ok(Some(record.version))
    }
}

impl ConnectionStore for MemoryStore {
    async fn put(&self, id: &ConnectionId, connection: &Connection) -> Result<Version, StoreError> {
        let mut map = self.write();
        drop(map.put(id.as_str(), connection.clone()));
        Ok(map.entry(id)?.record.version)
    }

    async fn remove(&self, id: &ConnectionId) -> Result<bool, StoreError> {
        Ok(Self::remove(self, id.as_str()))
    }

    async fn list(
        &self,
        after: Option<&ConnectionId>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        let map = self.shared();
        // One that isn't an id can't be asked for, and so isn't there.
        let listed = map.entries.iter().filter_map(|(id, entry)| {
            let id = ConnectionId::try_from(&**id).ok()?;
            let Record {
                connection,
                standing,
                ..
            } = &entry.record;
            Some(Listed::new(id, connection.shared_integration(), *standing))
        });
        let is_after =
            |listed: &Listed| after.is_none_or(|after| listed.id.as_str() > after.as_str());
        let mut listed: Vec<_> = listed.filter(is_after).collect();
        listed.sort_unstable_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        listed.truncate(limit);
        Ok(listed)
    }
}

impl<I: Into<Box<str>>> FromIterator<(I, Connection)> for MemoryStore {
    /// Ids are taken as they are; one that no request can name is never found.
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
