//! Each way to mount the passthrough, over real sockets: the vendor must not see the changes that the host
//! application's router makes to a request, and the store must see the data of the host application's layers.
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
