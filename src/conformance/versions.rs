//! The rules about versions: a commit only counts if it's based on the newest version.

use std::time::{Duration, SystemTime};

use super::bench::{
    Bench, LONG, Verdict, commit, connection, done, ensure, has_token, id, is_missing, lease, put,
    read,
};
use crate::store::{ConnectionStore, GrantState, GrantUpdate, StoreError, TokenStore};

pub(super) async fn are_of_one_state<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("are-of-one-state")?;
    let mut seen = Vec::new();
    for round in 0..5 {
        let token = round.to_string();
        let version = put(&*bench.one, &acme, &token).await?;
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            record.version == version,
            "`put` and `read` return two versions"
        );
        ensure!(!seen.contains(&version), "`put` gave {version:?} twice");
        ensure!(
            record.state == GrantState::Active,
            "a put connection isn't active"
        );
        seen.push(version);
        let held = lease(&*bench.other, &acme, LONG).await?;
        let renewed = commit(&*bench.other, &acme, version, held, &token).await?;
        let renewed = renewed.ok_or("a commit on the newest version was refused")?;
        ensure!(!seen.contains(&renewed), "`commit` gave {renewed:?} twice");
        let record = read(&*bench.one, &acme).await?;
        ensure!(
            record.version == renewed,
            "`commit` and `read` return two versions"
        );
        seen.push(renewed);
        done(bench.other.release(&acme, held).await, "release")?;
    }
    Ok(())
}

pub(super) async fn stale_commits_write_nothing<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("stale-commits-write-nothing")?;
    let stale = put(&*bench.one, &acme, "old").await?;
    let held = lease(&*bench.one, &acme, LONG).await?;
    let newest = commit(&*bench.one, &acme, stale, held, "new").await?;
    ensure!(
        newest.is_some(),
        "a commit on the newest version was refused"
    );
    for store in [&bench.one, &bench.other] {
        let late = commit(&**store, &acme, stale, held, "late").await?;
        ensure!(late.is_none(), "a commit on a stale version counted");
        let died = store
            .commit(&acme, stale, held, &GrantUpdate::Revoked)
            .await;
        ensure!(
            done(died, "commit")?.is_none(),
            "`Revoked` on a stale version counted"
        );
        let record = read(&**store, &acme).await?;
        ensure!(
            has_token(&record.connection, "new")
                && Some(record.version) == newest
                && record.state == GrantState::Active,
            "a commit on a stale version left {record:?}"
        );
    }
    let stale = read(&*bench.one, &acme).await?.version;
    put(&*bench.other, &acme, "put").await?;
    let late = commit(&*bench.one, &acme, stale, held, "late").await?;
    ensure!(
        late.is_none(),
        "a commit based on a credential that `put` has replaced counted"
    );
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        has_token(&record.connection, "put"),
        "a late commit overwrote what was put"
    );
    Ok(())
}

pub(super) async fn are_never_reused<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("are-never-reused")?;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let version = put(&*bench.one, &acme, "same").await?;
        ensure!(
            !seen.contains(&version),
            "{version:?} came back after a removal"
        );
        let held = lease(&*bench.other, &acme, LONG).await?;
        for stale in &seen {
            let late = commit(&*bench.other, &acme, *stale, held, "late").await?;
            ensure!(late.is_none(), "a commit from before a removal counted");
        }
        seen.push(version);
        let removed = done(bench.other.remove(&acme).await, "remove")?;
        ensure!(removed, "a connection couldn't be removed");
    }
    Ok(())
}

pub(super) async fn commits_revive_nothing<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("commits-revive-nothing")?;
    let version = put(&*bench.one, &acme, "old").await?;
    let held = lease(&*bench.one, &acme, LONG).await?;
    done(bench.other.remove(&acme).await, "remove")?;
    for renewal in [
        GrantUpdate::Refreshed(connection("new")),
        GrantUpdate::Revoked,
    ] {
        match bench.one.commit(&acme, version, held, &renewal).await {
            Ok(None) | Err(StoreError::NotFound) => {}
            other => return Err(format!("a commit after the removal gave {other:?}")),
        }
        for store in [&bench.one, &bench.other] {
            ensure!(is_missing(&store.read(&acme).await), "it's back");
        }
    }
    Ok(())
}

pub(super) async fn renewals_are_dated<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    // The time may come from another machine's clock, or be in whole seconds.
    const TOLERANCE: Duration = Duration::from_secs(60);
    let acme = id("renewals-are-dated")?;
    let version = put(&*bench.one, &acme, "old").await?;
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.refreshed_at.is_none(),
        "a put connection has a time of a refresh"
    );
    let held = lease(&*bench.one, &acme, LONG).await?;
    commit(&*bench.one, &acme, version, held, "new").await?;
    let now = SystemTime::now();
    let at = read(&*bench.other, &acme).await?.refreshed_at;
    let at = at.ok_or("a commit sets no time of the refresh")?;
    let apart = now
        .duration_since(at)
        .unwrap_or_else(|error| error.duration());
    ensure!(
        apart < TOLERANCE,
        "the time of the refresh is {apart:?} off"
    );
    put(&*bench.one, &acme, "put").await?;
    let record = read(&*bench.other, &acme).await?;
    ensure!(
        record.refreshed_at.is_none(),
        "a put connection has a time of a refresh"
    );
    Ok(())
}
