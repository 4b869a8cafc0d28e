//! The passthrough as tower services: one that answers each request under its mount, and a layer
//! that leaves others to an inner service.
//!
//! ```
//! use tower_passthrough::{CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream, auth::Bearer};
//!
//! # fn owns_connection(_: &ConnectionId, _: CallContext<'_>) -> bool { true }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::from_iter([("acme", Connection::new("hubspot").with("token", "s3cr3t"))]);
//! let integrations = Integrations::new().with("hubspot", Upstream::new("https://api.hubapi.com")?.auth(Bearer));
//! let service = PassthroughService::builder(store, integrations).authorize(owns_connection).build();
//! let app: axum::Router = axum::Router::new().nest_service("/passthrough", service);
//! # Ok(())
//! # }
//! ```
//!
//! Without an authorizer there is nothing to build:
//!
//! ```compile_fail,E0277
//! use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
//!
//! let service = PassthroughService::builder(MemoryStore::new(), Integrations::new()).build();
//! ```

mod builder;
mod future;
mod layer;
mod passthrough;

pub use self::builder::{DangerousBuilder, PassthroughBuilder, Unauthorized, ViaError};
pub use self::future::{PassthroughFuture, ResponseFuture};
pub use self::layer::{Passthrough, PassthroughLayer};
pub use self::passthrough::PassthroughService;
