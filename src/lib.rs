//! Tower middleware for a **Passthrough API**: any call of any vendor's API, with the connection's
//! stored credentials put on last.
//!
//! A product keeps connections, which are its customers' accounts at other vendors, with their
//! credentials. `ANY {mount}/{connection_id}/{path}` lets its own code, its customers or an agent
//! make any call of any vendor's API without ever holding a credential. The vendor's response comes
//! back as it is: status, fields, body, trailers, errors. Everything streams.
//!
//! ```
//! use tower_passthrough::{CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream, auth::Bearer};
//!
//! #[derive(Clone)]
//! struct Tenant(String);
//!
//! // The host app's own authentication is in front of the mount, and has put the tenant into the request's extensions.
//! fn owns_connection(id: &ConnectionId, cx: CallContext<'_>) -> bool {
//!     cx.extensions().get::<Tenant>().is_some_and(|tenant| tenant.0 == id.as_str())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::from_iter([("acme", Connection::new("hubspot").with("token", "s3cr3t"))]);
//! let integrations = Integrations::new().with("hubspot", Upstream::new("https://api.hubapi.com")?.auth(Bearer));
//! let service = PassthroughService::builder(store, integrations).authorize(owns_connection).build();
//! let app: axum::Router = axum::Router::new().nest_service("/passthrough", service);
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! | part | is |
//! | --- | --- |
//! | [`PassthroughService`] | the terminal service: answers each request under its mount |
//! | [`PassthroughLayer`] | puts it around a service that already exists |
//! | [`CredentialStore`] | connection id to [`Connection`]: integration, variables, credential |
//! | [`Authorize`] | may this caller use this connection, and for what ([`Scope`])? |
//! | [`BaseUrlResolver`] | connection to [`Upstream`]: base URL, scheme, default headers, [`DomainPolicy`] |
//! | [`auth`] | the schemes that put a credential on |
//! | [`Transport`] | sends; [`HttpTransport`] is the crate's own |
//! | [`Observe`] | sees how each call ended |
//!
//! # What is promised
//!
//! A credential is put on only after the destination has been judged, and only the [`DomainPolicy`]
//! makes a [`Destination`]. Each address is judged by the [`NetworkPolicy`] on each new connection,
//! after DNS. What a caller authenticates with to the host app never reaches a vendor. Secrets have
//! a type that doesn't know how to be printed ([`Secret`]). No panic is reachable from input, and
//! there is no unsafe code. The guides tell more: [`guides`].
//!
//! # Features
//!
//! | feature | gives |
//! | --- | --- |
//! | `http1` (default) | HTTP/1.1 to vendors |
//! | `http2` (default) | HTTP/2 to vendors: by ALPN beside `http1`, with prior knowledge without it |
//! | `rustls` (default) | TLS to vendors, with the bundled trust roots of Mozilla; no C++ or cmake toolchain is needed |
//! | `websocket` (default) | WebSockets, over HTTP/1.1 and from HTTP/2 callers |
//! | `native-roots` | the operating system's roots as well |
//! | `tracing` | a `tracing` span per call: [`guides::observability`] |
//! | `rate-limit` | [`Rate`]: how often calls of one connection may begin |
//! | `oauth2` | access tokens that refresh themselves: OAuth 2.0, or a vendor's own login call (`Refreshing`, and the guide `refreshing`) |
//! | `sigv4`, `oauth1`, `hmac` | requests signed for AWS, by OAuth 1.0a, or by an HMAC of the vendor's own making |
//! | `mtls` | a client certificate per connection |
//! | `sqlite` | connections in a SQLite file, encrypted at rest |
//! | `test-util` | what every store must do, as tests for your own |
//! | `full` | all of these |
//!
//! Without `http1` and `http2` there is no client, and a [`Transport`] of your own is needed.
//!
//! # Cancellation
//!
//! Dropping a service's future or a response's body cancels the vendor's request. A response that
//! the vendor breaks off is aborted, so truncated data never looks complete.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
pub mod auth;
mod body;
mod client;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod conformance;
mod connection;
mod error;
mod limits;
#[cfg(feature = "oauth2")]
mod oauth2;
mod observe;
#[cfg(any(feature = "rustls", feature = "oauth1", feature = "oauth2"))]
mod pem;
mod pipeline;
mod policy;
mod refreshing;
mod refusal;
mod resilience;
mod resolver;
mod response;
mod rewrite;
mod secret;
mod service;
mod settings;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
mod store;
mod tunnel;
mod upstream;

pub use self::address::{
    Address, ConnectionId, InvalidConnectionId, PathEncoding, PrefixError, Target,
};
pub use self::body::{RequestBody, ResponseBody, UpstreamBody};
pub use self::client::{DefaultTransport, Transport, TransportError, TransportErrorKind};
pub use self::client::{
    EgressProxy, HttpTransport, HttpTransportBuilder, HttpTransportError, PoolStatus, Resolve,
};
pub use self::connection::{Connection, Credential, Variables};
pub use self::error::{BoxError, Error, ErrorCode};
#[cfg(feature = "rate-limit")]
pub use self::limits::Rate;
#[cfg(feature = "oauth2")]
pub use self::oauth2::{
    Assertion, ClientAuth, Grant, OAuth2, SigningAlgorithm, SigningKeyError, TokenEndpoint,
    TokenEndpointError, TokenParameter,
};
pub use self::observe::{
    CallReport, CallStart, InvalidTraceId, Observe, Outcome, RateLimit, TraceContext, TraceId,
};
#[cfg(feature = "rustls")]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub use self::policy::ClientIdentity;
pub use self::policy::{
    DangerousNetworkPolicy, Destination, DomainPolicy, DomainPolicyError, Host, NetworkPolicy,
    NetworkRefusal, Origin, Owner, Scheme,
};
pub use self::refreshing::{
    RefreshOutcome, RefreshReport, Refreshing, TokenError, TokenSource, Tokens,
};
pub use self::resilience::{CircuitPolicy, RetryPolicy};
pub use self::resolver::{BaseUrlResolver, Integrations, ResolveError};
pub use self::rewrite::ResponseHeaderPolicy;
pub use self::secret::{InvalidSecret, Secret};
pub use self::service::{
    DangerousBuilder, Passthrough, PassthroughBuilder, PassthroughFuture, PassthroughLayer,
    PassthroughService, ResponseFuture, Unauthorized, ViaError,
};
pub use self::store::{
    Authorize, Authorized, BoxAuthorize, BoxCredentialStore, CallContext, ConnectionStore,
    CredentialStore, Everyone, Lease, Listed, MemoryStore, Record, Renewal, Scope, Standing,
    StoreError, TokenStore, Version,
};
pub use self::tunnel::Tunnels;
pub use self::upstream::{BaseUrl, BaseUrlError, BaseUrlTemplate, DomainOverride, Upstream};

/// Guides: how to mount it, how to write a store, what is promised and what is left to the host.
#[cfg(any(doc, doctest))]
pub mod guides {
    #[doc = include_str!("docs/mounting.md")]
    pub mod mounting {}

    #[doc = include_str!("docs/stores.md")]
    pub mod stores {}

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("docs/sqlite.md")]
    pub mod sqlite {}
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    #[doc = include_str!("docs/refreshing.md")]
    pub mod refreshing {}

    #[doc = include_str!("docs/observability.md")]
    pub mod observability {}

    #[doc = include_str!("docs/security.md")]
    pub mod security {}
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
mod readme {}
