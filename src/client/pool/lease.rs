//! What a call gets of the pool.

use std::sync::Arc;

use super::host::Host;
use crate::client::http1::Http1;
use crate::client::http2::Http2;
use crate::connection::ConnectionKey;

/// The use of a connection for one exchange.
pub(in crate::client) enum Lease {
    /// The whole of it.
    Http1(Box<Http1>),
    /// A stream of it.
    Http2(Http2, Arc<Stream>),
}

/// A place among a connection's streams, given back when it's dropped.
pub(in crate::client) struct Stream {
    pub(super) host: Arc<Host>,
    /// The number of the connection.
    pub(super) id: u64,
    pub(super) user: Option<ConnectionKey>,
}

impl Stream {
    /// The number of the connection.
    pub(in crate::client) fn connection(&self) -> u64 {
        self.id
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.host.stream_ended(self.id, self.user.as_ref());
    }
}
