//! The wait of a body of which no byte moves.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Ready once `limit` has passed since `moved`, or at `end`. The timer is set anew when it fires, and not for each
/// frame.
pub(crate) fn poll_still(
    mut timer: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
    moved: Instant,
    limit: Duration,
    end: Option<Instant>,
) -> Poll<()> {
    while timer.as_mut().poll(cx).is_ready() {
        let deadline = moved + limit;
        let deadline = end.map_or(deadline, |end| end.min(deadline));
        if deadline <= Instant::now() {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
}
