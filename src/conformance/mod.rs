//! What every store must do, as a suite that an implementation of its own runs in a test.
//!
//! ```
//! use tower_passthrough::{MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), conformance::Violations> {
//! let store = MemoryStore::new(); // A database of the test's own, and empty.
//! conformance::run(async || store.clone()).await
//! # }
//! ```
//!
//! The closure opens another handle on the same store, as another process would: with a pool and a
//! cache of its own. A store that says how long its cache may be stale is held to it by
//! [`Suite::staleness`]; that time is waited for a few times. Leases end by real time.
//!
//! The suite wants the store empty, and leaves it so.

mod bench;
mod broken;
mod concurrency;
mod contents;
mod death;
mod durability;
mod ids;
mod leases;
mod lists;
mod versions;
mod visibility;

pub use self::broken::Violations;

use std::fmt;
use std::time::Duration;

use self::bench::Bench;
use crate::store::ConnectionStore;

/// The longest that a rule's test may take, beside the staleness that it waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the [`Suite`] on a store whose cache, if it has one, is stale for 5 seconds at most.
///
/// # Errors
///
/// [`Violations`] names the rules that the store doesn't keep.
pub async fn run<S: ConnectionStore>(open: impl AsyncFn() -> S) -> Result<(), Violations> {
    Suite::new(open).run().await
}

/// The tests of a store.
#[must_use]
pub struct Suite<O> {
    open: O,
    staleness: Duration,
}

impl<O> Suite<O> {
    /// `open` opens another handle on the store.
    pub const fn new(open: O) -> Self {
        Self {
            open,
            staleness: Duration::from_secs(5),
        }
    }

    /// How long [`connection`](crate::CredentialStore::connection) may be stale on another handle
    /// than that by which a connection was changed: 5 seconds unless set.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Tries each rule.
    ///
    /// # Errors
    ///
    /// [`Violations`] names the rules that the store doesn't keep. Its `Debug` is for people, so that
    /// a test may return it.
    pub async fn run<S: ConnectionStore>(self) -> Result<(), Violations>
    where
        O: AsyncFn() -> S,
    {
        let mut broken = Violations::default();
        if let Err(why) = durability::store_is_empty(&self.open).await {
            // Nothing of it may be removed.
            broken.add("the store is empty before the suite", why);
            return broken.into_result();
        }
        let patience = PATIENCE.saturating_add(self.staleness.saturating_mul(8));
        macro_rules! try_rules {
            ($bench:expr; $($rule:literal: $test:path,)*) => {$(
                let tried = tokio::time::timeout(patience, $test($bench)).await;
                match tried {
                    Ok(Ok(())) => {}
                    Ok(Err(why)) => broken.add($rule, why),
                    Err(_) => broken.add($rule, "it took too long".to_owned()),
                }
                if let Err(why) = durability::clear(&self.open).await {
                    broken.add("a connection can be removed", why);
                }
            )*};
        }
        // With no other handle open, as after a restart.
        try_rules! { &self.open;
            "what was written outlives each handle": durability::writes_outlive_handles,
            "versions are new after a restart": durability::versions_are_new_after_reopening,
        }
        let bench = Bench {
            one: (self.open)().await.into(),
            other: (self.open)().await.into(),
            staleness: self.staleness,
        };
        try_rules! { &bench;
            "T14: ids are exact bytes": ids::are_exact,
            "T14: no id finds another's connection": ids::find_no_other,
            "there is nothing of an id that was never put": ids::missing_is_not_found,
            "what was put comes back byte for byte": contents::come_back,
            "what was renewed comes back byte for byte": contents::renewed_come_back,
            "nothing is left of what was replaced": contents::are_replaced_whole,
            "lists are in the order of the ids' bytes, by pages": lists::are_paged_in_order,
            "lists show integration and state, and nothing that was removed": lists::tell_standing,
            "a version is that of one state alone": versions::are_of_one_state,
            "a commit on a stale version writes nothing": versions::stale_commits_write_nothing,
            "no version comes back with a connection": versions::are_never_reused,
            "a commit doesn't bring a removed connection back": versions::commits_revive_nothing,
            "a renewal notes when it was": versions::renewals_are_dated,
            "a lease keeps others out until it's released": leases::exclude_others,
            "a lease ends by itself": leases::end_by_themselves,
            "releasing a lease that was lost is nothing": leases::lost_ones_release_nothing,
            "fences grow": leases::fences_grow,
            "leases are of one connection, and change nothing of it": leases::are_of_one_connection,
            "new tokens count also from whoever has lost the lease": leases::lost_ones_may_commit,
            "the newest lease may say that a credential is dead": death::is_believed,
            "nobody else is believed that a credential is dead": death::needs_the_newest_lease,
            "new tokens of the same version revive what is dead": death::is_undone_by_renewal,
            "what is put is live": death::is_undone_by_put,
            "of committers at once, one wins": concurrency::one_commit_wins,
            "what is put outlasts commits at the same time": concurrency::a_put_outlasts_commits,
            "what is removed stays so, whoever commits at the same time": concurrency::a_removal_stays,
            "of takers at once, one gets the lease": concurrency::one_lease_is_given,
            "writes at once are all there": concurrency::writes_are_all_there,
            "a handle sees its own writes at once": visibility::own_writes_are_seen,
            "`read` sees others' writes at once": visibility::reads_are_past_caches,
            "`connection` sees others' writes in the stated time": visibility::others_are_seen_in_time,
        }
        broken.into_result()
    }
}

impl<O> fmt::Debug for Suite<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("staleness", &self.staleness)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
