//! The body of a response, which is read from its HTTP/2 stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::Permit;

/// The body of a response. Dropping the body before its end resets the stream.
pub(super) struct ResponseBody {
    stream: RecvStream,
    /// The number of bytes that remain of `Content-Length`, which h2 enforces.
    remaining: Option<u64>,
    has_data: bool,
    /// Informs a detached upload that the response has been read to its end.
    upload: Option<oneshot::Sender<()>>,
    /// The permit is dropped at the end of the stream, because the caller may keep the body for
    /// longer.
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
            remaining: if stream.is_end_stream() {
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
            body.finish();
        }
        body
    }

    fn finish(&mut self) {
        self.permit = None;
        if let Some(upload) = self.upload.take() {
            // Sending fails only if the upload has ended before.
            let _ = upload.send(());
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let data = ready!(self.stream.poll_data(cx));
        if let Some(Ok(data)) = &data {
            // The release fails only if the stream has ended, and then there is no window to update.
            let _ = self.stream.flow_control().release_capacity(data.len());
            let read = data.len() as u64;
            self.remaining = self.remaining.map(|left| left.saturating_sub(read));
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
                        self.finish();
                    }
                    return Poll::Ready(Some(data.map(Frame::data)));
                }
                None => self.has_data = false,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        if trailers.is_ok() {
            self.finish();
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
        self.remaining
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
