//! The rules of HTTP that a passthrough keeps, one test each, compared as bytes on the wire.
//!
//! Each test has the rule's ID in its name. `README.md` beside this file lists all rules, and which
//! of them are for a later part of the crate.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bodies;
mod causes;
mod connecting;
mod errors;
mod grpc;
mod hostile;
mod limits;
mod observed;
mod path;
mod pool;
mod query;
mod rates;
mod request_headers;
mod resilience;
mod responses;
mod upgrades;
