//! The rules about leases: only a single process at a time fetches new tokens.

use super::bench::{
    Bench, LONG, SHORT, Verdict, after_its_end, commit, done, ensure, has_token, id, lease,
    lost_and_newest, put, read,
};
use crate::connection::ConnectionKey;
use crate::store::{ConnectionStore, RefreshLease, TokenStore};

async fn probe_free<S: TokenStore>(store: &S, id: &ConnectionKey) -> Verdict<bool> {
    let lease = done(store.lease(id, LONG).await, "lease")?;
    if let Some(lease) = lease {
        done(store.release(id, lease).await, "release")?;
    }
    Ok(lease.is_some())
}

pub(super) async fn exclude_others<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("exclude-others")?;
    put(&*bench.one, &acme, "token").await?;
    for (holder, other) in [(&bench.one, &bench.other), (&bench.other, &bench.one)] {
        let held = lease(&**holder, &acme, LONG).await?;
        for store in [holder, other] {
            ensure!(
                !probe_free(&**store, &acme).await?,
                "a lease was given twice"
            );
        }
        let never = RefreshLease::new(held.fence().wrapping_add(1000));
        done(other.release(&acme, never).await, "release")?;
        ensure!(
            !probe_free(&**other, &acme).await?,
            "another's lease released it"
        );
        // A lease can be released through each handle.
        done(other.release(&acme, held).await, "release")?;
        ensure!(
            probe_free(&**other, &acme).await?,
            "a released lease still excludes others"
        );
        done(
            holder.release(&acme, held).await,
            "a lease can be released again",
        )?;
    }
    Ok(())
}

pub(super) async fn end_by_themselves<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("end-by-themselves")?;
    put(&*bench.one, &acme, "token").await?;
    lease(&*bench.one, &acme, SHORT).await?;
    after_its_end(&*bench.other, &acme).await?;
    // The next lease must have its own time.
    tokio::time::sleep(2 * SHORT).await;
    ensure!(
        !probe_free(&*bench.one, &acme).await?,
        "the lease after it ended as well"
    );
    Ok(())
}

pub(super) async fn lost_ones_release_nothing<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("lost-ones-release-nothing")?;
    put(&*bench.one, &acme, "token").await?;
    let (lost, newest) = lost_and_newest(&*bench.one, &*bench.other, &acme).await?;
    done(bench.one.release(&acme, lost).await, "release")?;
    ensure!(
        !probe_free(&*bench.one, &acme).await?,
        "releasing a lost lease released its successor's"
    );
    done(bench.other.release(&acme, newest).await, "release")?;
    ensure!(
        probe_free(&*bench.one, &acme).await?,
        "a released lease still excludes others"
    );
    Ok(())
}

pub(super) async fn are_extended<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("can-be-extended")?;
    put(&*bench.one, &acme, "token").await?;
    let (lost, newest) = lost_and_newest(&*bench.one, &*bench.other, &acme).await?;
    let extend = async |lease, time| done(bench.one.extend(&acme, lease, time).await, "extend");
    ensure!(!extend(lost, LONG).await?, "a lost lease was extended");
    let never = RefreshLease::new(newest.fence().wrapping_add(1000));
    ensure!(
        !extend(never, LONG).await?,
        "a lease that was never given was extended"
    );
    if !extend(newest, LONG).await? {
        // The store can't extend leases, which then keep their time.
        ensure!(
            !probe_free(&*bench.one, &acme).await?,
            "a lease that wasn't extended ended"
        );
        return Ok(());
    }
    ensure!(
        !probe_free(&*bench.one, &acme).await?,
        "an extended lease doesn't exclude others"
    );
    done(bench.other.release(&acme, newest).await, "release")?;
    ensure!(
        !extend(newest, LONG).await?,
        "a released lease was extended"
    );
    ensure!(
        probe_free(&*bench.other, &acme).await?,
        "an extended lease that was released still excludes others"
    );
    let held = lease(&*bench.one, &acme, 4 * SHORT).await?;
    ensure!(extend(held, LONG).await?, "a lease wasn't extended");
    tokio::time::sleep(6 * SHORT).await;
    ensure!(
        !probe_free(&*bench.other, &acme).await?,
        "an extended lease ended at its first time"
    );
    // The time of an extension counts from now, and may be shorter than the rest of the lease.
    ensure!(
        extend(held, SHORT).await?,
        "an extended lease wasn't extended again"
    );
    after_its_end(&*bench.other, &acme).await?;
    ensure!(!extend(held, LONG).await?, "an expired lease was extended");
    Ok(())
}

pub(super) async fn fences_grow<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("fences-grow")?;
    put(&*bench.one, &acme, "token").await?;
    let mut highest = None;
    for round in 0..8 {
        let store = if round % 2 == 0 {
            &bench.one
        } else {
            &bench.other
        };
        let fence = lease(&**store, &acme, LONG).await?.fence();
        ensure!(
            Some(fence) > highest,
            "fence {fence} came after {highest:?}"
        );
        highest = Some(fence);
        // The previous lease ends in a different way in each round.
        match round {
            0 | 1 => done(
                store.release(&acme, RefreshLease::new(fence)).await,
                "release",
            )?,
            2 | 3 => {
                let version = read(&**store, &acme).await?.version;
                commit(
                    &**store,
                    &acme,
                    version,
                    RefreshLease::new(fence),
                    "renewed",
                )
                .await?;
                done(
                    store.release(&acme, RefreshLease::new(fence)).await,
                    "release",
                )?;
            }
            4 => {
                done(
                    store.release(&acme, RefreshLease::new(fence)).await,
                    "release",
                )?;
                put(&**store, &acme, "put").await?;
            }
            _ => {
                done(store.remove(&acme).await, "remove")?;
                put(&**store, &acme, "put").await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn are_of_one_connection<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let (acme, beta) = (id("are-of-one-connection")?, id("beta")?);
    let version = put(&*bench.one, &acme, "token").await?;
    put(&*bench.one, &beta, "token").await?;
    let held = lease(&*bench.one, &acme, LONG).await?;
    let other = lease(&*bench.other, &beta, LONG).await?;
    let record = read(&*bench.other, &acme).await?;
    ensure!(
        record.version == version && has_token(&record.connection, "token"),
        "a lease changed the connection"
    );
    // Fences of two connections may be equal, so a release must only affect its own connection.
    done(bench.one.release(&acme, held).await, "release")?;
    ensure!(
        !probe_free(&*bench.one, &beta).await?,
        "releasing a lease released another lease"
    );
    done(bench.other.release(&beta, other).await, "release")?;
    Ok(())
}

pub(super) async fn lost_ones_may_commit<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("lost-ones-may-commit")?;
    let version = put(&*bench.one, &acme, "old").await?;
    let (lost, newest) = lost_and_newest(&*bench.one, &*bench.other, &acme).await?;
    let first = commit(&*bench.one, &acme, version, lost, "first").await?;
    ensure!(
        first.is_some(),
        "new tokens that came with a lost lease are lost"
    );
    let second = commit(&*bench.other, &acme, version, newest, "second").await?;
    ensure!(second.is_none(), "its successor overwrote them");
    let record = read(&*bench.other, &acme).await?;
    ensure!(has_token(&record.connection, "first"), "they aren't there");
    Ok(())
}
