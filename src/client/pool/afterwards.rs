//! What may not be done while a host is locked: what is dropped may come back to it, who is told
//! may ask again, and a task may end before it has begun.

use std::sync::Arc;

use super::host::{Host, Waiting};
use super::lease::Lease;
use super::open::Opening;
use super::table::Shared;
use crate::client::error::TransportError;
use crate::client::http1::Http1;
use crate::client::http2::Http2;

/// The rest of a step, for when the lock is gone.
#[derive(Default)]
#[must_use]
pub(super) struct Afterwards {
    /// Leases whose takers have left.
    pub(super) spare: Vec<Lease>,
    /// Connections that are to be closed.
    pub(super) http1: Option<Box<Http1>>,
    pub(super) http2: Option<Http2>,
    /// Those who get no connection, and why.
    pub(super) failed: Vec<(Waiting, TransportError)>,
    /// How many connections are to be opened. They're counted already.
    pub(super) openings: usize,
}

impl Afterwards {
    pub(super) fn finish(self, host: &Arc<Host>, pool: &Arc<Shared>) {
        for (waiting, error) in self.failed {
            // Whoever has left doesn't ask.
            let _ = waiting.hand.send(Err(error));
        }
        for _ in 0..self.openings {
            Opening::begin(host, pool);
        }
        drop((self.spare, self.http1, self.http2));
    }
}
