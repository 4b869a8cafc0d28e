//! The rules about visibility: a change counts at once, or after the staleness that the store
//! states for its cache.

use super::bench::{
    Bench, LONG, Verdict, called, commit, done, ensure, has_token, id, is_missing, lease, put, read,
};
use crate::store::{ConnectionStore, TokenStore};

pub(super) async fn own_writes_are_seen<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("own-writes-are-seen")?;
    let store = &*bench.one;
    ensure!(
        is_missing(&called(store, &acme).await),
        "it's there before it was put"
    );
    for token in ["one", "two", "three"] {
        let version = put(store, &acme, token).await?;
        let found = done(called(store, &acme).await, "connection")?;
        ensure!(has_token(&found, token), "what was put isn't seen");
        let held = lease(store, &acme, LONG).await?;
        let renewed = format!("{token}, renewed");
        commit(store, &acme, version, held, &renewed).await?;
        let found = done(called(store, &acme).await, "connection")?;
        ensure!(has_token(&found, &renewed), "what was committed isn't seen");
    }
    done(store.remove(&acme).await, "remove")?;
    ensure!(
        is_missing(&called(store, &acme).await),
        "what was removed is seen"
    );
    Ok(())
}

pub(super) async fn reads_are_past_caches<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("reads-are-past-caches")?;
    for token in ["one", "two", "three"] {
        put(&*bench.one, &acme, token).await?;
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            has_token(&record.connection, token),
            "what was put isn't read"
        );
        // Fills the cache, if there is a cache.
        done(called(&*bench.other, &acme).await, "connection")?;
        let held = lease(&*bench.one, &acme, LONG).await?;
        let renewed = format!("{token}, renewed");
        commit(&*bench.one, &acme, record.version, held, &renewed).await?;
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            has_token(&record.connection, &renewed),
            "what was committed isn't read"
        );
    }
    done(bench.one.remove(&acme).await, "remove")?;
    ensure!(
        is_missing(&bench.other.read(&acme).await),
        "what was removed is read"
    );
    Ok(())
}

pub(super) async fn others_are_seen_in_time<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("others-are-seen-in-time")?;
    let (writer, other) = (&*bench.one, &*bench.other);
    ensure!(
        is_missing(&called(other, &acme).await),
        "it's there before it was put"
    );
    let version = put(writer, &acme, "put").await?;
    tokio::time::sleep(bench.staleness).await;
    let found = done(called(other, &acme).await, "connection")?;
    ensure!(has_token(&found, "put"), "what was put isn't seen");
    let held = lease(writer, &acme, LONG).await?;
    commit(writer, &acme, version, held, "renewed").await?;
    tokio::time::sleep(bench.staleness).await;
    let found = done(called(other, &acme).await, "connection")?;
    ensure!(
        has_token(&found, "renewed"),
        "what was committed isn't seen"
    );
    done(writer.remove(&acme).await, "remove")?;
    tokio::time::sleep(bench.staleness).await;
    ensure!(
        is_missing(&called(other, &acme).await),
        "what was removed is seen"
    );
    Ok(())
}
