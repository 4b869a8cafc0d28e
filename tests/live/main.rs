//! Credentials that are refreshed or that sign, with vendors that verify them, over real sockets. Where possible, the
//! vendor is written in another language.
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
mod repeating;
mod sigv4;
mod tokens;
