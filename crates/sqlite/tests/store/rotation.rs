//! The replacement of a key while calls and refreshes continue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough_sqlite::{SqliteStore, SqliteStoreError};

use super::{Folder, KEY, OTHER_KEY, called, id, keys, token, with_token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_while_others_read_and_write() {
    const MANY: u64 = 200;
    let folder = Folder::new();
    let old = folder.open().await;
    let mut versions = Vec::new();
    for number in 0..MANY {
        let text = number.to_string();
        versions.push(old.put(&id(&text), &with_token(&text)).await.unwrap());
    }
    drop(old);
    let open = async |texts: &[&str]| {
        let store = SqliteStore::builder(keys(texts)).staleness(Duration::ZERO);
        store.open(folder.file()).await
    };
    // Each process first learns the new key, and only then writes with the new key.
    let both = open(&[KEY, OTHER_KEY]).await.unwrap();
    let new = open(&[OTHER_KEY, KEY]).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (reader, stopped) = (both.clone(), stop.clone());
    let reading = tokio::spawn(async move {
        let mut number = 0;
        while !stopped.load(Ordering::Relaxed) {
            number = (number + 7) % MANY;
            let found = called(&reader, &id(&number.to_string())).await.unwrap();
            assert!(token(&found).starts_with(&number.to_string()));
        }
    });
    let (writer, stopped) = (both.clone(), stop.clone());
    let writing = tokio::spawn(async move {
        // Only these connections are refreshed, still with the old key.
        for (renewed, number) in (0..10).cycle().enumerate() {
            if stopped.load(Ordering::Relaxed) && renewed > 20 {
                return;
            }
            let text = number.to_string();
            let record = writer.read(&id(&text)).await.unwrap();
            let renewal = GrantUpdate::Refreshed(with_token(&format!("{text} renewed")));
            let id = id(&text);
            let committed = writer
                .commit(&id, record.version, RefreshLease::new(0), &renewal)
                .await;
            committed.unwrap().expect("no other process refreshes");
        }
    });
    let first = new.reencrypt().await.unwrap();
    assert!(first.connections >= MANY - 10, "{first:?}");
    assert_eq!(first.unreadable, 0);
    stop.store(true, Ordering::Relaxed);
    reading.await.unwrap();
    writing.await.unwrap();
    drop(both);
    // Encrypts the records that were written with the old key in the meantime.
    let second = new.reencrypt().await.unwrap();
    assert!(first.keys + second.keys > 0, "{first:?} {second:?}");
    let third = new.reencrypt().await.unwrap();
    assert_eq!((third.connections, third.keys), (0, 0));

    let only = open(&[OTHER_KEY]).await.unwrap();
    for number in 0..MANY {
        let record = only.read(&id(&number.to_string())).await.unwrap();
        assert!(token(&record.connection).starts_with(&number.to_string()));
        if number >= 10 {
            assert_eq!(record.version, versions[usize::try_from(number).unwrap()]);
        }
    }
    let gone = open(&[KEY]).await;
    assert!(matches!(gone, Err(SqliteStoreError::WrongKey)), "{gone:?}");
}

#[tokio::test]
async fn a_key_that_records_need_cannot_be_omitted() {
    let folder = Folder::new();
    let old = folder.open().await;
    old.put(&id("acme"), &with_token("token")).await.unwrap();
    for texts in [&[OTHER_KEY][..], &[OTHER_KEY, OTHER_KEY]] {
        let opened = SqliteStore::open(folder.file(), keys(texts)).await;
        assert!(
            matches!(opened, Err(SqliteStoreError::WrongKey)),
            "{opened:?}"
        );
    }
    let new = SqliteStore::open(folder.file(), keys(&[OTHER_KEY, KEY])).await;
    new.unwrap()
        .put(&id("beta"), &with_token("token"))
        .await
        .unwrap();
    // Each of the two keys seals half of the records.
    for text in [KEY, OTHER_KEY] {
        let opened = SqliteStore::open(folder.file(), keys(&[text])).await;
        assert!(
            matches!(opened, Err(SqliteStoreError::WrongKey)),
            "{opened:?}"
        );
    }
}

/// Opens a copy of the file alone, such as a backup or a stolen copy.
async fn copied(folder: &Folder, texts: &[&str]) -> Result<SqliteStore, SqliteStoreError> {
    let copy = folder.0.join("copy.db");
    for name in ["copy.db", "copy.db-wal", "copy.db-shm"] {
        let _ = std::fs::remove_file(folder.0.join(name));
    }
    std::fs::copy(folder.file(), &copy).unwrap();
    SqliteStore::open(&copy, keys(texts)).await
}

#[tokio::test]
async fn removed_and_reencrypted_records_disappear_from_the_file() {
    let folder = Folder::new();
    let beside = folder.open().await;
    for name in ["kept", "gone"] {
        beside.put(&id(name), &with_token(name)).await.unwrap();
    }
    beside.checkpoint().await.unwrap();
    assert!(beside.remove(&id("gone")).await.unwrap());
    let listed = copied(&folder, &[KEY]).await.unwrap();
    let listed = listed.list(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key.as_str(), "kept");

    let new = SqliteStore::open(folder.file(), keys(&[OTHER_KEY, KEY]))
        .await
        .unwrap();
    assert_eq!(new.reencrypt().await.unwrap().connections, 1);
    let refused = copied(&folder, &[KEY]).await.err();
    assert!(matches!(refused, Some(SqliteStoreError::WrongKey)));
    let copy = copied(&folder, &[OTHER_KEY]).await.unwrap();
    let found = called(&copy, &id("kept")).await.unwrap();
    assert_eq!(token(&found), "kept");
}
