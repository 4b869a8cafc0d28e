//! The body of a request, which is written to its HTTP/2 stream.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::sync::oneshot;

use super::Permit;
use crate::body::{Following, RequestBody, poll_unbudgeted};

/// Writes the frames of a body when the upstream has room for them. If the upload is dropped before
/// its end, the stream is reset as soon as the response has been dropped as well.
pub(super) struct Upload {
    body: RequestBody,
    stream: SendStream<Bytes>,
    /// A frame that waits for room.
    pending: Option<Bytes>,
}

/// The reason why an upload ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The upstream has received the whole body, or has stopped reading. The response shows which of
    /// them happened.
    Upstream,
    /// The caller's body ended early, and the stream has been reset.
    Caller,
}

impl Upload {
    pub(super) fn new(body: RequestBody, stream: SendStream<Bytes>) -> Self {
        Self {
            body,
            stream,
            pending: None,
        }
    }

    /// Continues the upload in a task, after the response's head has been received. Resets the stream if
    /// the response is dropped before its end, or if the call makes no progress for the idle timeout.
    pub(super) fn detach(
        mut self,
        following: Option<Following>,
        response: oneshot::Receiver<()>,
        permit: Permit,
    ) {
        tokio::spawn(async move {
            let is_done = {
                let mut abandoned = pin!(until_abandoned(following, response));
                poll_fn(|cx| {
                    if self.poll(cx).is_ready() {
                        return Poll::Ready(true);
                    }
                    poll_unbudgeted(cx, |cx| abandoned.as_mut().poll(cx)).map(|()| false)
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
            if self.pending.is_some() {
                if !ready!(self.poll_room(cx)) {
                    return Poll::Ready(End::Upstream);
                }
                let data = self.pending.take().unwrap_or_default();
                let is_last = self.body.is_end_stream();
                if self.stream.send_data(data, is_last).is_err() || is_last {
                    return Poll::Ready(End::Upstream);
                }
            }
            // A reset must wake this task even while it waits for the caller.
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(End::Upstream);
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                // An error means that the stream has ended, and the response reports it.
                let _ = self.stream.send_data(Bytes::new(), true);
                return Poll::Ready(End::Upstream);
            };
            let Ok(frame) = frame else {
                self.stream.send_reset(Reason::CANCEL);
                return Poll::Ready(End::Caller);
            };
            match frame.into_data() {
                // Empty frames use no window, so nothing would limit their number.
                Ok(data) if data.is_empty() && !self.body.is_end_stream() => {}
                // The end of a stream needs no window.
                Ok(data) if data.is_empty() => {
                    let _ = self.stream.send_data(data, true);
                    return Poll::Ready(End::Upstream);
                }
                Ok(data) => self.pending = Some(data),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        let _ = self.stream.send_trailers(trailers);
                        return Poll::Ready(End::Upstream);
                    }
                }
            }
        }
    }

    /// Waits until the upstream has room for a byte of the pending frame. Returns `false` if it has stopped reading.
    ///
    /// Room is reserved only for bytes that exist, because an upload that waits for its caller would otherwise hold a part of the
    /// window that all uploads of the connection share.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        // A frame may be larger than the room. h2 buffers the rest of the frame, and reports no room
        // until the rest has been sent.
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }
}

/// Returns once the response has been dropped before its end, or the call makes no progress.
async fn until_abandoned(following: Option<Following>, mut response: oneshot::Receiver<()>) {
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
