//! Sends the requests of calls to upstreams. [`HttpTransport`] is the crate's
//! own client, with a pool of network connections, and [`Transport`] is the
//! interface for your own client.
//!
//! ```
//! # #[cfg(feature = "rustls-ring")] {
//! use std::time::Duration;
//! use tower_passthrough::{HttpTransport, Integrations, MemoryStore, PassthroughService};
//! use tower_passthrough::policy::NetworkPolicy;
//!
//! let transport = HttpTransport::builder()
//!     .network(NetworkPolicy::new().allow("10.1.0.0/16".parse()?))
//!     .connect_timeout(Duration::from_secs(3))
//!     .pool_idle_timeout(Duration::from_secs(20))
//!     .build()?;
//! let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
//!     .authorize_fn(|id, _| id == "acme")
//!     .caller_credentials([])
//!     .transport(transport)
//!     .build();
//! # }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod connect;
mod dispatch;
mod error;
mod grpc;
pub(crate) mod http;
mod http1;
mod http2;
mod pool;
mod tower;
pub(crate) mod transport;

pub use self::builder::HttpTransportBuilder;
pub use self::connect::{EgressProxy, Resolve};
pub use self::dispatch::Dispatch;
pub use self::error::{HttpTransportError, TransportError, TransportErrorKind};
pub use self::pool::PoolStatus;
pub use self::tower::{ServiceTransport, TransportService};
pub use self::transport::BoxTransport;

pub(crate) use self::http::HttpTransport;
pub(crate) use self::transport::Transport;
