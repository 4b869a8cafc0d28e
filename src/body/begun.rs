//! A body all of which has been read from its connection, and whose first frame has been taken.
//!
//! hyper's body tells the connection when it's asked for the first time. It's asked at once
//! instead, while the connection is still in the call's hands, and nothing disturbs it in the pool.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{BoxBody, boxed};

/// hyper's body behind the data that it began with.
pub(super) struct Begun {
    data: Option<Bytes>,
    rest: Incoming,
}

/// hyper's body behind whatever else it began with.
struct Odd {
    first: Option<Option<hyper::Result<Frame<Bytes>>>>,
    rest: Incoming,
}

impl Begun {
    /// Takes the first frame. Another body comes of one that doesn't begin with data.
    pub(super) fn new(mut rest: Incoming) -> Result<Self, BoxBody> {
        let mut cx = Context::from_waker(Waker::noop());
        let first = match Pin::new(&mut rest).poll_frame(&mut cx) {
            Poll::Ready(first) => first,
            Poll::Pending => return Ok(Self { data: None, rest }),
        };
        match first.map(|first| first.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => Ok(Self {
                data: Some(data),
                rest,
            }),
            Some(Ok(Err(trailers))) => Err(Odd::boxed(Some(Ok(trailers)), rest)),
            Some(Err(error)) => Err(Odd::boxed(Some(Err(error)), rest)),
            None => Err(Odd::boxed(None, rest)),
        }
    }
}

impl Odd {
    fn boxed(first: Option<hyper::Result<Frame<Bytes>>>, rest: Incoming) -> BoxBody {
        boxed(Self {
            first: Some(first),
            rest,
        })
    }
}

impl Body for Begun {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self.data.take() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.data.as_ref().map_or(0, |data| data.len() as u64);
        let rest = self.rest.size_hint();
        let mut size = SizeHint::new();
        size.set_lower(data + rest.lower());
        if let Some(upper) = rest.upper() {
            size.set_upper(data + upper);
        }
        size
    }
}

impl Body for Odd {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(first),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.size_hint()
    }
}
