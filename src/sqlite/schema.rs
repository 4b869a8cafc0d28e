//! The tables, how a file gets them, and which keys a file may be opened with.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::cipher::{self, KEY_CHECK};
use super::error::{Fault, SqliteStoreError};
use super::keys::{Key, Keys};

/// Says that a SQLite file is one of ours: `tpws` in ASCII.
const APPLICATION: i64 = 0x7470_7773;

/// What leads from each version of the tables to the next. Never changed, only added to.
///
/// Ids are compared by SQLite's `BINARY`, which is by bytes. A version and a fence are numbers of one
/// counter, so that none is given twice, also not to a connection that was removed and came back.
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

/// Brings the file's tables to the newest version, and judges the keys. It's one transaction, so
/// that of two processes that do it at once one waits for the other.
pub(super) fn prepare(connection: &mut Connection, keys: &Keys) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate(&transaction)?;
    judge(&transaction, keys)?;
    transaction.commit()?;
    Ok(())
}

/// The newest version of the tables.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// [`version`] of what the file is at one moment.
pub(super) fn look(connection: &mut Connection) -> Result<i64, Fault> {
    version(&*connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
}

/// The version of the file's tables, 0 if it's empty. Nothing is written for it: another program's
/// file stays as it is.
///
/// To be asked within a transaction: another process may be making the tables.
fn version(connection: &Connection) -> Result<i64, Fault> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) = (number("application_id")?, number("user_version")?);
    let is_empty = !connection
        .prepare("SELECT 1 FROM sqlite_schema")?
        .exists([])?;
    if application != APPLICATION && !(is_empty && application == 0 && found == 0) {
        let error = SqliteStoreError::NotAStore("it belongs to another program".into());
        return Err(Fault::Refused(error));
    }
    if found > KNOWN {
        let error = SqliteStoreError::NewerSchema {
            found,
            known: KNOWN,
        };
        return Err(Fault::Refused(error));
    }
    Ok(found)
}

fn migrate(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let found = version(transaction)?;
    let done = usize::try_from(found).map_err(|_| Fault::Unreadable)?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if found < KNOWN {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", KNOWN)?;
    }
    Ok(())
}

/// Each key that records are encrypted by has left a proof. All of these must be there, and one of
/// them at least: else a forgotten key would be found out by the first call that needs it, and a
/// wrong one would go unnoticed as long as it's only written with.
fn judge(transaction: &Transaction<'_>, keys: &Keys) -> Result<(), Fault> {
    let mut statement = transaction.prepare("SELECT id, proof FROM keys")?;
    let mut rows = statement.query([])?;
    let wrong = || Fault::Refused(SqliteStoreError::WrongKey);
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().map_err(|_| wrong())?;
        let proof = row.get_ref(1)?.as_blob().map_err(|_| wrong())?;
        let key = keys.find(id).ok_or_else(wrong)?;
        cipher::open(key, KEY_CHECK, proof).map_err(|_| wrong())?;
    }
    // Rows without a proof: the table of keys was tampered with.
    let unproven = "SELECT 1 FROM connections WHERE key_id NOT IN (SELECT id FROM keys) LIMIT 1";
    if transaction.prepare(unproven)?.exists([])? {
        return Err(wrong());
    }
    prove(transaction, keys.current())
}

/// Leaves the proof of a key that records are about to be encrypted by, unless it's there.
pub(super) fn prove(connection: &Connection, key: &Key) -> Result<(), Fault> {
    let known = connection
        .prepare_cached("SELECT 1 FROM keys WHERE id = ?1")?
        .query_row([&key.id], |_| Ok(()))
        .optional()?;
    if known.is_none() {
        let proof = cipher::seal(key, KEY_CHECK, 0, |_| ())?;
        connection.execute(
            "INSERT INTO keys (id, proof) VALUES (?1, ?2)",
            params![key.id, proof],
        )?;
    }
    Ok(())
}

/// Takes off the proofs of keys that no record needs any more. How many.
pub(super) fn forget_unused(connection: &Connection, current: &Key) -> Result<usize, Fault> {
    Ok(connection.execute(
        "DELETE FROM keys WHERE id <> ?1 AND id NOT IN (SELECT key_id FROM connections)",
        [&current.id],
    )?)
}
