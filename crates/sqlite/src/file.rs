//! The file: its path, its permissions, and SQLite's settings for it.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{InternalError, SqliteStoreError};

/// The maximum time that a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The purpose of a connection to the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// Returns the path of a place, which is a path, or a URL of `sqlite://` and a path.
///
/// The path is made absolute, because SQLite would read a path that begins with `file:` as a URI, and an empty path as a temporary database
/// that is deleted when it's closed.
pub(crate) fn path_of(place: &Path) -> Result<PathBuf, SqliteStoreError> {
    let invalid = SqliteStoreError::InvalidPath;
    let url = place
        .to_str()
        .and_then(|place| place.strip_prefix("sqlite:"));
    let path = match url.map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
        // These characters have another meaning in a URL than in a path.
        Some(path) if path.contains(['?', '#', '%']) => return Err(invalid),
        Some(path) => Path::new(path),
        None => place,
    };
    if path.as_os_str() == ":memory:" {
        return Err(invalid);
    }
    std::path::absolute(path).map_err(|_| invalid)
}

/// Creates an empty file with permissions for only its owner, if there is no file yet. SQLite gives the files next to it (`-wal`, `-shm`)
/// the same permissions.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Returns `true` if SQLite would treat the file as empty, and overwrite it. That happens if the file is shorter than the smallest page.
pub(crate) fn is_mistaken_for_empty(path: &Path) -> io::Result<bool> {
    Ok((1..512).contains(&std::fs::metadata(path)?.len()))
}

/// Opens the file, which must exist.
pub(crate) fn connect(path: &Path, access: Access) -> Result<Connection, InternalError> {
    // Each connection is used by a single thread at a time. A reader needs to write too, because the index of the log (`-shm`) is shared
    // memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    for (name, value) in [
        // A commit is on the disk when it returns, also if it's still in the log.
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),
        ("checkpoint_fullfsync", "ON"),
        ("foreign_keys", "ON"),
        // Deleted and replaced data is overwritten.
        ("secure_delete", "ON"),
        ("temp_store", "MEMORY"),
        ("cell_size_check", "ON"),
        (
            "query_only",
            if access == Access::Read { "ON" } else { "OFF" },
        ),
    ] {
        // Some pragmas return the new value, and others return nothing.
        connection
            .pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(error),
            })?;
    }
    Ok(connection)
}

/// Opens the file, which must exist, so that neither the file nor its log is changed.
///
/// A file without a log isn't in use, and is opened as a file that doesn't change: SQLite would otherwise create a log and an index next to
/// it.
pub(crate) fn connect_to_check(path: &Path, has_log: bool) -> Result<Connection, InternalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match immutable(path).filter(|_| !has_log) {
        Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // The last connection to a file would otherwise move the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Returns `true` if the file has a log, which contains changes that aren't in the file yet, or is in use.
pub(crate) fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Returns the URI of a file that doesn't change while it's open, if its path can be written as a URI.
fn immutable(path: &Path) -> Option<String> {
    let path = path.to_str().filter(|_| cfg!(unix))?;
    let mut uri = String::from("file:");
    for char in path.chars() {
        match char {
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            '%' => uri.push_str("%25"),
            char => uri.push(char),
        }
    }
    uri.push_str("?immutable=1");
    Some(uri)
}

/// Switches the file to a write-ahead log, which allows readers and a writer at the same time. The setting is stored in the file.
pub(crate) fn use_log(connection: &Connection) -> Result<(), InternalError> {
    let mode = |connection: &Connection| {
        connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
    };
    if mode(connection)? != "wal" {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    }
    if mode(connection)? == "wal" {
        connection.pragma_update_and_check(None, "journal_size_limit", MAX_LOG_SIZE, |_| Ok(()))?;
        return Ok(());
    }
    let error = SqliteStoreError::Unavailable(
        "its file system doesn't support shared memory, which SQLite's write-ahead log needs"
            .into(),
    );
    Err(InternalError::Refused(error))
}

/// Moves the log into the file, and empties the log. Does nothing if another process holds a lock.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), InternalError> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// The maximum size of the log after a checkpoint, in bytes.
const MAX_LOG_SIZE: i64 = 16 << 20;

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
