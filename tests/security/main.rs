//! The security rules, with a test for each rule over real sockets.
//!
//! Each test has the ID of its rule in its name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod addresses;
mod destinations;
mod exhaustion;
mod refreshes;
mod secrets;
mod tenants;
mod token_endpoints;
mod vendors;
mod versions;
