//! Connections in a SQLite file, encrypted at rest: over restarts, crashes and several processes.
//!
//! ```no_run
//! use tower_passthrough::{Connection, Secret};
//! use tower_passthrough::sqlite::{Keys, SqliteStore};
//! use tower_passthrough::store::{ConnectionKey, ConnectionStore};
//!
//! # async fn open(key: Secret) -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("connections.db", Keys::from_base64(&key)?).await?;
//! let id = ConnectionKey::try_from("acme")?;
//! store.put(&id, &Connection::new("hubspot").with_secret("token", "s3cr3t")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Keys, rotation, backups and what isn't encrypted: `guides::sqlite`.
//!
//! What is committed is on the disk (`synchronous = FULL` in a write-ahead log). SQLite runs on
//! tokio's blocking threads: one connection writes, a few read. It comes bundled, by `rusqlite`:
//! `sqlx` would bring a runtime's worth of crates for the same C library, and a lock file with `rsa`
//! in it, which is banned here (RUSTSEC-2023-0071).

mod cache;
mod cipher;
mod contents;
mod error;
mod file;
mod keys;
mod lanes;
mod rotate;
mod rows;
mod schema;
mod store;
mod watch;

pub use self::error::SqliteStoreError;
pub use self::keys::{InvalidKey, Keys};
pub use self::rotate::KeyRotationReport;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::cache::Cache;
use self::error::Fault;
use self::file::Access;
use self::lanes::Lane;
use self::watch::Watch;

/// How long opening tries on while other processes are in the way.
const OPENING: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(20);
const READERS: usize = 4;

/// A [`ConnectionStore`](crate::store::ConnectionStore) in a SQLite file. Clones share its cache.
///
/// Several processes of one machine may use a file at once. It must be on a local file system: they
/// share memory beside it (`-shm`), and its locks.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    keys: Arc<Keys>,
    cache: Cache,
    watch: Watch,
    readers: Lane,
    writer: Lane,
}

/// Settings of a [`SqliteStore`].
#[derive(Debug)]
#[must_use]
pub struct SqliteStoreBuilder {
    keys: Keys,
    cache_entries: u64,
    staleness: Duration,
}

impl SqliteStoreBuilder {
    /// How many connections are kept in memory, decrypted: 10,000 unless set. One that isn't called
    /// for ten minutes goes before.
    pub const fn cache_entries(mut self, most: u64) -> Self {
        self.cache_entries = most;
        self
    }

    /// How long another process's change may go unseen: 1 second unless set. What this process
    /// changes counts at once, and a connection that is new is always seen.
    ///
    /// In that time the file is asked once whether anybody has written to it, which takes some
    /// microseconds; only if so, connections are read again as they're called.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Opens the file at that path, or after `sqlite://`. See [`SqliteStore::open`].
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub async fn open(self, place: impl AsRef<Path>) -> Result<SqliteStore, SqliteStoreError> {
        let path = Arc::new(file::path_of(place.as_ref())?);
        let keys = Arc::new(self.keys);
        let began = Instant::now();
        let opened = loop {
            let (path, keys) = (Arc::clone(&path), Arc::clone(&keys));
            let opening = tokio::task::spawn_blocking(move || Opened::new(&path, &keys));
            match opening.await.map_err(|_| Fault::Stopped)? {
                // Not every lock can be waited for within SQLite.
                Err(fault) if fault.is_busy() && began.elapsed() < OPENING => {
                    tokio::time::sleep(RETRY).await;
                }
                result => break result?,
            }
        };
        Ok(SqliteStore(Arc::new(Shared {
            keys,
            cache: Cache::new(self.cache_entries),
            watch: Watch::new(opened.watch, self.staleness)?,
            readers: Lane::new(opened.readers),
            writer: Lane::new(vec![opened.writer]),
        })))
    }
}

struct Opened {
    writer: rusqlite::Connection,
    readers: Vec<rusqlite::Connection>,
    watch: rusqlite::Connection,
}

impl Opened {
    fn new(path: &Path, keys: &Keys) -> Result<Self, Fault> {
        let is_mistaken = file::create(path)
            .and_then(|()| file::is_mistaken_for_empty(path))
            .map_err(|error| Fault::Refused(SqliteStoreError::Unavailable(error.into())))?;
        if is_mistaken {
            let error = SqliteStoreError::NotAStore("it's shorter than any database".into());
            return Err(Fault::Refused(error));
        }
        let mut writer = file::connect(path, Access::Write)?;
        schema::look(&mut writer)?;
        file::use_log(&writer)?;
        schema::prepare(&mut writer, keys)?;
        let reader = || file::connect(path, Access::Read);
        let readers = std::iter::repeat_with(reader).take(READERS);
        let readers = readers.collect::<Result<_, _>>()?;
        let mut watch = reader()?;
        // The first reading of the log's index is done here.
        schema::look(&mut watch)?;
        Ok(Self {
            writer,
            readers,
            watch,
        })
    }
}

impl SqliteStore {
    /// Opens the file at that path, or after `sqlite://`, with the settings as they are. What isn't
    /// there is made, for its owner alone to read; tables of an older version are brought up to
    /// date.
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError`]: above all [`WrongKey`](SqliteStoreError::WrongKey), if `keys` aren't
    /// those that the file's records are encrypted by, all of them. A file of a newer version or of
    /// another program is left as it is.
    pub async fn open(place: impl AsRef<Path>, keys: Keys) -> Result<Self, SqliteStoreError> {
        Self::builder(keys).open(place).await
    }

    /// Settings that aren't the usual ones.
    pub const fn builder(keys: Keys) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            keys,
            cache_entries: 10_000,
            staleness: Duration::from_secs(1),
        }
    }

    /// Encrypts all records anew that were encrypted by other keys than the current one, while this
    /// process and others read and write. Versions stay as they are. One that was stopped is taken
    /// up where it was by the next.
    ///
    /// After it, the file opens without the other keys, unless another process still writes with one
    /// of them or some records are [`unreadable`](KeyRotationReport::unreadable).
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError::Unavailable`] if the file can't be used; what was done until then stays.
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

    /// Moves what was written into the file itself, out of SQLite's log beside it. That happens now
    /// and then, and when the last process closes the file; await this before one ends that may not
    /// close it in order, and before the file is copied.
    ///
    /// # Errors
    ///
    /// [`SqliteStoreError::Unavailable`] if the file can't be used. Nothing is lost by that.
    pub async fn checkpoint(&self) -> Result<(), SqliteStoreError> {
        let settle = |sqlite: &mut rusqlite::Connection| file::settle(sqlite);
        Ok(self.0.writer.run(settle).await?)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
