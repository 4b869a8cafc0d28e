//! Connections in a PostgreSQL database, which other processes change as well.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough_postgres::{PostgresStore, PostgresStoreBuilder, PostgresStoreError};

use super::{OUTAGE_GRACE, OpenError, keys};
use crate::config::{Migrations, Password, Postgres};

/// An open database. Cloning increments a reference count.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(super) store: PostgresStore,
    /// The settings with which the database was opened.
    opened: Arc<Postgres>,
}

impl Database {
    /// Opens the database. Returns `previous` instead, if it was opened with the same settings.
    pub(super) async fn open(
        settings: Postgres,
        previous: Option<&Self>,
    ) -> Result<Self, OpenError> {
        if let Some(previous) = previous.filter(|previous| *previous.opened == settings) {
            return Ok(previous.clone());
        }
        let store = open(&settings).await?;
        let opened = Arc::new(settings);
        Ok(Self { store, opened })
    }

    /// Returns `true` if both are clones of the same open database.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.opened, &other.opened)
    }

    /// Returns the time for which calls are answered while the database can't be reached.
    pub(super) fn outage_grace(&self) -> Duration {
        self.opened.outage_grace.unwrap_or(OUTAGE_GRACE)
    }
}

/// Opens the database, and creates its tables if the config allows that.
pub(crate) async fn open(settings: &Postgres) -> Result<PostgresStore, OpenError> {
    let opened = builder(settings)?.open(&settings.url).await;
    opened.map_err(|error| failed(&error))
}

/// Checks that the database can be opened. Nothing is written.
pub(crate) async fn check(settings: &Postgres) -> Result<(), OpenError> {
    let checked = builder(settings)?.check(&settings.url).await;
    checked.map_err(|error| failed(&error))
}

/// Returns `true` if the database wasn't asked, because too many operations of this process wait for a connection.
pub(super) fn is_overloaded(error: &StoreError) -> bool {
    let StoreError::Unavailable(error) = error else {
        return false;
    };
    let error = error.downcast_ref::<PostgresStoreError>();
    matches!(error, Some(PostgresStoreError::Overloaded))
}

fn builder(settings: &Postgres) -> Result<PostgresStoreBuilder, OpenError> {
    let keys = keys(&settings.keys).ok_or_else(|| OpenError {
        what: "[store]: no key is set".to_owned(),
        is_configs: true,
    })?;
    let mut builder = PostgresStore::builder(keys).migrations(match settings.migrations {
        Migrations::Run => tower_passthrough_postgres::Migrations::Run,
        Migrations::Check => tower_passthrough_postgres::Migrations::Check,
    });
    builder = match &settings.password {
        Some(Password::Fixed(password)) => builder.password(password.clone()),
        Some(Password::File(path)) => builder.password_file(path),
        None => builder,
    };
    for pem in &settings.roots {
        builder = builder.root_pem(pem.clone());
    }
    if let Some(most) = settings.connections {
        builder = builder.connections(usize::try_from(most).unwrap_or(usize::MAX));
    }
    if let Some(entries) = settings.cache_entries {
        builder = builder.cache_entries(entries);
    }
    if let Some(bytes) = settings.cache_bytes {
        builder = builder.cache_bytes(bytes);
    }
    if let Some(time) = settings.staleness {
        builder = builder.staleness(time);
    }
    if let Some(time) = settings.outage_grace {
        builder = builder.outage_grace(time);
    }
    if let Some(time) = settings.statement_timeout {
        builder = builder.statement_timeout(time);
    }
    if let Some(name) = &settings.schema {
        builder = builder.schema(name);
    }
    Ok(builder)
}

fn failed(error: &PostgresStoreError) -> OpenError {
    let (what, is_configs) = match error {
        PostgresStoreError::WrongKey => (
            "its connections are encrypted with a key that is neither `key` nor in `keys`"
                .to_owned(),
            true,
        ),
        PostgresStoreError::OlderSchema { .. } => {
            (format!("{error}: `store migrate` does that"), false)
        }
        PostgresStoreError::InvalidUrl(_)
        | PostgresStoreError::InvalidSchema
        | PostgresStoreError::InvalidRoots
        | PostgresStoreError::Plaintext => (error.to_string(), true),
        _ => match error.source() {
            Some(cause) => (format!("{error}: {cause}"), false),
            None => (error.to_string(), false),
        },
    };
    OpenError {
        what: format!("[store]: {what}"),
        is_configs,
    }
}
