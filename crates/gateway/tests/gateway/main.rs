//! The gateway as a black box: its binary, its config file, its output, and the real `curl`.
//!
//! cargo builds the binary together with these tests.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod addressing;
mod caller_tls;
mod callers;
mod catalog;
mod cli;
mod config_errors;
mod config_keys;
mod connections;
mod copying;
mod demo;
mod half_close;
mod hostile;
mod leaks;
mod limits;
mod listening;
mod memory;
mod observing;
mod openid;
mod operator;
mod pages;
mod parity;
mod partings;
mod peers;
mod postgres;
mod protocols;
mod rates;
mod redis;
mod refreshing;
mod reload;
mod schemes;
mod secrets;
mod signing;
mod stopping;
mod streams;
mod tls;
mod tunnels;
mod upstream_keys;
mod warnings;
