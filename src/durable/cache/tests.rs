//! Several callers, writers and processes around a cache.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex as Lock, PoisonError};

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::time::{advance, sleep};

use super::*;

fn key(key: &str) -> ConnectionKey {
    ConnectionKey::new(key).unwrap_or_else(|_| unreachable!("it's a key"))
}

/// A database with a log of what was written to it.
#[derive(Clone, Default)]
struct Database(Arc<Inner>);

#[derive(Default)]
struct Inner {
    versions: Lock<HashMap<ConnectionKey, u64>>,
    log: Lock<Vec<ConnectionKey>>,
    asked: AtomicUsize,
    reads: AtomicUsize,
    decrypted: AtomicUsize,
    is_down: AtomicBool,
    is_slow: AtomicBool,
    is_log_lost: AtomicBool,
}

impl Database {
    fn write(&self, key: &ConnectionKey) {
        let mut versions = self
            .0
            .versions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *versions.entry(key.clone()).or_default() += 1;
        drop(versions);
        let mut log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(key.clone());
    }

    async fn read(
        &self,
        key: ConnectionKey,
        cached: Option<CachedConnection>,
    ) -> Result<CachedConnection, StoreError> {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        let version = {
            let versions = self
                .0
                .versions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            versions.get(&key).copied()
        };
        tokio::task::yield_now().await;
        if self.0.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable(std::fmt::Error));
        }
        let version = CredentialVersion::new(version.ok_or(StoreError::NotFound)?);
        if let Some(cached) = cached.filter(|cached| cached.version == version) {
            return Ok(cached);
        }
        self.0.decrypted.fetch_add(1, Ordering::Relaxed);
        Ok(CachedConnection {
            version,
            connection: Connection::new(version.get().to_string()),
        })
    }

    fn counts(&self) -> (usize, usize, usize) {
        let [asked, reads, decrypted] =
            [&self.0.asked, &self.0.reads, &self.0.decrypted].map(|n| n.load(Ordering::Relaxed));
        (asked, reads, decrypted)
    }
}

impl ChangeFeed for Database {
    type Cursor = usize;

    async fn changes_since(&self, cursor: Option<&usize>) -> Result<Changes<usize>, StoreError> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let log = self
            .0
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match self.0.is_slow.load(Ordering::Relaxed) {
            true => sleep(Duration::from_secs(10)).await,
            false => tokio::task::yield_now().await,
        }
        if self.0.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable(std::fmt::Error));
        }
        if self.0.is_log_lost.load(Ordering::Relaxed) {
            return Ok(Changes::All(log.len()));
        }
        Ok(match cursor.and_then(|&seen| log.get(seen..)) {
            Some([]) | None => Changes::None(log.len()),
            Some(keys) => Changes::Keys(keys.to_vec(), log.len()),
        })
    }
}

fn cache(database: &Database, staleness: Duration) -> ConnectionCache<Database> {
    ConnectionCache::builder(database.clone())
        .staleness(staleness)
        .build()
}

/// Returns the version that a call gets, as text.
async fn call(
    cache: &ConnectionCache<Database>,
    key: &ConnectionKey,
) -> Result<String, StoreError> {
    let read = |cached| cache.feed().read(key.clone(), cached);
    let connection = cache.get_or_read(key, read).await?;
    Ok(connection.integration().to_owned())
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn concurrent_callers_share_a_read_and_its_failure() {
    for is_down in [false, true] {
        let database = Database::default();
        let (cache, acme) = (cache(&database, HOUR), key("acme"));
        database.write(&acme);
        assert!(call(&cache, &key("nobody")).await.is_err());
        database.0.is_down.store(is_down, Ordering::Relaxed);
        let outcomes = join_all((0..50).map(|_| call(&cache, &acme))).await;
        for outcome in &outcomes {
            match outcome {
                Ok(version) => assert!(!is_down && version == "1"),
                Err(StoreError::Unavailable(error)) => {
                    let source = error.source();
                    assert!(is_down && source.is_some_and(|source| source.is::<std::fmt::Error>()));
                }
                Err(error) => unreachable!("{error:?}"),
            }
        }
        assert_eq!(database.counts().1, 2);
        assert_eq!(cache.0.reads.len(), 0, "a read was left behind");
    }
}

#[tokio::test]
async fn the_next_caller_reads_when_the_first_goes_away() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, HOUR), key("acme"));
    database.write(&acme);
    let _ = call(&cache, &acme).await;
    cache.invalidate(&acme);
    let mut stuck = Box::pin(cache.get_or_read(&acme, |_| std::future::pending()));
    assert!(stuck.as_mut().now_or_never().is_none());
    let mut second = Box::pin(call(&cache, &acme));
    assert!(second.as_mut().now_or_never().is_none());
    drop(stuck);
    assert!(second.await.is_ok_and(|version| version == "1"));
    assert_eq!(cache.0.reads.len(), 0, "a read was left behind");
}

#[tokio::test]
async fn a_read_from_before_a_write_is_not_shared_after_it() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, HOUR), key("acme"));
    database.write(&acme);
    let _ = call(&cache, &acme).await;
    cache.invalidate(&acme);
    let mut old = Box::pin(call(&cache, &acme));
    assert!(old.as_mut().now_or_never().is_none());
    // It has read the first version, and hasn't returned it yet.
    {
        let _invalidate = cache.invalidate_on_drop(&acme);
        database.write(&acme);
    }
    assert!(
        call(&cache, &acme)
            .await
            .is_ok_and(|version| version == "2")
    );
    assert!(old.await.is_ok_and(|version| version == "1"));
    assert!(
        call(&cache, &acme)
            .await
            .is_ok_and(|version| version == "2")
    );
}

#[tokio::test]
async fn a_write_ends_and_invalidates_also_if_its_caller_goes_away_or_it_fails() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, HOUR), key("acme"));
    database.write(&acme);
    let _ = call(&cache, &acme).await;
    let (permit, proceed) = tokio::sync::oneshot::channel();
    let (inner, owned) = (database.clone(), acme.clone());
    let write = async move {
        let _ = proceed.await;
        inner.write(&owned);
        Ok::<(), StoreError>(())
    };
    let mut caller = Box::pin(cache.write_to_end([&acme], write));
    assert!(caller.as_mut().now_or_never().is_none());
    drop(caller);
    assert!(permit.send(()).is_ok());
    let began = Instant::now();
    while !matches!(&call(&cache, &acme).await, Ok(version) if version == "2") {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it isn't written"
        );
        tokio::task::yield_now().await;
    }

    // A write that fails may have been written.
    let (inner, owned) = (database.clone(), acme.clone());
    let write = async move {
        inner.write(&owned);
        Err::<(), _>(StoreError::unavailable(std::fmt::Error))
    };
    let failed = cache.write_to_end([&acme], write).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))));
    assert!(
        call(&cache, &acme)
            .await
            .is_ok_and(|version| version == "3")
    );
    #[expect(clippy::panic, reason = "a write may panic")]
    let panics = async { panic!("the write panics") };
    let stopped: Result<(), _> = cache.write_to_end::<(), StoreError>([&acme], panics).await;
    assert!(matches!(stopped, Err(StoreError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn changes_of_others_are_seen_after_the_staleness_and_reread_alone() {
    let database = Database::default();
    let cache = cache(&database, Duration::from_secs(1));
    let keys: Vec<_> = (0..200).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        database.write(key);
        assert!(call(&cache, key).await.is_ok());
    }
    assert_eq!(database.counts(), (1, 200, 200));
    let Some(first) = keys.first() else { return };
    database.write(first);
    advance(Duration::from_millis(999)).await;
    assert!(
        call(&cache, first)
            .await
            .is_ok_and(|version| version == "1")
    );
    advance(Duration::from_millis(1)).await;
    assert!(
        call(&cache, first)
            .await
            .is_ok_and(|version| version == "2")
    );
    for key in &keys {
        assert!(call(&cache, key).await.is_ok());
    }
    let (asked, reads, decrypted) = database.counts();
    // The first question was before all of these writes: they are reported at the second, which costs a look each.
    assert_eq!((asked, decrypted), (2, 201));
    assert!(reads <= 400, "{reads}");
    // Now the log is read up to its end: a change of a connection costs a look at the connections of its slot.
    database.write(first);
    advance(Duration::from_secs(1)).await;
    for key in &keys {
        assert!(call(&cache, key).await.is_ok());
    }
    let (asked, later, decrypted) = database.counts();
    assert_eq!((asked, decrypted), (3, 202));
    assert!(later - reads < 50, "{}", later - reads);
}

#[tokio::test(start_paused = true)]
async fn changes_of_connections_that_are_not_in_memory_hardly_cost_reads() {
    let database = Database::default();
    let cache = cache(&database, Duration::from_secs(1));
    let keys: Vec<_> = (0..200).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        database.write(key);
        assert!(call(&cache, key).await.is_ok());
    }
    // The changes above are reported first.
    for _ in 0..2 {
        advance(Duration::from_secs(1)).await;
        for key in &keys {
            assert!(call(&cache, key).await.is_ok());
        }
    }
    let (_, before, _) = database.counts();
    // A minute's refreshes by other processes.
    for number in 0..1000 {
        database.write(&key(&format!("other-{number}")));
    }
    advance(Duration::from_secs(1)).await;
    for key in &keys {
        assert!(call(&cache, key).await.is_ok());
    }
    let (_, after, _) = database.counts();
    // With 1,000 changes in 65,536 slots, 3 of the 200 entries are compared on average.
    assert!(after - before < 20, "{}", after - before);
}

#[tokio::test(start_paused = true)]
async fn a_lost_log_means_that_each_entry_is_compared() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, Duration::from_secs(1)), key("acme"));
    database.write(&acme);
    assert!(call(&cache, &acme).await.is_ok());
    database.0.is_log_lost.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(1)).await;
    assert!(call(&cache, &acme).await.is_ok());
    assert_eq!(database.counts(), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn without_staleness_a_call_sees_each_change_from_before_it() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, Duration::ZERO), key("acme"));
    database.write(&acme);
    assert!(call(&cache, &acme).await.is_ok());
    database.0.is_slow.store(true, Ordering::Relaxed);
    let mut first = Box::pin(call(&cache, &acme));
    assert!(first.as_mut().now_or_never().is_none());
    // The call of the feed that is under way began before this change.
    database.write(&acme);
    let (first, others) = tokio::join!(first, join_all((0..10).map(|_| call(&cache, &acme))));
    assert!(first.is_ok());
    for other in others {
        assert!(other.is_ok_and(|version| version == "2"));
    }
    assert_eq!(database.counts().0, 3, "questions aren't shared");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_fails_or_is_left_is_asked_again_with_its_cursor() {
    let database = Database::default();
    let (cache, acme) = (cache(&database, Duration::from_secs(1)), key("acme"));
    database.write(&acme);
    assert!(call(&cache, &acme).await.is_ok());
    database.write(&acme);
    advance(Duration::from_secs(1)).await;
    database.0.is_down.store(true, Ordering::Relaxed);
    let outcomes = join_all((0..50).map(|_| call(&cache, &acme))).await;
    let is_down = |outcome: &Result<_, _>| matches!(outcome, Err(StoreError::Unavailable(_)));
    assert!(outcomes.iter().all(is_down));
    assert_eq!(database.counts().0, 2, "the failure isn't shared");
    database.0.is_down.store(false, Ordering::Relaxed);
    database.0.is_slow.store(true, Ordering::Relaxed);
    assert!(call(&cache, &acme).now_or_never().is_none());
    database.0.is_slow.store(false, Ordering::Relaxed);
    assert!(
        call(&cache, &acme)
            .await
            .is_ok_and(|version| version == "2")
    );
}

#[tokio::test(start_paused = true)]
async fn entries_are_returned_during_an_outage_until_the_grace_ends() {
    let database = Database::default();
    let cache = ConnectionCache::builder(database.clone())
        .staleness(Duration::from_secs(1))
        .outage_grace(Duration::from_secs(60))
        .build();
    let (warm, changed, cold) = (key("warm"), key("changed"), key("cold"));
    for key in [&warm, &changed, &cold] {
        database.write(key);
    }
    for key in [&warm, &changed] {
        assert!(call(&cache, key).await.is_ok());
    }
    database.write(&changed);
    advance(Duration::from_secs(1)).await;
    assert!(call(&cache, &warm).await.is_ok());
    let asked = database.counts().0;

    database.0.is_down.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(1)).await;
    for _ in 0..3 {
        let outcomes = join_all((0..50).map(|_| call(&cache, &warm))).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Ok(version) if version == "1"))
        );
    }
    assert_eq!(
        database.counts().0,
        asked + 1,
        "the feed is called once in the staleness"
    );
    // A change that was reported before counts, and what isn't cached can't be read.
    for key in [&changed, &cold] {
        assert!(matches!(
            call(&cache, key).await,
            Err(StoreError::Unavailable(_))
        ));
    }
    // One caller waits for a feed that doesn't answer.
    database.0.is_slow.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(1)).await;
    let mut waiting = Box::pin(call(&cache, &warm));
    assert!((&mut waiting).now_or_never().is_none());
    assert!(
        call(&cache, &warm)
            .now_or_never()
            .is_some_and(|outcome| outcome.is_ok())
    );
    assert!(waiting.await.is_ok());
    database.0.is_slow.store(false, Ordering::Relaxed);

    advance(Duration::from_secs(60)).await;
    for _ in 0..2 {
        assert!(matches!(
            call(&cache, &warm).await,
            Err(StoreError::Unavailable(_))
        ));
    }
    database.0.is_down.store(false, Ordering::Relaxed);
    assert!(
        call(&cache, &changed)
            .await
            .is_ok_and(|version| version == "2")
    );
    // The next outage has a grace of its own.
    database.0.is_down.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(59)).await;
    assert!(call(&cache, &warm).await.is_ok());
}

#[tokio::test]
async fn x2_a_hundred_thousand_keys_leave_no_more_than_the_maximum() {
    let database = Database::default();
    let cache = ConnectionCache::builder(database.clone())
        .max_entries(100)
        .staleness(HOUR)
        .build();
    for number in 0..100_000 {
        let key = key(&number.to_string());
        database.write(&key);
        assert!(call(&cache, &key).await.is_ok());
    }
    cache.0.entries.run_pending_tasks();
    assert!(cache.0.entries.entry_count() <= 100);
    assert_eq!(cache.0.reads.len(), 0);
}

/// Returns an entry whose connection has a secret of that size.
fn entry(size: usize) -> Entry {
    let connection = Connection::new("crm").with_secret("token", vec![b'x'; size]);
    Entry {
        stamp: Stamp { all: 0, slot: 0 },
        cached: CachedConnection {
            version: CredentialVersion::new(1),
            connection,
        },
    }
}

#[test]
fn entries_weigh_what_they_take_and_both_limits_hold() {
    let key = key("acme");
    let small = entry(0);
    let bytes = Limits::new(u64::MAX, 1 << 20);
    assert_eq!(bytes.capacity, 1 << 20);
    let (empty, full) = (
        bytes.weight(&key, &small),
        bytes.weight(&key, &entry(10_000)),
    );
    assert!(
        (10_000..=21_000).contains(&(full - empty)),
        "{empty}, {full}"
    );
    assert!((200..2000).contains(&empty), "{empty}");
    // So many small entries fill the cache, and all of them fit.
    for (max, bytes) in [
        (1, 1 << 20),
        (3, 64 << 20),
        (100, 1 << 20),
        (3, 1 << 40),
        (1, 1 << 40),
    ] {
        let limits = Limits::new(max, bytes);
        let weight = u64::from(limits.weight(&key, &small));
        assert_eq!(limits.capacity / weight, max, "{max} in {bytes}");
    }
    let entries = Limits::new(100, 1 << 20);
    assert!(entries.weight(&key, &entry(10_000)) > entries.weight(&key, &small));
    assert!(entries.weight(&key, &entry(100_000)) >= 200_000);
    assert_eq!(Limits::new(0, 1 << 20).capacity, 0);
    assert_eq!(Limits::new(10, 0).capacity, 0);
}

#[tokio::test(start_paused = true)]
async fn the_status_counts_hits_and_misses_and_the_time_since_the_last_question() {
    let database = Database::default();
    let acme = key("acme");
    database.write(&acme);
    let cache = ConnectionCache::builder(database.clone())
        .staleness(HOUR)
        .build();
    assert_eq!(cache.status(), CacheStatus::default());
    for _ in 0..3 {
        assert!(call(&cache, &acme).await.is_ok());
    }
    assert!(call(&cache, &key("none")).await.is_err());
    advance(Duration::from_secs(5)).await;
    cache.0.entries.run_pending_tasks();
    let status = cache.status();
    assert_eq!((status.hits, status.misses, status.entries), (2, 2, 1));
    assert_eq!(status.last_asked, Some(Duration::from_secs(5)));
    cache.invalidate(&acme);
    assert!(call(&cache, &acme).await.is_ok());
    assert_eq!(cache.status().misses, 3);
    database.0.is_down.store(true, Ordering::Relaxed);
    advance(HOUR).await;
    assert!(call(&cache, &acme).await.is_err());
    // A failed question doesn't count.
    let asked = HOUR + Duration::from_secs(5);
    assert_eq!(cache.status().last_asked, Some(asked));
}
