//! The vendor's body as a transport hands it over.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use super::begun::Begun;
use super::driven::{Drive, Driven};
use super::{BoxBody, boxed, take};
use crate::error::BoxError;

/// The body of a vendor's response. hyper's own is kept inline, others are boxed once.
pub struct UpstreamBody(Kind);

enum Kind {
    Empty,
    Incoming(Incoming),
    Driven(Driven),
    Begun(Begun),
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

    /// hyper's body, all of which has been read from its connection.
    pub(crate) fn read(body: Incoming) -> Self {
        Self(match Begun::new(body) {
            Ok(begun) => Kind::Begun(begun),
            Err(odd) => Kind::Boxed(odd),
        })
    }

    /// hyper's body, read from a connection that has no task of its own.
    pub(crate) fn driven(body: Incoming, connection: Box<dyn Drive>) -> Self {
        Self(Kind::Driven(Driven::new(body, connection)))
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
            Kind::Driven(driven) => driven.poll_frame(cx).map_err(Into::into),
            Kind::Begun(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Boxed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Driven(driven) => driven.body.is_end_stream(),
            Kind::Begun(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Driven(driven) => driven.body.size_hint(),
            Kind::Begun(body) => body.size_hint(),
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
