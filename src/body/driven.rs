//! A body whose connection is moved on by whoever reads it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;

/// A connection without a task of its own. Dropping it closes it.
pub(crate) trait Drive: Send {
    /// Moves the connection on until there is a frame of `body`, which is read from it.
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>>;

    /// The body has been read to its end.
    fn finish(self: Box<Self>);
}

/// hyper's body, and the connection that it's read from until its end.
pub(super) struct Driven {
    pub(super) body: Incoming,
    connection: Option<Box<dyn Drive>>,
}

impl Driven {
    pub(super) fn new(body: Incoming, connection: Box<dyn Drive>) -> Self {
        Self {
            body,
            connection: Some(connection),
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(connection) = &mut self.connection else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        let frame = ready!(connection.poll_frame(cx, &mut self.body));
        let is_last = match &frame {
            Some(Ok(frame)) => frame.is_trailers() || self.body.is_end_stream(),
            Some(Err(_)) => {
                self.connection = None;
                false
            }
            None => true,
        };
        // A server may ask no more once it has the last frame.
        if is_last {
            if let Some(connection) = self.connection.take() {
                connection.finish();
            }
        }
        Poll::Ready(frame)
    }
}
