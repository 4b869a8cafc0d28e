//! The rules of HTTP that a passthrough keeps, with a test for each rule that compares bytes on the wire.
//!
//! Each test has the ID of its rule in its name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod addressing;
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
mod reports;
mod request_headers;
mod resilience;
mod responses;
mod routes;
mod upgrades;
