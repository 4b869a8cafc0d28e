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
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::quality::RandomState;

use super::context::CallContext;
use super::{CredentialStore, StoreError};
use crate::address::ConnectionId;
use crate::connection::Connection;

/// A [`CredentialStore`] in memory. Clones share one map; a change counts for the next call.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<RwLock<HashMap<Box<str>, Connection, RandomState>>>);

impl MemoryStore {
    /// A store without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection, or replaces the one of that id.
    pub fn insert(&self, id: ConnectionId, connection: Connection) -> Option<Connection> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(id.as_str().into(), connection)
    }

    /// Removes a connection; whether there was one.
    pub fn remove(&self, id: &str) -> bool {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.remove(id).is_some()
    }
}

impl CredentialStore for MemoryStore {
    async fn connection(
        &self,
        id: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(id.as_str()).cloned().ok_or(StoreError::NotFound)
    }
}

impl<I: Into<Box<str>>> FromIterator<(I, Connection)> for MemoryStore {
    /// Ids are taken as they are; one that no request can name is never found.
    fn from_iter<T: IntoIterator<Item = (I, Connection)>>(connections: T) -> Self {
        let map = connections
            .into_iter()
            .map(|(id, connection)| (id.into(), connection))
            .collect();
        Self(Arc::new(RwLock::new(map)))
    }
}

// No ids: there may be very many.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("MemoryStore")
            .field("connections", &map.len())
            .finish()
    }
}
