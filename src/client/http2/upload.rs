//! The body of a request, on its way into a stream.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::sync::oneshot;

use super::Permit;
use crate::body::{Following, RequestBody};

/// Hands on frame after frame, as the vendor has room for them. Dropping it before its end resets
/// the stream, once the response is dropped too.
pub(super) struct Upload {
    body: RequestBody,
    stream: SendStream<Bytes>,
}

/// Why an upload ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The vendor has it all, or wants no more: it says in its response what that means.
    Vendor,
    /// The caller's body broke off. The stream has been reset.
    Caller,
}

impl Upload {
    pub(super) fn new(body: RequestBody, stream: SendStream<Bytes>) -> Self {
        Self { body, stream }
    }

    /// Goes on in a task of its own, as the response is there already. It ends with a `response`
    /// that is dropped before its end, or if nothing of the call moves for the idle timeout.
    pub(super) fn outlive(
        mut self,
        following: Option<Following>,
        response: oneshot::Receiver<()>,
        permit: Permit,
    ) {
        tokio::spawn(async move {
            let is_done = {
                let mut given_up = pin!(given_up(following, response));
                poll_fn(|cx| {
                    if self.poll(cx).is_ready() {
                        return Poll::Ready(true);
                    }
                    given_up.as_mut().poll(cx).map(|()| false)
                })
                .await
            };
            if !is_done {
                self.stream.send_reset(Reason::CANCEL);
            }
            drop(permit);
        });
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            if !ready!(self.poll_room(cx)) {
                return Poll::Ready(End::Vendor);
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                // An error here means that the stream is gone, and the response tells.
                let _ = self.stream.send_data(Bytes::new(), true);
                return Poll::Ready(End::Vendor);
            };
            let Ok(frame) = frame else {
                self.stream.send_reset(Reason::CANCEL);
                return Poll::Ready(End::Caller);
            };
            let is_last = match frame.into_data() {
                // It would use no window, so that nothing would stop a flood of them.
                Ok(data) if data.is_empty() && !self.body.is_end_stream() => false,
                Ok(data) => {
                    let is_last = self.body.is_end_stream();
                    self.stream.send_data(data, is_last).is_err() || is_last
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => {
                        let _ = self.stream.send_trailers(trailers);
                        true
                    }
                    Err(_) => false,
                },
            };
            if is_last {
                return Poll::Ready(End::Vendor);
            }
        }
    }

    /// Ready once the vendor has room for a byte; `false` if it wants no more.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        // A frame may be larger than the room: h2 keeps the rest, and has no room until it's gone.
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        // While the caller is waited for, a reset has to wake this too.
        Poll::Ready(self.stream.poll_reset(cx).is_pending())
    }
}

/// Ends once the response has been dropped before its end, or nothing moves any more.
async fn given_up(following: Option<Following>, mut response: oneshot::Receiver<()>) {
    let mut stalls = pin!(async {
        match following {
            Some(following) => following.stalls().await,
            None => std::future::pending().await,
        }
    });
    let mut is_read = false;
    poll_fn(|cx| {
        if !is_read {
            match Pin::new(&mut response).poll(cx) {
                Poll::Ready(Ok(())) => is_read = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        stalls.as_mut().poll(cx)
    })
    .await;
}
