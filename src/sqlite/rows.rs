//! Each operation of the store as SQL, in a transaction where it writes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{
    Connection as Sqlite, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};

use super::cipher::{self, CONNECTION, Place};
use super::contents;
use super::error::Fault;
use super::keys::{Key, Keys};
use super::schema;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease, StoredConnection,
};

/// How far a clock may be set back without ending leases: else one that was set back by an hour would
/// make each lease an hour longer.
const DRIFT: i64 = 10_000;

/// What a reader knows of a connection by then.
pub(super) struct Known {
    pub(super) version: CredentialVersion,
    pub(super) connection: Connection,
}

/// The connection as it's stored, and its version. What is `known` isn't decrypted again, if it's
/// the newest.
pub(super) fn look_up(
    sqlite: &Sqlite,
    keys: &Keys,
    id: &ConnectionKey,
    known: Option<Known>,
) -> Result<Known, Fault> {
    let mut statement = sqlite.prepare_cached(
        "SELECT integration, version, key_id, sealed FROM connections WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows.next()?.ok_or(Fault::NotFound)?;
    let version = version_of(row)?;
    match known {
        Some(known) if known.version == version => Ok(known),
        _ => Ok(Known {
            connection: opened(row, keys, id)?,
            version,
        }),
    }
}

pub(super) fn read(
    sqlite: &Sqlite,
    keys: &Keys,
    id: &ConnectionKey,
) -> Result<StoredConnection, Fault> {
    let mut statement = sqlite.prepare_cached(
        "SELECT integration, version, key_id, sealed, dead, refreshed_at FROM connections
         WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let row = rows.next()?.ok_or(Fault::NotFound)?;
    let record = StoredConnection::new(opened(row, keys, id)?, version_of(row)?);
    let record = record.state(state(row.get(4)?));
    let Some(refreshed_at) = row.get::<_, Option<i64>>(5)? else {
        return Ok(record);
    };
    let after = u64::try_from(refreshed_at).map_err(|_| Fault::Unreadable)?;
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(after));
    Ok(record.refreshed_at(at.ok_or(Fault::Unreadable)?))
}

fn version_of(row: &Row<'_>) -> Result<CredentialVersion, Fault> {
    let version = row.get::<_, i64>(1)?;
    Ok(CredentialVersion::new(
        u64::try_from(version).map_err(|_| Fault::Unreadable)?,
    ))
}

const fn state(dead: bool) -> GrantState {
    if dead {
        GrantState::Revoked
    } else {
        GrantState::Active
    }
}

/// Decrypts a row's connection: `integration, version, key_id, sealed`.
fn opened(row: &Row<'_>, keys: &Keys, id: &ConnectionKey) -> Result<Connection, Fault> {
    let integration: &str = row.get_ref(0)?.as_str().map_err(|_| Fault::Unreadable)?;
    let key_id = row.get_ref(2)?.as_blob().map_err(|_| Fault::Unreadable)?;
    let sealed = row.get_ref(3)?.as_blob().map_err(|_| Fault::Unreadable)?;
    let key = keys.find(key_id).ok_or(Fault::Unreadable)?;
    let place = Place {
        field: CONNECTION,
        id: id.as_str(),
        integration,
        version: version_of(row)?.get(),
    };
    contents::read(integration, &cipher::open(key, place, sealed)?)
}

/// Encrypts a connection for a row.
pub(super) fn sealed(
    key: &Key,
    id: &ConnectionKey,
    version: CredentialVersion,
    connection: &Connection,
) -> Result<Vec<u8>, Fault> {
    let place = Place {
        field: CONNECTION,
        id: id.as_str(),
        integration: connection.integration(),
        version: version.get(),
    };
    cipher::seal(key, place, contents::length(connection), |buffer| {
        contents::write(connection, buffer);
    })
}

pub(super) fn writing(sqlite: &mut Sqlite) -> Result<Transaction<'_>, Fault> {
    Ok(sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// A number that was never given before.
fn next(transaction: &Transaction<'_>) -> Result<u64, Fault> {
    let next: i64 = transaction
        .prepare_cached("UPDATE counter SET newest = newest + 1 RETURNING newest")?
        .query_row([], |row| row.get(0))?;
    u64::try_from(next).map_err(|_| Fault::Unreadable)
}

fn as_integer(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::NotFound)
}

/// The machine's clock, in milliseconds: the processes that share a file share it, too.
fn now() -> Result<i64, Fault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.map_err(|_| Fault::Time)?.as_millis()).map_err(|_| Fault::Time)
}

pub(super) fn put(
    sqlite: &mut Sqlite,
    keys: &Keys,
    id: &ConnectionKey,
    connection: &Connection,
) -> Result<CredentialVersion, Fault> {
    let transaction = writing(sqlite)?;
    let key = keys.current();
    schema::prove(&transaction, key)?;
    let version = next(&transaction)?;
    let sealed = sealed(key, id, CredentialVersion::new(version), connection)?;
    transaction
        .prepare_cached(
            "INSERT INTO connections (id, integration, version, key_id, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET integration = ?2, version = ?3, key_id = ?4,
             sealed = ?5, dead = 0, refreshed_at = NULL, fence = NULL, leased_at = NULL,
             leased_until = NULL",
        )?
        .execute(params![
            id.as_str(),
            connection.integration(),
            as_integer(version)?,
            key.id,
            sealed
        ])?;
    transaction.commit()?;
    Ok(CredentialVersion::new(version))
}

pub(super) fn remove(sqlite: &Sqlite, id: &ConnectionKey) -> Result<bool, Fault> {
    let removed = sqlite
        .prepare_cached("DELETE FROM connections WHERE id = ?1")?
        .execute([id.as_str()])?;
    Ok(removed > 0)
}

pub(super) fn list(
    sqlite: &Sqlite,
    after: Option<&ConnectionKey>,
    limit: usize,
) -> Result<Vec<ConnectionSummary>, Fault> {
    // No id is empty: each comes after that.
    let after = after.map_or("", ConnectionKey::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = sqlite.prepare_cached(
        "SELECT id, integration, dead FROM connections WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_str().map_err(|_| Fault::Unreadable)?;
        let id = ConnectionKey::try_from(id).map_err(|_| Fault::Unreadable)?;
        // One damaged row mustn't hide the others: it's to be found and removed.
        let integration = row.get_ref(1)?.as_bytes().map_err(|_| Fault::Unreadable)?;
        let integration = String::from_utf8_lossy(integration);
        listed.push(ConnectionSummary::new(
            id,
            &*integration,
            state(row.get(2)?),
        ));
    }
    Ok(listed)
}

pub(super) fn lease(
    sqlite: &mut Sqlite,
    id: &ConnectionKey,
    time: Duration,
) -> Result<Option<RefreshLease>, Fault> {
    let transaction = writing(sqlite)?;
    // After the lock was got: waiting for it may have taken seconds.
    let now = now()?;
    let held = transaction
        .prepare_cached("SELECT leased_at, leased_until FROM connections WHERE id = ?1")?
        .query_row([id.as_str()], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?
        .ok_or(Fault::NotFound)?;
    if let (Some(from), Some(until)) = held {
        if now < until && from.saturating_sub(DRIFT) <= now {
            return Ok(None);
        }
    }
    let millis = time.as_nanos().div_ceil(1_000_000);
    let until = i64::try_from(millis)
        .ok()
        .and_then(|millis| now.checked_add(millis))
        .ok_or(Fault::Time)?;
    let fence = next(&transaction)?;
    transaction
        .prepare_cached(
            "UPDATE connections SET fence = ?2, leased_at = ?3, leased_until = ?4 WHERE id = ?1",
        )?
        .execute(params![id.as_str(), as_integer(fence)?, now, until])?;
    transaction.commit()?;
    Ok(Some(RefreshLease::new(fence)))
}

/// The fence stays: as long as nobody else has taken a lease, it's the newest.
pub(super) fn release(
    sqlite: &Sqlite,
    id: &ConnectionKey,
    lease: RefreshLease,
) -> Result<(), Fault> {
    let Ok(fence) = as_integer(lease.fence()) else {
        return Ok(());
    };
    sqlite
        .prepare_cached(
            "UPDATE connections SET leased_at = NULL, leased_until = NULL
             WHERE id = ?1 AND fence = ?2",
        )?
        .execute(params![id.as_str(), fence])?;
    Ok(())
}

pub(super) fn commit(
    sqlite: &mut Sqlite,
    keys: &Keys,
    id: &ConnectionKey,
    read: CredentialVersion,
    lease: RefreshLease,
    renewal: &GrantUpdate,
) -> Result<Option<CredentialVersion>, Fault> {
    let transaction = writing(sqlite)?;
    let (version, fence) = transaction
        .prepare_cached("SELECT version, fence FROM connections WHERE id = ?1")?
        .query_row([id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?
        .ok_or(Fault::NotFound)?;
    if as_integer(read.get()).ok() != Some(version) {
        return Ok(None);
    }
    let version = match renewal {
        GrantUpdate::Refreshed(connection) => {
            let key = keys.current();
            schema::prove(&transaction, key)?;
            let version = next(&transaction)?;
            let sealed = sealed(key, id, CredentialVersion::new(version), connection)?;
            transaction
                .prepare_cached(
                    "UPDATE connections SET integration = ?2, version = ?3, key_id = ?4,
                     sealed = ?5, dead = 0, refreshed_at = ?6 WHERE id = ?1",
                )?
                .execute(params![
                    id.as_str(),
                    connection.integration(),
                    as_integer(version)?,
                    key.id,
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
                .execute([id.as_str()])?;
            read
        }
    };
    transaction.commit()?;
    Ok(Some(version))
}
