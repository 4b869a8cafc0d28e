//! The reference server as a black box: its binary, its config file, its output, and real `curl`.
//!
//! The binary is built by the first test that needs it.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod callers;
mod cli;
mod config_errors;
mod config_keys;
mod connections;
mod demo;
mod hostile;
mod leaks;
mod limits;
mod memory;
mod observing;
mod openid;
mod pages;
mod partings;
mod protocols;
mod refreshing;
mod reload;
mod schemes;
mod secrets;
mod signing;
mod stopping;
mod streams;
mod tls;
mod tunnels;
