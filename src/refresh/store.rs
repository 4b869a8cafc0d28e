//! A store whose access tokens refresh themselves.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::backoff::{NotNow, Remembered, is_recent, share};
use super::expires_at;
use super::flight::{Flights, Seat, Waiting};
use super::freshness::{Freshness, Margins, is_good};
use super::landed::{Landed, SharedError, refresh_failed};
use super::refresh::{Reason, Refresh, SLACK};
use super::report::RefreshReport;
use super::secrets::is_same_token;
use super::source::TokenSource;
use crate::authorize::CallContext;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::{CredentialStore, GrantState, StoreError, TokenStore};

/// How long before its end a token is refreshed.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// How long a lease lasts, and how long the source may take.
const LEASE: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(15);

/// The longest of either: whoever adds it to a clock mustn't overflow it.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What is remembered of at most.
const MOST_CONNECTIONS: usize = 65_536;

/// How often a caller looks again, if a refresh that another began brought nothing for it.
const LOOKS: usize = 3;

/// A store whose connections' access tokens refresh themselves by a [`TokenSource`].
///
/// It reads the secrets `access_token` and `expires_at` (Unix seconds, or RFC 3339), and a
/// connection that the source doesn't [serve](TokenSource::serves) is handed out as it's stored.
/// [The guide](crate::guides::refreshing) tells when a token is refreshed, what is remembered, and
/// what several processes do. Cloning is one increment.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
/// use tower_passthrough::auth::AccessToken;
/// use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
/// use tower_passthrough::store::ConnectionKey;
///
/// /// Stands for a vendor's own login call.
/// struct Login;
///
/// impl TokenSource for Login {
///     fn serves(&self, connection: &Connection) -> bool {
///         connection.integration() == "crm"
///     }
///
///     async fn obtain(&self, _: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
///         let mut tokens = Tokens::new("t0k3n");
///         tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
///         Ok(tokens)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::from_iter([("acme", Connection::new("crm").with_secret("password", "s3cr3t"))]);
/// let store = RefreshingStore::new(store, Login).on_refresh(|report| {
///     println!("{} {}", report.connection().as_str(), report.outcome().as_str());
/// });
/// let integrations = Integrations::new().with_secret("crm", Upstream::new("https://api.crm.test")?.auth(AccessToken));
/// let service = PassthroughService::builder(store, integrations)
///     .authorize(|id: &ConnectionKey, _: tower_passthrough::CallContext<'_>| id.as_str() == "acme")
///     .build();
/// # Ok(())
/// # }
/// ```
pub struct RefreshingStore<S, T>(Arc<Inner<S, T>>);

type Hook = dyn Fn(&RefreshReport<'_>) + Send + Sync;

/// Cloned to be set otherwise, while what it refreshes is shared.
pub(super) struct Inner<S, T> {
    parts: Arc<Parts<S, T>>,
    skew: Duration,
    lease: Duration,
    timeout: Duration,
    hook: Option<Arc<Hook>>,
}

struct Parts<S, T> {
    store: S,
    source: T,
    flights: Arc<Flights<Remembered, Landed>>,
    jitter: RandomState,
}

impl<S, T> RefreshingStore<S, T> {
    /// The connections of `store`, with tokens of `source`.
    #[must_use]
    pub fn new(store: S, source: T) -> Self {
        Self(Arc::new(Inner {
            parts: Arc::new(Parts {
                store,
                source,
                flights: Flights::new(MOST_CONNECTIONS),
                jitter: RandomState::default(),
            }),
            skew: SKEW,
            lease: LEASE,
            timeout: TIMEOUT,
            hook: None,
        }))
    }

    /// How long before its end a token is refreshed: 5 minutes, unless set. Up to a fifth is added,
    /// another for each connection, and a token whose lifetime is known is used for three quarters of
    /// it at least.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        Arc::make_mut(&mut self.0).skew = skew;
        self
    }

    /// How long the source may take: 15 seconds, unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.0).timeout = timeout.min(LONGEST);
        self
    }

    /// For how long one process may keep the others from refreshing a connection: 20 seconds, unless
    /// set, and 5 seconds longer than the [timeout](Self::timeout) at least. After a crash, this is
    /// how long calls that need a new token may have to wait.
    #[must_use]
    pub fn lease(mut self, time: Duration) -> Self {
        Arc::make_mut(&mut self.0).lease = time.min(LONGEST);
        self
    }

    /// Calls `hook` after each refresh that asked the source, or waited for another process. It runs
    /// in the refresh's task, so it should be quick.
    #[must_use]
    pub fn on_refresh(mut self, hook: impl Fn(&RefreshReport<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).hook = Some(Arc::new(hook));
        self
    }

    /// The store inside.
    #[must_use]
    pub fn store(&self) -> &S {
        self.0.store()
    }

    /// Returns once no refresh is under way. Await it before the runtime ends, when no more calls
    /// come: a refresh that is cut off may lose a rotated token.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by dropping the future.
    pub async fn idle(&self) {
        while let Some(flight) = self.0.parts.flights.any() {
            let _ = flight.landed().await;
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

    pub(super) fn lease_time(&self) -> Duration {
        self.lease.max(self.timeout.saturating_add(SLACK))
    }

    /// Those of a connection whose token's lifetime isn't known.
    pub(super) fn margins(&self, id: &ConnectionKey) -> Margins {
        let more = share(self.skew / 5, self.parts.jitter.hash_one(id));
        Margins::new(self.skew.saturating_add(more))
    }
}

impl<S: TokenStore, T: TokenSource> RefreshingStore<S, T> {
    /// What to do with the token of a connection. Most calls find it fresh by its end alone.
    fn freshness(&self, id: &ConnectionKey, stored: &Connection) -> Freshness {
        let now = SystemTime::now();
        let widest = self.0.skew.saturating_add(self.0.skew / 5);
        let freshness = Margins::new(widest).judge(stored, now);
        if freshness == Freshness::Fresh || !self.0.source().supports(stored) {
            return Freshness::Fresh;
        }
        let end = expires_at::of(stored);
        let flights = &self.0.parts.flights;
        let known = flights.recall(id, |memory| memory.margins(end)).flatten();
        let margins = known.unwrap_or_else(|| self.0.margins(id));
        margins.judge(stored, now)
    }

    /// A place in the refresh of that connection, and whether it's one of our own.
    fn join(
        &self,
        id: &ConnectionKey,
        reason: Reason,
        may_begin: impl FnOnce(&Remembered) -> Result<(), NotNow>,
    ) -> Result<(Waiting<Landed>, bool), NotNow> {
        let soon = |why: &'static str| {
            let until = Instant::now() + Duration::from_secs(1);
            NotNow::Failing(until, SharedError::new(why))
        };
        let (flight, waiting) = match self.0.parts.flights.join(id, may_begin)? {
            Seat::Joined(waiting) => return Ok((waiting, false)),
            Seat::Begun(flight, waiting) => (flight, waiting),
            Seat::Full => return Err(soon("too many refreshes are under way")),
        };
        let Ok(runtime) = Handle::try_current() else {
            return Err(soon("there is no runtime to refresh in"));
        };
        let refresh = Refresh {
            inner: Arc::clone(&self.0),
            id: id.clone(),
            reason,
            flight,
        };
        runtime.spawn(refresh.run());
        Ok((waiting, true))
    }

    /// What the flight brought, or why that took too long.
    async fn landed(&self, waiting: Waiting<Landed>) -> Landed {
        // Another process's lease may have to end first, and the source be asked then.
        let patience = self.0.lease_time().saturating_add(SLACK);
        let patience = patience.saturating_add(self.0.timeout());
        let why = match timeout(patience, waiting.landed()).await {
            Ok(Some(landed)) => return landed,
            Ok(None) => "the refresh broke off",
            Err(_) => "the refresh takes too long",
        };
        let soon = Instant::now() + Duration::from_secs(1);
        Landed::Failed(soon, SharedError::new(why))
    }

    /// Waits for a token in place of a stale one.
    async fn fresh(&self, id: &ConnectionKey, stale: Connection) -> Result<Connection, StoreError> {
        let mut error = None;
        for _ in 0..LOOKS {
            let landed = match self.join(id, Reason::Stale, Remembered::may_ask) {
                Ok((waiting, _)) => self.landed(waiting).await.into_result(),
                Err(NotNow::Failing(until, cause)) => Err(refresh_failed(until, cause)),
                Err(NotNow::Quiet) => Ok(None),
                Err(NotNow::Lacking) => Err(StoreError::Reauthorize),
            };
            match landed {
                Ok(Some(connection)) => return Ok(connection),
                // Another has looked, on account of a 401, and wasn't let.
                Ok(None) => {}
                Err(StoreError::NotFound) => return Err(StoreError::NotFound),
                Err(why) => {
                    error = Some(why);
                    break;
                }
            }
        }
        // Its time may be short, and not over yet.
        if is_good(&stale, SystemTime::now()) {
            return Ok(stale);
        }
        Err(error.unwrap_or_else(|| refresh_failed(Instant::now(), SharedError::new("not yet"))))
    }

    /// Another token than the rejected one, if there is one, or may be asked for one.
    async fn other(
        &self,
        id: &ConnectionKey,
        rejected: &Connection,
    ) -> Result<Option<Connection>, StoreError> {
        for _ in 0..LOOKS {
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
            let joined = self.join(id, reason, |memory| memory.may_be_driven(version, is_put));
            let (waiting, is_own) = match joined {
                Ok(joined) => joined,
                Err(NotNow::Quiet) => return Ok(None),
                Err(NotNow::Lacking) => return Err(StoreError::Reauthorize),
                Err(NotNow::Failing(until, cause)) => return Err(refresh_failed(until, cause)),
            };
            match self.landed(waiting).await.into_result()? {
                Some(connection) if !is_same_token(&connection, rejected) => {
                    return Ok(Some(connection));
                }
                _ if is_own => return Ok(None),
                // It was on another account.
                _ => {}
            }
        }
        Ok(None)
    }
}

impl<S: TokenStore, T: TokenSource> CredentialStore for RefreshingStore<S, T> {
    /// The connection, with a token that is good. It waits for a refresh only if there is none.
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let stored = self.0.store().connection(id, cx).await?;
        match self.freshness(id, &stored) {
            Freshness::Fresh => Ok(stored),
            Freshness::Due => {
                // Nobody waits for it, and why none begins is no matter.
                drop(self.join(id, Reason::Due, Remembered::may_look));
                Ok(stored)
            }
            // Boxed, as few calls come here, and it would make each call's future larger.
            Freshness::Stale => Box::pin(self.fresh(id, stored)).await,
        }
    }

    /// Another token, if the store has one by now, or if one may be asked for: because of 401s that
    /// happens once a minute at most (SECURITY X5).
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
            lease: self.lease,
            timeout: self.timeout,
            hook: self.hook.clone(),
        }
    }
}

impl<S, T> fmt::Debug for RefreshingStore<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingStore")
            .field("skew", &self.0.skew)
            .field("lease", &self.0.lease_time())
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}
