//! Tower middleware for a **Passthrough API**: any call of any vendor's API, with the connection's stored credentials put on last.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
pub mod auth;
mod body;
mod client;
mod connection;
mod error;
mod observe;
mod pipeline;
mod policy;
mod refusal;
mod resolver;
mod response;
mod rewrite;
mod secret;
mod service;
mod settings;
mod store;
mod upstream;

pub use self::address::{
    Address, ConnectionId, InvalidConnectionId, PathEncoding, PrefixError, Target,
};
pub use self::body::{RequestBody, ResponseBody, UpstreamBody};
pub use self::client::{DefaultTransport, Transport, TransportError, TransportErrorKind};
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::client::{HttpTransport, HttpTransportBuilder, HttpTransportError, Resolve};
pub use self::connection::{Connection, Credential, Variables};
pub use self::error::{BoxError, Error, ErrorCode};
pub use self::observe::{CallReport, Observe, Outcome};
pub use self::policy::{
    Dangerous as DangerousNetworkPolicy, Destination, DomainPolicy, DomainPolicyError, Host,
    NetworkPolicy, NetworkRefusal, Origin, Scheme,
};
pub use self::resolver::{BaseUrlResolver, Integrations, ResolveError};
pub use self::rewrite::ResponseHeaderPolicy;
pub use self::secret::{InvalidSecret, Secret};
pub use self::service::{
    Dangerous, Passthrough, PassthroughBuilder, PassthroughFuture, PassthroughLayer,
    PassthroughService, ResponseFuture, Unauthorized, ViaError,
};
pub use self::store::{
    Authorize, Authorized, BoxAuthorize, BoxCredentialStore, CallContext, CredentialStore,
    Everyone, MemoryStore, Scope, StoreError,
};
pub use self::upstream::{BaseUrl, BaseUrlError, BaseUrlTemplate, DomainOverride, Upstream};
