//! A body over HTTP/2, whose end is looked at twice.
//!
//! hyper takes RST_STREAM(NO_ERROR) for the end of a body. It means that to a client whose request
//! was answered early (RFC 9113 §8.1); from anybody else it would make truncated data look whole
//! (FORWARDING B11, B12).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::BoxBody;
use crate::error::BoxError;

/// How long an end that nobody vouches for is held back. A caller that reset its stream has been
/// noticed by then, and its call is gone.
const DOUBT: Duration = Duration::from_millis(20);

pub(super) enum Stream {
    /// hyper's own vouches for its end.
    Hyper(Incoming),
    /// What a host app's layers made of it may vouch, or not.
    Boxed(BoxBody, Option<Pin<Box<Sleep>>>),
}

impl Stream {
    pub(super) fn of_hyper(body: Incoming) -> Self {
        Self::Hyper(body)
    }

    pub(super) fn of(body: BoxBody) -> Self {
        Self::Boxed(body, None)
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
            Self::Boxed(_, Some(doubt)) => doubt.as_mut().poll(cx).map(|()| None),
            Self::Boxed(body, doubt) => match ready!(body.as_mut().poll_frame(cx)) {
                None if !body.is_end_stream() => {
                    let doubt = doubt.insert(Box::pin(sleep(DOUBT)));
                    doubt.as_mut().poll(cx).map(|()| None)
                }
                frame => Poll::Ready(frame),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Hyper(body) => body.is_end_stream(),
            Self::Boxed(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Hyper(body) => body.size_hint(),
            Self::Boxed(body, _) => body.size_hint(),
        }
    }
}

/// The stream was reset before its end.
#[derive(Debug)]
struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream ended before its body did")
    }
}

impl std::error::Error for Truncated {}
