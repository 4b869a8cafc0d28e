//! Each way to mount the passthrough, over real sockets: what the host's router does to a request
//! must not be seen by the vendor, and what the host's layers know must be seen by the store.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod cookie;
mod examples;
mod head;
mod hyper;
mod layer;
mod nest;
mod place;
mod tenant;
mod tonic;
