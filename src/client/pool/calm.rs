//! The pause after a vendor has said that it's called too much (FORWARDING K11).

use std::time::Duration;

use tokio::time::Instant;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
const DOUBLINGS: u32 = 6;
/// After so long without a complaint, pauses begin anew.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// Whether new connections may be opened.
#[derive(Default)]
pub(super) struct Calm {
    until: Option<Instant>,
    complaints: u32,
    /// The connection that complained last: each has but one complaint.
    complainer: Option<u64>,
}

impl Calm {
    /// The vendor has ended connection `id` with ENHANCE_YOUR_CALM.
    pub(super) fn asked_by(&mut self, id: u64) {
        if self.complainer.replace(id) == Some(id) {
            return;
        }
        let now = Instant::now();
        if self.until.is_some_and(|until| until + FORGOTTEN < now) {
            self.complaints = 0;
        }
        self.until = Some(now + FIRST * 2_u32.pow(self.complaints.min(DOUBLINGS)));
        self.complaints += 1;
    }

    /// Whether there was a complaint that isn't forgotten.
    pub(super) fn lasts(&self) -> bool {
        self.until
            .is_some_and(|until| Instant::now() <= until + FORGOTTEN)
    }

    /// How long no connection may be opened.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_each_connection_that_complains() {
        let mut calm = Calm::default();
        assert_eq!(calm.left(), None);
        for (id, seconds) in [(1, 1), (1, 1), (2, 2), (3, 4)] {
            calm.asked_by(id);
            assert_eq!(calm.left(), Some(Duration::from_secs(seconds)), "{id}");
        }
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(calm.left(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_begin_anew_after_a_while() {
        let mut calm = Calm::default();
        calm.asked_by(1);
        calm.asked_by(2);
        tokio::time::advance(FORGOTTEN + Duration::from_secs(3)).await;
        calm.asked_by(3);
        assert_eq!(calm.left(), Some(FIRST));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_end_growing() {
        let mut calm = Calm::default();
        for id in 0..100 {
            calm.asked_by(id);
        }
        assert_eq!(calm.left(), Some(FIRST * 64));
    }
}
