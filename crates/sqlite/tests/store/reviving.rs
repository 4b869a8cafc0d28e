//! Revoked grants that are active again.

use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionStore, GrantState, GrantUpdate, TokenStore};

use super::{Folder, called, id, token, with_token};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_grant_is_revived_with_the_same_credential() {
    let folder = Folder::new();
    let (store, other) = (folder.open().await, folder.open().await);
    let acme = id("acme");
    let first = store.put(&acme, &with_token("first")).await.unwrap();
    assert!(!store.revive(&acme).await.unwrap());
    assert_eq!(store.read(&acme).await.unwrap().version, first);
    let lease = other.lease(&acme, MINUTE).await.unwrap().unwrap();
    let update = GrantUpdate::Refreshed(with_token("second"));
    let second = other
        .commit(&acme, first, lease, &update)
        .await
        .unwrap()
        .unwrap();
    let before = store.read(&acme).await.unwrap();
    let revoked = other
        .commit(&acme, second, lease, &GrantUpdate::Revoked)
        .await;
    assert_eq!(revoked.unwrap(), Some(second));
    assert_eq!(store.read(&acme).await.unwrap().state, GrantState::Revoked);

    assert!(store.revive(&acme).await.unwrap());
    let record = other.read(&acme).await.unwrap();
    assert_eq!(record.state, GrantState::Active);
    assert_eq!(token(&record.connection), "second");
    assert_eq!(record.refreshed_at, before.refreshed_at);
    assert_eq!(token(&called(&store, &acme).await.unwrap()), "second");
    // The lease is still held, and a revocation that was decided before doesn't count any more.
    assert_eq!(store.lease(&acme, MINUTE).await.unwrap(), None);
    let late = other
        .commit(&acme, second, lease, &GrantUpdate::Revoked)
        .await;
    assert_eq!(late.unwrap(), None);
    let update = GrantUpdate::Refreshed(with_token("third"));
    let third = other
        .commit(&acme, record.version, lease, &update)
        .await
        .unwrap();
    assert!(third.is_some());

    let none = store.revive(&id("none")).await;
    assert!(matches!(none, Err(StoreError::NotFound)), "{none:?}");
}

/// Tokens that another process has refreshed after the revocation have made the grant active already.
#[tokio::test]
async fn tokens_that_were_refreshed_meanwhile_stay() {
    let folder = Folder::new();
    let store = folder.open().await;
    let acme = id("acme");
    let first = store.put(&acme, &with_token("first")).await.unwrap();
    let lease = store.lease(&acme, MINUTE).await.unwrap().unwrap();
    let revoked = store
        .commit(&acme, first, lease, &GrantUpdate::Revoked)
        .await;
    assert_eq!(revoked.unwrap(), Some(first));
    let update = GrantUpdate::Refreshed(with_token("second"));
    store
        .commit(&acme, first, lease, &update)
        .await
        .unwrap()
        .unwrap();
    assert!(!store.revive(&acme).await.unwrap());
    assert_eq!(
        token(&store.read(&acme).await.unwrap().connection),
        "second"
    );
}
