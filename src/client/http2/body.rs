//! The body of a response, as a stream brings it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::Permit;

/// Dropping it before its end resets the stream.
pub(super) struct ResponseBody {
    stream: RecvStream,
    /// As `Content-Length` says, of which h2 holds the vendor to account.
    left: Option<u64>,
    has_data: bool,
    /// Tells an upload that goes on whether the response came to its end.
    upload: Option<oneshot::Sender<()>>,
    /// Kept until the end alone: the consumer may keep the body for longer.
    permit: Option<Permit>,
}

impl ResponseBody {
    pub(super) fn new(
        stream: RecvStream,
        length: Option<u64>,
        upload: Option<oneshot::Sender<()>>,
        permit: Permit,
    ) -> Self {
        let mut body = Self {
            left: if stream.is_end_stream() {
                Some(0)
            } else {
                length
            },
            has_data: true,
            stream,
            upload,
            permit: Some(permit),
        };
        if body.stream.is_end_stream() {
            body.ends();
        }
        body
    }

    fn ends(&mut self) {
        self.permit = None;
        if let Some(upload) = self.upload.take() {
            // The upload may have ended first.
            let _ = upload.send(());
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let data = ready!(self.stream.poll_data(cx));
        if let Some(Ok(data)) = &data {
            // It fails where the stream has ended, and then there is no window to open.
            let _ = self.stream.flow_control().release_capacity(data.len());
            self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
        }
        Poll::Ready(data)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if self.has_data {
            match ready!(self.poll_data(cx)) {
                Some(data) => {
                    if self.stream.is_end_stream() {
                        self.ends();
                    }
                    return Poll::Ready(Some(data.map(Frame::data)));
                }
                None => self.has_data = false,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        if trailers.is_ok() {
            self.ends();
        }
        Poll::Ready(
            trailers
                .transpose()
                .map(|trailers| trailers.map(Frame::trailers)),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
