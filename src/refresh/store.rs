//! A store that refreshes access tokens.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::backoff::{NotNow, Remembered, fraction, is_recent};
use super::expires_at;
use super::freshness::{Freshness, Margins, is_good};
use super::refresh::{LEASE_GRACE_PERIOD, Reason, Refresh, RefreshResult, refresh_failed};
use super::report::RefreshReport;
use super::source::{TokenSource, is_same_token};
use crate::authorize::CallContext;
use crate::connection::{Connection, ConnectionKey};
use crate::single_flight::{Join, SharedError, SingleFlight, Waiter};
use crate::store::{CredentialStore, GrantState, StoreError, TokenStore};

/// The default time before its end at which a token is refreshed.
const DEFAULT_SKEW: Duration = Duration::from_secs(5 * 60);

/// The default duration of a lease.
const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(20);
/// The default time for which calls wait for the source.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
/// The default time that the source may take.
const DEFAULT_EXCHANGE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The maximum of these durations, so that adding it to a clock can't overflow.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The maximum number of connections that are remembered.
const MAX_REMEMBERED_CONNECTIONS: usize = 65_536;

/// The maximum number of refreshes that a call joins, if refreshes of other calls don't return a token for it.
const MAX_ATTEMPTS: usize = 3;

/// A store that refreshes the access tokens of its connections by a [`TokenSource`].
///
/// It reads the secrets `access_token` and `expires_at` (Unix seconds, or RFC 3339). A connection that the source doesn't
/// [support](TokenSource::supports) is returned unchanged. [The guide](crate::guides::refreshing) describes when a token is
/// refreshed, which data is held in memory, and how several processes share a store. Cloning increments a reference count.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
/// use tower_passthrough::auth::AccessToken;
/// use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
/// use tower_passthrough::store::ConnectionKey;
///
/// /// An upstream's own login call, simplified.
/// struct Login;
///
/// impl TokenSource for Login {
///     fn supports(&self, connection: &Connection) -> bool {
///         connection.integration() == "crm"
///     }
///
///     async fn fetch(&self, _: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
///         let mut tokens = Tokens::new("t0k3n");
///         tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
///         Ok(tokens)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::from_iter([("acme", Connection::new("crm").with_secret("password", "s3cr3t"))]);
/// let store = RefreshingStore::new(store, Login).on_refresh(|report| {
///     println!("{} {}", report.connection_key().as_str(), report.outcome().as_str());
/// });
/// let integrations = Integrations::new().with("crm", Upstream::new("https://api.crm.test")?.auth(AccessToken));
/// let service = PassthroughService::builder(store, integrations)
///     .authorize_fn(|id, _| id.as_str() == "acme")
///     .caller_credentials([http::header::AUTHORIZATION])
///     .build();
/// # Ok(())
/// # }
/// ```
pub struct RefreshingStore<S, T>(Arc<Inner<S, T>>);

type Hook = dyn Fn(&RefreshReport<'_>) + Send + Sync;

/// The settings, which are cloned to be changed, and the shared state.
pub(super) struct Inner<S, T> {
    parts: Arc<Parts<S, T>>,
    skew: Skew,
    /// The skews of single integrations.
    skews: Arc<HashMap<Box<str>, Skew, RandomState>>,
    /// The largest time before its end at which a token of any integration is refreshed.
    widest_skew: Duration,
    lease: Duration,
    timeout: Duration,
    exchange_timeout: Duration,
    hook: Option<Arc<Hook>>,
}

/// The time before its end at which a token is refreshed, and an addition that differs between connections.
#[derive(Clone, Copy, Debug)]
struct Skew {
    least: Duration,
    jitter: Duration,
}

impl Skew {
    fn new(least: Duration) -> Self {
        let jitter = least / 5;
        Self { least, jitter }
    }

    fn most(self) -> Duration {
        self.least.saturating_add(self.jitter)
    }
}

struct Parts<S, T> {
    store: S,
    source: T,
    flights: Arc<SingleFlight<ConnectionKey, Remembered, RefreshResult>>,
    jitter: RandomState,
}

impl<S, T> RefreshingStore<S, T> {
    /// Returns a store with the connections of `store`, and with tokens from `source`.
    #[must_use]
    pub fn new(store: S, source: T) -> Self {
        Self(Arc::new(Inner {
            parts: Arc::new(Parts {
                store,
                source,
                flights: SingleFlight::new(MAX_REMEMBERED_CONNECTIONS),
                jitter: RandomState::default(),
            }),
            skew: Skew::new(DEFAULT_SKEW),
            skews: Arc::default(),
            widest_skew: Skew::new(DEFAULT_SKEW).most(),
            lease: DEFAULT_LEASE_TIME,
            timeout: DEFAULT_TIMEOUT,
            exchange_timeout: DEFAULT_EXCHANGE_TIMEOUT,
            hook: None,
        }))
    }

    /// Sets the time before its expiry at which a token is refreshed.
    ///
    /// Up to a fifth is added, which differs between connections. A token with a known lifetime is used for at least three
    /// quarters of its lifetime.
    ///
    /// Default: 5 min.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.skew = Skew::new(skew);
        inner.update_widest_skew();
        self
    }

    /// Sets the skew of an integration's connections, which replaces the [`skew`](Self::skew) of all others: the shortest time before its
    /// expiry at which a token is refreshed, and the maximum of the addition, which differs between connections.
    ///
    /// Some token endpoints refuse a refresh until shortly before the token's expiry, such as Exact Online until the last 30 s. A token with
    /// a known lifetime is used for at least three quarters of its lifetime.
    ///
    /// Default: the skew of all connections.
    #[must_use]
    pub fn skew_for(
        mut self,
        integration: impl Into<Box<str>>,
        skew: Duration,
        jitter: Duration,
    ) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        let skew = Skew {
            least: skew,
            jitter,
        };
        Arc::make_mut(&mut inner.skews).insert(integration.into(), skew);
        inner.update_widest_skew();
        self
    }

    /// Sets the maximum time for which calls wait for the source. After that time, calls without a valid token are answered with
    /// `refresh-failed`, and the source continues, because an answer that nobody reads may contain a rotated token. Default: 15 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.0).timeout = timeout.min(MAX_DURATION);
        self
    }

    /// Sets the maximum time that the source may take. After that time, its future is dropped. Default: 5 min.
    ///
    /// Meanwhile, the [lease](Self::lease) is extended, and no other refresh of the connection begins.
    #[must_use]
    pub fn exchange_timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.0).exchange_timeout = timeout.min(MAX_DURATION);
        self
    }

    /// Sets the time for which a process may prevent other processes from refreshing a connection.
    ///
    /// It's always at least 5 s longer than the [timeout](Self::timeout), and is extended if the source takes longer. After a crash, calls that need a new token may have
    /// to wait for this time.
    ///
    /// Default: 20 s.
    #[must_use]
    pub fn lease(mut self, time: Duration) -> Self {
        Arc::make_mut(&mut self.0).lease = time.min(MAX_DURATION);
        self
    }

    /// Sets a function that is called after each refresh that called the source or waited for another process.
    ///
    /// The function runs in the task of the refresh, so it should return quickly.
    ///
    /// Default: none.
    #[must_use]
    pub fn on_refresh(mut self, hook: impl Fn(&RefreshReport<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).hook = Some(Arc::new(hook));
        self
    }

    /// Returns the wrapped store.
    #[must_use]
    pub fn store(&self) -> &S {
        self.0.store()
    }

    /// Waits until no refresh is running.
    ///
    /// Await it after the last call and before the runtime shuts down, because an interrupted refresh may lose a rotated
    /// token.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn idle(&self) {
        while let Some(waiter) = self.0.parts.flights.any() {
            waiter.ended().await;
        }
    }
}

impl<S, T> Inner<S, T> {
    pub(super) fn store(&self) -> &S {
        &self.parts.store
    }

    pub(super) fn source(&self) -> &T {
        &self.parts.source
    }

    pub(super) fn hook(&self) -> Option<&Hook> {
        self.hook.as_deref()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn exchange_timeout(&self) -> Duration {
        self.exchange_timeout.max(self.timeout)
    }

    fn update_widest_skew(&mut self) {
        let skews = self.skews.values().copied().map(Skew::most);
        self.widest_skew = skews.fold(self.skew.most(), Duration::max);
    }

    pub(super) fn lease_time(&self) -> Duration {
        self.lease
            .max(self.timeout.saturating_add(LEASE_GRACE_PERIOD))
    }

    /// Returns the margins of a connection's token, if its lifetime isn't known.
    pub(super) fn margins(&self, id: &ConnectionKey, connection: &Connection) -> Margins {
        let skew = self.skews.get(connection.integration());
        let skew = skew.unwrap_or(&self.skew);
        let more = fraction(skew.jitter, self.parts.jitter.hash_one(id));
        Margins::new(skew.least.saturating_add(more))
    }
}

impl<S: TokenStore, T: TokenSource> RefreshingStore<S, T> {
    /// Returns the freshness of the connection's token. For most calls, the token's end alone shows that the token is
    /// fresh.
    fn freshness(&self, id: &ConnectionKey, stored: &Connection) -> Freshness {
        let now = SystemTime::now();
        let freshness = Margins::new(self.0.widest_skew).judge(stored, now);
        if freshness == Freshness::Fresh || !self.0.source().supports(stored) {
            return Freshness::Fresh;
        }
        let end = expires_at::from_connection(stored);
        let flights = &self.0.parts.flights;
        let known = flights.recall(id, |memory| memory.margins(end)).flatten();
        let margins = known.unwrap_or_else(|| self.0.margins(id, stored));
        margins.judge(stored, now)
    }

    /// Joins the refresh of the connection, or begins a refresh. Returns `true` with the waiter if this call began the
    /// refresh.
    fn join(
        &self,
        id: &ConnectionKey,
        reason: Reason,
        may_begin: impl FnOnce(&Remembered) -> Result<(), NotNow>,
    ) -> Result<(Waiter<RefreshResult>, bool), NotNow> {
        let soon = |why: &'static str| {
            let until = Instant::now() + Duration::from_secs(1);
            NotNow::Failing(until, SharedError::new(why))
        };
        let (leader, waiter) = match self.0.parts.flights.join(id, may_begin)? {
            Join::Joined(waiter) => return Ok((waiter, false)),
            Join::Started(leader, waiter) => (leader, waiter),
            Join::Full => return Err(soon("too many refreshes are under way")),
        };
        let Ok(runtime) = Handle::try_current() else {
            return Err(soon("the refresh needs a tokio runtime"));
        };
        let refresh = Refresh {
            inner: Arc::clone(&self.0),
            id: id.clone(),
            reason,
            leader,
        };
        runtime.spawn(refresh.run());
        Ok((waiter, true))
    }

    /// Waits for the result of a refresh, up to a time limit.
    async fn wait(&self, waiter: Waiter<RefreshResult>) -> RefreshResult {
        // The lease of another process may have to end before the source is called.
        let time = self.0.lease_time().saturating_add(LEASE_GRACE_PERIOD);
        let time = time.saturating_add(self.0.timeout());
        let why = match timeout(time, waiter.result()).await {
            Ok(Some(result)) => return result,
            Ok(None) => "the refresh ended without a result",
            Err(_) => "the refresh took too long",
        };
        let soon = Instant::now() + Duration::from_secs(1);
        RefreshResult::Failed(soon, SharedError::new(why))
    }

    /// Waits for a fresh token to replace a stale token.
    async fn fresh(&self, id: &ConnectionKey, stale: Connection) -> Result<Connection, StoreError> {
        let mut error = None;
        for _ in 0..MAX_ATTEMPTS {
            let result = match self.join(id, Reason::Stale, Remembered::check_refresh) {
                Ok((waiter, _)) => self.wait(waiter).await.into_result(),
                Err(NotNow::Failing(until, cause)) => Err(refresh_failed(until, cause)),
                Err(NotNow::Paused) => Ok(None),
                Err(NotNow::Incomplete) => Err(StoreError::Reauthorize),
            };
            match result {
                Ok(Some(connection)) => return Ok(connection),
                // The refresh that was joined was caused by a 401, and wasn't allowed to fetch a token.
                Ok(None) => {}
                Err(StoreError::NotFound) => return Err(StoreError::NotFound),
                Err(why) => {
                    error = Some(why);
                    break;
                }
            }
        }
        // A stale token is close to its end, but may not have reached it.
        if is_good(&stale, SystemTime::now()) {
            return Ok(stale);
        }
        Err(error.unwrap_or_else(|| {
            refresh_failed(
                Instant::now(),
                SharedError::new("the back-off after a failed refresh hasn't ended"),
            )
        }))
    }

    /// Returns a token other than the rejected token, from the store or from a refresh that is allowed.
    async fn other(
        &self,
        id: &ConnectionKey,
        rejected: &Connection,
    ) -> Result<Option<Connection>, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let record = self.0.store().read(id).await?;
            let stored = &record.connection;
            if !self.0.source().supports(stored) {
                return Ok(None);
            }
            let is_other = !is_same_token(stored, rejected);
            if is_other && self.freshness(id, stored) != Freshness::Stale {
                return Ok(Some(record.connection));
            }
            if record.state == GrantState::Revoked {
                return Err(StoreError::Reauthorize);
            }
            if is_recent(&record) {
                return Ok(None);
            }
            let (version, is_put) = (record.version, record.refreshed_at.is_none());
            let reason = Reason::Rejected(rejected.clone());
            let joined = self.join(id, reason, |memory| {
                memory.check_forced_refresh(version, is_put)
            });
            let (waiter, is_own) = match joined {
                Ok(joined) => joined,
                Err(NotNow::Paused) => return Ok(None),
                Err(NotNow::Incomplete) => return Err(StoreError::Reauthorize),
                Err(NotNow::Failing(until, cause)) => return Err(refresh_failed(until, cause)),
            };
            match self.wait(waiter).await.into_result()? {
                Some(connection) if !is_same_token(&connection, rejected) => {
                    return Ok(Some(connection));
                }
                _ if is_own => return Ok(None),
                // The refresh that was joined had another reason.
                _ => {}
            }
        }
        Ok(None)
    }
}

impl<S: TokenStore, T: TokenSource> CredentialStore for RefreshingStore<S, T> {
    /// Returns the connection with a valid token. It waits for a refresh only if the stored token isn't valid.
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let stored = self.0.store().connection(id, cx).await?;
        match self.freshness(id, &stored) {
            Freshness::Fresh => Ok(stored),
            Freshness::Due => {
                // The call doesn't wait, whether a refresh begins or not.
                drop(self.join(id, Reason::Due, Remembered::check_early_refresh));
                Ok(stored)
            }
            // Boxed, because few calls come here, and it would make the future of each call larger.
            Freshness::Stale => Box::pin(self.fresh(id, stored)).await,
        }
    }

    /// Returns another token, from the store if the store has another token by now, or by a refresh. A 401 causes at most
    /// one refresh per minute, because an upstream that always responds with 401 would otherwise cause a refresh for each call.
    async fn refresh(
        &self,
        id: &ConnectionKey,
        rejected: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        match self.0.source().supports(rejected) {
            true => self.other(id, rejected).await,
            false => Ok(None),
        }
    }

    fn can_refresh(&self, connection: &Connection) -> bool {
        self.0.source().supports(connection)
    }
}

impl<S, T> Clone for RefreshingStore<S, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, T> Clone for Inner<S, T> {
    fn clone(&self) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
            skew: self.skew,
            skews: Arc::clone(&self.skews),
            widest_skew: self.widest_skew,
            lease: self.lease,
            timeout: self.timeout,
            exchange_timeout: self.exchange_timeout,
            hook: self.hook.clone(),
        }
    }
}

impl<S, T> fmt::Debug for RefreshingStore<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingStore")
            .field("skew", &self.0.skew.least)
            .field("lease", &self.0.lease_time())
            .field("timeout", &self.0.timeout)
            .field("exchange_timeout", &self.0.exchange_timeout)
            .finish_non_exhaustive()
    }
}
