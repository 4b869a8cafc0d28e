//! Connections in a SQLite file, which other processes change as well.

use std::sync::Arc;

use tower_passthrough_sqlite::{Keys, SqliteStore, SqliteStoreError};

use super::OpenError;
use crate::config::Sqlite;

/// An open file. Cloning increments a reference count.
#[derive(Clone, Debug)]
pub(crate) struct Persistent {
    pub(super) store: SqliteStore,
    /// The settings with which the file was opened.
    opened: Arc<Sqlite>,
}

impl Persistent {
    /// Opens the file. Returns `previous` instead, if it was opened with the same settings.
    pub(super) async fn open(sqlite: Sqlite, previous: Option<&Self>) -> Result<Self, OpenError> {
        if let Some(previous) = previous.filter(|previous| *previous.opened == sqlite) {
            return Ok(previous.clone());
        }
        let store = open(&sqlite).await?;
        let opened = Arc::new(sqlite);
        Ok(Self { store, opened })
    }
}

/// Opens the file if it exists, to check that it's a store and that its key is right. The file
/// isn't created.
pub(crate) async fn check(sqlite: &Sqlite) -> Result<(), OpenError> {
    let is_there = match std::fs::metadata(&sqlite.path) {
        Ok(file) => file.len() > 0,
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    if is_there {
        open(sqlite).await?;
    }
    Ok(())
}

/// Opens the file, or creates it.
pub(crate) async fn open(sqlite: &Sqlite) -> Result<SqliteStore, OpenError> {
    let wrong = |what: String, is_configs| OpenError {
        what: format!("[store]: {}: {what}", sqlite.path.display()),
        is_configs,
    };
    // The config has already checked each key, so the errors aren't reported here.
    let mut keys = sqlite.keys.iter();
    let keys = keys.next().and_then(|key| {
        let first = Keys::from_base64(key).ok()?;
        keys.try_fold(first, |all, key| all.and_base64(key).ok())
    });
    let keys = keys.ok_or_else(|| wrong("no key is set".to_owned(), true))?;
    let opened = SqliteStore::open(&sqlite.path, keys).await;
    opened.map_err(|error| match &error {
        SqliteStoreError::WrongKey => wrong(
            "its connections are encrypted with a key that is neither `key` nor in `old_keys`"
                .to_owned(),
            true,
        ),
        SqliteStoreError::InvalidPath => wrong(error.to_string(), true),
        _ => match std::error::Error::source(&error) {
            Some(cause) => wrong(format!("{error}: {cause}"), false),
            None => wrong(error.to_string(), false),
        },
    })
}
