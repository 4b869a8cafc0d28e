//! HTTP/2 to a vendor, over the `h2` crate itself.
//!
//! hyper's client would do, but spawns a task for each request, tells a stream that was reset with
//! `NO_ERROR` as one that ended, and hides why one failed and how many may be open. A gateway needs
//! to know all of that (FORWARDING B12, K1, K9).

mod body;
mod connection;
mod exchange;
mod upload;

pub(super) use self::connection::{Closed, Http2, Settings};
pub(super) use self::exchange::Failure;

use std::sync::Arc;

/// What is held for as long as a stream is open, by each part of it.
type Permit = Arc<dyn Send + Sync>;
