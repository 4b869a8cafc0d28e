//! Tests a store that you have written: the rules of [`CredentialStore`](crate::CredentialStore),
//! [`TokenStore`](crate::store::TokenStore) and [`ConnectionStore`] as a suite of tests.
//!
//! ```
//! use tower_passthrough::{MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), conformance::Violations> {
//! let store = MemoryStore::new(); // In a test of yours: an empty database.
//! conformance::run(async || store.clone()).await
//! # }
//! ```
//!
//! The closure opens another handle on the same store, like another process: with its own pool and its own cache. If the store has
//! a cache, set its staleness with [`Suite::staleness`]; the suite waits for that time several times. Leases expire in real time.
//!
//! The store must be empty before the suite runs, and is empty after it.

mod bench;
mod broken;
mod concurrency;
mod contents;
mod death;
mod durability;
mod keys;
mod leases;
mod lists;
mod restores;
mod versions;
mod visibility;

pub use self::broken::Violations;

use std::fmt;
use std::time::Duration;

use self::bench::Bench;
use crate::store::ConnectionStore;

/// The maximum time of a rule's test, in addition to the staleness for which it waits.
const RULE_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the [`Suite`] on a store with a staleness of up to 5 s, or without a cache.
///
/// # Errors
///
/// [`Violations`], which lists the rules that the store breaks.
///
/// # Cancel safety
///
/// If the future is dropped, connections of the suite may remain in the store.
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
    /// Returns the suite for a store; `open` opens another handle on the store.
    pub const fn new(open: O) -> Self {
        Self {
            open,
            staleness: Duration::from_secs(5),
        }
    }

    /// Sets the maximum time for which a change through another handle may not be visible to
    /// [`connection`](crate::CredentialStore::connection). Default: 5 s.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Checks every rule.
    ///
    /// # Errors
    ///
    /// [`Violations`], which lists the rules that the store breaks. Its `Debug` output is readable, so a test can return it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, connections of the suite may remain in the store.
    pub async fn run<S: ConnectionStore>(self) -> Result<(), Violations>
    where
        O: AsyncFn() -> S,
    {
        let mut broken = Violations::default();
        if let Err(why) = durability::store_is_empty(&self.open).await {
            // The suite stops, because it must not remove existing connections.
            broken.add("the store is empty before the suite", why);
            return broken.into_result();
        }
        let patience = RULE_TIMEOUT.saturating_add(self.staleness.saturating_mul(8));
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
        // No other handle is open, as after a restart.
        try_rules! { &self.open;
            "writes outlive their handles": durability::writes_outlive_handles,
            "versions are new after a restart": durability::versions_are_new_after_reopening,
        }
        let bench = Bench {
            one: (self.open)().await.into(),
            other: (self.open)().await.into(),
            staleness: self.staleness,
        };
        try_rules! { &bench;
            "keys are exact bytes": keys::are_exact,
            "keys may hold slashes": keys::are_exact_with_slashes,
            "keys may have 512 bytes": keys::are_exact_at_512_bytes,
            "no key finds another's connection": keys::find_no_other,
            "a key that was never put has no connection": keys::missing_is_not_found,
            "put connections come back byte for byte": contents::come_back,
            "committed connections come back byte for byte": contents::renewed_come_back,
            "a write replaces the whole connection": contents::are_replaced_whole,
            "lists are in the order of the keys' bytes, by pages": lists::are_paged_in_order,
            "lists show integration and state, and no removed connections": lists::tell_standing,
            "each credential has a version of its own": versions::are_of_one_state,
            "a commit on a stale version writes nothing": versions::stale_commits_write_nothing,
            "versions of a removed connection are never given again": versions::are_never_reused,
            "a commit doesn't bring a removed connection back": versions::commits_revive_nothing,
            "a commit sets the time of the refresh": versions::renewals_are_dated,
            "a lease keeps others out until it's released": leases::exclude_others,
            "a lease ends by itself": leases::end_by_themselves,
            "releasing a lost lease changes nothing": leases::lost_ones_release_nothing,
            "a lease can be extended until it ends, unless the store extends none": leases::are_extended,
            "fences grow": leases::fences_grow,
            "a lease concerns one connection, and doesn't change it": leases::are_of_one_connection,
            "new tokens count after the lease was lost": leases::lost_ones_may_commit,
            "the newest lease may revoke": death::newest_lease_revokes,
            "no other lease may revoke": death::other_leases_revoke_nothing,
            "new tokens make a revoked grant active": death::new_tokens_reactivate,
            "a put makes a revoked grant active": death::put_reactivates,
            "a restored connection has its contents and its state": restores::keep_contents_and_state,
            "a restore replaces only the version that it names": restores::replace_only_the_named_version,
            "a restored connection has a new version": restores::have_new_versions,
            "of concurrent commits, one wins": concurrency::one_commit_wins,
            "a put outlasts concurrent commits": concurrency::a_put_outlasts_commits,
            "a removal outlasts concurrent commits": concurrency::a_removal_stays,
            "of concurrent callers, one gets the lease": concurrency::one_lease_is_given,
            "concurrent writes are all there": concurrency::writes_are_all_there,
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
