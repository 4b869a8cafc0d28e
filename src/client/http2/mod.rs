//! HTTP/2 to an upstream, with the `h2` crate instead of hyper's client.
//!
//! hyper's client spawns a task for each request, reports a stream that was reset with `NO_ERROR` as
//! a stream that ended, and hides the reason of a failure and the stream limit. A gateway needs this
//! information: a truncated response mustn't look complete, a request that the upstream hasn't
//! processed is sent again, and another connection is opened when the first connection is full.

mod body;
mod connection;
mod exchange;
mod upload;

pub(super) use self::connection::{Closed, Http2, Settings};
pub(super) use self::exchange::Failure;

use std::sync::Arc;

/// Counts a stream as open until the last clone is dropped.
type Permit = Arc<dyn Send + Sync>;
