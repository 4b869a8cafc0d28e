#![doc = include_str!("docs.md")]

mod changes;
mod error;
mod file;
mod pool;
mod rotate;
mod rows;
mod schema;
mod store;

pub use tower_passthrough::durable::{CacheStatus, InvalidKey, KeyRotationReport, Keys};

pub use self::error::SqliteStoreError;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::durable::ConnectionCache;

use self::changes::DataVersion;
use self::error::InternalError;
use self::file::Access;
use self::pool::ConnectionPool;

/// The maximum time for which opening is tried again while other processes hold locks.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
const READERS: usize = 4;

/// A [`ConnectionStore`](tower_passthrough::store::ConnectionStore) in a SQLite file. Cloning increments a reference count; clones
/// share their cache.
///
/// Several processes on a machine may use a file at the same time. The file must be on a local file system, because the processes
/// share locks, and the memory of a file next to it (`-shm`).
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    keys: Arc<Keys>,
    cache: ConnectionCache<DataVersion>,
    readers: ConnectionPool,
    writer: ConnectionPool,
}

/// Builds a [`SqliteStore`].
#[derive(Debug)]
#[must_use]
pub struct SqliteStoreBuilder {
    keys: Keys,
    cache_entries: u64,
    cache_bytes: u64,
    staleness: Duration,
}

impl SqliteStoreBuilder {
    /// Sets the maximum number of decrypted connections in memory, in addition to [`cache_bytes`](Self::cache_bytes).
    ///
    /// A connection that isn't called for 10 minutes is removed earlier. `0` turns caching off.
    ///
    /// Default: no limit.
    pub const fn cache_entries(mut self, most: u64) -> Self {
        self.cache_entries = most;
        self
    }

    /// Sets the maximum memory of decrypted connections, in bytes, as far as it can be estimated.
    ///
    /// A connection with a short token takes about 1 KiB, and a connection with tokens of 2 KiB about 6 KiB. `0` turns caching off.
    ///
    /// Default: 64 MiB.
    pub const fn cache_bytes(mut self, most: u64) -> Self {
        self.cache_bytes = most;
        self
    }

    /// Sets the maximum time for which a change by another process may not be visible yet.
    ///
    /// A change by this process is visible at once, and a new connection is always found. The store checks at most once in that time
    /// if the file has been written to, which takes some microseconds. Only then are connections read again when they're called. If
    /// the time is zero, the store checks for each call.
    ///
    /// Default: 1 s.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Opens the file at that path, or at a URL that consists of `sqlite://` and a path. See [`SqliteStore::open`].
    ///
    /// # Errors
    ///
    /// The same errors as [`SqliteStore::open`].
    ///
    /// # Cancel safety
    ///
    /// The same as for [`SqliteStore::open`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(self, place: impl AsRef<Path>) -> Result<SqliteStore, SqliteStoreError> {
        let path = Arc::new(file::path_of(place.as_ref())?);
        let keys = Arc::new(self.keys);
        let began = Instant::now();
        let opened = loop {
            let (path, keys) = (Arc::clone(&path), Arc::clone(&keys));
            let opening = tokio::task::spawn_blocking(move || Opened::new(&path, &keys));
            match opening.await.map_err(|_| InternalError::Stopped)? {
                // SQLite itself can't wait for every lock.
                Err(error) if error.is_busy() && began.elapsed() < OPEN_TIMEOUT => {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => break result?,
            }
        };
        let cache = ConnectionCache::builder(DataVersion::new(opened.watch))
            .max_entries(self.cache_entries)
            .max_bytes(self.cache_bytes)
            .staleness(self.staleness);
        Ok(SqliteStore(Arc::new(Shared {
            keys,
            cache: cache.build(),
            readers: ConnectionPool::new(opened.readers),
            writer: ConnectionPool::new(vec![opened.writer]),
        })))
    }
}

struct Opened {
    writer: rusqlite::Connection,
    readers: Vec<rusqlite::Connection>,
    watch: rusqlite::Connection,
}

/// Refuses a file that SQLite would treat as empty.
fn refuse_mistaken(is_mistaken: std::io::Result<bool>) -> Result<(), InternalError> {
    let refused = |error| Err(InternalError::Refused(error));
    match is_mistaken {
        Ok(false) => Ok(()),
        Ok(true) => refused(SqliteStoreError::NotAStore(
            "it's shorter than a database can be".into(),
        )),
        Err(error) => refused(SqliteStoreError::Unavailable(error.into())),
    }
}

fn check(path: &Path, keys: &Keys, has_log: bool) -> Result<(), InternalError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Ok(file) if file.len() == 0 && !has_log => return Ok(()),
        _ => refuse_mistaken(file::is_mistaken_for_empty(path))?,
    }
    schema::check(&mut file::connect_to_check(path, has_log)?, keys)
}

impl Opened {
    fn new(path: &Path, keys: &Keys) -> Result<Self, InternalError> {
        refuse_mistaken(file::create(path).and_then(|()| file::is_mistaken_for_empty(path)))?;
        let mut writer = file::connect(path, Access::Write)?;
        schema::look(&mut writer)?;
        file::use_log(&writer)?;
        schema::prepare(&mut writer, keys)?;
        let reader = || file::connect(path, Access::Read);
        let readers = std::iter::repeat_with(reader).take(READERS);
        let readers = readers.collect::<Result<_, _>>()?;
        let mut watch = reader()?;
        // The log's index is read for the first time here, and not by the first call.
        schema::look(&mut watch)?;
        Ok(Self {
            writer,
            readers,
            watch,
        })
    }
}

impl SqliteStore {
    /// Opens the file at that path, or at a URL that consists of `sqlite://` and a path, with the default settings.
    ///
    /// If there is no file, it is created with permissions only for its owner. Tables of an older version are migrated. A
    /// new key is noted with the first record that it seals, and the file can't be opened without it from then on.
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError`], in particular [`WrongKey`](SqliteStoreError::WrongKey) if `keys` lack a key that is recorded in the file. A
    /// file of a newer version or of another program isn't changed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future doesn't interrupt work on the file that has begun, so the file may be created or migrated nevertheless.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(place: impl AsRef<Path>, keys: Keys) -> Result<Self, SqliteStoreError> {
        Self::builder(keys).open(place).await
    }

    /// Checks that the file can be opened with these keys, and changes nothing: tables of an older version aren't migrated, no key is
    /// noted, and no file is created. If there is no file yet, or if it's empty, there is nothing to check.
    ///
    /// The file may be in use meanwhile.
    ///
    /// # Errors
    ///
    /// The same errors as [`open`](Self::open), as far as reading can find them.
    pub async fn check(place: impl AsRef<Path>, keys: Keys) -> Result<(), SqliteStoreError> {
        let path = Arc::new(file::path_of(place.as_ref())?);
        let keys = Arc::new(keys);
        let began = Instant::now();
        loop {
            let (path, keys) = (Arc::clone(&path), Arc::clone(&keys));
            let checking = tokio::task::spawn_blocking(move || {
                let had_log = file::has_log(&path);
                let checked = check(&path, &keys, had_log);
                // While another process opens or closes the file, its log appears or disappears.
                (checked, had_log != file::has_log(&path))
            });
            let (checked, is_unsteady) = checking.await.map_err(|_| InternalError::Stopped)?;
            match checked {
                Err(error)
                    if (is_unsteady || error.is_busy()) && began.elapsed() < OPEN_TIMEOUT =>
                {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                checked => return Ok(checked?),
            }
        }
    }

    /// Returns a builder, to change the settings.
    pub const fn builder(keys: Keys) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            keys,
            cache_entries: u64::MAX,
            cache_bytes: 64 << 20,
            staleness: Duration::from_secs(1),
        }
    }

    /// Returns the state of the connections in memory, for metrics.
    #[must_use]
    pub fn cache_status(&self) -> CacheStatus {
        self.0.cache.status()
    }

    /// Encrypts all records of other keys again with the current key, while this process and other processes read and write.
    ///
    /// Versions don't change. If the operation is stopped, the next call skips the records that are already encrypted again. After it, the
    /// file can be opened without the other keys, unless another process still writes with another key or some records are
    /// [`unreadable`](KeyRotationReport::unreadable).
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError::Unavailable`] if the file can't be used. The records that were already encrypted again are retained.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the operation after the current batch.
    pub async fn reencrypt(&self) -> Result<KeyRotationReport, SqliteStoreError> {
        let mut done = KeyRotationReport::default();
        let mut after = String::new();
        loop {
            let keys = Arc::clone(&self.0.keys);
            let batch = move |sqlite: &mut rusqlite::Connection| {
                let last = rotate::batch(sqlite, &keys, &after, &mut done)?;
                Ok((last, done))
            };
            let (last, so_far) = self.0.writer.run(batch).await?;
            done = so_far;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        let keys = Arc::clone(&self.0.keys);
        let finish = move |sqlite: &mut rusqlite::Connection| rotate::finish(sqlite, &keys);
        done.keys = self.0.writer.run(finish).await?;
        Ok(done)
    }

    /// Moves the data in SQLite's log, next to the file, into the file itself.
    ///
    /// SQLite does this from time to time, and when the last process closes the file. Await it before a process ends that may not
    /// close the file properly, and before the file is copied.
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError::Unavailable`] if the file can't be used. No data is lost by that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future doesn't interrupt a checkpoint that has begun.
    pub async fn checkpoint(&self) -> Result<(), SqliteStoreError> {
        let checkpoint = |sqlite: &mut rusqlite::Connection| file::checkpoint(sqlite);
        Ok(self.0.writer.run(checkpoint).await?)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
mod readme {}
