//! The settings of a service. `build` can only be called after an authorizer was set, or after the code has stated explicitly that every
//! caller may use everything.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderName;
use http::{Extensions, Uri};

use super::passthrough::PassthroughService;
use crate::address::{Addressing, ConnectionId, PathEncoding, Prefix, PrefixError};
use crate::authorize::{
    AllowAll, Authorize, AuthorizeAsyncFn, AuthorizeFn, CallContext, IntoGrant,
};
use crate::client::Transport;
#[cfg(feature = "rate-limit")]
use crate::limits::{Rate, SharedRateLimit};
use crate::observe::{CallReport, Observe, ObserveFn, TraceContext};
use crate::pipeline::Gateway;
use crate::pipeline::config::{Config, Via};
use crate::resilience::{CircuitPolicy, RetryPolicy};
use crate::rewrite::{ForeignLocations, PublicUrl, PublicUrlError};
use crate::store::CredentialStore;
use crate::timeouts::MAX_TIMEOUT;
use crate::upgrade::{OriginError, UpgradeTracker};
use crate::upstream::BaseUrlResolver;
use crate::upstream::ResponseHeaderPolicy;

/// The state of a builder that has no authorizer yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct NeedsAuthorizer;

/// The state of a builder that has an authorizer, but doesn't know yet by which header fields callers authenticate to the host
/// application.
#[derive(Debug)]
pub struct NeedsCallerCredentials<A>(A);

/// Builds a [`PassthroughService`].
///
/// `S` is the store, `R` the resolver, `T` the transport and `A` the authorizer. The type of the service has none of them as a parameter.
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

    /// Sets the authorizer, which decides which caller may use which connection.
    ///
    /// For a function, call [`authorize_fn`](Self::authorize_fn). The next step is to name the header fields by which callers
    /// authenticate: [`caller_credentials`](PassthroughBuilder::caller_credentials).
    pub fn authorize<A: Authorize>(
        self,
        authorizer: A,
    ) -> PassthroughBuilder<S, R, T, NeedsCallerCredentials<A>> {
        self.with_authorizer(NeedsCallerCredentials(authorizer))
    }

    /// Sets a function as the authorizer.
    ///
    /// The function returns a `bool`, a [`Scope`](crate::Scope), a [`Grant`](crate::Grant), or an `Option` or a `Result` of these.
    ///
    /// ```
    /// use http::header::HeaderName;
    /// use tower_passthrough::store::ConnectionKey;
    /// use tower_passthrough::{Grant, Integrations, MemoryStore, PassthroughService};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String);
    ///
    /// // Each tenant has its own connections: the connection `crm` of the tenant `acme` has the key `acme/crm`.
    /// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .authorize_fn(|id, cx| {
    ///         let Tenant(tenant) = cx.extensions().get()?;
    ///         let key = ConnectionKey::in_tenant(tenant, id).ok()?;
    ///         Some(Grant::all().connection_key(key))
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

    /// Sets a function that returns a future as the authorizer.
    ///
    /// The future can't borrow from the function's arguments: clone the values that it needs.
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

    /// Returns the settings that weaken the protection of connections.
    pub fn dangerous(self) -> DangerousBuilder<S, R, T> {
        DangerousBuilder(self)
    }
}

impl<S, R, T, A> PassthroughBuilder<S, R, T, NeedsCallerCredentials<A>> {
    /// Sets the header fields by which callers authenticate to the host application.
    ///
    /// They never reach an upstream, neither as headers nor as trailers, however their names are spelled. `Authorization`, `Cookie` and
    /// `Proxy-Authorization` never reach an upstream either, so they needn't be listed. Pass `[]` if there are no other fields.
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

    /// Sets the transport that sends the requests. Default: [`HttpTransport::default`](crate::HttpTransport).
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

    /// Sets the path of the mount, for a mount without a router that strips this path. A segment in braces stands for any segment:
    /// `/tenants/{tenant}/passthrough`. Default: none.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if the path doesn't begin with `/` or isn't valid.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, PrefixError> {
        self.prefix = Prefix::new(prefix)?;
        Ok(self)
    }

    /// Sets the function that finds the request's original URI: `|extensions| extensions.get::<OriginalUri>().map(|uri| &uri.0)` with axum.
    ///
    /// A router that nests the service at `/p/{id}` strips the id, and may drop a slash. With this function, and with `/p` as
    /// [`prefix`](Self::prefix), the service reads the id and the path from the original URI, if the URI that the router left is the end
    /// of the original URI.
    ///
    /// Default: none.
    pub fn original_uri(self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        self.set(|config| config.original_uri = Some(find))
    }

    /// Sets the ways in which a request may name its connection. The guide [`mounting`](crate::guides::mounting) shows each of them.
    ///
    /// Default: [`Addressing::path`], so the first segment of the path after the mount is the connection id.
    ///
    /// ```
    /// use tower_passthrough::address::Addressing;
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    ///
    /// // `https://acme.gw.example.com/users/7` is a call of the connection `acme`.
    /// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .authorize_fn(|id, _| id.as_str() == "acme")
    ///     .caller_credentials([])
    ///     .address_by(Addressing::path().host("{connection}.gw.example.com")?)
    ///     .build();
    /// # Ok::<_, tower_passthrough::address::HostPatternError>(())
    /// ```
    pub fn address_by(self, addressing: Addressing) -> Self {
        self.set(|config| {
            config.strip(addressing.field().cloned());
            config.addressing = (addressing != Addressing::path()).then(|| Box::new(addressing));
        })
    }

    /// Sets the way in which the paths of calls are decoded. Default: [`PathEncoding::Auto`].
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        self.set(|config| config.path_encoding = encoding)
    }

    /// Sets whether dot segments that are encoded twice are rejected, like other dot segments that leave the base path. Default: `false`,
    /// because RFC 3986 treats them as plain text.
    pub fn reject_double_encoded_dots(self, refuse: bool) -> Self {
        self.set(|config| config.reject_double_encoded_dots = refuse)
    }

    /// Sets the fields of upstreams' responses that are returned to the caller.
    ///
    /// **If a browser can reach the mount, choose [`ResponseHeaderPolicy::BrowserSafe`].**
    ///
    /// Default: all.
    pub fn response_headers(self, policy: ResponseHeaderPolicy) -> Self {
        self.set(|config| config.response_headers = policy)
    }

    /// Sets whether fields of upstreams' responses that instruct a server in front of the host application are returned, such as
    /// `X-Accel-Redirect` and `X-Sendfile`. Default: `false`, because an upstream could otherwise choose a file of the host application
    /// that nginx, Apache or lighttpd sends to the caller.
    pub fn pass_server_instructions(self, pass: bool) -> Self {
        self.set(|config| config.pass_server_instructions = pass)
    }

    /// Sets whether links to the upstream are rewritten to addresses under the mount, so that a client that follows pages or redirects
    /// stays in the mount.
    ///
    /// The links in `Location`, `Content-Location`, `Link`, `X-Goog-Upload-URL`, `X-Goog-Upload-Control-URL`, `Operation-Location` and
    /// `Azure-AsyncOperation` are rewritten: `https://vendor.example/v2/items?page=2` becomes
    /// `https://gw.example.com/passthrough/acme/items?page=2`. A link beside the base path, or on another host that the integration's
    /// [`DomainPolicy`](crate::policy::DomainPolicy) allows, gets a `__domain`, unless
    /// [`DomainOverride::ReplaceAuthority`](crate::upstream::DomainOverride::ReplaceAuthority) forbids the path. These stay unchanged:
    /// links to other hosts, links that couldn't be called exactly as the upstream wrote them, relative references that lead to the
    /// right address by themselves, links after the 63rd of a response, and bodies. A key that the scheme puts into the query is removed
    /// from all links.
    ///
    /// In requests, addresses under the mount in `Destination` and `If` (RFC 4918 §10.3, §10.4) are translated to URLs of the upstream. An
    /// address of the gateway that isn't below the connection of the call is answered with `bad-address`.
    ///
    /// An address consists of the [`public_url`](Self::public_url) and the path of the mount as the caller wrote it. Behind a router that
    /// strips the mount, set a function that finds the original URI ([`original_uri`](Self::original_uri)), and set the whole mount as
    /// [`prefix`](Self::prefix). Otherwise the mount is missing in the addresses.
    ///
    /// Default: `false`, so the fields are returned as the upstream sent them.
    pub fn rewrite_links(self, rewrite: bool) -> Self {
        self.set(|config| config.rewrite_links = rewrite)
    }

    /// Sets the URL at which callers reach the host application, for [`rewrite_links`](Self::rewrite_links). Set it if a server in front
    /// of the host application handles TLS or changes `Host`. A path in the URL is a path that the server in front removes.
    ///
    /// Default: the host of the request, which is the authority of its URI or its `Host`, and the scheme of its URI, or otherwise `http`.
    /// A host application with several names behind a server that handles TLS inserts the extension [`http::uri::Scheme`] into its
    /// requests instead, which takes precedence over the scheme of the URI. Without a valid host, no link is rewritten.
    ///
    /// # Errors
    ///
    /// [`PublicUrlError`] if it isn't an `http` or `https` URL with a host, or has user info, a query, a fragment or dot segments.
    pub fn public_url(self, url: &str) -> Result<Self, PublicUrlError> {
        let url = PublicUrl::parse(url)?;
        Ok(self.set(|config| config.public_url = Some(url)))
    }

    /// Sets the locations outside of the gateway that callers get in `Location`, `Content-Location`, `Link`, `Refresh` and the other
    /// fields of [`rewrite_links`](Self::rewrite_links).
    ///
    /// Many HTTP libraries follow a redirect to another host with all fields but `Authorization`, so a key in a field such as `x-api-key`
    /// gets to that host. [`ForeignLocations::Hide`] removes such locations, and the members of `Link` with such targets; the status
    /// stays.
    ///
    /// Default: [`ForeignLocations::Pass`], so the fields are returned as the upstream sent them.
    pub fn foreign_locations(self, locations: ForeignLocations) -> Self {
        self.set(|config| config.foreign_locations = locations)
    }

    /// Removes a field from each caller's request, such as `Origin` or `Referer`, which name the host application's pages.
    ///
    /// For fields by which callers authenticate, call [`caller_credentials`](Self::caller_credentials).
    ///
    /// Default: no further field is removed.
    pub fn strip_request_header(self, name: HeaderName) -> Self {
        self.set(|config| config.strip([name]))
    }

    /// Forwards a field of callers that names the caller, such as `X-Client-IP`, or that describes the way of the request, such as
    /// `X-Forwarded-For`. Default: none.
    ///
    /// Without this setting, the fields of identity-aware proxies (`Cf-Access-*`, `X-Amzn-Oidc-*`, `X-Goog-IAP-*`, `X-Auth-Request-*`,
    /// `X-Forwarded-User`, `Remote-User`, ...), client certificates and addresses of callers (`Cf-Connecting-IP`, `True-Client-IP`,
    /// `X-Client-IP`, ...) aren't forwarded; [the contract](https://github.com/tower-passthrough/tower-passthrough/blob/main/docs/contract.md)
    /// lists all of them. `Authorization`, `Cookie`, `Proxy-Authorization`, hop-by-hop fields and the fields of
    /// [`caller_credentials`](Self::caller_credentials) and [`strip_request_header`](Self::strip_request_header) are never forwarded, named
    /// or not.
    pub fn pass_request_header(self, name: HeaderName) -> Self {
        self.set(|config| config.pass(name))
    }

    /// Sets whether `Forwarded`, `Via`, `X-Forwarded-*` and `X-Real-IP` are forwarded with the values that the host application's layers
    /// have set. Default: `false`, so upstreams see an ordinary client.
    ///
    /// `X-Forwarded-User` and other `X-Forwarded-*` fields that name the caller aren't forwarded; see
    /// [`pass_request_header`](Self::pass_request_header).
    pub fn pass_forwarded(self, pass: bool) -> Self {
        self.set(|config| config.pass_forwarded = pass)
    }

    /// Adds `Via: 1.1 PSEUDONYM` (RFC 9110 §7.6.3) after the `Via` fields of the request.
    ///
    /// A request that already has the pseudonym in `Via` is rejected, because it would loop.
    ///
    /// Default: no `Via` is added, and none is forwarded.
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
        self.set(|config| config.timeouts.response_head = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the idle timeout: the maximum time in which no byte moves in either direction.
    ///
    /// While the caller isn't ready to receive more of a response, the upstream doesn't count as idle. The timeout also applies to event
    /// streams and WebSockets, unless [`stream_idle_timeout`](Self::stream_idle_timeout) is set.
    ///
    /// Default: 60 s, and 10 minutes for event streams and WebSockets.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.idle = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the idle timeout of event streams and WebSockets, which are often silent for minutes.
    ///
    /// A response with the content type `text/event-stream` is an event stream.
    ///
    /// Default: the [`idle_timeout`](Self::idle_timeout), if it's set, and otherwise 10 minutes.
    pub fn stream_idle_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.stream_idle = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the total timeout: the maximum time between the beginning of a call and the last byte of its response.
    ///
    /// The timeout ends tunnels as well. It isn't checked while the caller isn't ready to receive more of a response. An upload that
    /// continues after its response is limited by the idle timeout alone. A slow store, such as a store that waits for a refresh, isn't
    /// interrupted: the call ends as soon as the store has answered.
    ///
    /// Default: none.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.timeouts.total = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the maximum length of a request's body, in bytes. Default: none.
    pub fn request_body_limit(self, bytes: u64) -> Self {
        self.set(|config| config.request_body_limit = Some(bytes))
    }

    /// Sets the maximum size of a body that is buffered while it streams, in bytes, so that the call can be sent again with a refreshed
    /// credential after an upstream's 401, or another [sign](crate::Upstream::refresh_on) of a rejected credential.
    ///
    /// A larger body isn't buffered, and the upstream's response is returned to the caller. No body is buffered if the store
    /// [can't refresh](CredentialStore::can_refresh) the connection.
    ///
    /// Default: 64 KiB.
    pub fn replay_limit(self, bytes: usize) -> Self {
        self.set(|config| config.replay_limit = bytes)
    }

    /// Sets the maximum memory for buffered bodies, in bytes, for all calls together.
    ///
    /// Bodies are buffered for signatures, and to be sent again. If the memory is used up, a call that needs the body for its signature is
    /// answered with `overloaded`, and other calls aren't sent again.
    ///
    /// Default: 64 MiB.
    pub fn buffered_bodies_limit(self, bytes: usize) -> Self {
        self.set(|config| config.limits.set_buffers(bytes))
    }

    /// Sets the handle that counts, drains and aborts the tunnels of WebSockets. Default: a handle that only this service uses.
    pub fn upgrade_tracker(self, tracker: UpgradeTracker) -> Self {
        self.set(|config| config.upgrades = tracker)
    }

    /// Sets the maximum time for which an open WebSocket stays open while the store or the authorizer fails. `0` ends it at the first check
    /// that fails.
    ///
    /// The store and the authorizer are called every 30 seconds for each open WebSocket. A check that doesn't end counts as failed.
    ///
    /// Default: 60 s.
    pub fn upgrade_grace(self, grace: Duration) -> Self {
        self.set(|config| config.upgrade_grace = grace.min(MAX_TIMEOUT))
    }

    /// Adds an origin whose web pages may open WebSockets, such as `https://app.example`, with
    /// [`ResponseHeaderPolicy::BrowserSafe`]. Default: only pages of the request's own origin.
    ///
    /// The request's own origin has the host and the port of its URI, or of `Host`. Add the public origin if a server in front changes
    /// `Host`. Handshakes without `Origin` and `Sec-Fetch-Site` don't come from a browser, and pass. With
    /// [`ResponseHeaderPolicy::All`], no origin is checked.
    ///
    /// # Errors
    ///
    /// [`OriginError`] if it isn't `scheme://host` or `scheme://host:port`, or `null`.
    pub fn websocket_origin(mut self, origin: &str) -> Result<Self, OriginError> {
        self.config.websocket_origins.add(origin)?;
        Ok(self)
    }

    /// Sets the maximum number of concurrent calls of all connections together; `0` allows no call.
    ///
    /// A call counts until its response's body has ended or was dropped, and a WebSocket until it ends. Further calls are answered with
    /// [`Overloaded`](crate::ErrorCode::Overloaded) before the authorizer is called, so callers that may not use any connection count too.
    /// All clones of the service share one count. This setting, like [`in_flight_per_connection_key`](Self::in_flight_per_connection_key),
    /// adds one allocation to each call.
    ///
    /// Default: none.
    pub fn in_flight_limit(self, calls: usize) -> Self {
        self.set(|config| config.limits.set_global(calls))
    }

    /// Sets the maximum number of concurrent calls for each connection key; `0` allows no call.
    ///
    /// Calls are counted as for [`in_flight_limit`](Self::in_flight_limit), but the check comes after the store lookup. So only existing
    /// connections are counted, and a caller can't find out by this limit which connections exist. Only keys with a call under way are
    /// held in memory. A key of more than 46 bytes is copied for each of its calls.
    ///
    /// Default: none.
    pub fn in_flight_per_connection_key(self, calls: usize) -> Self {
        self.set(|config| config.limits.set_per_key(calls))
    }

    /// Sets the rate at which calls of each connection key may begin.
    ///
    /// A call that comes too early is answered with [`RateLimited`](crate::ErrorCode::RateLimited), and `Retry-After` is the number of
    /// seconds, rounded up, after which the next call may begin. The check comes after the store lookup, so only existing connections are
    /// counted. The keys with a burst that isn't full again are held in memory, and at most as many other keys, or 1,024 if that is more. A
    /// call allocates only if its key isn't in memory yet.
    ///
    /// Default: none.
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    pub fn rate_per_connection_key(self, rate: Rate) -> Self {
        self.set(|config| config.limits.set_rate(rate))
    }

    /// Sets a rate at which calls of each connection key may begin in all processes together, which draw calls from a
    /// [`SharedRate`](crate::limits::SharedRate).
    ///
    /// Calls are checked and refused as for [`rate_per_connection_key`](Self::rate_per_connection_key). If both are set, both apply. A call
    /// for which this process has drawn a call in advance doesn't wait and doesn't allocate. Another call waits for a draw, at most for
    /// 250 ms. Then, and while draws fail, calls take from this process's share of the rate.
    ///
    /// Default: none.
    ///
    /// # Panics
    ///
    /// The calls panic outside of a tokio runtime, because each draw is a task.
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    pub fn shared_rate_per_connection_key(self, limit: SharedRateLimit) -> Self {
        self.set(|config| config.limits.set_shared_rate(limit))
    }

    /// Sets the function that returns the address at which the owner of a connection authorizes the connection again, such as a page of
    /// the host application.
    ///
    /// The address is the member `reauthorize_url` in the body of each error [`Reauthorize`](crate::ErrorCode::Reauthorize). The function
    /// gets the connection id in the caller's URL, decoded, so encode the id where it becomes a part of the address. For `None`, and
    /// for gRPC callers, the answer has no address.
    ///
    /// ```
    /// use http::Uri;
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    ///
    /// let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .reauthorize_link(|_, _| Some(Uri::from_static("https://app.example/connections")));
    /// ```
    ///
    /// Default: none.
    pub fn reauthorize_link(
        self,
        link: impl Fn(&ConnectionId, CallContext<'_>) -> Option<Uri> + Send + Sync + 'static,
    ) -> Self {
        self.set(|config| config.reauthorize_link = Some(Arc::new(link)))
    }

    /// Sets the policy by which requests that are safe to repeat are sent again, if the upstream couldn't be reached or was overloaded.
    /// Default: a request that the upstream may have received is never sent again.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.set(|config| config.resilience.set_retry(policy))
    }

    /// Sets the policy by which a destination isn't called for a time, after several attempts in a row have failed to reach it. Default:
    /// each call tries.
    pub fn circuit(self, policy: CircuitPolicy) -> Self {
        self.set(|config| config.resilience.set_circuit(policy))
    }

    /// Shares the counts of another service: calls under way, rates, retry budgets and circuits, each if its limit or policy is equal in
    /// both services. A rate that several processes share must also be counted in the same place.
    ///
    /// Use it for a service that is built again after a change of its configuration. Call it last, as limits that are set after it begin
    /// at zero.
    ///
    /// Default: the service has its own counts.
    pub fn share_limits_with(self, other: &PassthroughService) -> Self {
        let other = other.config();
        self.set(|config| {
            config.limits.share_with(&other.limits);
            config.resilience.share_with(&other.resilience);
        })
    }

    /// Adds an observer, which is called at the beginning and at the end of each call. All added observers are called. Default: no
    /// observer.
    pub fn observe(self, observer: impl Observe) -> Self {
        self.set(|config| {
            let observers = config.observers.iter().cloned();
            config.observers = observers
                .chain([Arc::new(observer) as Arc<dyn Observe>])
                .collect();
        })
    }

    /// Adds a function as an observer, which is called when a call has ended. Default: no observer.
    ///
    /// ```
    /// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
    ///
    /// let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new())
    ///     .observe_fn(|call| eprintln!("{} {:?}", call.method(), call.status()));
    /// ```
    pub fn observe_fn(self, finished: impl Fn(&CallReport<'_>) + Send + Sync + 'static) -> Self {
        self.observe(ObserveFn(finished))
    }

    /// Sets whether a trace is started if the caller sent no `traceparent`.
    ///
    /// The check looks at the request as it would be sent: a `traceparent` that [`strip_request_header`](Self::strip_request_header)
    /// removes counts as missing.
    ///
    /// Default: [`TraceContext::Pass`], so the caller's `traceparent` is forwarded, and none is generated.
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

/// The settings that weaken a service; made by [`PassthroughBuilder::dangerous`].
#[must_use]
pub struct DangerousBuilder<S, R, T>(PassthroughBuilder<S, R, T>);

impl<S, R, T> DangerousBuilder<S, R, T> {
    /// Allows every caller who reaches the mount to use each connection with each method and path.
    ///
    /// The fields by which callers authenticate to the host application are forwarded to upstreams, unless
    /// [`strip_request_header`](PassthroughBuilder::strip_request_header) names them. Without it, only `Authorization`, `Cookie`,
    /// `Proxy-Authorization`, the forwarding fields, and the well-known fields that name a caller are removed
    /// ([`pass_request_header`](PassthroughBuilder::pass_request_header) forwards one of them).
    ///
    /// Default: an authorizer must be set.
    pub fn allow_all(self) -> PassthroughBuilder<S, R, T, AllowAll> {
        self.0.with_authorizer(AllowAll::new())
    }
}

impl<S, R, T> fmt::Debug for DangerousBuilder<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DangerousBuilder").finish_non_exhaustive()
    }
}

/// The error of a pseudonym for `Via` that isn't a valid token (RFC 9110 §5.6.2), for example because it contains a blank. It's returned
/// when the service is built, so it's a mistake in the code or in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViaError;

impl fmt::Display for ViaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pseudonym for `Via` must be a token (RFC 9110 §5.6.2)")
    }
}

impl std::error::Error for ViaError {}
