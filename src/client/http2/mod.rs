//! HTTP/2 to an upstream, with the `h2` crate instead of hyper's client.
//!
//! hyper's client spawns a task for each request, reports a stream that was reset with `NO_ERROR` as
//! a stream that ended, and hides the reason of a failure and the stream limit. A gateway needs this
//! information: a truncated response mustn't look complete, a request that the upstream hasn't
//! processed is sent again, and another connection is opened when the first connection is full.

mod body;
mod connection;
mod exchange;
mod frames;
mod pace;
mod unread;
mod upload;

pub(super) use self::connection::{Closed, Http2, Settings};
pub(super) use self::exchange::Failure;

use std::sync::Arc;

/// The maximum number of streams of a connection, even if the upstream permits more.
const MAX_STREAMS: u32 = 100;

/// Counts a stream as open until the last clone of its permit is dropped. A permit that is dropped before its stream is complete counts
/// as a cancelled call.
pub(super) trait StreamEnd: Send + Sync {
    /// Records that the stream hasn't been reset by this side.
    fn complete(&self);

    /// Returns `true` if other connection keys may have streams on the connection.
    fn is_shared(&self) -> bool;

    /// Records that the call would harm others on a shared connection, so later calls of its connection key get their own connections.
    fn separate(&self);
}

type Permit = Arc<dyn StreamEnd>;
