//! A custom store whose tokens can be refreshed: `TokenStore` and `ConnectionStore` over a map, checked by the suite that every store must
//! pass.
//!
//! ```text
//! cargo run --example token_store --features test-util
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tower_passthrough::conformance::{Suite, Violations};
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate,
    RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

/// Takes the place of a database. Each method holds the lock from its first look to its last write, like a transaction.
#[derive(Default)]
struct Database(Mutex<Table>);

#[derive(Default)]
struct Table {
    rows: HashMap<ConnectionKey, Row>,
    /// The newest version or fence. The number never goes back, so no number is given twice.
    newest: u64,
}

struct Row {
    stored: StoredConnection,
    /// The newest lease and its end.
    lease: Option<(RefreshLease, Instant)>,
}

impl Database {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    fn row(&mut self, key: &ConnectionKey) -> Result<&mut Row, StoreError> {
        self.rows.get_mut(key).ok_or(StoreError::NotFound)
    }
}

impl CredentialStore for Database {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(self.table().row(key)?.stored.connection.clone())
    }
}

impl TokenStore for Database {
    async fn read(&self, key: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        Ok(self.table().row(key)?.stored.clone())
    }

    async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let mut table = self.table();
        let lease = RefreshLease::new(table.next());
        let row = table.row(key)?;
        let now = Instant::now();
        if row.lease.is_some_and(|(_, end)| now < end) {
            return Ok(None);
        }
        let end = now.checked_add(time);
        let end = end.ok_or_else(|| StoreError::unavailable("the lease is too long"))?;
        row.lease = Some((lease, end));
        Ok(Some(lease))
    }

    async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let mut table = self.table();
        let newest = table.row(key).ok().and_then(|row| row.lease.as_mut());
        let now = Instant::now();
        // A lease that has expired isn't extended, because another caller may have seen its end.
        let newest = newest.filter(|(newest, end)| *newest == lease && now < *end);
        let later = now.checked_add(time);
        let later = later.ok_or_else(|| StoreError::unavailable("the lease is too long"))?;
        Ok(newest.map(|(_, end)| *end = later).is_some())
    }

    async fn release(&self, key: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let mut table = self.table();
        let newest = table.row(key).ok().and_then(|row| row.lease.as_mut());
        // The fence stays: until another caller takes a lease, this lease is the newest.
        if let Some((_, end)) = newest.filter(|(newest, _)| *newest == lease) {
            *end = Instant::now();
        }
        Ok(())
    }

    async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let mut table = self.table();
        let version = CredentialVersion::new(table.next());
        let Row {
            stored,
            lease: newest,
        } = table.row(key)?;
        if stored.version != read {
            return Ok(None); // Another caller has written since.
        }
        match update {
            // The commit also works with a lost lease: these tokens are the only tokens that work.
            GrantUpdate::Refreshed(connection) => {
                *stored = StoredConnection::new(connection.clone(), version)
                    .refreshed_at(SystemTime::now());
            }
            GrantUpdate::Revoked if newest.is_some_and(|(newest, _)| newest == lease) => {
                stored.state = GrantState::Revoked;
            }
            GrantUpdate::Revoked => return Ok(None),
        }
        Ok(Some(stored.version))
    }
}

impl ConnectionStore for Database {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let mut table = self.table();
        let version = CredentialVersion::new(table.next());
        let stored = StoredConnection::new(connection.clone(), version);
        let row = Row {
            stored,
            lease: None,
        };
        table.rows.insert(key.clone(), row);
        Ok(version)
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        Ok(self.table().rows.remove(key).is_some())
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        let table = self.table();
        let after = after.map_or("", ConnectionKey::as_str);
        let rows = table.rows.iter().filter(|(key, _)| key.as_str() > after);
        let summary = |(key, row): (&ConnectionKey, &Row)| {
            let integration = row.stored.connection.integration();
            ConnectionSummary::new(key.clone(), integration, row.stored.state)
        };
        let mut listed: Vec<_> = rows.map(summary).collect();
        // The order is by bytes: a database's collation may order the keys differently.
        listed.sort_unstable_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
        listed.truncate(limit);
        Ok(listed)
    }
}

#[tokio::main]
async fn main() -> Result<(), Violations> {
    // There is no cache, so nothing is ever stale. Handles share the database, like separate processes.
    let database = Arc::new(Database::default());
    let suite = Suite::new(async || Arc::clone(&database)).staleness(Duration::ZERO);
    suite.run().await?;
    println!("the store keeps all rules");
    Ok(())
}
