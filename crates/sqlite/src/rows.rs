//! The operations of the store as SQL. Each operation that writes is a transaction.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{
    Connection as Sqlite, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};
use tower_passthrough::Connection;
use tower_passthrough::durable::{CachedConnection, Keys, SealedRecord};
use tower_passthrough::store::{
    ConnectionKey, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease,
    StoredConnection,
};

use crate::error::InternalError;
use crate::schema;

/// The maximum time by which a clock may be set back without ending leases, in milliseconds. Without a maximum, a clock that was set back
/// by an hour would make each lease an hour longer.
const MAX_CLOCK_DRIFT: i64 = 10_000;

/// Reads a connection and its version. If the cached connection is the newest, it isn't decrypted again.
pub(crate) fn look_up(
    sqlite: &Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
    cached: Option<CachedConnection>,
) -> Result<CachedConnection, InternalError> {
    let mut statement = sqlite.prepare_cached(
        "SELECT integration, version, key_id, sealed FROM connections WHERE id = ?1",
    )?;
    let mut rows = statement.query([key.as_str()])?;
    let row = rows.next()?.ok_or(InternalError::NotFound)?;
    let version = version_of(row)?;
    match cached {
        Some(cached) if cached.version == version => Ok(cached),
        _ => Ok(CachedConnection {
            connection: opened(row, keys, key)?,
            version,
        }),
    }
}

pub(crate) fn read(
    sqlite: &Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
) -> Result<StoredConnection, InternalError> {
    let mut statement = sqlite.prepare_cached(
        "SELECT integration, version, key_id, sealed, dead, refreshed_at FROM connections
         WHERE id = ?1",
    )?;
    let mut rows = statement.query([key.as_str()])?;
    let row = rows.next()?.ok_or(InternalError::NotFound)?;
    let record = StoredConnection::new(opened(row, keys, key)?, version_of(row)?);
    let record = record.state(state(row.get(4)?));
    let Some(refreshed_at) = row.get::<_, Option<i64>>(5)? else {
        return Ok(record);
    };
    let after = u64::try_from(refreshed_at).map_err(|_| InternalError::Unreadable)?;
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(after));
    Ok(record.refreshed_at(at.ok_or(InternalError::Unreadable)?))
}

fn version_of(row: &Row<'_>) -> Result<CredentialVersion, InternalError> {
    let version = row.get::<_, i64>(1)?;
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

/// Decrypts the connection of a row: `integration, version, key_id, sealed`.
fn opened(row: &Row<'_>, keys: &Keys, key: &ConnectionKey) -> Result<Connection, InternalError> {
    let blob = |index| -> Result<_, InternalError> {
        row.get_ref(index)?
            .as_blob()
            .map_err(|_| InternalError::Unreadable)
    };
    let record = SealedRecord {
        integration: row
            .get_ref(0)?
            .as_str()
            .map_err(|_| InternalError::Unreadable)?,
        version: version_of(row)?,
        key_id: blob(2)?,
        sealed: blob(3)?,
    };
    Ok(keys.open(key, record)?)
}

pub(crate) fn writing(sqlite: &mut Sqlite) -> Result<Transaction<'_>, InternalError> {
    Ok(sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Returns a number that was never returned before.
fn next(transaction: &Transaction<'_>) -> Result<u64, InternalError> {
    let next: i64 = transaction
        .prepare_cached("UPDATE counter SET newest = newest + 1 RETURNING newest")?
        .query_row([], |row| row.get(0))?;
    u64::try_from(next).map_err(|_| InternalError::Unreadable)
}

fn as_integer(number: u64) -> Result<i64, InternalError> {
    i64::try_from(number).map_err(|_| InternalError::NotFound)
}

/// Returns the time of the machine's clock, in milliseconds since 1970. The processes that share a file also share the clock.
fn now() -> Result<i64, InternalError> {
    milliseconds(SystemTime::now())
}

/// Returns that time in milliseconds since 1970.
fn milliseconds(time: SystemTime) -> Result<i64, InternalError> {
    let since = time.duration_since(UNIX_EPOCH);
    i64::try_from(since.map_err(|_| InternalError::Time)?.as_millis())
        .map_err(|_| InternalError::Time)
}

pub(crate) fn put(
    sqlite: &mut Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
    connection: &Connection,
) -> Result<CredentialVersion, InternalError> {
    let transaction = writing(sqlite)?;
    let version = put_within(&transaction, keys, key, connection)?;
    transaction.commit()?;
    Ok(version)
}

/// Puts all connections in a single transaction.
pub(crate) fn put_all(
    sqlite: &mut Sqlite,
    keys: &Keys,
    connections: &[(ConnectionKey, Connection)],
) -> Result<Vec<CredentialVersion>, InternalError> {
    let transaction = writing(sqlite)?;
    let put = |(key, connection): &(_, _)| put_within(&transaction, keys, key, connection);
    let versions = connections.iter().map(put).collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(versions)
}

fn put_within(
    transaction: &Transaction<'_>,
    keys: &Keys,
    key: &ConnectionKey,
    connection: &Connection,
) -> Result<CredentialVersion, InternalError> {
    schema::prove(transaction, keys)?;
    let version = next(transaction)?;
    let sealed = keys.seal(key, CredentialVersion::new(version), connection)?;
    transaction
        .prepare_cached(
            "INSERT INTO connections (id, integration, version, key_id, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET integration = ?2, version = ?3, key_id = ?4,
             sealed = ?5, dead = 0, refreshed_at = NULL, fence = NULL, leased_at = NULL,
             leased_until = NULL",
        )?
        .execute(params![
            key.as_str(),
            connection.integration(),
            as_integer(version)?,
            keys.current_id().as_bytes(),
            sealed
        ])?;
    Ok(CredentialVersion::new(version))
}

/// Writes a connection of another store, if `replaced` is the newest version of the connection, or if it's `None` and there is no
/// connection.
pub(crate) fn restore(
    sqlite: &mut Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
    stored: &StoredConnection,
    replaced: Option<CredentialVersion>,
) -> Result<Option<CredentialVersion>, InternalError> {
    let transaction = writing(sqlite)?;
    let newest = transaction
        .prepare_cached("SELECT version FROM connections WHERE id = ?1")?
        .query_row([key.as_str()], |row| row.get::<_, i64>(0))
        .optional()?;
    if newest
        != replaced
            .map(|version| as_integer(version.get()))
            .transpose()
            .unwrap_or(Some(-1))
    {
        return Ok(None);
    }
    let refreshed_at = stored.refreshed_at.map(milliseconds).transpose()?;
    let version = put_within(&transaction, keys, key, &stored.connection)?;
    transaction
        .prepare_cached("UPDATE connections SET dead = ?2, refreshed_at = ?3 WHERE id = ?1")?
        .execute(params![
            key.as_str(),
            stored.state == GrantState::Revoked,
            refreshed_at
        ])?;
    transaction.commit()?;
    Ok(Some(version))
}

/// Marks a revoked grant as active. Returns `false` if it's active already.
///
/// The same credential gets a new version, so that a revocation that is based on the old version is rejected. A lease and the time of the
/// last refresh stay: a refresh that is under way commits to the new version.
pub(crate) fn revive(
    sqlite: &mut Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
) -> Result<bool, InternalError> {
    let transaction = writing(sqlite)?;
    let connection = {
        let mut statement = transaction.prepare_cached(
            "SELECT integration, version, key_id, sealed, dead FROM connections WHERE id = ?1",
        )?;
        let mut rows = statement.query([key.as_str()])?;
        let row = rows.next()?.ok_or(InternalError::NotFound)?;
        if state(row.get(4)?) == GrantState::Active {
            return Ok(false);
        }
        opened(row, keys, key)?
    };
    schema::prove(&transaction, keys)?;
    let version = next(&transaction)?;
    let sealed = keys.seal(key, CredentialVersion::new(version), &connection)?;
    transaction
        .prepare_cached(
            "UPDATE connections SET version = ?2, key_id = ?3, sealed = ?4, dead = 0 WHERE id = ?1",
        )?
        .execute(params![
            key.as_str(),
            as_integer(version)?,
            keys.current_id().as_bytes(),
            sealed
        ])?;
    transaction.commit()?;
    Ok(true)
}

pub(crate) fn remove(sqlite: &Sqlite, key: &ConnectionKey) -> Result<bool, InternalError> {
    let removed = sqlite
        .prepare_cached("DELETE FROM connections WHERE id = ?1")?
        .execute([key.as_str()])?;
    Ok(removed > 0)
}

pub(crate) fn list(
    sqlite: &Sqlite,
    after: Option<&ConnectionKey>,
    limit: usize,
) -> Result<Vec<ConnectionSummary>, InternalError> {
    // No key is empty, so all keys come after the empty text.
    let after = after.map_or("", ConnectionKey::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = sqlite.prepare_cached(
        "SELECT id, integration, dead FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        let key = row
            .get_ref(0)?
            .as_str()
            .map_err(|_| InternalError::Unreadable)?;
        let key = ConnectionKey::new(key).map_err(|_| InternalError::Unreadable)?;
        // A damaged row must not hide the other rows, and must be listed so that it can be found and removed.
        let integration = row
            .get_ref(1)?
            .as_bytes()
            .map_err(|_| InternalError::Unreadable)?;
        let integration = String::from_utf8_lossy(integration);
        listed.push(ConnectionSummary::new(
            key,
            &*integration,
            state(row.get(2)?),
        ));
    }
    Ok(listed)
}

pub(crate) fn lease(
    sqlite: &mut Sqlite,
    key: &ConnectionKey,
    time: Duration,
) -> Result<Option<RefreshLease>, InternalError> {
    let transaction = writing(sqlite)?;
    // Read under the lock, because waiting for the lock may have taken seconds.
    let now = now()?;
    let held = transaction
        .prepare_cached("SELECT leased_at, leased_until FROM connections WHERE id = ?1")?
        .query_row([key.as_str()], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?
        .ok_or(InternalError::NotFound)?;
    if let (Some(from), Some(until)) = held {
        if now < until && from.saturating_sub(MAX_CLOCK_DRIFT) <= now {
            return Ok(None);
        }
    }
    let until = end_of_lease(now, time)?;
    let fence = next(&transaction)?;
    transaction
        .prepare_cached(
            "UPDATE connections SET fence = ?2, leased_at = ?3, leased_until = ?4 WHERE id = ?1",
        )?
        .execute(params![key.as_str(), as_integer(fence)?, now, until])?;
    transaction.commit()?;
    Ok(Some(RefreshLease::new(fence)))
}

/// Extends a lease that hasn't expired. Returns `true` if it was extended.
pub(crate) fn extend(
    sqlite: &mut Sqlite,
    key: &ConnectionKey,
    lease: RefreshLease,
    time: Duration,
) -> Result<bool, InternalError> {
    let Ok(fence) = as_integer(lease.fence()) else {
        return Ok(false);
    };
    let transaction = writing(sqlite)?;
    // Read under the lock, because waiting for the lock may have taken seconds.
    let now = now()?;
    let until = end_of_lease(now, time)?;
    let extended = transaction
        .prepare_cached(
            "UPDATE connections SET leased_at = ?3, leased_until = ?4
             WHERE id = ?1 AND fence = ?2 AND leased_until > ?3 AND leased_at <= ?5",
        )?
        .execute(params![
            key.as_str(),
            fence,
            now,
            until,
            now.saturating_add(MAX_CLOCK_DRIFT)
        ])?;
    transaction.commit()?;
    Ok(extended > 0)
}

/// Returns the end of a lease of that time which begins at `now`, in milliseconds.
fn end_of_lease(now: i64, time: Duration) -> Result<i64, InternalError> {
    let millis = time.as_nanos().div_ceil(1_000_000);
    i64::try_from(millis)
        .ok()
        .and_then(|millis| now.checked_add(millis))
        .ok_or(InternalError::Time)
}

/// Ends a lease. The fence is kept, because it's the newest until another lease is given.
pub(crate) fn release(
    sqlite: &Sqlite,
    key: &ConnectionKey,
    lease: RefreshLease,
) -> Result<(), InternalError> {
    let Ok(fence) = as_integer(lease.fence()) else {
        return Ok(());
    };
    sqlite
        .prepare_cached(
            "UPDATE connections SET leased_at = NULL, leased_until = NULL
             WHERE id = ?1 AND fence = ?2",
        )?
        .execute(params![key.as_str(), fence])?;
    Ok(())
}

pub(crate) fn commit(
    sqlite: &mut Sqlite,
    keys: &Keys,
    key: &ConnectionKey,
    read: CredentialVersion,
    lease: RefreshLease,
    update: &GrantUpdate,
) -> Result<Option<CredentialVersion>, InternalError> {
    let transaction = writing(sqlite)?;
    let (version, fence) = transaction
        .prepare_cached("SELECT version, fence FROM connections WHERE id = ?1")?
        .query_row([key.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?
        .ok_or(InternalError::NotFound)?;
    if as_integer(read.get()).ok() != Some(version) {
        return Ok(None);
    }
    let version = match update {
        GrantUpdate::Refreshed(connection) => {
            schema::prove(&transaction, keys)?;
            let version = next(&transaction)?;
            let sealed = keys.seal(key, CredentialVersion::new(version), connection)?;
            transaction
                .prepare_cached(
                    "UPDATE connections SET integration = ?2, version = ?3, key_id = ?4,
                     sealed = ?5, dead = 0, refreshed_at = ?6 WHERE id = ?1",
                )?
                .execute(params![
                    key.as_str(),
                    connection.integration(),
                    as_integer(version)?,
                    keys.current_id().as_bytes(),
                    sealed,
                    now()?
                ])?;
            CredentialVersion::new(version)
        }
        GrantUpdate::Revoked if fence.is_none() || fence != as_integer(lease.fence()).ok() => {
            return Ok(None);
        }
        GrantUpdate::Revoked => {
            transaction
                .prepare_cached("UPDATE connections SET dead = 1 WHERE id = ?1")?
                .execute([key.as_str()])?;
            read
        }
    };
    transaction.commit()?;
    Ok(Some(version))
}
