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
#[cfg_attr(
    not(feature = "http1"),
    expect(
        dead_code,
        unused_imports,
        reason = "HTTP/1.1 alone has a use for some of it"
    )
)]
mod connect;
mod error;
#[cfg(any(feature = "http1", feature = "http2"))]
mod grpc;
mod head_timeout;
#[cfg(any(feature = "http1", feature = "http2"))]
mod http;
#[cfg(feature = "http1")]
mod http1;
#[cfg(all(feature = "http2", not(feature = "http1")))]
#[path = "http1/absent.rs"]
#[expect(
    dead_code,
    clippy::boxed_local,
    clippy::needless_pass_by_ref_mut,
    reason = "a type without a value has no use"
)]
mod http1;
#[cfg(feature = "http2")]
mod http2;
#[cfg(all(feature = "http1", not(feature = "http2")))]
#[path = "http2/absent.rs"]
#[expect(
    dead_code,
    clippy::needless_pass_by_ref_mut,
    reason = "a type without a value has no use"
)]
mod http2;
#[cfg(any(feature = "http1", feature = "http2"))]
mod pool;
mod transport;

#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::builder::HttpTransportBuilder;
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::connect::{EgressProxy, Resolve};
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::error::HttpTransportError;
pub use self::error::{TransportError, TransportErrorKind};
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::http::HttpTransport;
#[cfg(any(feature = "http1", feature = "http2"))]
pub use self::pool::PoolStatus;
pub use self::transport::{DefaultTransport, Transport};

pub(crate) use self::head_timeout::{AwaitHead, LONGEST, Patience};
