//! The file: where it is, who may read it, and how SQLite is told to treat it.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{Fault, SqliteStoreError};

/// How long a statement waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// What a connection to the file is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
}

/// The path that is meant: as it is, or after `sqlite://`.
///
/// It's made absolute: SQLite would take one that begins with `file:` for a URI, and an empty one
/// for a database that is gone when it's closed.
pub(super) fn path_of(place: &Path) -> Result<PathBuf, SqliteStoreError> {
    let invalid = SqliteStoreError::InvalidPath;
    let url = place
        .to_str()
        .and_then(|place| place.strip_prefix("sqlite:"));
    let path = match url.map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
        // What a URL would mean by these isn't what a path does.
        Some(path) if path.contains(['?', '#', '%']) => return Err(invalid),
        Some(path) => Path::new(path),
        None => place,
    };
    if path.as_os_str() == ":memory:" {
        return Err(invalid);
    }
    std::path::absolute(path).map_err(|_| invalid)
}

/// Makes an empty file that its owner alone may read, if there is none yet. SQLite gives the files
/// beside it (`-wal`, `-shm`) the same permissions.
pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Whether SQLite would take the file for an empty one, and overwrite it: less than its smallest
/// page is nothing to it.
pub(super) fn is_mistaken_for_empty(path: &Path) -> io::Result<bool> {
    Ok((1..512).contains(&std::fs::metadata(path)?.len()))
}

/// Opens the file, which is there.
pub(super) fn connect(path: &Path, access: Access) -> Result<Connection, Fault> {
    // Each connection is used by one thread at a time. One that reads needs to write too, as the
    // index of the log (`-shm`) is shared memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    for (name, value) in [
        // A commit is on the disk when it returns, also in the log.
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),
        ("checkpoint_fullfsync", "ON"),
        ("foreign_keys", "ON"),
        // What is deleted or replaced is overwritten.
        ("secure_delete", "ON"),
        ("temp_store", "MEMORY"),
        ("cell_size_check", "ON"),
        (
            "query_only",
            if access == Access::Read { "ON" } else { "OFF" },
        ),
    ] {
        // Some answer with the new value, some don't.
        connection
            .pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(error),
            })?;
    }
    Ok(connection)
}

/// Readers and one writer at once: a write-ahead log. It's a property of the file, and stays.
pub(super) fn use_log(connection: &Connection) -> Result<(), Fault> {
    let mode = |connection: &Connection| {
        connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
    };
    if mode(connection)? != "wal" {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    }
    if mode(connection)? == "wal" {
        connection.pragma_update_and_check(None, "journal_size_limit", LARGEST_LOG, |_| Ok(()))?;
        return Ok(());
    }
    let error = SqliteStoreError::Unavailable("its file system shares no memory".into());
    Err(Fault::Refused(error))
}

/// Moves the log into the file, and empties it. If somebody is in the way, it's as it was.
pub(super) fn settle(connection: &Connection) -> Result<(), Fault> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// What is left of the log after a checkpoint, in bytes.
const LARGEST_LOG: i64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_url() {
        let here = std::env::current_dir().unwrap_or_default();
        for (place, expected) in [
            ("connections.db", Some(here.join("connections.db"))),
            ("sqlite://connections.db", Some(here.join("connections.db"))),
            ("sqlite:connections.db", Some(here.join("connections.db"))),
            ("sqlite:///var/c.db", Some(PathBuf::from("/var/c.db"))),
            (
                "file:c.db?mode=memory",
                Some(here.join("file:c.db?mode=memory")),
            ),
            ("100%.db", Some(here.join("100%.db"))),
            ("sqlite://c.db?mode=ro", None),
            ("sqlite://c%20d.db", None),
            ("sqlite://:memory:", None),
            (":memory:", None),
            ("sqlite://", None),
            ("", None),
        ] {
            assert_eq!(path_of(Path::new(place)).ok(), expected, "{place}");
        }
    }
}
