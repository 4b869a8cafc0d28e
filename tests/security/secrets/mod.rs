//! What may be seen.

mod audit;
mod copies;
mod marks;
mod shown;
#[cfg(feature = "tracing")]
mod span;
mod types;
