//! Decides which caller may use which connection, with which methods and paths, and under which key.
//!
//! ```
//! use http::Method;
//! use http::header::HeaderName;
//! use tower_passthrough::store::ConnectionKey;
//! use tower_passthrough::{CallContext, ConnectionId, Grant, Integrations, MemoryStore, PassthroughService, Scope};
//!
//! /// The host application's own authentication is in front of the mount, and has put this into the request's extensions.
//! #[derive(Clone)]
//! struct Caller { tenant: String, reads_only: bool }
//!
//! fn authorize(id: &ConnectionId, cx: CallContext<'_>) -> Option<Grant> {
//!     let caller = cx.extensions().get::<Caller>()?;
//!     let scope = match caller.reads_only {
//!         true => Scope::all().methods([Method::GET, Method::HEAD]),
//!         false => Scope::all(),
//!     };
//!     // Each tenant chooses its own ids, so the id alone isn't a key.
//!     let key = ConnectionKey::in_tenant(&caller.tenant, id).ok()?;
//!     Some(Grant::new(scope).connection_key(key))
//! }
//!
//! # let (store, integrations) = (MemoryStore::new(), Integrations::new());
//! let service = PassthroughService::builder(store, integrations)
//!     .authorize_fn(authorize)
//!     .caller_credentials([HeaderName::from_static("x-api-key")])
//!     .build();
//! ```

pub(crate) mod authorizer;
pub(crate) mod context;
mod function;
pub(crate) mod grant;
pub(crate) mod scope;

pub use self::authorizer::{AllowAll, AuthorizeError, BoxAuthorize};
pub use self::function::{AuthorizeAsyncFn, AuthorizeFn};
pub use self::grant::IntoGrant;

pub(crate) use self::authorizer::Authorize;
pub(crate) use self::context::CallContext;
pub(crate) use self::grant::Grant;
pub(crate) use self::scope::Scope;
