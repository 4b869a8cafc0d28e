//! The small DATA frames that an upstream may not have read.
//!
//! An upstream may end a whole connection, with the streams of all tenants on it, if too many small DATA frames wait in it: h2 from
//! version 0.4.20 tolerates half of the connection's window, in frames of 256 bytes, which are 128 frames for the smallest window. A single
//! caller could cause this by an upload in tiny pieces to a handler that doesn't read them. So a connection that several tenants
//! share sends small frames freely only up to a number. After that, small pieces of an upload wait for more data, and each further small
//! frame for a longer time, until the upstream shows by a WINDOW_UPDATE for the stream that it has read.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The number of small frames that a connection sends without a pause.
const MAX_FREE_FRAMES: u32 = 64;
/// The pause after the first small frame beyond [`MAX_FREE_FRAMES`]. Each further frame doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The maximum pause between two small frames of a connection that several connection keys share.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The small frames of a connection that its upstream may not have read.
#[derive(Default)]
pub(super) struct Pace {
    unread: AtomicU32,
    /// The time before which no small frame is sent, if there are too many.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// Counts a small frame that is sent.
    pub(super) fn count(&self) {
        self.unread.fetch_add(1, Ordering::Relaxed);
    }

    /// Checks that a small frame may be sent now. The frames beyond the free ones use up the time until the next frame. If the connection
    /// isn't `shared`, the pauses don't grow: the upstream can end only the calls of one key, and small messages aren't delayed much.
    ///
    /// # Errors
    ///
    /// The time at which to ask again.
    pub(super) fn check(&self, shared: bool) -> Result<(), Instant> {
        let excess = self
            .unread
            .load(Ordering::Relaxed)
            .checked_sub(MAX_FREE_FRAMES);
        if let Some(excess) = excess {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if let Some(next) = next.filter(|next| *next > now) {
                return Err(next);
            }
            let pause = match shared {
                true => FIRST_PAUSE
                    .saturating_mul(1 << excess.min(16))
                    .min(MAX_PAUSE),
                false => FIRST_PAUSE,
            };
            *next = Some(now + pause);
        }
        Ok(())
    }

    /// Removes small frames that the upstream has read, or whose stream has ended.
    pub(super) fn remove(&self, frames: u32) {
        if frames > 0 {
            self.unread.fetch_sub(frames, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn small_frames_beyond_the_free_ones_are_paused_longer_and_longer() {
        let pace = Pace::default();
        for _ in 0..MAX_FREE_FRAMES {
            assert!(pace.check(true).is_ok());
            pace.count();
        }
        let start = Instant::now();
        for _ in 0..20 {
            while let Err(next) = pace.check(true) {
                tokio::time::sleep_until(next).await;
            }
            pace.count();
        }
        let passed = start.elapsed();
        assert!(passed > Duration::from_secs(20), "{passed:?}");
        // A frame of a stream that ended makes room for another frame.
        pace.remove(MAX_FREE_FRAMES);
        assert!(pace.check(true).is_ok());
    }
}
