//! The caller's body on its way to the upstream.
//!
//! Rules: `docs/rules/forwarding.md#4-bodies`.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{EXPECT, HeaderMap};
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::buffered::Buffered;
use super::encoded::{Encoded, NoRoom};
use super::stream::{Stream, Truncated};
use super::tee::Tee;
use super::upload::{Following, Progress, Upload, UploadState, poll_still};
use super::{BoxBody, boxed, drain, take};
use crate::auth::BodyEncoder;
use crate::error::{BoxError, is_over_limit};
use crate::limits::{BufferPermit, Permit};
use crate::rewrite::RequestTrailers;

/// The body of a request to an upstream: a single type for the bodies of all servers, because a connection pool needs a single
/// type.
///
/// hyper's body is stored inline, other bodies are boxed once. If a body is dropped before its end, it is read for a short
/// time longer, so that a response that was sent before isn't lost by a reset of the connection (RFC 9112 §9.6).
pub struct RequestBody {
    kind: Kind,
    uploading: Option<Arc<Uploading>>,
    /// The idle timer, made at the first wait for the caller.
    timer: Option<Pin<Box<Sleep>>>,
    /// The caller waits for `100 Continue` until the body is polled.
    expects_continue: bool,
    /// The places of the call in the limits. An upload may go on after its response, and is still a part of the call.
    permit: Permit,
}

enum Kind {
    Empty,
    Buffered(Box<Buffered>),
    Incoming(Incoming),
    Boxed(BoxBody),
    /// A body over HTTP/2 that checks its end.
    Stream(Stream),
    /// A body that the scheme encodes.
    Encoded(Box<Encoded>),
}

/// The state of a body that is forwarded, shared with those who watch it.
struct Uploading {
    progress: Upload,
    trailers: RequestTrailers,
    /// In bytes.
    limit: Option<u64>,
    idle: Duration,
    tee: Option<Arc<Tee>>,
}

impl Progress for Uploading {
    fn progress(&self) -> &Upload {
        &self.progress
    }
}

impl RequestBody {
    /// Returns the request with its body as a [`RequestBody`].
    pub(crate) fn from_request<B>(request: Request<B>) -> Request<Self>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let is_stream = head.version == Version::HTTP_2;
        let mut slot = Some(body).filter(|body| !body.is_end_stream());
        let kind = match (take::<Incoming, B>(&mut slot), slot) {
            (Some(incoming), _) if is_stream => Kind::Stream(Stream::from_hyper(incoming)),
            (Some(incoming), _) => Kind::Incoming(incoming),
            (None, Some(body)) if is_stream => Kind::Stream(Stream::from_boxed(boxed(body))),
            (None, Some(body)) => Kind::Boxed(boxed(body)),
            // A body at its end must not be framed as if it had more content.
            (None, None) => Kind::Empty,
        };
        let is_empty = matches!(kind, Kind::Empty);
        let body = Self {
            kind,
            uploading: None,
            timer: None,
            expects_continue: !is_empty && head.headers.contains_key(EXPECT),
            permit: Permit::default(),
        };
        Request::from_parts(head, body)
    }

    /// Returns a body in memory, which can be sent more than once.
    pub(crate) fn buffered(
        data: Bytes,
        trailers: Option<HeaderMap>,
        taken: Option<BufferPermit>,
    ) -> Self {
        let data = Some(data).filter(|data| !data.is_empty());
        if data.is_none() && trailers.is_none() {
            return Self::from_kind(Kind::Empty);
        }
        Self::from_kind(Kind::Buffered(Box::new(Buffered::new(
            data, trailers, taken,
        ))))
    }

    /// Returns the body framed as a body of unknown size.
    pub(super) fn chunked(mut self) -> Self {
        if let Kind::Buffered(kept) = &mut self.kind {
            kept.hide_size();
        }
        self
    }

    /// Returns a body without content.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_kind(Kind::Empty)
    }

    /// Returns a body of any type. For [`Bytes`], use `From` instead, because such a body can be sent again.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::from_request(Request::new(body)).into_body()
    }

    fn from_kind(kind: Kind) -> Self {
        Self {
            kind,
            uploading: None,
            timer: None,
            expects_continue: false,
            permit: Permit::default(),
        }
    }

    /// Becomes an empty body if it's a body over HTTP/2 of unknown length whose end has been received, and that has no content. The
    /// request is then framed as a request without a body.
    pub(crate) fn settle(&mut self) {
        let Kind::Stream(body) = &mut self.kind else {
            return;
        };
        let is_known = body.is_end_stream() || body.size_hint().exact().is_some();
        if !is_known && !self.expects_continue && body.take_empty_end() {
            self.kind = Kind::Empty;
        }
    }

    /// Returns a copy of the body, if it's empty or in memory.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        match &self.kind {
            Kind::Empty => Some(Self::empty()),
            Kind::Buffered(kept) => Some(Self::from_kind(Kind::Buffered(kept.clone()))),
            Kind::Encoded(coded) => {
                Some(Self::from_kind(Kind::Encoded(Box::new(coded.try_clone()?))))
            }
            Kind::Incoming(_) | Kind::Boxed(_) | Kind::Stream(_) => None,
        }
    }

    /// Returns the body encoded by `coder`. `tee` keeps the plain content. `taken` counts the memory that the coder buffers. Call it
    /// before [`follow`](Self::follow).
    pub(crate) fn encoded(
        self,
        coder: Box<dyn BodyEncoder>,
        tee: Option<Arc<Tee>>,
        taken: BufferPermit,
    ) -> Self {
        let coded = Encoded::new(self, coder, tee, taken);
        Self::from_kind(Kind::Encoded(Box::new(coded)))
    }

    /// Returns a copy of the body that shares its progress, if it's empty or in memory.
    pub(crate) fn spare(&self) -> Option<Self> {
        let mut spare = self.try_clone()?;
        spare.uploading.clone_from(&self.uploading);
        Some(spare)
    }

    /// Starts counting from the beginning, as the body is sent again.
    pub(crate) fn restart(&self) {
        if let Some(uploading) = &self.uploading {
            uploading.progress.restart();
        }
    }

    /// Counts, limits and rewrites the frames from now on, and returns the progress. A body at its end is returned as it is.
    pub(crate) fn follow(
        mut self,
        started: Instant,
        trailers: impl FnOnce() -> RequestTrailers,
        (limit, idle): (Option<u64>, Duration),
        tee: Option<Arc<Tee>>,
        permit: &Permit,
    ) -> (Self, Option<Arc<dyn Progress>>) {
        if self.is_end_stream() {
            return (self, None);
        }
        self.permit = permit.clone();
        let uploading = Arc::new(Uploading {
            progress: Upload::new(started),
            trailers: trailers(),
            limit: limit.map(|limit| limit.saturating_add(self.overhead())),
            idle,
            tee,
        });
        self.uploading = Some(Arc::clone(&uploading));
        (self, Some(uploading))
    }

    /// Returns the number of bytes that the scheme adds to the caller's body.
    fn overhead(&self) -> u64 {
        match &self.kind {
            Kind::Encoded(coded) => coded.overhead(),
            _ => 0,
        }
    }

    /// Completes once nothing of the call has moved for the idle timeout. The caller may have its response by then, and
    /// nothing else would end an upload that the caller stopped sending.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(uploading) = &self.uploading else {
            return Poll::Pending;
        };
        uploading.progress.set(UploadState::AwaitsCaller);
        let idle = uploading.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        poll_still(timer.as_mut(), cx, uploading.progress.moved(), idle, None)
    }

    /// Returns a view of the progress, if the body isn't at its end.
    pub(crate) fn following(&self) -> Option<Following> {
        let uploading = self.uploading.clone()?;
        let idle = uploading.idle;
        Some(Following::new(uploading, idle))
    }

    /// Returns `true` if the body ended after its call, and nothing confirms that the caller sent all of it. While the call is in
    /// progress, a caller that resets its stream ends the call, and so the body is dropped.
    fn is_truncated(&self) -> bool {
        let is_unconfirmed = matches!(&self.kind, Kind::Stream(body) if !body.is_end_stream());
        let uploading = self.uploading.as_ref();
        is_unconfirmed && uploading.is_some_and(|uploading| uploading.progress.is_unattended())
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.expects_continue = false;
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Buffered(kept) => Poll::Ready(kept.next().map(Ok)),
            Kind::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Boxed(body) => body.as_mut().poll_frame(cx),
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
            Kind::Encoded(coded) => coded.poll_frame(cx),
        }
    }

    fn inspect(
        &self,
        frame: Option<Result<Frame<Bytes>, BoxError>>,
    ) -> Option<Result<Frame<Bytes>, BoxError>> {
        let ended = self.is_end_stream();
        let Some(uploading) = &self.uploading else {
            return frame;
        };
        let Uploading {
            progress,
            trailers,
            limit,
            tee,
            ..
        } = &**uploading;
        let mut frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                progress.set(if is_over_limit(&*error) {
                    UploadState::TooLarge
                } else if error.is::<NoRoom>() {
                    UploadState::NoRoom
                } else {
                    UploadState::Broken
                });
                return Some(Err(error));
            }
            None => {
                if let Some(tee) = tee {
                    tee.keep(None, true);
                }
                progress.touch();
                progress.set(UploadState::Ended);
                return None;
            }
        };
        if let Some(data) = frame.data_ref() {
            let total = progress.add(data.len());
            if limit.is_some_and(|limit| total > limit) {
                progress.set(UploadState::TooLarge);
                return Some(Err(TooLarge.into()));
            }
        } else if let Some(sent) = frame.trailers_mut() {
            trailers.rewrite(sent);
        }
        if let Some(tee) = tee {
            tee.keep(Some(&frame), ended);
        }
        progress.set(if ended {
            UploadState::Ended
        } else {
            UploadState::AwaitsUpstream
        });
        Some(Ok(frame))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.poll_inner(cx);
        if polled.is_pending() && self.poll_stalled(cx).is_ready() {
            if let Some(uploading) = &self.uploading {
                uploading.progress.set(UploadState::Stalled);
            }
            // The caller is still connected, so the rest of its body is drained when this is dropped.
            return Poll::Ready(Some(Err(Stalled.into())));
        }
        let mut frame = ready!(polled);
        if frame.is_none() && self.is_truncated() {
            frame = Some(Err(Truncated.into()));
        }
        if !matches!(frame, Some(Ok(_))) {
            // Broken or at its end: nothing is left to drain.
            self.kind = Kind::Empty;
        }
        Poll::Ready(self.inspect(frame))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Buffered(kept) => kept.is_end(),
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Encoded(coded) => coded.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Buffered(kept) => kept.size(),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
            Kind::Stream(body) => body.size_hint(),
            Kind::Encoded(coded) => coded.size_hint(),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // Polling would send `100 Continue`, and the caller would send the body that it holds back.
        if self.is_end_stream() || self.expects_continue {
            return;
        }
        match std::mem::replace(&mut self.kind, Kind::Empty) {
            Kind::Incoming(body) => drain::in_background(body),
            Kind::Boxed(body) => drain::in_background(body),
            Kind::Stream(body) => drain::in_background(body),
            // The plain body inside drains itself.
            Kind::Empty | Kind::Buffered(..) | Kind::Encoded(..) => {}
        }
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::buffered(bytes, None, None)
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for RequestBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for RequestBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("size", &self.size_hint())
            .finish_non_exhaustive()
    }
}

/// The error of a caller that sent nothing for the idle timeout.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request's body stalled")
    }
}

impl std::error::Error for Stalled {}

/// The error of a body that is larger than the host allows.
#[derive(Debug)]
struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is larger than the host application allows; send a smaller body")
    }
}

impl std::error::Error for TooLarge {}
