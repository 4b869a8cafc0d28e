//! The bundled catalog: its source, its truth as far as it can be checked without a network, and calls that use it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod calls;
mod choice;
mod generate;
mod probe;
mod sdks;
mod source;
mod truth;
