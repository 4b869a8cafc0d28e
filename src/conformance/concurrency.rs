//! Concurrent operations, on both handles.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::bench::{
    Bench, LONG, Verdict, commit, connection, done, ensure, has_token, id, is_missing, lease, put,
    read,
};
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionStore, CredentialVersion, GrantUpdate, RefreshLease, StoreError, TokenStore,
};

const MANY: usize = 16;
const ROUNDS: usize = 5;

impl<S> Bench<S> {
    fn handle(&self, index: usize) -> Arc<S> {
        Arc::clone(if index % 2 == 0 {
            &self.one
        } else {
            &self.other
        })
    }
}

/// Returns the results of all tasks.
async fn all<T: Send + 'static>(mut tasks: JoinSet<Verdict<T>>) -> Verdict<Vec<T>> {
    let mut given = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        given.push(ended.map_err(|error| format!("the store panicked: {error}"))??);
    }
    Ok(given)
}

pub(super) async fn one_commit_wins<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("one-commit-wins")?;
    put(&*bench.one, &acme, "old").await?;
    for _ in 0..ROUNDS {
        let version = read(&*bench.one, &acme).await?.version;
        let held = lease(&*bench.one, &acme, LONG).await?;
        let mut tasks = JoinSet::new();
        for index in 0..MANY {
            let (store, acme) = (bench.handle(index), acme.clone());
            tasks.spawn(async move {
                let token = index.to_string();
                let won = commit(&*store, &acme, version, held, &token).await?;
                Ok(won.map(|version| (version, token)))
            });
        }
        let mut won = all(tasks).await?.into_iter().flatten();
        let (winner, second) = (won.next(), won.next());
        let (version, token) = winner.ok_or("no commit won")?;
        ensure!(second.is_none(), "two commits won");
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            record.version == version && has_token(&record.connection, &token),
            "what is stored isn't the winner's"
        );
        done(bench.one.release(&acme, held).await, "release")?;
    }
    Ok(())
}

/// Starts commits based on that version, on both handles.
fn committers<S: ConnectionStore>(
    bench: &Bench<S>,
    acme: &ConnectionKey,
    version: CredentialVersion,
    held: RefreshLease,
) -> JoinSet<Verdict<()>> {
    let mut tasks = JoinSet::new();
    for index in 0..MANY {
        let (store, acme) = (bench.handle(index), acme.clone());
        tasks.spawn(async move {
            let renewal = GrantUpdate::Refreshed(connection(&index.to_string()));
            // The connection may have been removed.
            let committed = store.commit(&acme, version, held, &renewal).await;
            match committed {
                Err(StoreError::NotFound) => Ok(()),
                other => done(other, "commit").map(drop),
            }
        });
    }
    tasks
}

/// Lets the tasks run for a while, which is different in each round.
async fn begun(round: usize) {
    for _ in 0..round % 4 {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_put_outlasts_commits<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("a-put-outlasts-commits")?;
    for round in 0..2 * ROUNDS {
        let version = put(&*bench.one, &acme, "old").await?;
        let held = lease(&*bench.one, &acme, LONG).await?;
        let tasks = committers(bench, &acme, version, held);
        // Commits before the put are overwritten, and commits after it are based on an old version.
        let owners = format!("owners-{round}");
        begun(round).await;
        let store = bench.handle(round);
        let version = put(&*store, &acme, &owners).await?;
        all(tasks).await?;
        let record = read(&*bench.other, &acme).await?;
        ensure!(
            record.version == version && has_token(&record.connection, &owners),
            "a commit overwrote what was put meanwhile"
        );
        done(bench.one.release(&acme, held).await, "release")?;
    }
    Ok(())
}

pub(super) async fn a_removal_stays<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("a-removal-stays")?;
    for round in 0..2 * ROUNDS {
        let version = put(&*bench.one, &acme, "old").await?;
        let held = lease(&*bench.one, &acme, LONG).await?;
        let tasks = committers(bench, &acme, version, held);
        let store = bench.handle(round);
        begun(round).await;
        let removed = done(store.remove(&acme).await, "remove")?;
        all(tasks).await?;
        ensure!(removed, "`remove` says that there was none");
        ensure!(
            is_missing(&bench.other.read(&acme).await),
            "a commit brought back what was removed meanwhile"
        );
    }
    Ok(())
}

pub(super) async fn one_lease_is_given<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("one-lease-is-given")?;
    put(&*bench.one, &acme, "token").await?;
    for _ in 0..ROUNDS {
        let mut tasks = JoinSet::new();
        for index in 0..MANY {
            let (store, acme) = (bench.handle(index), acme.clone());
            tasks.spawn(async move { done(store.lease(&acme, LONG).await, "lease") });
        }
        let given: Vec<_> = all(tasks).await?.into_iter().flatten().collect();
        ensure!(given.len() == 1, "{} of {MANY} got the lease", given.len());
        for lease in given {
            done(bench.other.release(&acme, lease).await, "release")?;
        }
    }
    Ok(())
}

pub(super) async fn writes_are_all_there<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let mut tasks = JoinSet::new();
    for index in 0..2 * MANY {
        let store = bench.handle(index);
        tasks.spawn(async move {
            let own = put(&*store, &id(&format!("own-{index}"))?, &index.to_string()).await?;
            let shared = put(&*store, &id("shared")?, &index.to_string()).await?;
            Ok((index, own, shared))
        });
    }
    let written = all(tasks).await?;
    let shared = read(&*bench.one, &id("shared")?).await?;
    let last = written
        .iter()
        .find(|(_, _, version)| *version == shared.version);
    ensure!(
        last.is_some_and(|(index, ..)| has_token(&shared.connection, &index.to_string())),
        "after several puts of a connection, none of them is stored"
    );
    let mut versions: Vec<_> = written.iter().map(|(_, _, version)| *version).collect();
    versions.sort_unstable();
    versions.dedup();
    ensure!(
        versions.len() == written.len(),
        "two writes of a connection got the same version"
    );
    for (index, own, _) in &written {
        let record = read(&*bench.one, &id(&format!("own-{index}"))?).await?;
        ensure!(
            record.version == *own && has_token(&record.connection, &index.to_string()),
            "a concurrent put is lost"
        );
    }
    Ok(())
}
