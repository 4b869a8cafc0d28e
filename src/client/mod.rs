//! The HTTP client: sends a finished request to a checked destination, and returns the upstream's
//! response.
//!
//! ```
//! # #[cfg(feature = "rustls")] {
//! use std::time::Duration;
//! use tower_passthrough::HttpTransport;
//! use tower_passthrough::policy::NetworkPolicy;
//!
//! let transport = HttpTransport::builder()
//!     .network(NetworkPolicy::new().allow("10.1.0.0/16".parse()?))
//!     .connect_timeout(Duration::from_secs(5))
//!     .build()?;
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
