//! The rules about durability: writes remain after their handle is closed.

use super::bench::{
    LONG, Verdict, commit, connection, done, ensure, has_token, id, is_missing, lease, put, read,
};
use crate::store::{ConnectionStore, GrantState, GrantUpdate};

pub(super) async fn store_is_empty<S: ConnectionStore>(open: &impl AsyncFn() -> S) -> Verdict {
    let listed = done(open().await.list(None, 1).await, "list")?;
    ensure!(listed.is_empty(), "the store already contains connections");
    Ok(())
}

/// Removes all connections that a test has left.
pub(super) async fn clear<S: ConnectionStore>(open: &impl AsyncFn() -> S) -> Verdict {
    let store = open().await;
    loop {
        let listed = done(store.list(None, 100).await, "list")?;
        if listed.is_empty() {
            return Ok(());
        }
        for listed in listed {
            let removed = done(store.remove(&listed.key).await, "remove")?;
            ensure!(
                removed,
                "the list has {}, but removing it failed; list only keys that can be removed",
                listed.key
            );
        }
    }
}

pub(super) async fn writes_outlive_handles<S: ConnectionStore>(
    open: &impl AsyncFn() -> S,
) -> Verdict {
    let [kept, renewed, dead, removed] = [id("kept")?, id("renewed")?, id("dead")?, id("removed")?];
    let store = open().await;
    for id in [&kept, &renewed, &dead, &removed] {
        put(&store, id, "old").await?;
    }
    let before = read(&store, &renewed).await?;
    let held = lease(&store, &renewed, LONG).await?;
    let version = commit(&store, &renewed, before.version, held, "new").await?;
    let dying = read(&store, &dead).await?.version;
    let newest = lease(&store, &dead, LONG).await?;
    let died = store
        .commit(&dead, dying, newest, &GrantUpdate::Revoked)
        .await;
    ensure!(done(died, "commit")?.is_some(), "`Revoked` wasn't written");
    done(store.remove(&removed).await, "remove")?;
    drop(store);

    let store = open().await;
    let record = read(&store, &kept).await?;
    ensure!(
        has_token(&record.connection, "old"),
        "what was put is another"
    );
    let record = read(&store, &renewed).await?;
    ensure!(
        has_token(&record.connection, "new") && Some(record.version) == version,
        "a commit is lost"
    );
    ensure!(
        record.refreshed_at.is_some(),
        "the time of the refresh is lost"
    );
    let other = done(store.lease(&renewed, LONG).await, "lease")?;
    ensure!(other.is_none(), "a lease ended before its time");
    let record = read(&store, &dead).await?;
    ensure!(
        record.state == GrantState::Revoked && record.version == dying,
        "the revoked state is lost"
    );
    ensure!(
        is_missing(&store.read(&removed).await),
        "what was removed is back"
    );
    Ok(())
}

pub(super) async fn versions_are_new_after_reopening<S: ConnectionStore>(
    open: &impl AsyncFn() -> S,
) -> Verdict {
    let acme = id("versions-are-new-after-reopening")?;
    let mut seen = Vec::new();
    for token in ["one", "two", "three"] {
        let store = open().await;
        let version = done(store.put(&acme, &connection(token)).await, "put")?;
        ensure!(!seen.contains(&version), "{version:?} was given twice");
        seen.push(version);
        done(store.remove(&acme).await, "remove")?;
    }
    Ok(())
}
