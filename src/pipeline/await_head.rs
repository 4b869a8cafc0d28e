//! The wait for the head of a response, and its time limits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::body::{Progress, Upload, UploadState, poll_unbudgeted};
use crate::client::{Dispatch, TransportError, TransportErrorKind};
use crate::error::Error;
use crate::timeouts::Timeouts;

pin_project! {
    /// Waits for the output of `sending`, or returns an error if a time limit has passed.
    ///
    /// Implemented by hand, because an async function would store its arguments twice, and the
    /// future of a call is copied.
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct AwaitHead<'a, F> {
        #[pin]
        sending: F,
        // The end of the request's body doesn't wake this future, so the time limits are checked in
        // intervals of the shorter limit.
        #[pin]
        sleep: Sleep,
        started: Instant,
        // The time by which the whole call must have ended.
        end: Option<Instant>,
        upload: Option<Arc<dyn Progress>>,
        to: &'a Dispatch,
        timeouts: &'a Timeouts,
    }
}

impl<'a, F> AwaitHead<'a, F> {
    /// Returns the wait for a call that began at `began`.
    #[inline(always)] // A call would copy `sending` twice more, which takes 200 instructions.
    pub(crate) fn new(
        sending: F,
        began: Instant,
        upload: Option<Arc<dyn Progress>>,
        to: &'a Dispatch,
        timeouts: &'a Timeouts,
    ) -> Self {
        let started = Instant::now();
        let end = timeouts.end(began);
        let first = started + timeouts.step();
        Self {
            sending,
            sleep: sleep_until(end.map_or(first, |end| end.min(first))),
            started,
            end,
            upload,
            to,
            timeouts,
        }
    }
}

impl<F: Future> Future for AwaitHead<'_, F> {
    type Output = Result<F::Output, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.sending.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        poll_unbudgeted(cx, |cx| {
            while this.sleep.as_mut().poll(cx).is_ready() {
                let upload = this.upload.as_ref().map(|upload| upload.progress());
                let state = upload.map_or(UploadState::Ended, Upload::state);
                let moved = upload
                    .map_or(*this.started, Upload::moved)
                    .max(*this.started);
                let deadline = match state {
                    UploadState::AwaitsCaller | UploadState::AwaitsUpstream => {
                        moved + this.timeouts.idle
                    }
                    UploadState::Ended
                    | UploadState::Broken
                    | UploadState::TooLarge
                    | UploadState::Stalled
                    | UploadState::NoRoom => moved + this.timeouts.response_head,
                };
                let now = Instant::now();
                if this.end.is_some_and(|end| end <= now) {
                    let error = Error::call_too_long();
                    return Poll::Ready(error.with_sent(!this.to.is_waiting()));
                }
                if deadline <= now {
                    return Poll::Ready(elapsed(state).with_sent(!this.to.is_waiting()));
                }
                let next = deadline.min(now + this.timeouts.step());
                let next = this.end.map_or(next, |end| end.min(next));
                this.sleep.as_mut().reset(next);
            }
            Poll::Pending
        })
        .map(Err)
    }
}

fn elapsed(state: UploadState) -> Error {
    let timeout: Error = TransportError::from(TransportErrorKind::ResponseTimeout).into();
    if state == UploadState::AwaitsCaller {
        return Error::body_stalled();
    }
    timeout
}
