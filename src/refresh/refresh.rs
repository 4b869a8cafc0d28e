//! One refresh, from the look whether it's needed to the moment at which its tokens are stored.
//!
//! The order is what it's about. The store is read before the endpoint is asked, and again under the
//! lease, as somebody else may have been faster; new tokens are stored before anybody gets them; that
//! a connection is dead is believed only once the store has been read again (RFC 9700 §4.14.2: the
//! loser of a race is refused because of the winner).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use super::asking::ask;
use super::backoff::{Remembered, Waits, is_recent};
use super::expires_at;
use super::flight::Flight;
use super::freshness::{Freshness, Margins};
use super::landed::{Landed, SharedError};
use super::report::{RefreshOutcome, RefreshReport};
use super::secrets::{is_same_token, is_used_up, put};
use super::source::{TokenError, TokenSource, Tokens};
use super::store::Inner;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::{
    CredentialVersion, GrantState, GrantUpdate, RefreshLease, StoreError, StoredConnection,
    TokenStore,
};

/// How long the store may take to read, or to give a lease.
const STORE: Duration = Duration::from_secs(10);

/// How long it may take to give a lease back, while callers wait for what it has brought.
const RELEASE: Duration = Duration::from_secs(1);

/// How much longer than a lease lasts its end is waited for.
pub(super) const SLACK: Duration = Duration::from_secs(5);

/// How long tokens that the store doesn't take are kept, and tried again.
const UNSTORED: Duration = Duration::from_secs(15 * 60);

/// How long it's tried to say that a connection is dead, and to see who was faster.
const DYING: Duration = Duration::from_secs(3);

/// For how long a look that brought nothing needn't be repeated while the token is good.
const QUIET: Duration = Duration::from_secs(5);
const QUIET_IF_DEAD: Duration = Duration::from_secs(60);

/// Why there is a refresh.
pub(super) enum Reason {
    /// The token will soon end.
    Due,
    /// It has ended, or there is none.
    Stale,
    /// A vendor has rejected the token of that one.
    Rejected(Connection),
}

/// A refresh under way.
pub(super) struct Refresh<S, T> {
    pub(super) inner: Arc<Inner<S, T>>,
    pub(super) id: ConnectionKey,
    pub(super) reason: Reason,
    pub(super) flight: Flight<Remembered, Landed>,
}

impl<S: TokenStore, T: TokenSource> Refresh<S, T> {
    pub(super) async fn run(self) {
        let steps = Steps {
            inner: &self.inner,
            id: &self.id,
            reason: &self.reason,
            flight: &self.flight,
            began: Instant::now(),
        };
        let (Ok(landed) | Err(landed)) = steps.all().await;
        self.flight.land(landed);
    }
}

struct Steps<'a, S, T> {
    inner: &'a Arc<Inner<S, T>>,
    id: &'a ConnectionKey,
    reason: &'a Reason,
    flight: &'a Flight<Remembered, Landed>,
    began: Instant,
}

/// `Err`: the refresh is over early.
type Step<T> = Result<T, Landed>;

impl<S: TokenStore, T: TokenSource> Steps<'_, S, T> {
    async fn all(&self) -> Step<Landed> {
        let record = self.read().await?;
        if let Some(landed) = self.settled(&record) {
            self.flight.remember(|memory| {
                memory.is_quiet_for(match landed {
                    Landed::Dead => QUIET_IF_DEAD,
                    _ => QUIET,
                });
            });
            return Ok(landed);
        }
        let (lease, since) = self.lease(&record.connection).await?;
        let landed = self.under(lease, since).await;
        // If that fails, it ends by itself.
        let _ = timeout(RELEASE, self.inner.store().release(self.id, lease)).await;
        landed
    }

    /// What there is to be used without a refresh.
    fn settled(&self, record: &StoredConnection) -> Option<Landed> {
        let connection = &record.connection;
        if !self.inner.source().supports(connection) {
            return Some(Landed::Usable(connection.clone()));
        }
        let (freshness, came_ended) = self.freshness(record);
        let usable = || Some(Landed::Usable(connection.clone()));
        let is_dead = record.state == GrantState::Revoked;
        let is_recent = is_recent(record);
        match self.reason {
            Reason::Rejected(rejected) => match freshness {
                Freshness::Fresh | Freshness::Due if !is_same_token(rejected, connection) => {
                    usable()
                }
                _ if is_dead => Some(Landed::Dead),
                _ if is_recent => Some(Landed::Unchanged),
                _ => None,
            },
            Reason::Stale if freshness == Freshness::Due => usable(),
            Reason::Due | Reason::Stale => match freshness {
                Freshness::Fresh => usable(),
                _ if is_dead => Some(Landed::Dead),
                // The vendor's word on its end is no use: each call would ask anew.
                _ if came_ended && is_recent => usable(),
                _ => None,
            },
        }
    }

    /// By what is known of the token's lifetime; and whether it had ended when it came.
    fn freshness(&self, record: &StoredConnection) -> (Freshness, bool) {
        let mut margins = self.inner.margins(self.id);
        let mut came_ended = false;
        let ends = expires_at::of(&record.connection).zip(record.refreshed_at);
        if let Some((end, refreshed_at)) = ends {
            let lifetime = end.duration_since(refreshed_at).unwrap_or_default();
            came_ended = lifetime < Duration::from_secs(1);
            margins = self.lives(end, lifetime);
        }
        (
            margins.judge(&record.connection, SystemTime::now()),
            came_ended,
        )
    }

    /// The margins of a token, which are remembered if its life is short: then each call in the
    /// usual margins would look for them.
    fn lives(&self, end: SystemTime, lifetime: Duration) -> Margins {
        let usual = self.inner.margins(self.id);
        let margins = usual.within(lifetime);
        if margins != usual {
            self.flight.remember(|memory| memory.knows(end, margins));
        }
        margins
    }

    /// The lease, once nobody else has it, and since when it lasts.
    async fn lease(&self, old: &Connection) -> Step<(RefreshLease, Instant)> {
        let time = self.inner.lease_time();
        let end = self.began + time + SLACK;
        let mut waits = Waits::new();
        loop {
            // Before it's given, so that it's never believed to last longer than it does.
            let since = Instant::now();
            let lease = self.bounded(self.inner.store().lease(self.id, time));
            if let Some(lease) = lease.await? {
                return Ok((lease, since));
            }
            if Instant::now() >= end {
                let cause = "another process has been refreshing it for too long";
                return Err(self.failed(old, None, SharedError::new(cause)));
            }
            waits.next().await;
            let record = self.read().await?;
            if let Some(landed) = self.settled(&record) {
                self.report(&record.connection, RefreshOutcome::Superseded, None);
                return Err(landed);
            }
        }
    }

    /// What only one may do at a time.
    async fn under(&self, lease: RefreshLease, since: Instant) -> Step<Landed> {
        let record = self.read().await?;
        if let Some(landed) = self.settled(&record) {
            self.report(&record.connection, RefreshOutcome::Superseded, None);
            return Ok(landed);
        }
        // Who asks longer than the lease lasts may not be the only one, and an answer that is cut
        // short may hold a rotated token: so nobody asks who can't wait for the answer.
        let left = self.inner.lease_time().saturating_sub(since.elapsed());
        if left < self.inner.timeout() {
            let cause = SharedError::new("the store has used the lease up");
            return Err(self.failed(&record.connection, None, cause));
        }
        if let Reason::Rejected(_) = self.reason {
            let version = record.version;
            self.flight.remember(|memory| memory.is_driven(version));
        }
        match ask(self.inner, self.id, &record.connection).await {
            Ok(tokens) => self.store(&record, lease, tokens).await,
            Err(TokenError::Revoked) => self.died(&record, lease).await,
            Err(TokenError::Incomplete { source }) => {
                self.flight.remember(Remembered::is_lacking);
                let cause = SharedError::new(source);
                self.report(&record.connection, RefreshOutcome::Failed, Some(&cause));
                Ok(Landed::Dead)
            }
            Err(TokenError::Failed {
                retry_after,
                source,
            }) => {
                let cause = SharedError::new(source);
                Err(self.failed(&record.connection, retry_after, cause))
            }
        }
    }

    /// Stores new tokens, and hands them out once they are.
    async fn store(
        &self,
        record: &StoredConnection,
        lease: RefreshLease,
        tokens: Tokens,
    ) -> Step<Landed> {
        let mut connection = put(tokens.clone(), record.connection.clone());
        let mut base = record.version;
        let give_up = Instant::now() + UNSTORED;
        let mut waits = Waits::new();
        let mut is_told = false;
        let version = loop {
            let renewal = GrantUpdate::Refreshed(connection.clone());
            let error = match self.commit(base, lease, renewal).await {
                Ok(Some(version)) => break version,
                Ok(None) => match self.read().await {
                    // A try before was written, and its answer lost.
                    Ok(newest) if is_same_token(&newest.connection, &connection) => {
                        break newest.version;
                    }
                    // The rest of it was changed: what it's refreshed by is what we've used up.
                    Ok(newest) if is_used_up(&record.connection, &tokens, &newest.connection) => {
                        connection = put(tokens.clone(), newest.connection);
                        base = newest.version;
                        None
                    }
                    Ok(newest) => {
                        self.report(&connection, RefreshOutcome::Superseded, None);
                        return Ok(self.settled(&newest).unwrap_or(Landed::Unchanged));
                    }
                    Err(Landed::Unavailable(error)) => Some(error),
                    Err(landed) => return Err(landed),
                },
                Err(StoreError::NotFound) => return Err(Landed::NotFound),
                Err(error) => Some(SharedError::new(error)),
            };
            if Instant::now() >= give_up {
                let error = error.unwrap_or_else(|| SharedError::new("it changes all the time"));
                return Err(self.failed(&connection, None, error));
            }
            // They're in memory alone, and the old refresh token may be worth nothing any more.
            if let Some(error) = error.filter(|_| !is_told) {
                is_told = true;
                self.report(&connection, RefreshOutcome::Unstored, Some(&error));
            }
            waits.next().await;
        };
        self.flight.remember(|memory| memory.renewed(version));
        if let Some(end) = expires_at::of(&connection) {
            let lifetime = end.duration_since(SystemTime::now()).unwrap_or_default();
            self.lives(end, lifetime);
        }
        self.report(&connection, RefreshOutcome::Refreshed, None);
        Ok(Landed::Usable(connection))
    }

    /// The endpoint says that only the owner can help.
    async fn died(&self, record: &StoredConnection, lease: RefreshLease) -> Step<Landed> {
        let connection = &record.connection;
        let end = Instant::now() + DYING;
        let mut waits = Waits::new();
        loop {
            let newest = self.read().await?;
            if newest.version != record.version {
                // Somebody was faster, and that's why we were refused.
                self.report(connection, RefreshOutcome::Superseded, None);
                return Ok(self.settled(&newest).unwrap_or(Landed::Unchanged));
            }
            let cause = match self
                .commit(record.version, lease, GrantUpdate::Revoked)
                .await
            {
                Ok(Some(_)) => {
                    self.flight.remember(|memory| {
                        memory.is_quiet_for(QUIET_IF_DEAD);
                    });
                    self.report(connection, RefreshOutcome::Revoked, None);
                    return Ok(Landed::Dead);
                }
                // Who has the lease now may be about to store what makes ours worth nothing.
                Ok(None) => SharedError::new("it was refused to one whose lease was over"),
                Err(StoreError::NotFound) => return Err(Landed::NotFound),
                Err(error) => SharedError::new(error),
            };
            if Instant::now() >= end {
                return Err(self.failed(connection, None, cause));
            }
            waits.next().await;
        }
    }

    /// Commits, in a task of its own: one that never ends is left alone, as a store isn't dropped in
    /// the midst of it. It may still be written then.
    async fn commit(
        &self,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (inner, id) = (Arc::clone(self.inner), self.id.clone());
        let committing = async move { inner.store().commit(&id, read, lease, &renewal).await };
        match timeout(STORE, tokio::spawn(committing)).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(_)) => Err(StoreError::unavailable("the store panicked")),
            Err(_) => Err(StoreError::unavailable("the store didn't answer in time")),
        }
    }

    fn failed(
        &self,
        connection: &Connection,
        retry_after: Option<Duration>,
        cause: SharedError,
    ) -> Landed {
        let mut until = Instant::now();
        self.flight
            .remember(|memory| until = memory.failed(retry_after, cause.clone()));
        self.report(connection, RefreshOutcome::Failed, Some(&cause));
        Landed::Failed(until, cause)
    }

    async fn read(&self) -> Step<StoredConnection> {
        self.bounded(self.inner.store().read(self.id)).await
    }

    /// A store that never answers must not keep the connection's cell for ever.
    async fn bounded<R>(&self, step: impl Future<Output = Result<R, StoreError>>) -> Step<R> {
        match timeout(STORE, step).await {
            Ok(result) => result.map_err(|error| {
                self.flight.remember(|memory| memory.is_quiet_for(QUIET));
                error.into()
            }),
            Err(_) => {
                self.flight.remember(|memory| memory.is_quiet_for(QUIET));
                let cause = SharedError::new("the store didn't answer in time");
                Err(Landed::Unavailable(cause))
            }
        }
    }

    fn report(
        &self,
        connection: &Connection,
        outcome: RefreshOutcome,
        error: Option<&SharedError>,
    ) {
        let Some(hook) = self.inner.hook() else {
            return;
        };
        let report = RefreshReport {
            id: self.id,
            integration: connection.integration(),
            outcome,
            duration: self.began.elapsed(),
            error: error.map(SharedError::as_error),
        };
        // What the host makes of it is no reason to lose tokens.
        let _ = catch_unwind(AssertUnwindSafe(|| hook(&report)));
    }
}
