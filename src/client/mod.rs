//! The client side: from a judged destination and a finished request to the vendor's response.
//!
//! ```
//! # #[cfg(all(feature = "http1", feature = "rustls"))] {
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

#[cfg(any(feature = "http1", feature = "http2"))]
mod builder;
#[cfg(any(feature = "http1", feature = "http2"))]
mod connector;
mod error;
mod head_timeout;
#[cfg(any(feature = "http1", feature = "http2"))]
mod http;
#[cfg(any(feature = "http1", feature = "http2"))]
mod names;
#[cfg(any(feature = "http1", feature = "http2"))]
mod stream;
#[cfg(all(feature = "rustls", any(feature = "http1", feature = "http2")))]
mod tls;
mod transport;

#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::builder::HttpTransportBuilder;
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::error::HttpTransportError;
pub use self::error::{TransportError, TransportErrorKind};
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::http::HttpTransport;
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::names::Resolve;
pub use self::transport::{DefaultTransport, Transport};

pub(crate) use self::head_timeout::{LONGEST, Patience, await_head};
