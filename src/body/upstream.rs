//! The vendor's body as a transport hands it over.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{BoxBody, boxed, take};
use crate::error::BoxError;

/// The body of a vendor's response. hyper's own is kept inline, others are boxed once.
pub struct UpstreamBody(Kind);

enum Kind {
    Empty,
    Incoming(Incoming),
    /// Over HTTP/2, where a reset without an error would look like an end.
    Stream(Incoming),
    Boxed(BoxBody),
}

impl UpstreamBody {
    /// Any body.
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

    /// hyper's body of an HTTP/2 stream.
    #[cfg(any(feature = "http1", feature = "http2"))]
    pub(crate) fn of_stream(body: Incoming) -> Self {
        Self(Kind::Stream(body))
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
            Kind::Stream(body) => match Pin::new(&mut *body).poll_frame(cx) {
                // hyper takes RST_STREAM(NO_ERROR) for an end, which it is for requests alone (RFC 9113 §8.1).
                Poll::Ready(None) if !body.is_end_stream() => {
                    Poll::Ready(Some(Err(Truncated.into())))
                }
                polled => polled.map_err(Into::into),
            },
            Kind::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Incoming(body) | Kind::Stream(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Incoming(body) | Kind::Stream(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("size", &self.size_hint())
            .finish_non_exhaustive()
    }
}

/// The stream was reset before its end.
#[derive(Debug)]
struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vendor's stream ended before its body did")
    }
}

impl std::error::Error for Truncated {}
