//! A refresh: checks whether it's needed, fetches tokens and stores them.
//!
//! The order of the steps makes it safe. The store is read before the source is called, and again under the lease,
//! because another process may have been faster. New tokens are stored before any call gets them. A grant counts as
//! revoked only once the store has been read again: if two processes refresh at the same time, the source rejects the
//! slower process (RFC 9700 §4.14.2).
//!
//! Rules: `docs/rules/security.md#7-refresh-and-rotation`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::backoff::{Remembered, Waits, is_recent};
use super::expires_at;
use super::freshness::{Freshness, Margins};
use super::report::{RefreshOutcome, RefreshReport};
use super::source::{TokenError, TokenSource, Tokens, is_same_token, is_used_up, with_tokens};
use super::store::Inner;
use crate::connection::{Connection, ConnectionKey};
use crate::single_flight::{Leader, SharedError};
use crate::store::{
    CredentialVersion, GrantState, GrantUpdate, RefreshLease, StoreError, StoredConnection,
    TokenStore,
};

/// The maximum time that the store may take to read, to commit, or to give a lease.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum time that the store may take to release a lease, as callers wait meanwhile.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// The time after the end of another process's lease for which a call still waits.
pub(super) const LEASE_GRACE_PERIOD: Duration = Duration::from_secs(5);

/// The time after which a caller should try again while the source takes longer than expected.
const OVERDUE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The pause after an extension of the lease that failed.
const EXTENSION_PAUSE: Duration = Duration::from_secs(1);

/// The maximum time for which tokens are kept, and storing them is tried again, while the store fails.
const UNSTORED_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The maximum time for which storing that a grant is revoked is tried again.
const REVOKE_TIMEOUT: Duration = Duration::from_secs(3);

/// The pause after a refresh that changed nothing, while the token is valid.
const PAUSE: Duration = Duration::from_secs(5);
/// The pause after the grant was found to be revoked.
const PAUSE_IF_REVOKED: Duration = Duration::from_secs(60);

/// The reason for a refresh.
pub(super) enum Reason {
    /// The token will soon end.
    Due,
    /// The token has ended, or there is none.
    Stale,
    /// The upstream has rejected the token of this connection.
    Rejected(Connection),
}

/// A refresh under way.
pub(super) struct Refresh<S, T> {
    pub(super) inner: Arc<Inner<S, T>>,
    pub(super) id: ConnectionKey,
    pub(super) reason: Reason,
    pub(super) leader: Leader<ConnectionKey, Remembered, RefreshResult>,
}

impl<S: TokenStore, T: TokenSource> Refresh<S, T> {
    pub(super) async fn run(self) {
        let steps = Steps {
            inner: &self.inner,
            id: &self.id,
            reason: &self.reason,
            leader: &self.leader,
            began: Instant::now(),
        };
        let (Ok(result) | Err(result)) = steps.run().await;
        self.leader.complete(result);
    }
}

struct Steps<'a, S, T> {
    inner: &'a Arc<Inner<S, T>>,
    id: &'a ConnectionKey,
    reason: &'a Reason,
    leader: &'a Leader<ConnectionKey, Remembered, RefreshResult>,
    began: Instant,
}

/// The result of a step. `Err` ends the refresh early.
type Step<T> = Result<T, RefreshResult>;

impl<S: TokenStore, T: TokenSource> Steps<'_, S, T> {
    async fn run(&self) -> Step<RefreshResult> {
        let record = self.read().await?;
        if let Some(result) = self.result_without_refresh(&record) {
            self.leader.remember(|memory| {
                memory.pause(match result {
                    RefreshResult::Reauthorize => PAUSE_IF_REVOKED,
                    _ => PAUSE,
                });
            });
            return Ok(result);
        }
        let (lease, since) = self.lease(&record.connection).await?;
        let result = self.refresh_under_lease(lease, since).await;
        // If that fails, the lease expires by itself.
        let _ = timeout(RELEASE_TIMEOUT, self.inner.store().release(self.id, lease)).await;
        result
    }

    /// Returns the result if no refresh is needed or allowed.
    fn result_without_refresh(&self, record: &StoredConnection) -> Option<RefreshResult> {
        let connection = &record.connection;
        if !self.inner.source().supports(connection) {
            return Some(RefreshResult::Usable(connection.clone()));
        }
        let (freshness, came_ended) = self.freshness(record);
        let usable = || Some(RefreshResult::Usable(connection.clone()));
        let is_revoked = record.state == GrantState::Revoked;
        let is_recent = is_recent(record);
        match self.reason {
            Reason::Rejected(rejected) => match freshness {
                Freshness::Fresh | Freshness::Due if !is_same_token(rejected, connection) => {
                    usable()
                }
                _ if is_revoked => Some(RefreshResult::Reauthorize),
                _ if is_recent => Some(RefreshResult::Unchanged),
                _ => None,
            },
            Reason::Stale if freshness == Freshness::Due => usable(),
            Reason::Due | Reason::Stale => match freshness {
                Freshness::Fresh => usable(),
                _ if is_revoked => Some(RefreshResult::Reauthorize),
                // The upstream's `expires_at` is wrong, and each call would begin a refresh because of it.
                _ if came_ended && is_recent => usable(),
                _ => None,
            },
        }
    }

    /// Returns the freshness by the token's lifetime, if it's known. Returns `true` with it if the token had already
    /// ended when it was stored.
    fn freshness(&self, record: &StoredConnection) -> (Freshness, bool) {
        let mut margins = self.inner.margins(self.id, &record.connection);
        let mut came_ended = false;
        let ends = expires_at::from_connection(&record.connection).zip(record.refreshed_at);
        if let Some((end, refreshed_at)) = ends {
            let lifetime = end.duration_since(refreshed_at).unwrap_or_default();
            came_ended = lifetime < Duration::from_secs(1);
            margins = self.margins(&record.connection, end, lifetime);
        }
        (
            margins.judge(&record.connection, SystemTime::now()),
            came_ended,
        )
    }

    /// Returns the margins of a token. If its lifetime is short, they're remembered, because otherwise each call within
    /// the default margins would begin a refresh.
    fn margins(&self, connection: &Connection, end: SystemTime, lifetime: Duration) -> Margins {
        let usual = self.inner.margins(self.id, connection);
        let margins = usual.limit_to(lifetime);
        if margins != usual {
            self.leader
                .remember(|memory| memory.remember_margins(end, margins));
        }
        margins
    }

    /// Returns the lease once no other process has it, and the time at which it began.
    async fn lease(&self, old: &Connection) -> Step<(RefreshLease, Instant)> {
        let time = self.inner.lease_time();
        let end = self.began + time + LEASE_GRACE_PERIOD;
        let mut waits = Waits::new();
        loop {
            // Taken before the lease is given, so that its remaining time is never overestimated.
            let since = Instant::now();
            let lease = self.bounded(self.inner.store().lease(self.id, time));
            if let Some(lease) = lease.await? {
                return Ok((lease, since));
            }
            if Instant::now() >= end {
                let cause = "another process has held the refresh lease for too long";
                return Err(self.fail(old, None, SharedError::new(cause)));
            }
            waits.next().await;
            let record = self.read().await?;
            if let Some(result) = self.result_without_refresh(&record) {
                self.report(&record.connection, RefreshOutcome::Superseded, None);
                return Err(result);
            }
        }
    }

    /// Refreshes while no other process can.
    async fn refresh_under_lease(
        &self,
        lease: RefreshLease,
        since: Instant,
    ) -> Step<RefreshResult> {
        let record = self.read().await?;
        if let Some(result) = self.result_without_refresh(&record) {
            self.report(&record.connection, RefreshOutcome::Superseded, None);
            return Ok(result);
        }
        // A source that answers in time must be able to finish within the lease, because not every store can extend a lease. After the
        // lease, another process may refresh too.
        let left = self.inner.lease_time().saturating_sub(since.elapsed());
        if left < self.inner.timeout() {
            let cause = SharedError::new("the store took longer than the lease");
            return Err(self.fail(&record.connection, None, cause));
        }
        if let Reason::Rejected(_) = self.reason {
            let version = record.version;
            self.leader
                .remember(|memory| memory.record_forced_refresh(version));
        }
        let lease_end = since + self.inner.lease_time();
        match self.fetch(&record.connection, lease, lease_end).await {
            Ok(tokens) => self.store(&record, lease, tokens).await,
            Err(TokenError::Revoked) => self.store_revoked(&record, lease).await,
            Err(TokenError::Incomplete { source }) => {
                self.leader.remember(Remembered::record_incomplete);
                let cause = SharedError::new(source);
                self.report(&record.connection, RefreshOutcome::Failed, Some(&cause));
                Ok(RefreshResult::Reauthorize)
            }
            Err(TokenError::Failed {
                retry_after,
                source,
            }) => {
                let cause = SharedError::new(source);
                Err(self.fail(&record.connection, retry_after, cause))
            }
        }
    }

    /// Fetches tokens in a separate task, so that a panic of the source only fails the refresh.
    ///
    /// Callers are answered after the timeout, but the source isn't aborted then, because its answer may contain a rotated token. The lease
    /// is extended as long as the source needs.
    async fn fetch(
        &self,
        connection: &Connection,
        lease: RefreshLease,
        lease_end: Instant,
    ) -> Result<Tokens, TokenError> {
        let (inner, id) = (Arc::clone(self.inner), self.id.clone());
        let connection = connection.clone();
        let fetching = async move { inner.source().fetch(&id, &connection).await };
        let mut task = AbortOnDrop(tokio::spawn(fetching));
        let began = Instant::now();
        let give_up = began + self.inner.exchange_timeout();
        let mut overdue = Some(began + self.inner.timeout());
        let ahead = self.inner.lease_time() / 4;
        let mut extend = Some(lease_end - ahead);
        loop {
            let next = [overdue, extend].into_iter().flatten().min();
            let next = next.map_or(give_up, |next| next.min(give_up));
            match timeout_at(next, &mut task.0).await {
                Ok(Ok(result)) => return result,
                Ok(Err(_)) => return Err(TokenError::failed("the token source panicked")),
                Err(_) if next == give_up => {
                    return Err(TokenError::failed("the token source didn't answer in time"));
                }
                Err(_) => {}
            }
            let is_over = |at: &mut Instant| *at <= Instant::now();
            if overdue.take_if(is_over).is_some() {
                self.leader.announce(RefreshResult::Overdue);
            }
            if extend.take_if(is_over).is_some() {
                extend = self.extend(lease).await.map(|end| end - ahead);
            }
        }
    }

    /// Extends the lease, and returns its end. If the store failed, the end is near, so that the extension is tried again. Returns `None` if
    /// the lease can't be extended.
    async fn extend(&self, lease: RefreshLease) -> Option<Instant> {
        let time = self.inner.lease_time();
        let since = Instant::now();
        let extending = self.inner.store().extend(self.id, lease, time);
        match timeout(STORE_TIMEOUT, extending).await {
            Ok(Ok(true)) => Some(since + time),
            Ok(Ok(false) | Err(StoreError::NotFound)) => None,
            Ok(Err(_)) | Err(_) => Some(Instant::now() + time / 4 + EXTENSION_PAUSE),
        }
    }

    /// Stores new tokens, and returns them once they're stored.
    async fn store(
        &self,
        record: &StoredConnection,
        lease: RefreshLease,
        tokens: Tokens,
    ) -> Step<RefreshResult> {
        let mut connection = with_tokens(record.connection.clone(), tokens.clone());
        let mut base = record.version;
        let give_up = Instant::now() + UNSTORED_TIMEOUT;
        let mut waits = Waits::new();
        let mut is_reported = false;
        let version = loop {
            let update = GrantUpdate::Refreshed(connection.clone());
            let error = match self.commit(base, lease, update).await {
                Ok(Some(version)) => break version,
                Ok(None) => match self.read().await {
                    // An earlier attempt was written, although its result was lost.
                    Ok(newest) if is_same_token(&newest.connection, &connection) => {
                        break newest.version;
                    }
                    // Another field was changed during this refresh. The stored refresh token is still the token that
                    // was just used up, so the changes are merged, and storing is tried again.
                    Ok(newest) if is_used_up(&record.connection, &tokens, &newest.connection) => {
                        connection = with_tokens(newest.connection, tokens.clone());
                        base = newest.version;
                        None
                    }
                    Ok(newest) => {
                        self.report(&connection, RefreshOutcome::Superseded, None);
                        return Ok(self
                            .result_without_refresh(&newest)
                            .unwrap_or(RefreshResult::Unchanged));
                    }
                    Err(RefreshResult::Unavailable(error)) => Some(error),
                    Err(result) => return Err(result),
                },
                Err(StoreError::NotFound) => return Err(RefreshResult::NotFound),
                Err(error) => Some(SharedError::new(error)),
            };
            if Instant::now() >= give_up {
                let error = error.unwrap_or_else(|| {
                    SharedError::new("the stored credential changed at each attempt")
                });
                return Err(self.fail(&connection, None, error));
            }
            // The tokens are only in memory, and the old refresh token may have been used up.
            if let Some(error) = error.filter(|_| !is_reported) {
                is_reported = true;
                self.report(&connection, RefreshOutcome::Unstored, Some(&error));
            }
            waits.next().await;
        };
        self.leader
            .remember(|memory| memory.record_refresh(version));
        if let Some(end) = expires_at::from_connection(&connection) {
            let lifetime = end.duration_since(SystemTime::now()).unwrap_or_default();
            self.margins(&connection, end, lifetime);
        }
        self.report(&connection, RefreshOutcome::Refreshed, None);
        Ok(RefreshResult::Usable(connection))
    }

    /// Stores that the grant is revoked, unless another process was faster.
    async fn store_revoked(
        &self,
        record: &StoredConnection,
        lease: RefreshLease,
    ) -> Step<RefreshResult> {
        let connection = &record.connection;
        let end = Instant::now() + REVOKE_TIMEOUT;
        let mut waits = Waits::new();
        loop {
            let newest = self.read().await?;
            if newest.version != record.version {
                // Another process was faster, and the source rejected this refresh for that reason.
                self.report(connection, RefreshOutcome::Superseded, None);
                return Ok(self
                    .result_without_refresh(&newest)
                    .unwrap_or(RefreshResult::Unchanged));
            }
            let cause = match self
                .commit(record.version, lease, GrantUpdate::Revoked)
                .await
            {
                Ok(Some(_)) => {
                    self.leader.remember(|memory| {
                        memory.pause(PAUSE_IF_REVOKED);
                    });
                    self.report(connection, RefreshOutcome::Revoked, None);
                    return Ok(RefreshResult::Reauthorize);
                }
                // The process that now has the lease may be about to store newer tokens.
                Ok(None) => SharedError::new(
                    "the token source refused the refresh after the lease had expired",
                ),
                Err(StoreError::NotFound) => return Err(RefreshResult::NotFound),
                Err(error) => SharedError::new(error),
            };
            if Instant::now() >= end {
                return Err(self.fail(connection, None, cause));
            }
            waits.next().await;
        }
    }

    /// Commits in a separate task. A commit that exceeds the timeout isn't aborted, as a store may not expect that, so it
    /// may still be written later.
    async fn commit(
        &self,
        read: CredentialVersion,
        lease: RefreshLease,
        update: GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let (inner, id) = (Arc::clone(self.inner), self.id.clone());
        let committing = async move { inner.store().commit(&id, read, lease, &update).await };
        match timeout(STORE_TIMEOUT, tokio::spawn(committing)).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(_)) => Err(StoreError::unavailable("the store panicked")),
            Err(_) => Err(StoreError::unavailable("the store didn't answer in time")),
        }
    }

    /// Records and reports a failure.
    fn fail(
        &self,
        connection: &Connection,
        retry_after: Option<Duration>,
        cause: SharedError,
    ) -> RefreshResult {
        let mut until = Instant::now();
        self.leader
            .remember(|memory| until = memory.record_failure(retry_after, cause.clone()));
        self.report(connection, RefreshOutcome::Failed, Some(&cause));
        RefreshResult::Failed(until, cause)
    }

    async fn read(&self) -> Step<StoredConnection> {
        self.bounded(self.inner.store().read(self.id)).await
    }

    /// Limits the time of a call to the store, because a store that never returns must not block the connection for
    /// ever.
    async fn bounded<R>(&self, step: impl Future<Output = Result<R, StoreError>>) -> Step<R> {
        match timeout(STORE_TIMEOUT, step).await {
            Ok(result) => result.map_err(|error| {
                self.leader.remember(|memory| memory.pause(PAUSE));
                error.into()
            }),
            Err(_) => {
                self.leader.remember(|memory| memory.pause(PAUSE));
                let cause = SharedError::new("the store didn't answer in time");
                Err(RefreshResult::Unavailable(cause))
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
        // A panic in the host application's hook must not lose tokens.
        let _ = catch_unwind(AssertUnwindSafe(|| hook(&report)));
    }
}

/// A task that ends with the refresh.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The result of a refresh, shared by all calls that waited for it.
#[derive(Clone)]
pub(super) enum RefreshResult {
    /// The connection to use.
    Usable(Connection),
    /// There is no other token, and it's too early for another refresh because of a 401.
    Unchanged,
    /// Only the connection's owner can repair the connection.
    Reauthorize,
    /// The refresh failed, and may succeed after that time.
    Failed(Instant, SharedError),
    /// The store failed.
    Unavailable(SharedError),
    /// The connection was removed.
    NotFound,
    /// The source hasn't answered yet. The refresh continues.
    Overdue,
}

impl RefreshResult {
    /// Returns the connection for a call, or `None` if nothing has changed.
    ///
    /// # Errors
    ///
    /// If there is no token for the call.
    pub(super) fn into_result(self) -> Result<Option<Connection>, StoreError> {
        match self {
            Self::Usable(connection) => Ok(Some(connection)),
            Self::Unchanged => Ok(None),
            Self::Reauthorize => Err(StoreError::Reauthorize),
            Self::Failed(until, cause) => Err(refresh_failed(until, cause)),
            Self::Unavailable(cause) => Err(StoreError::unavailable(cause)),
            Self::NotFound => Err(StoreError::NotFound),
            Self::Overdue => Err(StoreError::RefreshFailed {
                retry_after: OVERDUE_RETRY_AFTER,
                source: "the token source hasn't answered yet; the refresh continues".into(),
            }),
        }
    }
}

impl From<StoreError> for RefreshResult {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Reauthorize => Self::Reauthorize,
            StoreError::Unavailable(source) => Self::Unavailable(SharedError::new(source)),
            StoreError::RefreshFailed {
                retry_after,
                source,
            } => {
                let now = Instant::now();
                let until = now.checked_add(retry_after).unwrap_or(now);
                Self::Failed(until, SharedError::new(source))
            }
        }
    }
}

/// Returns the error of a call that needed a token at once.
pub(super) fn refresh_failed(until: Instant, cause: SharedError) -> StoreError {
    StoreError::RefreshFailed {
        retry_after: until.saturating_duration_since(Instant::now()),
        source: cause.into(),
    }
}
