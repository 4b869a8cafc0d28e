//! Credentials that live, at vendors that look at them: each over real sockets, and where there is
//! one, before a peer of another language.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod hmac;
mod mtls;
mod oauth1;
mod refreshing;
mod sigv4;
mod tokens;
