//! Raw peers for tests over real sockets: vendors and callers that write and read literal bytes.
//!
//! A peer built on hyper would fold, refuse or repair half of the faults that the tests look for,
//! so these peers parse by hand and keep the bytes that came. HTTP/2 peers are built on `h2`, or on
//! frames written by hand. No test sleeps to keep in step: each wait is for an event, and the time
//! limit of a wait can only make a test fail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

pub mod at_rest;
pub mod binding;
pub mod caller;
pub mod certificates;
pub mod counts;
#[cfg(unix)]
mod database_process;
pub mod egress_proxy;
pub mod gateway;
pub mod h2_caller;
pub mod h2_frames;
pub mod h2_script;
pub mod h2_vendor;
pub mod head;
pub mod identities;
pub mod in_process;
pub mod io;
#[cfg(target_os = "linux")]
pub mod load;
pub mod manual;
pub mod mtls_vendor;
pub mod names;
pub mod pair;
#[cfg(unix)]
pub mod postgres;
#[cfg(unix)]
pub mod process;
pub mod provider;
#[cfg(unix)]
pub mod redis;
pub mod relay;
pub mod reply;
pub mod schemes;
pub mod stores;
pub mod tenant;
pub mod upload;
pub mod vendor;
pub mod wait;
pub mod websocket;
pub mod wire;
