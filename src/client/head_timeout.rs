//! How long the head of a response is waited for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::observe::{Upload, UploadState};

use super::TransportErrorKind;

/// The longest that a timeout can be, a year: as good as for ever, and no overflow of a clock.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The limits of a wait for a response's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From the last byte of the request to the head of the response.
    pub(crate) response_head: Duration,
    /// While the request's body still moves: without a byte of it.
    pub(crate) idle: Duration,
}

/// The output of `sending`, or the error of a wait that took too long.
pub(crate) async fn await_head<F: Future>(
    sending: F,
    upload: Option<&Upload>,
    patience: Patience,
) -> Result<F::Output, Error> {
    let started = Instant::now();
    // A body that ends meanwhile wakes nobody here, so the wait is looked at as often as the
    // shorter limit.
    let step = patience.response_head.min(patience.idle);
    let mut sending = pin!(sending);
    let mut sleep = pin!(sleep(step));
    poll_fn(|cx| {
        if let Poll::Ready(output) = sending.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        while sleep.as_mut().poll(cx).is_ready() {
            let state = upload.map_or(UploadState::Ended, Upload::state);
            let moved = upload.map_or(started, Upload::moved).max(started);
            let deadline = match state {
                UploadState::AwaitsCaller | UploadState::AwaitsVendor => moved + patience.idle,
                UploadState::Ended
                | UploadState::Broken
                | UploadState::TooLarge
                | UploadState::Stalled => moved + patience.response_head,
            };
            let now = Instant::now();
            if deadline <= now {
                return Poll::Ready(Err(elapsed(state)));
            }
            sleep.as_mut().reset(deadline.min(now + step));
        }
        Poll::Pending
    })
    .await
}

fn elapsed(state: UploadState) -> Error {
    let timeout: Error = super::TransportError::from(TransportErrorKind::ResponseTimeout).into();
    if state == UploadState::AwaitsCaller {
        return Error::body_stalled().with_sent(true);
    }
    timeout
}
