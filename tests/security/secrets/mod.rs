//! What may be seen.

mod audit;
mod copies;
mod marks;
mod shown;
#[cfg(any(feature = "oauth1", feature = "hmac"))]
mod signed;
#[cfg(feature = "tracing")]
mod span;
mod types;
