//! The time limits of a call.

use std::time::Duration;

use tokio::time::Instant;

/// The maximum of every timeout, a year. It has the effect of no limit, and can't overflow a clock.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The time limits of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// The maximum time between the last byte of the request and the head of the response.
    pub(crate) response_head: Duration,
    /// The maximum time without a byte that moves in either direction.
    pub(crate) idle: Duration,
    /// The maximum time of the whole call, from its beginning.
    pub(crate) total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            response_head: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: None,
        }
    }
}

impl Timeouts {
    /// Returns the interval in which a wait for a head is checked: the shorter of its two limits.
    pub(crate) fn step(&self) -> Duration {
        self.response_head.min(self.idle)
    }

    /// Returns the time by which a call that began at `started` must have ended.
    pub(crate) fn end(&self, started: Instant) -> Option<Instant> {
        self.total.map(|total| started + total)
    }
}
