//! Sets up a service. `build` comes after an authorizer, or after somebody has said in so many
//! words that everyone may.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderName;
use http::{Extensions, Uri};

use super::passthrough::PassthroughService;
use crate::address::{PathEncoding, Prefix, PrefixError};
use crate::client::{DefaultTransport, LONGEST, Transport};
#[cfg(feature = "rate-limit")]
use crate::limits::Rate;
use crate::observe::{Observe, TraceContext};
use crate::pipeline::Gateway;
use crate::resilience::{CircuitPolicy, RetryPolicy};
use crate::resolver::BaseUrlResolver;
use crate::rewrite::ResponseHeaderPolicy;
use crate::settings::{Settings, Via};
use crate::store::{Authorize, Authorized, CredentialStore, Everyone};
use crate::tunnel::Tunnels;

/// A store of which it hasn't been said yet who may use it.
#[derive(Debug)]
pub struct Unauthorized<S>(S);

/// Sets up a [`PassthroughService`].
#[must_use = "a builder does nothing unless built"]
pub struct PassthroughBuilder<S, R, T = DefaultTransport> {
    store: S,
    resolver: R,
    transport: T,
    prefix: Prefix,
    settings: Settings,
}

impl<S, R, T> PassthroughBuilder<Unauthorized<S>, R, T> {
    pub(super) fn new(store: S, resolver: R, transport: T) -> Self {
        Self {
            store: Unauthorized(store),
            resolver,
            transport,
            prefix: Prefix::default(),
            settings: Settings::default(),
        }
    }

    /// Says who may use which connection, and for what.
    pub fn authorize<A: Authorize>(
        self,
        authorizer: A,
    ) -> PassthroughBuilder<Authorized<S, A>, R, T> {
        self.store(|Unauthorized(store)| Authorized::new(store, authorizer))
    }

    /// Leads to what can do harm.
    pub fn dangerous(self) -> DangerousBuilder<S, R, T> {
        DangerousBuilder(self)
    }
}

impl<S, R, T> PassthroughBuilder<S, R, T> {
    fn store<S2>(self, change: impl FnOnce(S) -> S2) -> PassthroughBuilder<S2, R, T> {
        PassthroughBuilder {
            store: change(self.store),
            resolver: self.resolver,
            transport: self.transport,
            prefix: self.prefix,
            settings: self.settings,
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Sends requests through another transport.
    pub fn transport<T2: Transport>(self, transport: T2) -> PassthroughBuilder<S, R, T2> {
        PassthroughBuilder {
            store: self.store,
            resolver: self.resolver,
            transport,
            prefix: self.prefix,
            settings: self.settings,
        }
    }

    /// The path under which the service lies, where no router takes it off. By default there is
    /// none.
    ///
    /// # Errors
    ///
    /// If it's no path.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, PrefixError> {
        self.prefix = Prefix::new(prefix)?;
        Ok(self)
    }

    /// Tells where the host app keeps the URI as it came: `|extensions|
    /// extensions.get::<OriginalUri>().map(|uri| &uri.0)` with axum.
    ///
    /// A router that nests at `/p/{id}` takes the id off and may eat a slash. With this, and `/p`
    /// as [`prefix`](Self::prefix), id and path are read from the URI as it came, if what the
    /// router left is the end of it.
    pub fn original_uri(self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        self.set(|settings| settings.original_uri = Some(find))
    }

    /// Whether paths of generated clients are decoded. By default [`PathEncoding::Auto`].
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        self.set(|settings| settings.path_encoding = encoding)
    }

    /// Whether dot segments that are encoded twice are refused like others. By default they're
    /// text, as they are by RFC 3986.
    pub fn refuse_twice_encoded_dots(self, refuse: bool) -> Self {
        self.set(|settings| settings.refuse_twice_encoded_dots = refuse)
    }

    /// Which fields of vendors' responses are handed back. By default all. **Where a browser can
    /// reach the mount, choose [`ResponseHeaderPolicy::BrowserSafe`].**
    pub fn response_headers(self, policy: ResponseHeaderPolicy) -> Self {
        self.set(|settings| settings.response_headers = policy)
    }

    /// Whether addresses in `Location`, `Content-Location` and `Link` that lie under the base URL
    /// of the call become addresses under the mount, so that a client that follows pages or
    /// redirects stays in it. By default all go back as the vendor sent them.
    ///
    /// `https://vendor.example/v2/items?page=2` becomes `/passthrough/acme/items?page=2`, with the
    /// call's `__domain`, if it had one. What lies elsewhere, and what couldn't be called exactly as
    /// the vendor wrote it, stays as it is, as do bodies. Of a response with more than 64 links, the
    /// rest stays as well. A key that the scheme puts into the query is taken out of all of them.
    ///
    /// The mount is what stands before the connection id in the URI as the service sees it. Behind a
    /// router that takes the mount off, say where the URI as it came is kept
    /// ([`original_uri`](Self::original_uri)), and the whole mount as [`prefix`](Self::prefix):
    /// otherwise the addresses lack it.
    pub fn rewrite_links(self, rewrite: bool) -> Self {
        self.set(|settings| settings.rewrite_links = rewrite)
    }

    /// Never lets this field of the caller's reach a vendor: one by which callers authenticate to
    /// the host app, or one that names its pages, such as `Origin` and `Referer`. `Authorization`,
    /// `Cookie` and `Proxy-Authorization` never do.
    pub fn drop_header(self, name: HeaderName) -> Self {
        self.set(|settings| {
            settings.host_credentials = settings
                .host_credentials
                .iter()
                .cloned()
                .chain([name])
                .collect();
        })
    }

    /// Whether `Forwarded`, `Via`, `X-Forwarded-*` and `X-Real-IP` pass, as the host's own layers
    /// have set them. By default they don't: vendors see an ordinary client.
    pub fn pass_forwarded(self, pass: bool) -> Self {
        self.set(|settings| settings.pass_forwarded = pass)
    }

    /// Adds `Via: 1.1 PSEUDONYM` behind those that the request brings, and refuses requests that
    /// carry it already, as they'd loop. By default none is added, and none passes.
    ///
    /// # Errors
    ///
    /// If it's no token (RFC 9110 §5.6.2).
    pub fn via(self, pseudonym: &str) -> Result<Self, ViaError> {
        let via = Via::new(pseudonym).ok_or(ViaError)?;
        Ok(self.set(|settings| settings.via = Some(via)))
    }

    /// How long a response's head is waited for, from the request's last byte. By default 60
    /// seconds.
    pub fn response_head_timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.patience.response_head = timeout.min(LONGEST))
    }

    /// How long a call may go on without a byte moving, either way. By default 60 seconds. There is
    /// no limit in all, and a caller that has no room isn't the vendor's idleness.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.patience.idle = timeout.min(LONGEST))
    }

    /// How long a call may take in all, from its beginning to the last byte of its response. By
    /// default there is no limit.
    ///
    /// While the caller has no room for more of a response, nobody looks at the clock; and an upload
    /// that outlives its response is held to the idle timeout alone. A store that takes its time, as
    /// one does that waits for a refresh, isn't cut short: the call ends as soon as it has answered.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.patience.total = Some(timeout.min(LONGEST)))
    }

    /// The largest body that is forwarded, in bytes. By default there is no limit.
    pub fn request_body_limit(self, bytes: u64) -> Self {
        self.set(|settings| settings.request_body_limit = Some(bytes))
    }

    /// Sets how much of a request's body is kept while it streams, in bytes, so that the call can be
    /// sent once more with a renewed credential after the vendor's 401. By default 65,536; of a
    /// larger body nothing is kept, and the 401 goes back. Nothing is kept either if the store
    /// doesn't [renew](CredentialStore::renews).
    pub fn replay_limit(self, bytes: usize) -> Self {
        self.set(|settings| settings.replay_limit = bytes)
    }

    /// Sets how much memory the bodies may take that are kept, in bytes and for all calls together:
    /// for signatures, and to be sent once more. By default 64 MiB. Beyond it, calls whose signature
    /// needs the body are answered with `overloaded`, and others aren't sent once more.
    pub fn kept_bodies_limit(self, bytes: usize) -> Self {
        self.set(|settings| settings.limits.set_room(bytes))
    }

    /// Sets by which handle the tunnels of WebSockets are counted, drained and cut.
    pub fn tunnels(self, tunnels: Tunnels) -> Self {
        self.set(|settings| settings.tunnels = tunnels)
    }

    /// How many calls may be under way at once, of whatever connection. By default there is no
    /// limit; `0` lets none through.
    ///
    /// A call is under way until its response's body has ended or was dropped. One more is answered
    /// with [`Overloaded`](crate::ErrorCode::Overloaded), before the authorizer is asked. The
    /// service's clones count together. With this or
    /// [`in_flight_per_connection`](Self::in_flight_per_connection) a call allocates once more.
    pub fn in_flight_limit(self, calls: usize) -> Self {
        self.set(|settings| settings.limits.set_in_all(calls))
    }

    /// How many calls of one connection may be under way at once, so that none takes what is there
    /// for all. By default there is no limit; `0` lets none through.
    ///
    /// As with [`in_flight_limit`](Self::in_flight_limit), save that it's asked after the store: it
    /// counts ids that exist, and tells nobody else of them. Only ids with a call under way are
    /// remembered; one of more than 46 bytes is copied for each of its calls.
    pub fn in_flight_per_connection(self, calls: usize) -> Self {
        self.set(|settings| settings.limits.set_per_connection(calls))
    }

    /// How often calls of one connection may begin. By default there is no limit.
    ///
    /// One that comes too early is answered with [`RateLimited`](crate::ErrorCode::RateLimited),
    /// and `Retry-After` says in how many seconds the next may begin, rounded up. It's asked after
    /// the store, so it counts ids that exist. Remembered are those whose burst isn't whole again,
    /// and at most as many besides, or 1,024; a call allocates only if its id is a new one.
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    pub fn rate_per_connection(self, rate: Rate) -> Self {
        self.set(|settings| settings.limits.set_rate(rate))
    }

    /// Sends requests again that are safe to repeat, when the vendor couldn't be reached or was
    /// overwhelmed. By default nothing is sent again that the vendor may have seen.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.set(|settings| settings.resilience.set_retry(policy))
    }

    /// Leaves a destination alone for a while that couldn't be reached several times in a row. By
    /// default each call tries.
    pub fn circuit(self, policy: CircuitPolicy) -> Self {
        self.set(|settings| settings.resilience.set_circuit(policy))
    }

    /// Goes on with what another service has counted: calls under way, rates, retry budgets and
    /// circuits, each if its limit or policy is the same here. For a service that is built anew,
    /// from a config that changed. Call it last, as limits that are set afterwards count from nought.
    pub fn continue_from<S2, R2, T2>(self, other: &PassthroughService<S2, R2, T2>) -> Self {
        let other = other.settings();
        self.set(|settings| {
            settings.limits.continue_from(&other.limits);
            settings.resilience.continue_from(&other.resilience);
        })
    }

    /// Lets `observer` see how each call ended. The last one set counts.
    pub fn observe(self, observer: impl Observe) -> Self {
        self.set(|settings| settings.observer = Some(Arc::new(observer)))
    }

    /// Whether a trace is begun where the caller sent no `traceparent`. By default
    /// [`TraceContext::Pass`]: the caller's passes, and none is made.
    ///
    /// What is looked at is the request as it would be sent: a `traceparent` that
    /// [`drop_header`](Self::drop_header) names counts as none.
    pub fn trace_context(self, context: TraceContext) -> Self {
        self.set(|settings| settings.trace_context = context)
    }

    /// Builds the service.
    pub fn build(self) -> PassthroughService<S, R, T>
    where
        S: CredentialStore + Authorize,
        R: BaseUrlResolver,
        T: Transport,
    {
        let gateway = Gateway {
            store: self.store,
            resolver: self.resolver,
            transport: self.transport,
            settings: self.settings,
        };
        PassthroughService::new(gateway, self.prefix)
    }
}

impl<S, R, T> fmt::Debug for PassthroughBuilder<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughBuilder")
            .field("prefix", &self.prefix)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What weakens a service; made by [`PassthroughBuilder::dangerous`].
#[must_use]
pub struct DangerousBuilder<S, R, T>(PassthroughBuilder<Unauthorized<S>, R, T>);

impl<S, R, T> DangerousBuilder<S, R, T> {
    /// Lets whoever reaches the mount use each connection with each method and path.
    pub fn allow_everyone(self) -> PassthroughBuilder<Authorized<S, Everyone>, R, T> {
        self.0.authorize(Everyone::new())
    }
}

impl<S, R, T> fmt::Debug for DangerousBuilder<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DangerousBuilder").finish_non_exhaustive()
    }
}

/// The pseudonym is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViaError;

impl fmt::Display for ViaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pseudonym in `Via` is a token")
    }
}

impl std::error::Error for ViaError {}
