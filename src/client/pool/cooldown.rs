//! The pause after an upstream has complained about too many calls (the HTTP/2 error
//! ENHANCE_YOUR_CALM, RFC 9113 §7). During the pause no connection to the upstream is opened.

use std::time::Duration;

use tokio::time::Instant;

/// The duration of the first pause. Each further pause is twice as long.
const INITIAL_PAUSE: Duration = Duration::from_secs(1);
/// The maximum number of times that the pause doubles.
const MAX_DOUBLINGS: u32 = 6;
/// The time after the end of a pause during which another complaint makes the next pause longer.
const ESCALATION_INTERVAL: Duration = Duration::from_secs(120);

/// Stops new connections from being opened for a while after each complaint.
#[derive(Default)]
pub(super) struct Cooldown {
    until: Option<Instant>,
    complaints: u32,
    /// The connection of the last complaint. A second complaint on the same connection doesn't count.
    last_connection: Option<u64>,
}

impl Cooldown {
    /// Records a complaint on connection `id`.
    pub(super) fn record(&mut self, id: u64) {
        if self.last_connection.replace(id) == Some(id) {
            return;
        }
        let now = Instant::now();
        let is_forgotten = |until| until + ESCALATION_INTERVAL < now;
        if self.until.is_some_and(is_forgotten) {
            self.complaints = 0;
        }
        let doublings = self.complaints.min(MAX_DOUBLINGS);
        self.until = Some(now + INITIAL_PAUSE * 2_u32.pow(doublings));
        self.complaints += 1;
    }

    /// Returns `true` if the last complaint came on connection `id`.
    pub(super) fn is_known(&self, id: u64) -> bool {
        self.last_connection == Some(id)
    }

    /// Remembers a complaint on connection `id` without a pause.
    pub(super) fn know(&mut self, id: u64) {
        self.last_connection = Some(id);
    }

    /// Returns `true` if a complaint still makes the next pause longer.
    pub(super) fn is_remembered(&self) -> bool {
        let now = Instant::now();
        self.until
            .is_some_and(|until| now <= until + ESCALATION_INTERVAL)
    }

    /// Returns the rest of the pause, or `None` if connections may be opened.
    pub(super) fn remaining(&self) -> Option<Duration> {
        let remaining = self.until?.saturating_duration_since(Instant::now());
        Some(remaining).filter(|remaining| !remaining.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_each_connection_that_complains() {
        let mut cooldown = Cooldown::default();
        assert_eq!(cooldown.remaining(), None);
        for (id, seconds) in [(1, 1), (1, 1), (2, 2), (3, 4)] {
            cooldown.record(id);
            let expected = Some(Duration::from_secs(seconds));
            assert_eq!(cooldown.remaining(), expected, "{id}");
        }
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(cooldown.remaining(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_start_over_after_a_while() {
        let mut cooldown = Cooldown::default();
        cooldown.record(1);
        cooldown.record(2);
        tokio::time::advance(ESCALATION_INTERVAL + Duration::from_secs(3)).await;
        cooldown.record(3);
        assert_eq!(cooldown.remaining(), Some(INITIAL_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_stop_growing() {
        let mut cooldown = Cooldown::default();
        for id in 0..100 {
            cooldown.record(id);
        }
        assert_eq!(cooldown.remaining(), Some(INITIAL_PAUSE * 64));
    }
}
