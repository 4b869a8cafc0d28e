//! What may never happen: a test for each rule of the threat model, over real sockets.
//!
//! Each test has the rule's ID in its name. `README.md` beside this file lists all rules, and which
//! of them are for a later part of the crate.
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
