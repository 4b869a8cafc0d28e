//! The body of a response, which is read from its HTTP/2 stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::Permit;
use super::frames::Registered;

/// The body of a response. Dropping the body before its end resets the stream.
pub(super) struct ResponseBody {
    stream: Registered,
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
        stream: Registered,
        is_end: bool,
        length: Option<u64>,
        upload: Option<oneshot::Sender<()>>,
        permit: Permit,
    ) -> Self {
        let mut body = Self {
            remaining: if is_end { Some(0) } else { length },
            has_data: true,
            stream,
            upload,
            permit: Some(permit),
        };
        if is_end {
            body.finish();
        }
        body
    }

    fn finish(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.complete();
        }
        if let Some(upload) = self.upload.take() {
            // Sending fails only if the upload has ended before.
            let _ = upload.send(());
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let data = ready!(self.stream.poll_data(cx));
        match &data {
            Some(Ok(data)) => {
                let read = data.len() as u64;
                self.remaining = self.remaining.map(|left| left.saturating_sub(read));
            }
            Some(Err(_)) => {
                if let Some(permit) = &self.permit {
                    permit.complete();
                }
            }
            None => {}
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
                    if self.stream.inbox().is_end_stream() {
                        self.finish();
                    }
                    return Poll::Ready(Some(data.map(Frame::data)));
                }
                None => self.has_data = false,
            }
        }
        let trailers = ready!(self.stream.inbox().poll_trailers(cx));
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
        // A server asks several times per response, and h2 would lock the connection each time.
        let has_more = self.has_data && self.remaining.is_some_and(|remaining| remaining > 0);
        !has_more && self.stream.inbox().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
