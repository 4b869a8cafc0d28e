//! Sets up a service. `build` comes after an authorizer, or after somebody has said in so many words that everyone may use everything.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderName;
use http::{Extensions, Uri};

use super::passthrough::PassthroughService;
use crate::address::{ConnectionId, PathEncoding, Prefix, PrefixError};
use crate::authorize::{
    AllowAll, Authorize, AuthorizeAsyncFn, AuthorizeFn, CallContext, IntoGrant,
};
use crate::client::Transport;
#[cfg(feature = "rate-limit")]
use crate::limits::Rate;
use crate::observe::{CallReport, Observe, TraceContext};
use crate::pipeline::Gateway;
use crate::pipeline::config::{Config, Via};
use crate::resilience::{CircuitPolicy, RetryPolicy};
use crate::rewrite::ResponseHeaderPolicy;
use crate::store::CredentialStore;
use crate::timeouts::MAX_TIMEOUT;
use crate::upgrade::UpgradeTracker;
use crate::upstream::BaseUrlResolver;

/// The state of a builder that has no authorizer yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct NeedsAuthorizer;

/// The state of a builder that has an authorizer, and doesn't know yet by which fields callers authenticate to the host application.
#[derive(Debug)]
pub struct NeedsCallerCredentials<A>(A);

/// Sets up a [`PassthroughService`].
///
/// `S` is the store, `R` the resolver, `T` the transport and `A` the authorizer. None of them is in the type of the service.
#[must_use = "a builder does nothing unless built"]
pub struct PassthroughBuilder<S, R, T, A = NeedsAuthorizer> {
    store: S,
    resolver: R,
    transport: T,
    authorizer: A,
    prefix: Prefix,
    config: Config,
}

impl<S, R, T> PassthroughBuilder<S, R, T> {
    pub(super) fn new(store: S, resolver: R, transport: T) -> Self {
        Self {
            store,
            resolver,
            transport,
            authorizer: NeedsAuthorizer,
            prefix: Prefix::default(),
            config: Config::default(),
        }
    }

    /// Sets the authorizer, which decides which caller may use which connection. For a function, there is
    /// [`authorize_fn`](Self::authorize_fn).
    ///
    /// Next, say by which fields callers authenticate: [`caller_credentials`](PassthroughBuilder::caller_credentials).
    pub fn authorize<A: Authorize>(
        self,
        authorizer: A,
    ) -> PassthroughBuilder<S, R, T, NeedsCallerCredentials<A>> {
        self.with_authorizer(NeedsCallerCredentials(authorizer))
    }

    /// Sets a function as the authorizer. It returns a `bool`, a [`Scope`](crate::Scope), a [`Grant`](crate::Grant), or an `Option` or a
    /// `Result` of one of them.
    ///
    /// ```
    /// use http::header::HeaderName;
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String);
    ///
    /// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .authorize_fn(|id, cx| {
    ///         let tenant = cx.extensions().get::<Tenant>();
    ///         tenant.is_some_and(|tenant| id.as_str().strip_prefix(&tenant.0).is_some_and(|rest| rest.starts_with('-')))
    ///     })
    ///     .caller_credentials([HeaderName::from_static("x-api-key")])
    ///     .build();
    /// ```
    ///
    /// A function that returns something else doesn't compile:
    ///
    /// ```compile_fail,E0277
    /// # use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    /// let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new()).authorize_fn(|_, _| "yes");
    /// // error[E0277]: an authorizer's function can't return `&str`
    /// // note: return a `bool`, a `Scope`, a `Grant`, or an `Option` or a `Result<_, AuthorizeError>` of one of them
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    /// let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new()).authorize_fn(async |_, _| true);
    /// // error[E0277]: an authorizer's function can't return `{async closure body@...}`
    /// // note: a function that returns a future goes to `.authorize_async_fn(..)`
    /// ```
    pub fn authorize_fn<F, G>(
        self,
        decide: F,
    ) -> PassthroughBuilder<S, R, T, NeedsCallerCredentials<AuthorizeFn<F, G>>>
    where
        F: Fn(&ConnectionId, CallContext<'_>) -> G + Send + Sync + 'static,
        G: IntoGrant + 'static,
    {
        self.authorize(AuthorizeFn::new(decide))
    }

    /// Sets a function that returns a future as the authorizer. The future must not borrow from the function's arguments: clone what it
    /// needs.
    ///
    /// ```
    /// use http::header::HeaderName;
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService, Scope};
    ///
    /// # async fn scope_of(_: &str) -> Option<Scope> { None }
    /// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .authorize_async_fn(|id, _| {
    ///         let id = id.clone();
    ///         async move { scope_of(id.as_str()).await }
    ///     })
    ///     .caller_credentials([HeaderName::from_static("x-api-key")])
    ///     .build();
    /// ```
    pub fn authorize_async_fn<F, Fut>(
        self,
        decide: F,
    ) -> PassthroughBuilder<S, R, T, NeedsCallerCredentials<AuthorizeAsyncFn<F, Fut>>>
    where
        F: Fn(&ConnectionId, CallContext<'_>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoGrant> + Send + 'static,
    {
        self.authorize(AuthorizeAsyncFn::new(decide))
    }

    /// Leads to what can do harm.
    pub fn dangerous(self) -> DangerousBuilder<S, R, T> {
        DangerousBuilder(self)
    }
}

impl<S, R, T, A> PassthroughBuilder<S, R, T, NeedsCallerCredentials<A>> {
    /// Names the fields by which callers authenticate to the host application. They never reach an upstream, in headers or trailers, in
    /// whatever spelling. `Authorization`, `Cookie` and `Proxy-Authorization` never do, so they needn't be named; `[]` if there are no
    /// others.
    pub fn caller_credentials(
        self,
        fields: impl IntoIterator<Item = HeaderName>,
    ) -> PassthroughBuilder<S, R, T, A> {
        let mut builder = PassthroughBuilder {
            store: self.store,
            resolver: self.resolver,
            transport: self.transport,
            authorizer: self.authorizer.0,
            prefix: self.prefix,
            config: self.config,
        };
        builder.config.strip(fields);
        builder
    }
}

impl<S, R, T, A> PassthroughBuilder<S, R, T, A> {
    fn with_authorizer<A2>(self, authorizer: A2) -> PassthroughBuilder<S, R, T, A2> {
        PassthroughBuilder {
            store: self.store,
            resolver: self.resolver,
            transport: self.transport,
            authorizer,
            prefix: self.prefix,
            config: self.config,
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Sends requests through another transport. Default: [`HttpTransport::default`](crate::HttpTransport).
    pub fn transport<T2: Transport>(self, transport: T2) -> PassthroughBuilder<S, R, T2, A> {
        PassthroughBuilder {
            store: self.store,
            resolver: self.resolver,
            transport,
            authorizer: self.authorizer,
            prefix: self.prefix,
            config: self.config,
        }
    }

    /// Sets the path of the mount, where no router takes it off. Default: none.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if it isn't a path that begins with `/`.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, PrefixError> {
        self.prefix = Prefix::new(prefix)?;
        Ok(self)
    }

    /// Sets the function that finds the URI as it came: `|extensions| extensions.get::<OriginalUri>().map(|uri| &uri.0)` with axum.
    /// Default: none.
    ///
    /// A router that nests at `/p/{id}` takes the id off and may eat a slash. With this, and `/p`
    /// as [`prefix`](Self::prefix), id and path are read from the URI as it came, if what the
    /// router left is the end of it.
    pub fn original_uri(self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        self.set(|config| config.original_uri = Some(find))
    }

    /// Sets how paths of generated clients are decoded. Default: [`PathEncoding::Auto`].
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        self.set(|config| config.path_encoding = encoding)
    }

    /// Rejects dot segments that are encoded twice like other dot segments that leave the base path. Default: `false`, as they are text
    /// by RFC 3986.
    pub fn reject_double_encoded_dots(self, refuse: bool) -> Self {
        self.set(|config| config.reject_double_encoded_dots = refuse)
    }

    /// Sets which fields of upstreams' responses are handed back. **Where a browser can reach the mount, choose
    /// [`ResponseHeaderPolicy::BrowserSafe`].** Default: all.
    pub fn response_headers(self, policy: ResponseHeaderPolicy) -> Self {
        self.set(|config| config.response_headers = policy)
    }

    /// Rewrites addresses in `Location`, `Content-Location` and `Link` under the base URL of the call into addresses under the mount, so
    /// that a client that follows pages or redirects stays in the mount. Default: `false`, so that all go back as the upstream sent
    /// them.
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
        self.set(|config| config.rewrite_links = rewrite)
    }

    /// Takes a field off each caller's request: one that names the host application's pages, such as `Origin` and `Referer`. The fields
    /// by which callers authenticate belong into [`caller_credentials`](Self::caller_credentials).
    pub fn strip_request_header(self, name: HeaderName) -> Self {
        self.set(|config| config.strip([name]))
    }

    /// Passes `Forwarded`, `Via`, `X-Forwarded-*` and `X-Real-IP` on, as the host's own layers have set them. Default: `false`, so that
    /// upstreams see an ordinary client.
    pub fn pass_forwarded(self, pass: bool) -> Self {
        self.set(|config| config.pass_forwarded = pass)
    }

    /// Adds `Via: 1.1 PSEUDONYM` (RFC 9110 §7.6.3) behind those that the request brings, and rejects requests that carry it already, as
    /// they would loop. Default: none is added, and none passes.
    ///
    /// # Errors
    ///
    /// [`ViaError`] if the pseudonym isn't a valid token (RFC 9110 §5.6.2).
    pub fn via(self, pseudonym: &str) -> Result<Self, ViaError> {
        let via = Via::new(pseudonym).ok_or(ViaError)?;
        Ok(self.set(|config| config.via = Some(via)))
    }

    /// Sets the response head timeout: the maximum time between the last byte of the request and the head of the response. Default: 60 s.
    pub fn response_head_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.response_head = timeout.min(MAX_TIMEOUT))
    }

    /// Sets the idle timeout: the maximum time without a byte that moves, either way. While a caller has no room for more of a response,
    /// the upstream isn't idle. Default: 60 s.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.idle = timeout.min(MAX_TIMEOUT))
    }

    /// Sets the total timeout: the maximum time between the beginning of a call and the last byte of its response. Default: none.
    ///
    /// While the caller has no room for more of a response, nobody looks at the clock; and an upload
    /// that outlives its response is held to the idle timeout alone. A store that takes its time, as
    /// one does that waits for a refresh, isn't cut short: the call ends as soon as it has answered.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.total = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the maximum length of a request's body, in bytes. Default: none.
    pub fn request_body_limit(self, bytes: u64) -> Self {
        self.set(|config| config.request_body_limit = Some(bytes))
    }

    /// Sets the maximum size of a body that is kept while it streams, in bytes, so that the call can be sent once more with a refreshed
    /// credential after an upstream's 401. Default: 64 KiB. Nothing is kept of a larger body, and the 401 goes back. Nothing is kept
    /// either if the store [can't refresh](CredentialStore::can_refresh).
    pub fn replay_limit(self, bytes: usize) -> Self {
        self.set(|config| config.replay_limit = bytes)
    }

    /// Sets how much memory the bodies may take that are kept, in bytes and for all calls together:
    /// for signatures, and to be sent once more. Default: 64 MiB. Beyond it, calls whose signature
    /// needs the body are answered with `overloaded`, and others aren't sent once more.
    pub fn buffered_bodies_limit(self, bytes: usize) -> Self {
        self.set(|config| config.limits.set_buffers(bytes))
    }

    /// Sets the handle by which the tunnels of WebSockets are counted, drained and cut. Default: one of the service's own.
    pub fn upgrade_tracker(self, tracker: UpgradeTracker) -> Self {
        self.set(|config| config.upgrades = tracker)
    }

    /// Sets the maximum number of calls under way at once, of all connections together; `0` lets none through. Default: none.
    ///
    /// A call is under way until its response's body has ended or was dropped. One more is answered
    /// with [`Overloaded`](crate::ErrorCode::Overloaded), before the authorizer is asked. The
    /// service's clones count together. With this or
    /// [`in_flight_per_connection_key`](Self::in_flight_per_connection_key) a call allocates once more.
    pub fn in_flight_limit(self, calls: usize) -> Self {
        self.set(|config| config.limits.set_global(calls))
    }

    /// Sets the maximum number of calls under way at once for each connection key; `0` lets none through. Default: none.
    ///
    /// Like [`in_flight_limit`](Self::in_flight_limit), but checked after the store lookup, so only existing connections are counted
    /// and a caller can't probe for them. Only keys with a call under way are remembered; a key of more than 46 bytes is copied for
    /// each of its calls.
    pub fn in_flight_per_connection_key(self, calls: usize) -> Self {
        self.set(|config| config.limits.set_per_key(calls))
    }

    /// Sets the rate at which calls of each connection key may begin. Default: none.
    ///
    /// One that comes too early is answered with [`RateLimited`](crate::ErrorCode::RateLimited),
    /// and `Retry-After` says in how many seconds the next may begin, rounded up. It's asked after
    /// the store, so it counts ids that exist. Remembered are those whose burst isn't whole again,
    /// and at most as many besides, or 1,024; a call allocates only if its id is a new one.
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    pub fn rate_per_connection_key(self, rate: Rate) -> Self {
        self.set(|config| config.limits.set_rate(rate))
    }

    /// Sends requests again that are safe to repeat, when the upstream couldn't be reached or was overwhelmed. Default: nothing is sent
    /// again that the upstream may have seen.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.set(|config| config.resilience.set_retry(policy))
    }

    /// Leaves a destination alone for a while that couldn't be reached several times in a row. Default: each call tries.
    pub fn circuit(self, policy: CircuitPolicy) -> Self {
        self.set(|config| config.resilience.set_circuit(policy))
    }

    /// Goes on with what another service has counted: calls under way, rates, retry budgets and circuits, each if its limit or policy is
    /// the same here. For a service that is built again, from a config that changed. Call it last, as limits that are set afterwards
    /// count from zero.
    pub fn share_limits_with(self, other: &PassthroughService) -> Self {
        let other = other.config();
        self.set(|config| {
            config.limits.share_with(&other.limits);
            config.resilience.share_with(&other.resilience);
        })
    }

    /// Adds an observer, which sees how each call ended. Each observer that is added sees each call.
    pub fn observe(self, observer: impl Observe) -> Self {
        self.set(|config| {
            let observers = config.observers.iter().cloned();
            config.observers = observers
                .chain([Arc::new(observer) as Arc<dyn Observe>])
                .collect();
        })
    }

    /// Adds a function as an observer, which is called when a call has ended.
    ///
    /// ```
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    ///
    /// let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .observe_fn(|call| eprintln!("{} {:?}", call.method(), call.status()));
    /// ```
    pub fn observe_fn(self, finished: impl Fn(&CallReport<'_>) + Send + Sync + 'static) -> Self {
        self.observe(finished)
    }

    /// Sets whether a trace is begun where the caller sent no `traceparent`. Default: [`TraceContext::Pass`], so that the caller's passes,
    /// and none is made.
    ///
    /// What is looked at is the request as it would be sent: a `traceparent` that
    /// [`strip_request_header`](Self::strip_request_header) names counts as none.
    pub fn trace_context(self, context: TraceContext) -> Self {
        self.set(|config| config.trace_context = context)
    }

    /// Builds the service.
    pub fn build(self) -> PassthroughService
    where
        S: CredentialStore,
        R: BaseUrlResolver,
        T: Transport,
        A: Authorize,
    {
        let gateway = Gateway {
            store: self.store,
            authorizer: self.authorizer,
            resolver: self.resolver,
            transport: self.transport,
            config: self.config,
        };
        PassthroughService::new(gateway, self.prefix)
    }
}

impl<S, R, T, A> fmt::Debug for PassthroughBuilder<S, R, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughBuilder")
            .field("prefix", &self.prefix)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Weakens a service; made by [`PassthroughBuilder::dangerous`].
#[must_use]
pub struct DangerousBuilder<S, R, T>(PassthroughBuilder<S, R, T>);

impl<S, R, T> DangerousBuilder<S, R, T> {
    /// Lets everybody who reaches the mount use each connection with each method and path. Fields by which callers authenticate to the
    /// host application, other than `Authorization`, `Cookie` and `Proxy-Authorization`, go on to upstreams unless
    /// [`strip_request_header`](PassthroughBuilder::strip_request_header) names them.
    pub fn allow_all(self) -> PassthroughBuilder<S, R, T, AllowAll> {
        self.0.with_authorizer(AllowAll::new())
    }
}

impl<S, R, T> fmt::Debug for DangerousBuilder<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DangerousBuilder").finish_non_exhaustive()
    }
}

/// The error of a pseudonym that isn't a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViaError;

impl fmt::Display for ViaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pseudonym in `Via` must be a token (RFC 9110 §5.6.2)")
    }
}

impl std::error::Error for ViaError {}
