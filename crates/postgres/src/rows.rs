//! The operations of the store as statements.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use tower_passthrough::Connection;
use tower_passthrough::durable::{CachedConnection, Keys, SealedRecord, random_version};
use tower_passthrough::store::{
    ConnectionKey, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease,
    StoredConnection,
};

use crate::error::{DatabaseError, InternalError};
use crate::pool::{Effect, Params, Pool};
use crate::statements::Statements;

/// The number of attempts to mark a grant as active while other processes write.
const REVIVE_ATTEMPTS: u32 = 8;
/// The number of times that a transaction of several statements is tried if it conflicts with others.
const TRANSACTION_ATTEMPTS: u32 = 5;

/// The values that the operations need.
pub(crate) struct Database {
    pub(crate) pool: Pool,
    pub(crate) keys: Keys,
    /// The proof of the current key.
    pub(crate) proof: Vec<u8>,
    pub(crate) statements: Arc<Statements>,
}

/// A connection that was sealed for its row.
struct Sealed<'a> {
    key: &'a str,
    integration: &'a str,
    version: CredentialVersion,
    number: i64,
    key_id: Vec<u8>,
    sealed: Vec<u8>,
}

impl Database {
    fn seal<'a>(
        &self,
        key: &'a ConnectionKey,
        connection: &'a Connection,
    ) -> Result<Sealed<'a>, InternalError> {
        let version = random_version()?;
        Ok(Sealed {
            key: key.as_str(),
            integration: connection.integration(),
            version,
            number: i64::try_from(version.get()).map_err(|_| InternalError::Unreadable)?,
            key_id: self.keys.current_id().as_bytes().to_vec(),
            sealed: self.keys.seal(key, version, connection)?,
        })
    }

    async fn read_rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, InternalError> {
        let time = self.pool.max_time();
        self.pool
            .query(Effect::Read, false, time, sql, params)
            .await
    }

    async fn write(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, InternalError> {
        let time = self.pool.max_time();
        self.pool
            .query(Effect::Write, false, time, sql, params)
            .await
    }

    /// Like [`write`](Self::write), but is never refused because many other operations wait: a token that can't be stored is lost.
    async fn write_urgently(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, InternalError> {
        let time = self.pool.max_time();
        self.pool
            .query(Effect::Write, true, time, sql, params)
            .await
    }

    /// Reads a connection and its version. If the cached connection is the newest, it is neither sent nor decrypted again.
    pub(crate) async fn look_up(
        &self,
        key: &ConnectionKey,
        cached: Option<CachedConnection>,
    ) -> Result<CachedConnection, InternalError> {
        let known = cached
            .as_ref()
            .map_or(-1, |cached| as_integer(cached.version.get()));
        let params = [(&key.as_str() as _, Type::TEXT), (&known as _, Type::INT8)];
        let rows = self.read_rows(&self.statements.look_up, &params).await?;
        let row = found(&rows)?;
        let version = version_of(row)?;
        match cached {
            Some(cached) if cached.version == version => Ok(cached),
            _ => Ok(CachedConnection {
                connection: self.opened(row, key)?,
                version,
            }),
        }
    }

    pub(crate) async fn read(
        &self,
        key: &ConnectionKey,
    ) -> Result<StoredConnection, InternalError> {
        let params = [(&key.as_str() as _, Type::TEXT)];
        let rows = self.read_rows(&self.statements.read, &params).await?;
        let row = found(&rows)?;
        let record = StoredConnection::new(self.opened(row, key)?, version_of(row)?);
        let record = record.state(state(row.try_get(5)?));
        let Some(refreshed_at) = row.try_get::<_, Option<i64>>(6)? else {
            return Ok(record);
        };
        let after = u64::try_from(refreshed_at).map_err(|_| InternalError::Unreadable)?;
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(after));
        Ok(record.refreshed_at(at.ok_or(InternalError::Unreadable)?))
    }

    /// Decrypts the connection of a row: standby, version, integration, key id, sealed.
    fn opened(&self, row: &Row, key: &ConnectionKey) -> Result<Connection, InternalError> {
        let record = SealedRecord {
            version: version_of(row)?,
            integration: row.try_get(2)?,
            key_id: row.try_get(3)?,
            sealed: row.try_get(4)?,
        };
        Ok(self.keys.open(key, record)?)
    }

    pub(crate) async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, InternalError> {
        // No key is empty, so all keys come after the empty text.
        let after = after.map_or("", ConnectionKey::as_str);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = [(&after as _, Type::TEXT), (&limit as _, Type::INT8)];
        let rows = self.read_rows(&self.statements.list, &params).await?;
        let mut listed = Vec::new();
        for row in &rows {
            let (key, integration, dead) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            if let (Some(key), Some(integration), Some(dead)) = (key, integration, dead) {
                let key: &str = key;
                let integration: &str = integration;
                let key = ConnectionKey::new(key).map_err(|_| InternalError::Unreadable)?;
                listed.push(ConnectionSummary::new(key, integration, state(dead)));
            }
        }
        listed.sort_unstable_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
        Ok(listed)
    }

    pub(crate) async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, InternalError> {
        let sealed = self.seal(key, connection)?;
        self.write(&self.statements.put, &sealed.params(&self.proof))
            .await?;
        Ok(sealed.version)
    }

    /// Writes a connection of another store, if `replaced` is the newest version of the connection, or if it's `None` and there is no
    /// connection.
    pub(crate) async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, InternalError> {
        let sealed = self.seal(key, &stored.connection)?;
        let is_revoked = stored.state == GrantState::Revoked;
        let refreshed_at = stored.refreshed_at.map(milliseconds).transpose()?;
        let standing: [Param<'_>; 2] = [
            (&is_revoked as _, Type::BOOL),
            (&refreshed_at as _, Type::INT8),
        ];
        let mut params = sealed.params(&self.proof).to_vec();
        params.extend(standing);
        let replaced = replaced.map(|version| as_integer(version.get()));
        let sql = match &replaced {
            Some(version) => {
                params.push((version, Type::INT8));
                &self.statements.restored_over
            }
            None => &self.statements.restored_new,
        };
        let written = self.write(sql, &params).await?;
        Ok((!written.is_empty()).then_some(sealed.version))
    }

    /// Puts the connection in the transaction of `client`.
    pub(crate) async fn put_within(
        &self,
        client: &impl GenericClient,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, InternalError> {
        let sealed = self.seal(key, connection)?;
        let params = sealed.params(&self.proof);
        client.query_typed(&self.statements.put, &params).await?;
        Ok(sealed.version)
    }

    /// Puts all connections in a single transaction.
    pub(crate) async fn put_all(
        &self,
        connections: &[(ConnectionKey, Connection)],
    ) -> Result<Vec<CredentialVersion>, InternalError> {
        // Rows are locked in the order of their keys, so that two such transactions don't wait for each other.
        let mut order: Vec<_> = (0..).zip(connections).collect();
        order.sort_by(|(_, (one, _)), (_, (other, _))| one.as_str().cmp(other.as_str()));
        let mut attempt = 1;
        loop {
            match self.put_in_order(&order).await {
                Err(InternalError::Database(error))
                    if error.is_undone() && attempt < TRANSACTION_ATTEMPTS =>
                {
                    attempt += 1;
                }
                result => {
                    let mut versions = result?;
                    versions.sort_unstable_by_key(|(index, _)| *index);
                    return Ok(versions.into_iter().map(|(_, version)| version).collect());
                }
            }
        }
    }

    async fn put_in_order(
        &self,
        order: &[(usize, &(ConnectionKey, Connection))],
    ) -> Result<Vec<(usize, CredentialVersion)>, InternalError> {
        let mut guard = self
            .pool
            .get(false, Instant::now() + self.pool.max_time())
            .await?;
        // If this fails or is interrupted, the transaction must not go on.
        guard.discard();
        let put = async {
            let client = guard.client()?;
            self.within_time(client.batch_execute("BEGIN")).await?;
            let mut versions = Vec::with_capacity(order.len());
            for (index, (key, connection)) in order {
                let version = self
                    .within_time(self.put_within(client, key, connection))
                    .await?;
                versions.push((*index, version));
            }
            self.within_time(client.batch_execute("COMMIT")).await?;
            Ok(versions)
        };
        let versions = put.await;
        if versions.is_ok() {
            guard.keep();
        }
        if matches!(&versions, Err(InternalError::Database(error)) if error.is_of_connection()) {
            self.pool.close_idle();
        }
        versions
    }

    async fn within_time<T, E: Into<InternalError>>(
        &self,
        statement: impl Future<Output = Result<T, E>>,
    ) -> Result<T, InternalError> {
        let answer = timeout_at(Instant::now() + self.pool.max_time(), statement).await;
        let answer = answer.map_err(|_| DatabaseError::Timeout("the database's answer"))?;
        answer.map_err(Into::into)
    }

    pub(crate) async fn remove(&self, key: &ConnectionKey) -> Result<bool, InternalError> {
        let params = [(&key.as_str() as _, Type::TEXT)];
        Ok(!self
            .write(&self.statements.remove, &params)
            .await?
            .is_empty())
    }

    /// Marks a revoked grant as active. Returns `false` if it's active already.
    ///
    /// The same credential gets a new version, so that a revocation that is based on the old version is rejected. A lease and the time of
    /// the last refresh stay: a refresh that is under way commits to the new version.
    pub(crate) async fn revive(&self, key: &ConnectionKey) -> Result<bool, InternalError> {
        for _ in 0..REVIVE_ATTEMPTS {
            let record = self.read(key).await?;
            if record.state == GrantState::Active {
                return Ok(false);
            }
            let sealed = self.seal(key, &record.connection)?;
            let read = as_integer(record.version.get());
            let params = sealed.params_for(&self.proof, &read);
            if !self
                .write(&self.statements.revived, &params)
                .await?
                .is_empty()
            {
                return Ok(true);
            }
        }
        Err(DatabaseError::Timeout("other processes write the same connection").into())
    }

    pub(crate) async fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, InternalError> {
        let time = microseconds(time)?;
        let params = [(&key.as_str() as _, Type::TEXT), (&time as _, Type::FLOAT8)];
        let rows = self.write(&self.statements.lease, &params).await?;
        let row = rows.first().ok_or(InternalError::Unreadable)?;
        if row.try_get::<_, i64>(0)? == 0 {
            return Err(InternalError::NotFound);
        }
        let Some(fence) = row.try_get::<_, Option<i64>>(1)? else {
            return Ok(None);
        };
        let fence = u64::try_from(fence).map_err(|_| InternalError::Unreadable)?;
        Ok(Some(RefreshLease::new(fence)))
    }

    pub(crate) async fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, InternalError> {
        let (fence, time) = (as_integer(lease.fence()), microseconds(time)?);
        let params = [
            (&key.as_str() as _, Type::TEXT),
            (&fence as _, Type::INT8),
            (&time as _, Type::FLOAT8),
        ];
        Ok(!self
            .write(&self.statements.extend, &params)
            .await?
            .is_empty())
    }

    pub(crate) async fn release(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
    ) -> Result<(), InternalError> {
        let fence = as_integer(lease.fence());
        let params = [(&key.as_str() as _, Type::TEXT), (&fence as _, Type::INT8)];
        self.write(&self.statements.release, &params).await?;
        Ok(())
    }

    pub(crate) async fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, InternalError> {
        let replaced = as_integer(read.get());
        let (written, version) = match update {
            GrantUpdate::Refreshed(connection) => {
                let sealed = self.seal(key, connection)?;
                let params = sealed.params_for(&self.proof, &replaced);
                let written = self
                    .write_urgently(&self.statements.refreshed, &params)
                    .await?;
                (written, sealed.version)
            }
            GrantUpdate::Revoked => {
                let fence = as_integer(lease.fence());
                let params = [
                    (&key.as_str() as _, Type::TEXT),
                    (&replaced as _, Type::INT8),
                    (&fence as _, Type::INT8),
                ];
                (
                    self.write_urgently(&self.statements.revoked, &params)
                        .await?,
                    read,
                )
            }
        };
        Ok((!written.is_empty()).then_some(version))
    }
}

type Param<'a> = (&'a (dyn tokio_postgres::types::ToSql + Sync), Type);

impl Sealed<'_> {
    fn params<'a>(&'a self, proof: &'a Vec<u8>) -> [Param<'a>; 6] {
        [
            (&self.key, Type::TEXT),
            (&self.integration, Type::TEXT),
            (&self.number, Type::INT8),
            (&self.key_id, Type::BYTEA),
            (&self.sealed, Type::BYTEA),
            (proof, Type::BYTEA),
        ]
    }

    fn params_for<'a>(&'a self, proof: &'a Vec<u8>, replaced: &'a i64) -> [Param<'a>; 7] {
        let [key, integration, version, key_id, sealed, proof] = self.params(proof);
        [
            key,
            integration,
            version,
            key_id,
            sealed,
            proof,
            (replaced, Type::INT8),
        ]
    }
}

/// Returns the row of a connection, if there is one.
fn found(rows: &[Row]) -> Result<&Row, InternalError> {
    let row = rows.first().ok_or(InternalError::Unreadable)?;
    match row.try_get::<_, Option<i64>>(1)? {
        Some(_) => Ok(row),
        None => Err(InternalError::NotFound),
    }
}

fn version_of(row: &Row) -> Result<CredentialVersion, InternalError> {
    let version = row.try_get::<_, i64>(1)?;
    Ok(CredentialVersion::new(
        u64::try_from(version).map_err(|_| InternalError::Unreadable)?,
    ))
}

const fn state(dead: bool) -> GrantState {
    if dead {
        GrantState::Revoked
    } else {
        GrantState::Active
    }
}

/// Returns the number as the database stores it, or -1 for a number that was never given.
fn as_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

/// Returns that time in milliseconds since 1970.
fn milliseconds(time: SystemTime) -> Result<i64, InternalError> {
    let since = time.duration_since(UNIX_EPOCH);
    i64::try_from(since.map_err(|_| InternalError::Time)?.as_millis())
        .map_err(|_| InternalError::Time)
}

fn microseconds(time: Duration) -> Result<f64, InternalError> {
    let time = i64::try_from(time.as_micros()).map_err(|_| InternalError::Time)?;
    // Rounded for times of more than 285 years.
    Ok(time as f64)
}
