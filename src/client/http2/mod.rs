//! HTTP/2 to an upstream, over the `h2` crate itself.
//!
//! hyper's client spawns a task for each request, reports a stream that was reset with `NO_ERROR` as
//! one that ended, and hides the reason of a failure and the stream limit. A gateway needs these: a
//! truncated response mustn't look complete, a request that the upstream hasn't processed is sent
//! again, and a full connection gets company.

mod body;
mod connection;
mod exchange;
mod upload;

pub(super) use self::connection::{Closed, Http2, Settings};
pub(super) use self::exchange::Failure;

use std::sync::Arc;

/// Counts a stream as open until the last clone is dropped.
type Permit = Arc<dyn Send + Sync>;
