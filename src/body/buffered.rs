//! A body in memory, which can be sent more than once.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use crate::limits::BufferPermit;

/// The part of a body in memory that hasn't been handed on.
#[derive(Clone)]
pub(super) struct Buffered {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
    /// The size is hidden, because the original body was chunked and a replay must be framed the same way.
    is_chunked: bool,
    /// The memory that the body takes.
    _taken: Option<Arc<BufferPermit>>,
}

impl Buffered {
    pub(super) fn new(
        data: Option<Bytes>,
        trailers: Option<HeaderMap>,
        taken: Option<BufferPermit>,
    ) -> Self {
        Self {
            data,
            trailers,
            is_chunked: false,
            _taken: taken.map(Arc::new),
        }
    }

    pub(super) fn hide_size(&mut self) {
        self.is_chunked = true;
    }

    pub(super) fn next(&mut self) -> Option<Frame<Bytes>> {
        let data = self.data.take().map(Frame::data);
        data.or_else(|| self.trailers.take().map(Frame::trailers))
    }

    pub(super) fn is_end(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    pub(super) fn size(&self) -> SizeHint {
        match self.is_chunked || self.trailers.is_some() {
            true => SizeHint::new(),
            false => SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64)),
        }
    }
}
