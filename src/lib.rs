//! Tower middleware for a **Passthrough API**: forwards any call to any vendor's API, and adds the connection's stored credentials as the
//! last step.
//!
//! A product stores connections, which are its customers' accounts at other vendors, with their credentials. With
//! `ANY {mount}/{connection_id}/{path}`, the product's code, its customers or an agent can make any call to any vendor's API without access
//! to a credential. The upstream's response is returned unchanged, with status, fields, body, trailers and errors, except for the fields
//! that belong to a single network connection. Everything streams.
//!
//! ```
//! use http::header::HeaderName;
//! use tower_passthrough::{CallContext, Connection, ConnectionId, Grant, Integrations, MemoryStore, PassthroughService, Upstream};
//! use tower_passthrough::auth::Bearer;
//! use tower_passthrough::store::ConnectionKey;
//!
//! #[derive(Clone)]
//! struct Tenant(String);
//!
//! // The host application's own authentication is in front of the mount, and has put the tenant into the request's extensions.
//! fn connection_of_tenant(id: &ConnectionId, cx: CallContext<'_>) -> Option<Grant> {
//!     let Tenant(tenant) = cx.extensions().get()?;
//!     let key = ConnectionKey::in_tenant(tenant, id).ok()?;
//!     Some(Grant::all().connection_key(key))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::from_iter([("acme/hubspot", Connection::new("hubspot").with_secret("token", "s3cr3t"))]);
//! let integrations = Integrations::new().with("hubspot", Upstream::new("https://api.hubapi.com")?.auth(Bearer));
//! let service = PassthroughService::builder(store, integrations)
//!     .authorize_fn(connection_of_tenant)
//!     .caller_credentials([HeaderName::from_static("x-api-key")]) // the fields by which callers authenticate never reach an upstream
//!     .build();
//! let app: axum::Router = axum::Router::new().nest_service("/passthrough", service);
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! | part | purpose |
//! | --- | --- |
//! | [`PassthroughService`] | a service that answers each request under its mount |
//! | [`PassthroughLayer`] | adds the service to an existing service |
//! | [`Authorize`] | decides which caller may use which connection, with which methods and paths, and under which key: [`authorize`] |
//! | [`CredentialStore`] | finds the [`Connection`] of a key: integration, variables, credential: [`store`] |
//! | [`BaseUrlResolver`] | finds the [`Upstream`] of a connection: base URL, scheme, default headers, allowed domains: [`upstream`], [`policy`] |
//! | [`auth`] | the schemes that add a credential to a request |
//! | [`Transport`] | sends the request; [`HttpTransport`] is the crate's own: [`client`] |
//! | [`Observe`] | receives a report of each call: [`observe`] |
//!
//! # Guarantees
//!
//! A credential is added only after the destination has been checked, and only a [`DomainPolicy`](policy::DomainPolicy) can make a
//! [`Destination`](policy::Destination). The [`NetworkPolicy`](policy::NetworkPolicy) checks each address on each new connection, after
//! DNS, unless the host application lets an egress proxy resolve names. `Authorization`, `Cookie`, `Proxy-Authorization`, the fields that
//! the host application names in [`caller_credentials`](PassthroughBuilder::caller_credentials), and well-known fields in which a proxy in
//! front names the caller, don't reach an upstream with the caller's values. Any other field by which callers authenticate does. Secrets
//! have a type that can't be printed ([`Secret`]). No input can cause a panic, and there is no unsafe code. The guide
//! [`security`](guides::security) has the details, and the duties of the host application.
//!
//! # Features
//!
//! | feature | gives |
//! | --- | --- |
//! | `rustls-ring` (default) | TLS to upstreams with the bundled trust roots of Mozilla, and ring if the process has no default provider |
//! | `rustls` | the same without ring: rustls uses the process's default cryptography provider |
//! | `native-roots` | the operating system's trust roots as well |
//! | `tracing` (default) | a `tracing` span per call, and an event with all causes for each response that the host application must know about: [`guides::observability`] |
//! | `rate-limit` | [`limits::Rate`]: a rate at which calls of one connection may begin, in each process or in all processes together |
//! | `oauth2` | OAuth 2.0: tokens from token endpoints ([`guides::authentication`], [`guides::refreshing`]) |
//! | `sigv4`, `oauth1`, `hmac` | requests signed for AWS, by OAuth 1.0a, or by an HMAC scheme that you define |
//! | `catalog` | [`catalog`](guides::catalog): base URLs, authentication and token endpoints of well-known vendors |
//! | `durable-store` | [`durable`]: sealed records and a cache, to write a store with a database. The crate `tower-passthrough-sqlite` is such a store |
//! | `openapi` | [`openapi`]: an OpenAPI document and a Postman collection that describe the mount ([`guides::openapi`]) |
//! | `test-util` | a fake upstream for your tests ([`test_util`]), and the tests that each store must pass ([`conformance`]) |
//! | `full` | all of these |
//!
//! HTTP/1.1, HTTP/2, gRPC and WebSocket are always supported.
//!
//! # Cancellation
//!
//! Dropping a service's future or a response's body cancels the upstream's request. If the upstream's response breaks off, the response to
//! the caller is aborted, so that truncated data doesn't look complete. A caller over HTTP/1.0 can only see this if the host application's
//! server resets the TCP connection ([`guides::mounting`]).
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod auth;
pub mod authorize;
pub mod body;
#[cfg(feature = "catalog")]
#[cfg_attr(docsrs, doc(cfg(feature = "catalog")))]
pub mod catalog;
pub mod client;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod conformance;
mod connection;
#[cfg(feature = "durable-store")]
#[cfg_attr(docsrs, doc(cfg(feature = "durable-store")))]
pub mod durable;
mod encoding;
mod error;
mod identity;
pub mod limits;
#[cfg(feature = "oauth2")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
pub mod oauth2;
pub mod observe;
#[cfg(feature = "openapi")]
#[cfg_attr(docsrs, doc(cfg(feature = "openapi")))]
pub mod openapi;
mod pipeline;
pub mod policy;
pub mod refresh;
pub mod resilience;
mod rewrite;
mod secret;
pub mod service;
mod single_flight;
pub mod store;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod test_util;
mod timeouts;
pub mod upgrade;
pub mod upstream;

pub use self::address::id::ConnectionId;
pub use self::authorize::authorizer::Authorize;
pub use self::authorize::context::CallContext;
pub use self::authorize::grant::Grant;
pub use self::authorize::scope::Scope;
pub use self::client::http::HttpTransport;
pub use self::client::transport::Transport;
pub use self::connection::Connection;
pub use self::error::{BoxError, Error, ErrorCode};
pub use self::observe::report::Observe;
pub use self::pipeline::ProblemDetails;
pub use self::secret::Secret;
pub use self::service::builder::PassthroughBuilder;
pub use self::service::layer::PassthroughLayer;
pub use self::service::passthrough::PassthroughService;
pub use self::store::credentials::{CredentialStore, StoreError};
pub use self::store::memory::MemoryStore;
pub use self::upstream::config::Upstream;
pub use self::upstream::integrations::Integrations;
pub use self::upstream::resolver::BaseUrlResolver;

/// Guides to the tasks of a host application, such as the mount, authentication and a store, and the guarantees of the crate with the duties
/// of the host application.
#[cfg(any(doc, doctest))]
pub mod guides {
    #[doc = include_str!("docs/mounting.md")]
    pub mod mounting {}

    #[doc = include_str!("docs/authentication.md")]
    pub mod authentication {}

    #[doc = include_str!("docs/stores.md")]
    pub mod stores {}

    #[doc = include_str!("docs/refreshing.md")]
    pub mod refreshing {}

    #[doc = include_str!("docs/observability.md")]
    pub mod observability {}

    #[doc = include_str!("docs/operating.md")]
    pub mod operating {}

    #[cfg(feature = "openapi")]
    #[doc = include_str!("docs/openapi.md")]
    pub mod openapi {}

    #[doc = include_str!("docs/security.md")]
    pub mod security {}

    #[cfg(feature = "catalog")]
    #[doc = include_str!("docs/catalog.md")]
    pub mod catalog {}

    #[cfg(feature = "test-util")]
    #[doc = include_str!("docs/testing.md")]
    pub mod testing {}
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
mod readme {}
