//! The body of a request, which is written to its HTTP/2 stream.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until};

use super::Permit;
use super::frames::SmallFrames;
use crate::body::{Following, Pieces, RequestBody, poll_unbudgeted};
use crate::error::BoxError;

/// The number of unread small frames of a stream from which on its connection key gets connections of its own.
const MANY_SMALL_FRAMES: u32 = 8;

/// Writes the frames of a body when the upstream has room for them. If the upload is dropped before
/// its end, the stream is reset as soon as the response has been dropped as well.
pub(super) struct Upload {
    body: RequestBody,
    stream: SendStream<Bytes>,
    /// Data that waits for room, or for more data.
    pending: Pieces,
    /// The end that follows the pending data, if the body has ended.
    end: Option<BodyEnd>,
    small_frames: SmallFrames,
    /// The timer of a small frame that waits until it may be sent.
    pause: Option<Pin<Box<Sleep>>>,
    permit: Permit,
    /// Small messages of gRPC never wait.
    is_grpc: bool,
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

/// The end of the caller's body.
enum BodyEnd {
    Data,
    Trailers(Box<HeaderMap>),
}

impl Upload {
    pub(super) fn new(
        body: RequestBody,
        stream: SendStream<Bytes>,
        small_frames: SmallFrames,
        permit: &Permit,
        is_grpc: bool,
    ) -> Self {
        Self {
            body,
            stream,
            pending: Pieces::default(),
            end: None,
            small_frames,
            pause: None,
            permit: Permit::clone(permit),
            is_grpc,
        }
    }

    /// Continues the upload in a task, after the response's head has been received. Resets the stream if
    /// the response is dropped before its end, or if the call makes no progress for the idle timeout.
    pub(super) fn detach(mut self, following: Option<Following>, response: oneshot::Receiver<()>) {
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
        });
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            // A reset must wake this task even while it waits for the caller.
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(End::Upstream);
            }
            if self.poll_gather(cx).is_err() {
                self.stream.send_reset(Reason::CANCEL);
                return Poll::Ready(End::Caller);
            }
            if self.pending.is_empty() {
                // The end of a stream needs no window. An error means that the stream has ended, and the response reports it.
                let _ = match self.end.take() {
                    Some(BodyEnd::Trailers(trailers)) => self.stream.send_trailers(*trailers),
                    Some(BodyEnd::Data) => self.stream.send_data(Bytes::new(), true),
                    None => return Poll::Pending,
                };
                return Poll::Ready(End::Upstream);
            }
            if !ready!(self.poll_room(cx)) {
                return Poll::Ready(End::Upstream);
            }
            if self.pending.is_small() {
                if self.end.is_none() && !self.is_grpc {
                    ready!(self.poll_pause(cx));
                }
                self.small_frames.count();
            }
            let data = self.pending.take();
            let is_last = self.pending.is_empty() && matches!(self.end, Some(BodyEnd::Data));
            if self.stream.send_data(data, is_last).is_err() || is_last {
                return Poll::Ready(End::Upstream);
            }
        }
    }

    /// Reads the body until the pending data isn't small, the body has ended, or the caller has sent no more.
    ///
    /// # Errors
    ///
    /// The caller's body ended early.
    fn poll_gather(&mut self, cx: &mut Context<'_>) -> Result<(), BoxError> {
        while self.end.is_none() && self.pending.is_small() {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                break;
            };
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => self.end = Some(BodyEnd::Data),
                Some(Ok(Ok(data))) => {
                    // Empty frames aren't sent, because they use no window, so nothing would limit their number.
                    self.pending.push(data);
                    if self.body.is_end_stream() {
                        self.end = Some(BodyEnd::Data);
                    }
                }
                Some(Ok(Err(frame))) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.end = Some(BodyEnd::Trailers(Box::new(trailers)));
                    }
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until a small frame may be sent, or its data isn't small any more.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(poll_unbudgeted(cx, |cx| pause.as_mut().poll(cx)));
            }
            match self.small_frames.check(self.permit.is_shared()) {
                Ok(()) => {
                    self.pause = None;
                    return Poll::Ready(());
                }
                Err(next) => {
                    // The frames of others may be the cause of the pause.
                    if self.pause.is_none() && self.small_frames.unread() >= MANY_SMALL_FRAMES {
                        self.permit.separate();
                    }
                    self.pause = Some(Box::pin(sleep_until(next)));
                }
            }
        }
    }

    /// Waits until the upstream has room for a byte of the pending data. Returns `false` if it has stopped reading.
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
