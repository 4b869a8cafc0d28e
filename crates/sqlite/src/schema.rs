//! The tables, their migrations, and the check of the keys that a file is opened with.
//!
//! Rules: `docs/rules/security.md#7-refresh-and-rotation`.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tower_passthrough::durable::{KeyId, Keys};

use crate::error::{InternalError, SqliteStoreError};

/// Marks a SQLite file as a store: `tpws` in ASCII.
const APPLICATION: i64 = 0x7470_7773;

/// The steps from each version of the tables to the next. A step is never changed, and new steps are added at the end.
///
/// Keys are compared by SQLite's `BINARY`, which is by bytes. Versions and fences come from the same counter, so no number is used twice,
/// not even for a connection that was removed and put again.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE counter (
        one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
        newest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO counter VALUES (1, 0);
    CREATE TABLE keys (
        id BLOB NOT NULL PRIMARY KEY,
        proof BLOB NOT NULL
    ) STRICT;
    CREATE TABLE connections (
        id TEXT NOT NULL COLLATE BINARY PRIMARY KEY,
        integration TEXT NOT NULL,
        version INTEGER NOT NULL,
        dead INTEGER NOT NULL DEFAULT 0,
        refreshed_at INTEGER,
        fence INTEGER,
        leased_at INTEGER,
        leased_until INTEGER,
        key_id BLOB NOT NULL REFERENCES keys (id),
        sealed BLOB NOT NULL
    ) STRICT;
"];

/// Updates the file's tables to the newest version, and checks the keys, in a single transaction. If two processes do that at the same
/// time, the second waits for the first.
pub(crate) fn prepare(connection: &mut Connection, keys: &Keys) -> Result<(), InternalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate(&transaction)?;
    check_keys(&transaction, keys)?;
    transaction.commit()?;
    Ok(())
}

/// The newest version of the tables that this crate knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Returns the [`version`] in a separate transaction.
pub(crate) fn look(connection: &mut Connection) -> Result<i64, InternalError> {
    version(&*connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
}

/// Returns the version of the file's tables, or 0 if the file is empty. Nothing is written, so the file of another program isn't changed.
///
/// Call it in a transaction, because another process may be creating the tables.
fn version(connection: &Connection) -> Result<i64, InternalError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) = (number("application_id")?, number("user_version")?);
    let is_empty = !connection
        .prepare("SELECT 1 FROM sqlite_schema")?
        .exists([])?;
    if application != APPLICATION && !(is_empty && application == 0 && found == 0) {
        let error = SqliteStoreError::NotAStore("it belongs to another program".into());
        return Err(InternalError::Refused(error));
    }
    if found > KNOWN {
        let error = SqliteStoreError::NewerSchema {
            found,
            known: KNOWN,
        };
        return Err(InternalError::Refused(error));
    }
    Ok(found)
}

fn migrate(transaction: &Transaction<'_>) -> Result<(), InternalError> {
    let found = version(transaction)?;
    let done = usize::try_from(found).map_err(|_| InternalError::Unreadable)?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if found < KNOWN {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", KNOWN)?;
    }
    Ok(())
}

/// Checks the file without changing it: that it's a store of a version that this crate knows, and that its records can be decrypted with
/// the keys.
pub(crate) fn check(connection: &mut Connection, keys: &Keys) -> Result<(), InternalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    match version(&transaction)? {
        0 => Ok(()),
        _ => check_keys(&transaction, keys),
    }
}

/// Checks the proofs of all keys that encrypt records. Without the check, a missing key would only be found by the first call that needs
/// it, and a wrong key would only be found by the first read.
fn check_keys(transaction: &Transaction<'_>, keys: &Keys) -> Result<(), InternalError> {
    let mut statement = transaction.prepare("SELECT id, proof FROM keys")?;
    let mut rows = statement.query([])?;
    let wrong = || InternalError::Refused(SqliteStoreError::WrongKey);
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().map_err(|_| wrong())?;
        let proof = row.get_ref(1)?.as_blob().map_err(|_| wrong())?;
        keys.check_proof(id, proof).map_err(|_| wrong())?;
    }
    // Rows with a key that has no proof, which means that the table of keys was tampered with.
    let unproven = "SELECT 1 FROM connections WHERE key_id NOT IN (SELECT id FROM keys) LIMIT 1";
    if transaction.prepare(unproven)?.exists([])? {
        return Err(wrong());
    }
    Ok(())
}

/// Stores the proof of the current key, unless it's already stored. Call it before a record is sealed.
pub(crate) fn prove(connection: &Connection, keys: &Keys) -> Result<(), InternalError> {
    let id = keys.current_id();
    let known = connection
        .prepare_cached("SELECT 1 FROM keys WHERE id = ?1")?
        .query_row([id.as_bytes()], |_| Ok(()))
        .optional()?;
    if known.is_none() {
        connection.execute(
            "INSERT INTO keys (id, proof) VALUES (?1, ?2)",
            params![id.as_bytes(), keys.proof()?],
        )?;
    }
    Ok(())
}

/// Removes the proofs of keys that no record needs any more. Returns their number.
pub(crate) fn forget_unused(
    connection: &Connection,
    current: KeyId,
) -> Result<usize, InternalError> {
    Ok(connection.execute(
        "DELETE FROM keys WHERE id <> ?1 AND id NOT IN (SELECT key_id FROM connections)",
        [current.as_bytes()],
    )?)
}
