//! A body over HTTP/2 that checks its end.
//!
//! hyper treats RST_STREAM(NO_ERROR) as the end of a body. That is right for a client whose request was answered early
//! (RFC 9113 §8.1). In a caller's request, it would make truncated data look complete.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Empty;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::{BoxBody, boxed};
use crate::error::BoxError;

/// The time for which an unconfirmed end is held back. If the caller reset its stream, its call is dropped by then.
const UNCONFIRMED_END_DELAY: Duration = Duration::from_millis(20);

pub(super) enum Stream {
    /// hyper's body, which confirms its end.
    Hyper(Incoming),
    /// A body that was wrapped by layers of the host application, and that may not confirm its end. The timer runs
    /// while an unconfirmed end is held back.
    Boxed(BoxBody, Option<Pin<Box<Sleep>>>),
    /// A body whose first frame was read early.
    Peeked(Box<Peeked>),
}

pub(super) struct Peeked {
    frame: Option<Result<Frame<Bytes>, BoxError>>,
    rest: Stream,
}

impl Stream {
    pub(super) fn from_hyper(body: Incoming) -> Self {
        Self::Hyper(body)
    }

    pub(super) fn from_boxed(body: BoxBody) -> Self {
        Self::Boxed(body, None)
    }

    /// Returns `true` if the end of the body has been received, and the body has no content. Otherwise, a frame that was read is returned
    /// again by the next poll.
    pub(super) fn is_empty_by_now(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let frame = match Pin::new(&mut *self).poll_frame(&mut cx) {
            Poll::Pending => return false,
            Poll::Ready(None) => return true,
            Poll::Ready(Some(frame)) => frame,
        };
        let is_empty = frame
            .as_ref()
            .is_ok_and(|frame| frame.data_ref().is_some_and(Bytes::is_empty));
        if is_empty && self.is_end_stream() {
            return true;
        }
        let rest = std::mem::replace(self, Self::Boxed(boxed(Empty::new()), None));
        *self = Self::Peeked(Box::new(Peeked {
            frame: Some(frame),
            rest,
        }));
        false
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Hyper(body) => match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None if !body.is_end_stream() => Poll::Ready(Some(Err(Truncated.into()))),
                frame => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            },
            Self::Boxed(_, Some(delay)) => delay.as_mut().poll(cx).map(|()| None),
            Self::Boxed(body, delay) => match ready!(body.as_mut().poll_frame(cx)) {
                None if !body.is_end_stream() => {
                    let delay = delay.insert(Box::pin(sleep(UNCONFIRMED_END_DELAY)));
                    delay.as_mut().poll(cx).map(|()| None)
                }
                frame => Poll::Ready(frame),
            },
            Self::Peeked(peeked) => match peeked.frame.take() {
                Some(frame) => Poll::Ready(Some(frame)),
                None => Pin::new(&mut peeked.rest).poll_frame(cx),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Hyper(body) => body.is_end_stream(),
            Self::Boxed(body, _) => body.is_end_stream(),
            Self::Peeked(peeked) => peeked.frame.is_none() && peeked.rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Hyper(body) => body.size_hint(),
            Self::Boxed(body, _) => body.size_hint(),
            Self::Peeked(peeked) => match peeked.frame {
                Some(_) => SizeHint::new(),
                None => peeked.rest.size_hint(),
            },
        }
    }
}

/// The error of a stream that was reset before its end.
#[derive(Debug)]
pub(super) struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream ended before the end of its body")
    }
}

impl std::error::Error for Truncated {}
