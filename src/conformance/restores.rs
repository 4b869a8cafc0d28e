//! The rules about connections that are written from another store.

use std::time::{Duration, SystemTime};

use super::bench::{
    Bench, LONG, Verdict, called, commit, connection, done, ensure, has_token, id, is_missing,
    lease, put, read,
};
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionStore, CredentialVersion, GrantState, StoreError, StoredConnection, TokenStore,
};

/// Returns a connection of another store.
fn foreign(token: &str, version: u64) -> StoredConnection {
    StoredConnection::new(connection(token), CredentialVersion::new(version))
}

async fn restore<S: ConnectionStore>(
    store: &S,
    id: &ConnectionKey,
    stored: &StoredConnection,
    replaced: Option<CredentialVersion>,
) -> Verdict<Option<CredentialVersion>> {
    done(store.restore(id, stored, replaced).await, "restore")
}

pub(super) async fn keep_contents_and_state<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    for (name, state, refreshed_at) in [
        ("restored-active", GrantState::Active, None),
        ("restored-revoked", GrantState::Revoked, None),
        ("restored-refreshed", GrantState::Active, Some(at)),
        ("restored-both", GrantState::Revoked, Some(at)),
    ] {
        let acme = id(name)?;
        let mut stored = foreign("token", 1).state(state);
        stored.refreshed_at = refreshed_at;
        let version = restore(&*bench.one, &acme, &stored, None).await?;
        let version = version.ok_or("a connection wasn't restored, although there was none")?;
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            has_token(&record.connection, "token"),
            "the contents of {name} are others"
        );
        ensure!(
            record.version == version,
            "`restore` and `read` return two versions"
        );
        ensure!(
            record.state == state,
            "the state of {name} is {:?}",
            record.state
        );
        ensure!(
            record.refreshed_at.is_none() || record.refreshed_at == refreshed_at,
            "the refresh of {name} was at {refreshed_at:?}, and is stored as {:?}",
            record.refreshed_at
        );
        let found = done(called(&*bench.one, &acme).await, "connection")?;
        ensure!(has_token(&found, "token"), "`connection` gives others");
        // It's a connection like any other.
        let held = lease(&*bench.other, &acme, LONG).await?;
        let renewed = commit(&*bench.other, &acme, version, held, "new").await?;
        ensure!(renewed.is_some(), "{name} can't be refreshed");
    }
    Ok(())
}

pub(super) async fn replace_only_the_named_version<S: ConnectionStore>(
    bench: &Bench<S>,
) -> Verdict {
    let acme = id("restore-replaces-the-named-version")?;
    let stored = foreign("restored", 1).state(GrantState::Revoked);
    let never = CredentialVersion::new(u64::MAX >> 2);
    let absent = restore(&*bench.one, &acme, &stored, Some(never)).await?;
    ensure!(
        absent.is_none() && is_missing(&bench.other.read(&acme).await),
        "a connection that isn't there was replaced"
    );
    let stale = put(&*bench.one, &acme, "old").await?;
    let newest = put(&*bench.one, &acme, "new").await?;
    for replaced in [None, Some(stale), Some(never)] {
        let written = restore(&*bench.other, &acme, &stored, replaced).await?;
        ensure!(
            written.is_none(),
            "a restore over {replaced:?} replaced {newest:?}"
        );
        let record = read(&*bench.one, &acme).await?;
        ensure!(
            record.version == newest
                && record.state == GrantState::Active
                && has_token(&record.connection, "new"),
            "a restore that returned `None` changed the connection"
        );
    }
    let held = lease(&*bench.one, &acme, LONG).await?;
    let written = restore(&*bench.other, &acme, &stored, Some(newest)).await?;
    let written = written.ok_or("a restore over the newest version wrote nothing")?;
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.version == written
            && record.state == GrantState::Revoked
            && has_token(&record.connection, "restored"),
        "what was restored isn't stored"
    );
    let late = commit(&*bench.one, &acme, newest, held, "late").await?;
    ensure!(
        late.is_none(),
        "a commit on the replaced version was accepted"
    );
    let next = lease(&*bench.one, &acme, LONG).await?;
    ensure!(
        next.fence() > held.fence(),
        "a lease that a restore has ended has a higher fence than the next"
    );
    Ok(())
}

pub(super) async fn have_new_versions<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("restored-versions-are-new")?;
    let mut seen = vec![put(&*bench.one, &acme, "put").await?];
    for round in 0..4 {
        // The other store gave the same number to its credential.
        let newest = read(&*bench.one, &acme).await.map(|record| record.version);
        let number = seen.last().map_or(0, |version| version.get());
        let stored = foreign(&round.to_string(), number);
        let replaced = match round % 2 {
            0 => Some(newest?),
            _ => {
                done(bench.other.remove(&acme).await, "remove")?;
                None
            }
        };
        let written = restore(&*bench.one, &acme, &stored, replaced).await?;
        let written = written.ok_or("nothing was restored")?;
        ensure!(!seen.contains(&written), "{written:?} was given twice");
        seen.push(written);
    }
    match bench.other.read(&acme).await {
        Ok(record) => ensure!(has_token(&record.connection, "3"), "another is stored"),
        Err(StoreError::NotFound) => return Err("what was restored is gone".to_owned()),
        Err(error) => return Err(format!("read failed: {error:?}")),
    }
    Ok(())
}
