//! The changes that a cache may hide, and the time for which it may hide them.

use std::time::Duration;

use rusqlite::Connection as Sqlite;
use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough_sqlite::SqliteStore;

use super::{Folder, KEY, called, id, keys, token, with_token};

/// Returns a handle that doesn't look at the file for changes during a test.
async fn patient(folder: &Folder) -> SqliteStore {
    let store = SqliteStore::builder(keys(&[KEY])).staleness(Duration::from_secs(3600));
    store.open(folder.file()).await.unwrap()
}

#[tokio::test]
async fn a_cached_connection_is_served_without_reading_the_file() {
    let folder = Folder::new();
    let store = patient(&folder).await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    // The table is changed without the store's knowledge.
    let sqlite = Sqlite::open(folder.file()).unwrap();
    sqlite.execute("DELETE FROM connections", []).unwrap();
    let kept = called(&store, &id("acme")).await.unwrap();
    assert_eq!(token(&kept), "token");
    let read = store.read(&id("acme")).await;
    assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
}

#[tokio::test]
async fn another_handles_changes_are_seen_after_the_staleness() {
    let folder = Folder::new();
    let store = SqliteStore::builder(keys(&[KEY])).staleness(Duration::from_millis(300));
    let store = store.open(folder.file()).await.unwrap();
    let other = folder.open().await;
    other.put(&id("acme"), &with_token("0")).await.unwrap();
    for round in 1..5 {
        called(&store, &id("acme")).await.unwrap();
        other
            .put(&id("acme"), &with_token(&round.to_string()))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let found = called(&store, &id("acme")).await.unwrap();
        assert_eq!(token(&found), round.to_string());
    }
    other.remove(&id("acme")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let found = called(&store, &id("acme")).await;
    assert!(matches!(found, Err(StoreError::NotFound)), "{found:?}");
}

#[tokio::test]
async fn a_new_connection_is_found_after_a_failed_look_up() {
    let folder = Folder::new();
    let (store, other) = (patient(&folder).await, folder.open().await);
    let missing = called(&store, &id("acme")).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    other.put(&id("acme"), &with_token("token")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_see_the_writes_of_this_process() {
    let folder = Folder::new();
    let store = patient(&folder).await;
    store.put(&id("acme"), &with_token("0")).await.unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (store, stop) = (store.clone(), stop.clone());
            tokio::spawn(async move {
                use std::sync::atomic::Ordering::SeqCst;
                loop {
                    let least = stop.load(SeqCst);
                    if least == u64::MAX {
                        return;
                    }
                    let found = called(&store, &id("acme")).await.unwrap();
                    let found: u64 = token(&found).parse().unwrap();
                    assert!(found >= least, "{found} came after {least} was written");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 1..=100_u64 {
        store
            .put(&id("acme"), &with_token(&round.to_string()))
            .await
            .unwrap();
        stop.store(round, std::sync::atomic::Ordering::SeqCst);
    }
    stop.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test]
async fn a_full_cache_gives_correct_answers() {
    let folder = Folder::new();
    let store = SqliteStore::builder(keys(&[KEY])).cache_entries(4);
    let store = store.open(folder.file()).await.unwrap();
    for number in 0..20 {
        let number = number.to_string();
        store.put(&id(&number), &with_token(&number)).await.unwrap();
    }
    for _ in 0..3 {
        for number in 0..20 {
            let number = number.to_string();
            let found = called(&store, &id(&number)).await.unwrap();
            assert_eq!(token(&found), number);
        }
    }
}

#[tokio::test]
async fn all_connections_are_put_or_none() {
    let folder = Folder::new();
    let store = patient(&folder).await;
    let many = [
        (id("a"), with_token("1")),
        (id("b"), with_token("2")),
        (id("a"), with_token("3")),
    ];
    let versions = store.put_all(&many).await.unwrap();
    let record = store.read(&id("a")).await.unwrap();
    assert_eq!(
        (token(&record.connection), record.version),
        ("3".into(), versions[2])
    );
    assert_eq!(store.read(&id("b")).await.unwrap().version, versions[1]);
    called(&store, &id("a")).await.unwrap();
    let sqlite = Sqlite::open(folder.file()).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON connections WHEN NEW.id = 'z'
        BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlite.execute_batch(refuse).unwrap();
    let refused = [
        (id("a"), with_token("4")),
        (id("c"), with_token("5")),
        (id("z"), with_token("6")),
    ];
    assert!(store.put_all(&refused).await.is_err());
    assert_eq!(token(&called(&store, &id("a")).await.unwrap()), "3");
    assert!(matches!(
        store.read(&id("c")).await,
        Err(StoreError::NotFound)
    ));
    // A connection in memory is replaced too.
    store.put_all(&refused[..2]).await.unwrap();
    assert_eq!(token(&called(&store, &id("a")).await.unwrap()), "4");
}
