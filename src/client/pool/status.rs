//! What a pool holds, counted.

use std::sync::atomic::Ordering;

use super::table::Pool;

/// What the pool of an [`HttpTransport`](crate::HttpTransport) holds at a moment. The counts are
/// taken one after the other, so while calls go on they're near to each other, and not one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Places that connections lead to: an origin, or with connections kept apart an origin and a
    /// connection id.
    pub hosts: usize,
    /// HTTP/1.1 connections at rest.
    pub idle: usize,
    /// HTTP/2 connections that take new streams.
    pub http2: usize,
    /// Streams in use on them.
    pub http2_streams: usize,
    /// Connections that are being opened.
    pub opening: usize,
    /// Calls in line for a connection.
    pub waiting: usize,
}

impl Pool {
    pub(in crate::client) fn status(&self) -> PoolStatus {
        let shared = self.shared();
        let hosts = shared.all();
        let mut status = PoolStatus {
            hosts: hosts.len(),
            idle: shared.idle.load(Ordering::Relaxed),
            http2: shared.multiplexed.load(Ordering::Relaxed),
            ..PoolStatus::default()
        };
        for host in hosts {
            let state = host.lock();
            let waiting = state.line.iter().filter(|call| !call.hand.is_closed());
            status.waiting += waiting.count();
            status.opening += state.opening;
            let streams = state
                .multiplexed
                .iter()
                .map(|open| open.connection.streams());
            status.http2_streams += streams.sum::<usize>();
        }
        status
    }
}
