//! The body of a response, as a transport returns it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{BoxBody, boxed, take};
use crate::error::BoxError;

/// The body of an upstream's response. hyper's body is stored inline, other bodies are boxed once.
pub struct UpstreamBody(Kind);

enum Kind {
    Empty,
    Incoming(Incoming),
    Connection(ConnectionBody),
    Peeked(PeekedBody),
    Boxed(BoxBody),
}

impl UpstreamBody {
    /// Returns a body of any type.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut slot = Some(body);
        Self(match (take::<Incoming, B>(&mut slot), slot) {
            (Some(incoming), _) => Kind::Incoming(incoming),
            (None, Some(body)) => Kind::Boxed(boxed(body)),
            (None, None) => Kind::Empty,
        })
    }

    /// Returns a body without content.
    #[must_use]
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// Returns hyper's body, after all of it has been read from its connection.
    pub(crate) fn read(body: Incoming) -> Self {
        Self(Kind::Peeked(PeekedBody::new(body)))
    }

    /// Returns hyper's body. Reading it also drives the connection, because the connection has no separate task.
    pub(crate) fn driven(body: Incoming, connection: Box<dyn Drive>) -> Self {
        Self(Kind::Connection(ConnectionBody::new(body, connection)))
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Connection(connection) => connection.poll_frame(cx).map_err(Into::into),
            Kind::Peeked(body) => body.poll_frame(cx).map_err(Into::into),
            Kind::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Connection(connection) => connection.body.is_end_stream(),
            Kind::Peeked(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Connection(connection) => connection.body.size_hint(),
            Kind::Peeked(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

impl Default for UpstreamBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for UpstreamBody {
    fn from(bytes: Bytes) -> Self {
        match bytes.is_empty() {
            true => Self::empty(),
            false => Self::new(Full::new(bytes)),
        }
    }
}

impl From<Vec<u8>> for UpstreamBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for UpstreamBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for UpstreamBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("size", &self.size_hint())
            .finish_non_exhaustive()
    }
}

/// A connection without a separate task. Dropping it closes the connection.
pub(crate) trait Drive: Send {
    /// Drives the connection until there is a frame of `body`, which is read from the connection.
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>>;

    /// Puts the connection back after the body has been read to its end.
    fn finish(self: Box<Self>);
}

/// hyper's body, and the connection from which it's read until its end.
struct ConnectionBody {
    body: Incoming,
    connection: Option<Box<dyn Drive>>,
}

impl ConnectionBody {
    fn new(body: Incoming, connection: Box<dyn Drive>) -> Self {
        Self {
            body,
            connection: Some(connection),
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
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
        // A server may not poll again once it has the last frame.
        if is_last {
            if let Some(connection) = self.connection.take() {
                connection.finish();
            }
        }
        Poll::Ready(frame)
    }
}

/// hyper's body, all of which has been read from its connection, behind its first frame.
///
/// hyper's body signals the connection when it's polled for the first time. It's polled at once instead, while the call
/// still owns the connection, so that nothing disturbs the connection in the pool.
struct PeekedBody {
    first: Peeked,
    rest: Incoming,
}

enum Peeked {
    Nothing,
    Data(Bytes),
    /// Trailers, an error or the end. Boxed, as it's large and rare.
    Other(Box<Option<hyper::Result<Frame<Bytes>>>>),
}

impl PeekedBody {
    fn new(mut rest: Incoming) -> Self {
        let mut cx = Context::from_waker(Waker::noop());
        let first = match Pin::new(&mut rest).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Peeked::Data(data),
                Err(trailers) => Peeked::Other(Box::new(Some(Ok(trailers)))),
            },
            Poll::Ready(other) => Peeked::Other(Box::new(other)),
            Poll::Pending => Peeked::Nothing,
        };
        Self { first, rest }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match std::mem::replace(&mut self.first, Peeked::Nothing) {
            Peeked::Data(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Peeked::Other(first) => Poll::Ready(*first),
            Peeked::Nothing => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.first, Peeked::Nothing) && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut size = self.rest.size_hint();
        if let Peeked::Data(data) = &self.first {
            let data = data.len() as u64;
            let upper = size.upper().map(|upper| data + upper);
            // The upper bound is set first, because it must not be below the lower bound.
            if let Some(upper) = upper {
                size.set_upper(upper);
            }
            size.set_lower(data + size.lower());
        }
        size
    }
}
