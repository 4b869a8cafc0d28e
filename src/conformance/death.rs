//! The rules about revoked grants: the lease that may mark a grant as revoked, and the writes that
//! undo it.

use super::bench::{
    Bench, LONG, Verdict, called, commit, done, ensure, has_token, id, lease, lost_and_newest, put,
    read,
};
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionStore, CredentialVersion, GrantState, GrantUpdate, RefreshLease, TokenStore,
};

/// Puts a connection, and marks its grant as revoked with a valid lease.
async fn dead<S: ConnectionStore>(
    store: &S,
    id: &ConnectionKey,
) -> Verdict<(CredentialVersion, RefreshLease)> {
    let version = put(store, id, "old").await?;
    let held = lease(store, id, LONG).await?;
    let died = store.commit(id, version, held, &GrantUpdate::Revoked).await;
    let died = done(died, "commit")?;
    ensure!(
        died == Some(version),
        "`Revoked` gave {died:?} for {version:?}"
    );
    Ok((version, held))
}

pub(super) async fn newest_lease_revokes<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("newest-lease-revokes")?;
    let (version, held) = dead(&*bench.one, &acme).await?;
    for store in [&bench.one, &bench.other] {
        let record = read(&**store, &acme).await?;
        ensure!(
            record.state == GrantState::Revoked,
            "it's {:?}",
            record.state
        );
        ensure!(record.version == version, "the version changed");
        ensure!(
            has_token(&record.connection, "old"),
            "the credential changed"
        );
        // The access token may still be valid.
        let found = done(called(&**store, &acme).await, "connection")?;
        ensure!(
            has_token(&found, "old"),
            "`connection` gives another credential"
        );
    }
    done(bench.one.release(&acme, held).await, "release")?;
    lease(&*bench.other, &acme, LONG).await?;
    Ok(())
}

pub(super) async fn other_leases_revoke_nothing<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("other-leases-revoke-nothing")?;
    let version = put(&*bench.one, &acme, "old").await?;
    let never = bench.one.commit(
        &acme,
        version,
        RefreshLease::new(u64::MAX >> 1),
        &GrantUpdate::Revoked,
    );
    ensure!(
        done(never.await, "commit")?.is_none(),
        "`Revoked` counted with a lease that was never given"
    );
    let (lost, newest) = lost_and_newest(&*bench.one, &*bench.other, &acme).await?;
    let died = bench
        .one
        .commit(&acme, version, lost, &GrantUpdate::Revoked)
        .await;
    ensure!(
        done(died, "commit")?.is_none(),
        "`Revoked` counted with a lost lease"
    );
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.state == GrantState::Active,
        "the grant was revoked all the same"
    );
    let died = bench
        .other
        .commit(&acme, version, newest, &GrantUpdate::Revoked)
        .await;
    ensure!(
        done(died, "commit")?.is_some(),
        "`Revoked` didn't count with the newest lease"
    );
    Ok(())
}

pub(super) async fn new_tokens_reactivate<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("new-tokens-reactivate")?;
    let (version, held) = dead(&*bench.one, &acme).await?;
    let renewed = commit(&*bench.other, &acme, version, held, "new").await?;
    let renewed = renewed.ok_or("new tokens of a faster process were refused")?;
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.state == GrantState::Active
            && record.version == renewed
            && has_token(&record.connection, "new"),
        "new tokens left {record:?}"
    );
    Ok(())
}

pub(super) async fn put_reactivates<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("put-reactivates")?;
    let (version, held) = dead(&*bench.one, &acme).await?;
    let newest = put(&*bench.other, &acme, "new").await?;
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.state == GrantState::Active && has_token(&record.connection, "new"),
        "`put` left {record:?}"
    );
    let died = bench
        .one
        .commit(&acme, version, held, &GrantUpdate::Revoked)
        .await;
    ensure!(
        done(died, "commit")?.is_none(),
        "`Revoked` of before counted"
    );
    let record = read(&*bench.one, &acme).await?;
    ensure!(
        record.state == GrantState::Active && record.version == newest,
        "the grant is revoked again"
    );
    Ok(())
}
