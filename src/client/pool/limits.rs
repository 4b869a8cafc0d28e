//! How much of everything.

use std::time::Duration;

/// The limits of a pool, each for one host unless it says otherwise.
#[derive(Clone, Debug)]
pub(in crate::client) struct Limits {
    /// HTTP/1.1 connections kept.
    pub(in crate::client) idle: usize,
    /// HTTP/1.1 connections kept, of all hosts.
    pub(in crate::client) idle_in_all: usize,
    pub(in crate::client) idle_time: Duration,
    /// Connections that are being opened.
    pub(in crate::client) handshakes: usize,
    /// Calls in line for a connection or a stream.
    pub(in crate::client) waiting: usize,
    /// For those in line: for a connection to be opened.
    pub(in crate::client) connect_time: Duration,
    /// HTTP/2 connections.
    pub(in crate::client) multiplexed: usize,
    /// Streams of one connection id, on one HTTP/2 connection.
    pub(in crate::client) streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: 64,
            idle_in_all: 1024,
            idle_time: Duration::from_secs(50),
            handshakes: 16,
            waiting: 1024,
            connect_time: Duration::from_secs(5),
            multiplexed: 4,
            streams: 32,
        }
    }
}
