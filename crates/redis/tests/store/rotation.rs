//! The replacement of a key while calls and refreshes continue, and grants that are active again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough::store::{
    ConnectionStore, GrantState, GrantUpdate, RefreshLease, TokenStore,
};
use tower_passthrough_redis::{RedisStore, RedisStoreError};

use super::server::name;
use super::{KEY, OTHER_KEY, Stores, called, id, keys, prefix, shared, token, with_token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_while_others_read_and_write() {
    const MANY: u64 = 400;
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let old = server.open(&prefix).await;
    let mut versions = Vec::new();
    for number in 0..MANY {
        let text = number.to_string();
        versions.push(old.put(&id(&text), &with_token(&text)).await.unwrap());
    }
    drop(old);
    let open = async |texts: &[&str]| {
        let store = RedisStore::builder(keys(texts))
            .staleness(Duration::ZERO)
            .prefix(&prefix);
        store.open(&server.url()).await
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
        for (refreshed, number) in (0..10).cycle().enumerate() {
            if stopped.load(Ordering::Relaxed) && refreshed > 20 {
                return;
            }
            let text = number.to_string();
            let record = writer.read(&id(&text)).await.unwrap();
            let update = GrantUpdate::Refreshed(with_token(&format!("{text} refreshed")));
            let committed = writer
                .commit(&id(&text), record.version, RefreshLease::new(0), &update)
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
    for (number, version) in versions.iter().enumerate() {
        let record = only.read(&id(&number.to_string())).await.unwrap();
        assert!(token(&record.connection).starts_with(&number.to_string()));
        if number >= 10 {
            assert_eq!(record.version, *version);
        }
    }
    let gone = open(&[KEY]).await;
    assert!(matches!(gone, Err(RedisStoreError::WrongKey)), "{gone:?}");
}

#[tokio::test]
async fn records_that_no_key_opens_are_counted_and_left_alone() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let old = server.open(&prefix).await;
    for name in ["good", "damaged"] {
        old.put(&id(name), &with_token(name)).await.unwrap();
    }
    let damaged = name(server, &prefix, "c", "damaged");
    server.set(&["HSET", &damaged, "i", "bank"]);
    let new = RedisStore::builder(keys(&[OTHER_KEY, KEY])).prefix(&prefix);
    let new = new.open(&server.url()).await.unwrap();
    let report = new.reencrypt().await.unwrap();
    assert_eq!(
        (report.connections, report.unreadable, report.keys),
        (1, 1, 0)
    );
    server.set(&["HSET", &damaged, "i", "crm"]);
    assert_eq!(
        token(&new.read(&id("damaged")).await.unwrap().connection),
        "damaged"
    );
    let report = new.reencrypt().await.unwrap();
    assert_eq!(
        (report.connections, report.unreadable, report.keys),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_revoked_grant_is_active_again_with_the_same_credential() {
    let Some(server) = shared() else {
        return;
    };
    let store = server.open(&prefix()).await;
    let missing = store.revive(&id("acme")).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    let version = store.put(&id("acme"), &with_token("token")).await.unwrap();
    assert!(!store.revive(&id("acme")).await.unwrap());
    let minute = Duration::from_secs(60);
    let lease = store.lease(&id("acme"), minute).await.unwrap().unwrap();
    let revoked = store
        .commit(&id("acme"), version, lease, &GrantUpdate::Revoked)
        .await;
    assert_eq!(revoked.unwrap(), Some(version));
    assert!(store.revive(&id("acme")).await.unwrap());
    let record = store.read(&id("acme")).await.unwrap();
    assert_eq!(
        (record.state, token(&record.connection)),
        (GrantState::Active, "token".into())
    );
    assert_ne!(record.version, version);
    // A process that was slower can't revoke it, and its lease still holds.
    let late = store
        .commit(&id("acme"), version, lease, &GrantUpdate::Revoked)
        .await;
    assert_eq!(late.unwrap(), None);
    assert!(store.extend(&id("acme"), lease, minute).await.unwrap());
}
