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

    /// Returns `true` if both are clones of the same open file.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.opened, &other.opened)
    }
}

/// Checks that the file, if it exists, is a store and that its key is right. Nothing is written.
pub(crate) async fn check(sqlite: &Sqlite) -> Result<(), OpenError> {
    let checked = SqliteStore::check(&sqlite.path, keys(sqlite)?).await;
    checked.map_err(|error| failed(sqlite, &error))
}

/// Opens the file, or creates it.
pub(crate) async fn open(sqlite: &Sqlite) -> Result<SqliteStore, OpenError> {
    let mut builder = SqliteStore::builder(keys(sqlite)?);
    if let Some(entries) = sqlite.cache_entries {
        builder = builder.cache_entries(entries);
    }
    if let Some(bytes) = sqlite.cache_bytes {
        builder = builder.cache_bytes(bytes);
    }
    if let Some(time) = sqlite.staleness {
        builder = builder.staleness(time);
    }
    let opened = builder.open(&sqlite.path).await;
    opened.map_err(|error| failed(sqlite, &error))
}

fn wrong(sqlite: &Sqlite, what: &str, is_configs: bool) -> OpenError {
    OpenError {
        what: format!("[store]: {}: {what}", sqlite.path.display()),
        is_configs,
    }
}

fn keys(sqlite: &Sqlite) -> Result<Keys, OpenError> {
    super::keys(&sqlite.keys).ok_or_else(|| wrong(sqlite, "no key is set", true))
}

fn failed(sqlite: &Sqlite, error: &SqliteStoreError) -> OpenError {
    match error {
        SqliteStoreError::WrongKey => wrong(
            sqlite,
            "its connections are encrypted with a key that is neither `key` nor in `keys`",
            true,
        ),
        SqliteStoreError::InvalidPath => wrong(sqlite, &error.to_string(), true),
        _ => match std::error::Error::source(error) {
            Some(cause) => wrong(sqlite, &format!("{error}: {cause}"), false),
            None => wrong(sqlite, &error.to_string(), false),
        },
    }
}
