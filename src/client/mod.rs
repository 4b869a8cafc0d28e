//! The client side: from a judged destination and a finished request to the vendor's response.
//!
//! ```
//! # #[cfg(feature = "rustls")] {
//! use std::time::Duration;
//! use tower_passthrough::{HttpTransport, NetworkPolicy};
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
mod error;
mod grpc;
mod head_timeout;
mod http;
mod http1;
mod http2;
mod pool;
mod transport;

pub use self::builder::HttpTransportBuilder;
pub use self::connect::{EgressProxy, Resolve};
pub use self::error::HttpTransportError;
pub use self::error::{TransportError, TransportErrorKind};
pub use self::http::HttpTransport;
pub use self::pool::PoolStatus;
pub use self::transport::{DefaultTransport, Transport};

pub(crate) use self::head_timeout::{AwaitHead, LONGEST, Patience};
