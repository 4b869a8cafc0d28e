//! Decrypted connections in memory, so that a call doesn't query the database. Callers that need the same connection at the same time share
//! a single read.
//!
//! An entry is current as long as the feed has reported no change of its connection since the entry was read, and this process hasn't
//! written to a connection in its slot. After that, the version of the entry is compared with the database. If the version is the same, the
//! entry is kept, including the values that were derived from it. A missing connection isn't cached.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;
use moka::sync::Cache as Entries;
use smallvec::SmallVec;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::changes::{ChangeFeed, Changes};
use crate::connection::{Connection, ConnectionKey};
use crate::single_flight::{Join, SharedError, SingleFlight};
use crate::store::{CredentialVersion, StoreError};

/// The time after which an unused entry is removed.
const MAX_IDLE: Duration = Duration::from_secs(600);

/// The number of counters of changes, which take 8 bytes each. Connections whose keys have the same hash share a counter. A change of such
/// a connection only makes the others compare their versions.
///
/// All processes together may refresh hundreds of connections per second, and each process counts the changes of all of them, also of
/// connections that it has never read. With few counters, most entries would be compared at each call.
const SLOTS: usize = 65_536;

/// Some thousand connections with long tokens, or some ten thousand with short tokens.
const MAX_BYTES: u64 = 64 << 20;
const STALENESS: Duration = Duration::from_secs(1);

/// Opened connections in memory, in front of a database. Cloning increments a reference count; clones share their entries.
///
/// A returned connection is at most as old as the [staleness](ConnectionCacheBuilder::staleness). A change by this process is visible
/// at once, if the store calls [`invalidate`](Self::invalidate) after each write. A new connection is always found, because a missing
/// connection isn't cached. The [module](super) shows a store that uses the cache.
pub struct ConnectionCache<F: ChangeFeed>(Arc<Shared<F>>);

struct Shared<F: ChangeFeed> {
    entries: Entries<ConnectionKey, Entry, RandomState>,
    /// The numbers of changes in each slot.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    reads: Arc<SingleFlight<(ConnectionKey, Stamp), (), Outcome>>,
    changes: Watch<F>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The state of a [`ConnectionCache`], for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatus {
    /// The number of connections in memory.
    pub entries: u64,
    /// The number of look-ups whose connection was current in memory, since the cache was built.
    pub hits: u64,
    /// The number of look-ups whose connection was read from the database, or compared with it, since the cache was built. A look-up
    /// that waited for the read of another look-up counts as well.
    pub misses: u64,
    /// The time since the feed was last asked successfully, or `None` if it wasn't asked yet. Without calls, the feed isn't asked.
    pub last_asked: Option<Duration>,
}

/// The state of the database when a read began, as far as it's known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Stamp {
    /// The number of times that any connection may have changed.
    all: u64,
    /// The number of changes in the slot.
    slot: u64,
}

#[derive(Clone)]
struct Entry {
    stamp: Stamp,
    cached: CachedConnection,
}

/// Callers that wait together also share a failure, because otherwise they would fail after each other.
type Outcome = Result<Connection, SharedFailure>;

/// A connection in the cache, and the version of its credential.
#[derive(Clone, Debug)]
pub struct CachedConnection {
    /// The version of the credential.
    pub version: CredentialVersion,
    /// The opened connection.
    pub connection: Connection,
}

/// Builds a [`ConnectionCache`].
#[must_use]
pub struct ConnectionCacheBuilder<F> {
    feed: F,
    max_entries: u64,
    max_bytes: u64,
    staleness: Duration,
    outage_grace: Duration,
}

impl<F: ChangeFeed> ConnectionCacheBuilder<F> {
    /// Sets the maximum number of connections in memory, in addition to [`max_bytes`](Self::max_bytes).
    ///
    /// A connection that isn't called for 10 minutes is removed earlier. `0` turns caching off.
    ///
    /// Default: no limit.
    pub fn max_entries(mut self, max: u64) -> Self {
        self.max_entries = max;
        self
    }

    /// Sets the maximum memory of the connections, in bytes. It's estimated from the sizes of keys, variables and secrets, and includes
    /// the cache's own data about a connection.
    ///
    /// A connection with a short token takes about 1 KiB, and a connection with tokens of 2 KiB about 6 KiB. A connection that isn't
    /// called for 10 minutes is removed earlier. `0` turns caching off.
    ///
    /// Default: 64 MiB.
    pub fn max_bytes(mut self, max: u64) -> Self {
        self.max_bytes = max;
        self
    }

    /// Sets the maximum time for which a change by another process may not be visible yet.
    ///
    /// The feed is called at most once in that time, and only if there are calls. If the time is zero, the feed is called for each
    /// call.
    ///
    /// Default: 1 s.
    pub fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Sets the time for which cached connections are still returned while the feed fails, counted from the last successful call of
    /// the feed.
    ///
    /// Only entries that were current then are returned: a connection that isn't cached is read, which fails if the database can't be
    /// reached. A change by another process, such as a removal, stays hidden for as long. While the feed fails, a single caller at a
    /// time calls the feed again, and the others don't wait for it.
    ///
    /// If the time is zero, each call fails while the feed fails.
    ///
    /// Default: 0 s.
    pub fn outage_grace(mut self, time: Duration) -> Self {
        self.outage_grace = time;
        self
    }

    /// Builds the cache.
    #[must_use]
    pub fn build(self) -> ConnectionCache<F> {
        let limits = Limits::new(self.max_entries, self.max_bytes);
        let entries = Entries::builder()
            .max_capacity(limits.capacity)
            .weigher(move |key: &ConnectionKey, entry: &Entry| limits.weight(key, entry))
            .time_to_idle(MAX_IDLE);
        ConnectionCache(Arc::new(Shared {
            entries: entries.build_with_hasher(RandomState::default()),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::default(),
            reads: SingleFlight::new(usize::MAX),
            changes: Watch::new(self.feed, self.staleness, self.outage_grace),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }))
    }
}

/// The memory that an entry takes in addition to its key and its connection, in bytes: nodes of the table, of the order of use and of
/// the timers, and unused slots of the table.
const ENTRY_OVERHEAD: usize = 320;

/// The limits of a cache as weights of its entries.
#[derive(Clone, Copy)]
struct Limits {
    capacity: u64,
    /// The number of bytes of a unit of weight, because a weight has only 32 bits.
    unit: u64,
    /// The minimum weight of an entry in bytes, by which the number of entries is limited.
    min: u64,
}

impl Limits {
    fn new(max_entries: u64, max_bytes: u64) -> Self {
        let unit = max_bytes.div_ceil(u64::from(u32::MAX)).max(1);
        let capacity = match max_entries {
            0 => 0,
            _ => max_bytes / unit,
        };
        Self {
            capacity,
            unit,
            // Rounded down to whole units, because otherwise the last of `max_entries` small entries wouldn't fit.
            min: (max_bytes / unit / max_entries.max(1)).saturating_mul(unit),
        }
    }

    fn weight(&self, key: &ConnectionKey, entry: &Entry) -> u32 {
        let size = ENTRY_OVERHEAD + key.as_str().len() + entry.cached.connection.memory_size();
        let size = u64::try_from(size).unwrap_or(u64::MAX).max(self.min);
        u32::try_from(size.div_ceil(self.unit)).unwrap_or(u32::MAX)
    }
}

impl<F: ChangeFeed> ConnectionCache<F> {
    /// Returns a cache with the default settings.
    #[must_use]
    pub fn new(feed: F) -> Self {
        Self::builder(feed).build()
    }

    /// Returns a builder, to change the settings.
    pub fn builder(feed: F) -> ConnectionCacheBuilder<F> {
        ConnectionCacheBuilder {
            feed,
            max_entries: u64::MAX,
            max_bytes: MAX_BYTES,
            staleness: STALENESS,
            outage_grace: Duration::ZERO,
        }
    }

    /// Returns the feed.
    #[must_use]
    pub fn feed(&self) -> &F {
        &self.0.changes.feed
    }

    /// Returns the numbers of connections, hits and misses, and the age of the last look for changes.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        // Connections that were evicted still count until then.
        self.0.entries.run_pending_tasks();
        CacheStatus {
            entries: self.0.entries.entry_count(),
            hits: self.0.hits.load(Ordering::Relaxed),
            misses: self.0.misses.load(Ordering::Relaxed),
            last_asked: self.0.changes.last_asked(),
        }
    }

    /// Returns the connection with that key from memory, if its entry is current, or else by `read`. Concurrent callers share a
    /// single read.
    ///
    /// `read` gets the entry that isn't current any more, if there is such an entry. If the version in the database is still the version of
    /// the entry, return the entry: it needn't be decrypted again, and it retains the data that was prepared from it for calls.
    ///
    /// # Errors
    ///
    /// The errors of `read` and of [`ChangeFeed::changes_since`]. After an error of `read`, the connection isn't cached. Callers that
    /// wait together get the same failure; a [`StoreError::Unavailable`] has the error of `read` or of the feed as its source.
    ///
    /// # Cancel safety
    ///
    /// If the caller disconnects, its read may be dropped at any await point. The next caller that waits for the connection then
    /// reads it.
    pub async fn get_or_read<R>(
        &self,
        key: &ConnectionKey,
        read: impl FnOnce(Option<CachedConnection>) -> R,
    ) -> Result<Connection, StoreError>
    where
        R: Future<Output = Result<CachedConnection, StoreError>>,
    {
        self.0.ask_for_changes().await?;
        let stamp = self.0.stamp(key);
        if let Some(connection) = self.0.current(key, stamp) {
            self.0.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(connection);
        }
        self.0.misses.fetch_add(1, Ordering::Relaxed);
        let leader = loop {
            let Ok(joined) = self.0.reads.join(&(key.clone(), stamp), always);
            match joined {
                Join::Started(leader, _) => break Some(leader),
                Join::Full => break None,
                Join::Joined(waiter) => {
                    // `None` means that the caller that was reading has disconnected.
                    if let Some(outcome) = waiter.result().await {
                        return Ok(outcome?);
                    }
                }
            }
        };
        let outcome = self.0.read(key, stamp, read).await;
        if let Some(leader) = leader {
            leader.complete(outcome.clone());
        }
        Ok(outcome?)
    }

    /// Removes the entry of that connection, so that the cache reads it again at the next call. Later callers don't get the result of
    /// a read that began before.
    ///
    /// Call it after each write of this process, also after a failed write, which may or may not have been written. For a write that
    /// continues after its caller has disconnected, prefer [`write_to_end`](Self::write_to_end), or
    /// [`invalidate_on_drop`](Self::invalidate_on_drop) if the write runs on another thread.
    pub fn invalidate(&self, key: &ConnectionKey) {
        self.0.touch(key);
        self.0.entries.invalidate(key);
    }

    /// Runs a write of these connections in a task, so that the write ends also if its caller disconnects. Then
    /// [invalidates](Self::invalidate) the connections, also after a failure.
    ///
    /// # Errors
    ///
    /// The errors of `write`, and [`StoreError::Unavailable`] if the runtime shuts down or `write` panics.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it was polled, nothing is written. After that, the write continues.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn write_to_end<'a, T, E>(
        &self,
        keys: impl IntoIterator<Item = &'a ConnectionKey>,
        write: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        E: Into<StoreError> + Send + 'static,
    {
        let invalidate = keys.into_iter().map(|key| self.invalidate_on_drop(key));
        let invalidate: SmallVec<[_; 1]> = invalidate.collect();
        let written = tokio::spawn(async move {
            let _invalidate = invalidate;
            write.await
        });
        let stopped =
            |_| StoreError::unavailable("the write was stopped, because the program ends");
        written.await.map_err(stopped)?.map_err(Into::into)
    }

    /// Returns a guard that [invalidates](Self::invalidate) the connection when it's dropped. Move the guard to the place where the
    /// write ends: into the task that writes, or into the future.
    pub fn invalidate_on_drop(&self, key: &ConnectionKey) -> InvalidateOnDrop<F> {
        InvalidateOnDrop {
            cache: self.clone(),
            key: key.clone(),
        }
    }
}

/// Invalidates a connection of a [`ConnectionCache`] when it's dropped. See [`ConnectionCache::invalidate_on_drop`].
#[must_use]
pub struct InvalidateOnDrop<F: ChangeFeed> {
    cache: ConnectionCache<F>,
    key: ConnectionKey,
}

impl<F: ChangeFeed> Drop for InvalidateOnDrop<F> {
    fn drop(&mut self) {
        self.cache.invalidate(&self.key);
    }
}

impl<F: ChangeFeed> Shared<F> {
    async fn ask_for_changes(&self) -> Result<(), StoreError> {
        let changed = |key: &ConnectionKey| self.touch(key);
        Ok(self.changes.ask(changed).await?)
    }

    fn stamp(&self, key: &ConnectionKey) -> Stamp {
        Stamp {
            all: self.changes.all.load(Ordering::Acquire),
            slot: self
                .slot(key)
                .map_or(0, |slot| slot.load(Ordering::Acquire)),
        }
    }

    fn touch(&self, key: &ConnectionKey) {
        if let Some(slot) = self.slot(key) {
            slot.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn slot(&self, key: &ConnectionKey) -> Option<&AtomicU64> {
        let slot = self.hasher.hash_one(key) % SLOTS as u64;
        self.slots.get(usize::try_from(slot).ok()?)
    }

    fn current(&self, key: &ConnectionKey, stamp: Stamp) -> Option<Connection> {
        let entry = self.entries.get(key)?;
        (entry.stamp == stamp).then_some(entry.cached.connection)
    }

    async fn read<R>(
        &self,
        key: &ConnectionKey,
        stamp: Stamp,
        read: impl FnOnce(Option<CachedConnection>) -> R,
    ) -> Outcome
    where
        R: Future<Output = Result<CachedConnection, StoreError>>,
    {
        let entry = self.entries.get(key).map(|entry| entry.cached);
        match read(entry).await {
            Ok(cached) => {
                let connection = cached.connection.clone();
                self.entries.insert(key.clone(), Entry { stamp, cached });
                Ok(connection)
            }
            Err(error) => {
                self.entries.invalidate(key);
                Err(SharedFailure::new("the connection couldn't be read", error))
            }
        }
    }
}

/// Accepts all work.
fn always<M>(_: &M) -> Result<(), Infallible> {
    Ok(())
}

/// Calls the feed for all callers, at most once per staleness.
struct Watch<F: ChangeFeed> {
    feed: F,
    /// Locked by the caller that calls the feed.
    cursor: Mutex<Option<F::Cursor>>,
    questions: Arc<SingleFlight<(), (), Result<(), SharedFailure>>>,
    staleness: Duration,
    outage_grace: Duration,
    began: Instant,
    /// The time of the last successful call of the feed, in nanoseconds since the start.
    asked: AtomicU64,
    /// The end of the last failed call of the feed, in nanoseconds since the start. [`NEVER`] if the last call has succeeded.
    failed: AtomicU64,
    /// The number of reports that any connection may have changed.
    all: AtomicU64,
}

/// The value of [`Watch::asked`] before the first call of the feed.
const NEVER: u64 = u64::MAX;

impl<F: ChangeFeed> Watch<F> {
    fn new(feed: F, staleness: Duration, outage_grace: Duration) -> Self {
        Self {
            feed,
            cursor: Mutex::new(None),
            questions: SingleFlight::new(usize::MAX),
            staleness,
            outage_grace,
            began: Instant::now(),
            asked: AtomicU64::new(NEVER),
            failed: AtomicU64::new(NEVER),
            all: AtomicU64::new(0),
        }
    }

    /// Returns the time since the start, in nanoseconds.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(NEVER - 1)
    }

    /// Returns `true` if that time is set, and has been reached less than `limit` ago.
    fn is_within(&self, time: &AtomicU64, limit: Duration) -> bool {
        let time = time.load(Ordering::Acquire);
        time != NEVER && Duration::from_nanos(self.now().saturating_sub(time)) < limit
    }

    /// Returns the time since the last successful call of the feed.
    fn last_asked(&self) -> Option<Duration> {
        match self.asked.load(Ordering::Acquire) {
            NEVER => None,
            time => Some(Duration::from_nanos(self.now().saturating_sub(time))),
        }
    }

    fn is_due(&self) -> bool {
        !self.is_within(&self.asked, self.staleness)
    }

    /// Returns `true` if the last call of the feed has failed, and entries may still be returned.
    fn is_outage_within_grace(&self) -> bool {
        self.failed.load(Ordering::Acquire) != NEVER
            && self.is_within(&self.asked, self.outage_grace)
    }

    /// Calls the feed if that's due, or waits for a call of the feed that another caller has begun.
    async fn ask(&self, changed: impl Fn(&ConnectionKey)) -> Result<(), SharedFailure> {
        let mut has_waited = false;
        while self.is_due() {
            let is_outage = self.is_outage_within_grace();
            // The feed is called again only after a pause, and only by a single caller at a time.
            if is_outage && self.is_within(&self.failed, self.staleness) {
                return Ok(());
            }
            let Ok(joined) = self.questions.join(&(), always);
            match joined {
                Join::Started(leader, _) => {
                    // Another caller may have been faster.
                    let answered = match self.is_due() {
                        true => self.ask_or_forgive(changed).await,
                        false => Ok(()),
                    };
                    leader.complete(answered.clone());
                    return answered;
                }
                Join::Full => return self.ask_or_forgive(changed).await,
                Join::Joined(_) if is_outage => return Ok(()),
                Join::Joined(waiter) => match waiter.result().await {
                    Some(Err(failure)) => return Err(failure),
                    // The second call of the feed that was waited for began after this caller came, so its result counts.
                    Some(Ok(())) if has_waited => return Ok(()),
                    Some(Ok(())) => has_waited = true,
                    // The caller that was calling the feed has disconnected.
                    None => {}
                },
            }
        }
        Ok(())
    }

    /// Calls the feed. Its failure isn't an error if the last successful call was within the grace.
    async fn ask_or_forgive(&self, changed: impl Fn(&ConnectionKey)) -> Result<(), SharedFailure> {
        match self.ask_once(changed).await {
            Ok(()) => {
                self.failed.store(NEVER, Ordering::Release);
                Ok(())
            }
            Err(failure) => {
                self.failed.store(self.now(), Ordering::Release);
                match self.is_outage_within_grace() {
                    true => Ok(()),
                    false => Err(failure),
                }
            }
        }
    }

    async fn ask_once(&self, changed: impl Fn(&ConnectionKey)) -> Result<(), SharedFailure> {
        let mut cursor = self.cursor.lock().await;
        let now = self.now();
        let changes = self.feed.changes_since(cursor.as_ref()).await;
        let failed = |error| SharedFailure::new("the store's changes couldn't be read", error);
        let next = match changes.map_err(failed)? {
            Changes::None(next) => next,
            Changes::Keys(keys, next) => {
                keys.iter().for_each(changed);
                next
            }
            Changes::All(next) => {
                self.all.fetch_add(1, Ordering::AcqRel);
                next
            }
        };
        *cursor = Some(next);
        self.asked.store(now, Ordering::Release);
        Ok(())
    }
}

/// A [`StoreError`] that several callers receive.
#[derive(Clone)]
enum SharedFailure {
    NotFound,
    Reauthorize,
    Unavailable(Failure),
    RefreshFailed(Duration, Failure),
}

impl SharedFailure {
    fn new(what: &'static str, error: StoreError) -> Self {
        let failure = |source| Failure {
            what,
            source: SharedError::new(source),
        };
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Reauthorize => Self::Reauthorize,
            StoreError::Unavailable(source) => Self::Unavailable(failure(source)),
            StoreError::RefreshFailed {
                retry_after,
                source,
            } => Self::RefreshFailed(retry_after, failure(source)),
        }
    }
}

impl From<SharedFailure> for StoreError {
    fn from(failure: SharedFailure) -> Self {
        match failure {
            SharedFailure::NotFound => Self::NotFound,
            SharedFailure::Reauthorize => Self::Reauthorize,
            SharedFailure::Unavailable(failure) => Self::unavailable(failure),
            SharedFailure::RefreshFailed(retry_after, failure) => Self::RefreshFailed {
                retry_after,
                source: failure.into(),
            },
        }
    }
}

/// The cause of a failure. Its source is the store's own error, which a host application may search for by its type.
#[derive(Clone, Debug)]
struct Failure {
    what: &'static str,
    source: SharedError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_error())
    }
}

impl<F: ChangeFeed> Clone for ConnectionCache<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

// The keys aren't printed, because there may be very many.
impl<F: ChangeFeed> fmt::Debug for ConnectionCache<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionCache")
            .field("entries", &self.0.entries.entry_count())
            .field("staleness", &self.0.changes.staleness)
            .field("outage_grace", &self.0.changes.outage_grace)
            .finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for ConnectionCacheBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionCacheBuilder")
            .field("max_entries", &self.max_entries)
            .field("max_bytes", &self.max_bytes)
            .field("staleness", &self.staleness)
            .field("outage_grace", &self.outage_grace)
            .finish_non_exhaustive()
    }
}

impl<F: ChangeFeed> fmt::Debug for InvalidateOnDrop<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvalidateOnDrop")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
