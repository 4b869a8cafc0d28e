//! The time limits of a call.

use std::time::Duration;

use tokio::time::Instant;

/// The maximum of every timeout, a year. It has the effect of no limit, and can't overflow a clock.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

const RESPONSE_HEAD: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(60);
/// An event stream or a tunnel is often silent for minutes: a model thinks, or no event happens.
const STREAM_IDLE: Duration = Duration::from_secs(10 * 60);

/// The time limits that the host application has set. `None` is the default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeoutSettings {
    pub(crate) response_head: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) stream_idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
}

impl TimeoutSettings {
    /// Returns these settings, with the settings of `upstream` in place of them.
    pub(crate) fn with(self, upstream: &Self) -> Self {
        Self {
            response_head: upstream.response_head.or(self.response_head),
            idle: upstream.idle.or(self.idle),
            // An upstream's idle timeout is more specific than the service's timeout for streams.
            stream_idle: upstream.stream_idle.or(upstream.idle).or(self.stream_idle),
            total: upstream.total.or(self.total),
        }
    }

    pub(crate) fn resolve(&self) -> Timeouts {
        Timeouts {
            response_head: self.response_head.unwrap_or(RESPONSE_HEAD),
            idle: self.idle.unwrap_or(IDLE),
            stream_idle: self.stream_idle.or(self.idle).unwrap_or(STREAM_IDLE),
            total: self.total,
        }
    }
}

/// The time limits of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// The maximum time between the last byte of the request and the head of the response.
    pub(crate) response_head: Duration,
    /// The maximum time without a byte that moves in either direction.
    pub(crate) idle: Duration,
    /// The same for event streams and tunnels.
    pub(crate) stream_idle: Duration,
    /// The maximum time of the whole call, from its beginning.
    pub(crate) total: Option<Duration>,
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn the_most_specific_setting_is_the_idle_timeout_of_a_stream() {
        let none = TimeoutSettings::default();
        let idle = |idle| TimeoutSettings { idle, ..none };
        let stream = |stream_idle| TimeoutSettings {
            stream_idle,
            ..none
        };
        for (service, upstream, expected) in [
            (none, none, (60, 600)),
            (idle(seconds(5)), none, (5, 5)),
            (stream(seconds(7)), none, (60, 7)),
            (none, idle(seconds(5)), (5, 5)),
            (none, stream(seconds(7)), (60, 7)),
            (stream(seconds(7)), idle(seconds(5)), (5, 5)),
            (idle(seconds(5)), stream(seconds(7)), (5, 7)),
        ] {
            let timeouts = service.with(&upstream).resolve();
            let found = (timeouts.idle.as_secs(), timeouts.stream_idle.as_secs());
            assert_eq!(found, expected, "{service:?} {upstream:?}");
        }
    }
}
