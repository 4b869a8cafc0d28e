//! Connections of the config file, in memory.
//!
//! Each connection has its own [`MemoryStore`]. If the file didn't change a connection, the
//! next config takes over its `MemoryStore`, with the refreshed tokens, their versions, and the
//! lease of a refresh that is under way. A connection that was changed begins with the data in the
//! file. Calls that began with an earlier config keep the connections of that config.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::{
    CredentialVersion, GrantUpdate, RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, MemoryStore, StoreError};

/// The connections of a config. Cloning increments a reference count.
#[derive(Clone, Default)]
pub(crate) struct FileStore(Arc<HashMap<Box<str>, Entry, RandomState>>);

struct Entry {
    /// The connection in the file.
    written: Connection,
    /// The connection in its current state.
    live: MemoryStore,
}

impl FileStore {
    /// Returns a store with the file's connections. Connections that are in `previous` with the
    /// same data in the file keep their current state.
    pub(crate) fn new(
        connections: impl IntoIterator<Item = (String, Connection)>,
        previous: Option<&Self>,
    ) -> Self {
        let known = |id: &str| previous.and_then(|previous| previous.0.get(id));
        let entry = |(id, written): (String, Connection)| {
            let live = match known(&id) {
                Some(entry) if is_same(&entry.written, &written) => entry.live.clone(),
                _ => MemoryStore::from_iter([(id.as_str(), written.clone())]),
            };
            (id.into_boxed_str(), Entry { written, live })
        };
        Self(Arc::new(connections.into_iter().map(entry).collect()))
    }

    fn live(&self, id: &ConnectionKey) -> Result<&MemoryStore, StoreError> {
        let entry = self.0.get(id.as_str()).ok_or(StoreError::NotFound)?;
        Ok(&entry.live)
    }
}

/// Returns `true` if the file contains the same data for both connections. Names are in a fixed
/// order.
pub(crate) fn is_same(one: &Connection, other: &Connection) -> bool {
    one.integration() == other.integration()
        && one.variables() == other.variables()
        && one.credential().iter().eq(other.credential().iter())
}

impl CredentialStore for FileStore {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        self.live(id)?.connection(id, cx).await
    }
}

impl TokenStore for FileStore {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        self.live(id)?.read(id).await
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        self.live(id)?.lease(id, time).await
    }

    async fn extend(
        &self,
        id: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        match self.live(id) {
            Ok(live) => live.extend(id, lease, time).await,
            Err(_) => Ok(false),
        }
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        match self.live(id) {
            Ok(live) => live.release(id, lease).await,
            Err(_) => Ok(()),
        }
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        self.live(id)?.commit(id, read, lease, renewal).await
    }
}

// The ids aren't printed, because there may be very many.
impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("connections", &self.0.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(token: &str) -> Connection {
        Connection::new("v").with_secret("refresh_token", token)
    }

    fn store(token: &str, previous: Option<&FileStore>) -> FileStore {
        FileStore::new([("a".to_owned(), written(token))], previous)
    }

    fn id() -> ConnectionKey {
        let Ok(id) = ConnectionKey::try_from("a") else {
            unreachable!("it's an id");
        };
        id
    }

    /// Renews the token there, as somebody would who has been at it since before a reload.
    async fn renew(store: &FileStore, token: &str) -> Result<(), StoreError> {
        let lease = store.lease(&id(), Duration::from_secs(60)).await?;
        let Some(lease) = lease else {
            unreachable!("nobody else has it");
        };
        let read = store.read(&id()).await?.version;
        let renewed = GrantUpdate::Refreshed(written(token));
        let version = store.commit(&id(), read, lease, &renewed).await?;
        assert!(version.is_some_and(|version| version != read));
        store.release(&id(), lease).await
    }

    async fn has(store: &FileStore, token: &str) -> bool {
        let record = store.read(&id()).await;
        record.is_ok_and(|record| is_same(&record.connection, &written(token)))
    }

    #[tokio::test]
    async fn a_reload_keeps_renewed_tokens() -> Result<(), StoreError> {
        let first = store("first", None);
        renew(&first, "second").await?;
        let reloaded = store("first", Some(&first));
        assert!(has(&reloaded, "second").await);
        // A refresh of the old store still writes to the same place.
        renew(&first, "third").await?;
        assert!(has(&reloaded, "third").await);
        let once_more = store("first", Some(&reloaded));
        assert!(has(&once_more, "third").await);
        Ok(())
    }

    #[tokio::test]
    async fn a_lease_outlives_a_reload() -> Result<(), StoreError> {
        let first = store("first", None);
        let lease = first.lease(&id(), Duration::from_secs(60)).await?;
        assert!(lease.is_some());
        let reloaded = store("first", Some(&first));
        let second = reloaded.lease(&id(), Duration::from_secs(60)).await?;
        assert_eq!(second, None);
        Ok(())
    }

    #[tokio::test]
    async fn what_the_file_changed_begins_anew() -> Result<(), StoreError> {
        let first = store("first", None);
        renew(&first, "second").await?;
        let changed = store("other", Some(&first));
        assert!(has(&changed, "other").await);
        // A late write changes only the store with which it began.
        renew(&first, "third").await?;
        assert!(has(&changed, "other").await);
        Ok(())
    }

    #[tokio::test]
    async fn what_the_file_removed_is_gone() {
        let first = store("first", None);
        let without = FileStore::new([], Some(&first));
        let read = without.read(&id()).await;
        assert!(matches!(read, Err(StoreError::NotFound)));
        let back = store("first", Some(&without));
        assert!(has(&back, "first").await);
    }

    #[test]
    fn integration_variables_and_secrets_tell_connections_apart() {
        let one = written("a").with_variable("region", "eu");
        assert!(is_same(&one, &one.clone()));
        for other in [
            written("a"),
            written("b").with_variable("region", "eu"),
            written("a").with_variable("region", "us"),
            one.clone().with_secret("more", "c"),
            Connection::new("w")
                .with_secret("refresh_token", "a")
                .with_variable("region", "eu"),
        ] {
            assert!(!is_same(&one, &other), "{other:?}");
        }
    }
}
