//! Connections in Redis or Valkey, which other processes change as well.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough_redis::{RedisStore, RedisStoreBuilder, RedisStoreError};

use super::{OUTAGE_GRACE, OpenError, counted, keys};
use crate::config::{Durability, Password, Redis};

/// An open store on a server. Cloning increments a reference count.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(super) store: RedisStore,
    /// The settings with which the store was opened.
    opened: Arc<Redis>,
    /// Locked while the writes are checked.
    checking: Arc<tokio::sync::Mutex<()>>,
}

impl Server {
    /// Opens the store. Returns `previous` instead, if it was opened with the same settings.
    pub(super) async fn open(settings: Redis, previous: Option<&Self>) -> Result<Self, OpenError> {
        if let Some(previous) = previous.filter(|previous| *previous.opened == settings) {
            return Ok(previous.clone());
        }
        let store = open(&settings).await?;
        let opened = Arc::new(settings);
        Ok(Self {
            store,
            opened,
            checking: Arc::default(),
        })
    }

    /// Returns `true` if both are clones of the same open store.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.opened, &other.opened)
    }

    /// Checks in the background if writes are refused, logs and counts the result. A check that hasn't ended isn't begun a second time.
    pub(super) fn check_writes(&self) {
        let Ok(checking) = Arc::clone(&self.checking).try_lock_owned() else {
            return;
        };
        let store = self.store.clone();
        tokio::spawn(async move {
            let writes = store.check_writes().await;
            let _ = counted("check_writes", writes.map_err(StoreError::unavailable));
            drop(checking);
        });
    }

    /// Returns the time for which calls are answered while the server can't be reached.
    pub(super) fn outage_grace(&self) -> Duration {
        self.opened.outage_grace.unwrap_or(OUTAGE_GRACE)
    }
}

/// Opens the store, and checks the server's durability.
pub(crate) async fn open(settings: &Redis) -> Result<RedisStore, OpenError> {
    let opened = builder(settings)?.open(&settings.url).await;
    opened.map_err(|error| failed(&error))
}

/// Checks that the store can be opened. Nothing is written.
pub(crate) async fn check(settings: &Redis) -> Result<(), OpenError> {
    let checked = builder(settings)?.check(&settings.url).await;
    checked.map_err(|error| failed(&error))
}

fn builder(settings: &Redis) -> Result<RedisStoreBuilder, OpenError> {
    let keys = keys(&settings.keys).ok_or_else(|| OpenError {
        what: "[store]: no key is set".to_owned(),
        is_configs: true,
    })?;
    let builder = RedisStore::builder(keys);
    let mut builder = match settings.durability {
        Durability::Aof => builder,
        Durability::External => builder.durability(tower_passthrough_redis::Durability::External),
        Durability::None => builder.dangerous().volatile(),
    };
    builder = match &settings.password {
        Some(Password::Fixed(password)) => builder.password(password.clone()),
        Some(Password::File(path)) => builder.password_file(path),
        None => builder,
    };
    for pem in &settings.roots {
        builder = builder.root_pem(pem.clone());
    }
    if let Some(bytes) = settings.cache_bytes {
        builder = builder.cache_bytes(bytes);
    }
    if let Some(entries) = settings.cache_entries {
        builder = builder.cache_entries(entries);
    }
    if let Some(time) = settings.staleness {
        builder = builder.staleness(time);
    }
    if let Some(time) = settings.outage_grace {
        builder = builder.outage_grace(time);
    }
    if let Some(count) = settings.replicas {
        builder = builder.replicas(usize::try_from(count).unwrap_or(usize::MAX));
    }
    if let Some(prefix) = &settings.prefix {
        builder = builder.prefix(prefix);
    }
    Ok(builder)
}

fn failed(error: &RedisStoreError) -> OpenError {
    let (what, is_configs) = match error {
        RedisStoreError::WrongKey => (
            "its connections are encrypted with a key that is neither `key` nor in `keys`"
                .to_owned(),
            true,
        ),
        RedisStoreError::NotDurable(_) => (
            format!("{error} (`durability` says if the gateway checks that)"),
            false,
        ),
        RedisStoreError::InvalidUrl(_)
        | RedisStoreError::InvalidPrefix
        | RedisStoreError::InvalidRoots
        | RedisStoreError::Plaintext => (error.to_string(), true),
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
