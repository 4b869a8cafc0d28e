//! What may be seen.

mod audit;
mod copies;
mod marks;
mod shown;
#[cfg(any(feature = "oauth1", feature = "hmac"))]
mod signed;
#[cfg(feature = "sigv4")]
mod sigv4;
#[cfg(feature = "tracing")]
mod span;
mod types;
