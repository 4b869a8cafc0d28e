//! Answers the calls of an application's mount, as a tower service or as a layer around an existing service.
//!
//! ```
//! use http::header::HeaderName;
//! use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
//! use tower_passthrough::auth::Bearer;
//!
//! # fn owns_connection(_: &tower_passthrough::ConnectionId, _: tower_passthrough::CallContext<'_>) -> bool { true }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::from_iter([("acme-hubspot", Connection::new("hubspot").with_secret("token", "s3cr3t"))]);
//! let integrations = Integrations::new().with("hubspot", Upstream::new("https://api.hubapi.com")?.auth(Bearer));
//! let service = PassthroughService::builder(store, integrations)
//!     .authorize_fn(owns_connection)
//!     .caller_credentials([HeaderName::from_static("x-api-key")])
//!     .build();
//! let app: axum::Router = axum::Router::new().nest_service("/passthrough", service);
//! # Ok(())
//! # }
//! ```
//!
//! A [`PassthroughService`](crate::PassthroughService) answers each request itself. A [`PassthroughLayer`](crate::PassthroughLayer) answers
//! the requests under its prefix, and passes all other requests to an inner service.

pub(crate) mod builder;
mod future;
pub(crate) mod layer;
pub(crate) mod passthrough;

pub use self::builder::{DangerousBuilder, NeedsAuthorizer, NeedsCallerCredentials, ViaError};
pub use self::future::{PassthroughFuture, ResponseFuture};
pub use self::layer::Passthrough;
pub use crate::pipeline::ResponseBody;
pub use crate::rewrite::{ForeignLocations, PublicUrlError};
pub use crate::upstream::ResponseHeaderPolicy;
