//! The caller's body on its way to the vendor.

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
use super::encoded::Encoded;
use super::following::Following;
use super::idle::poll_still;
use super::payload::no_room;
use super::stream::Stream;
use super::tee::Tee;
use super::upload::{Progress, Upload, UploadState};
use super::{BoxBody, boxed, drain, take};
use crate::auth::BodyEncoder;
use crate::error::{BoxError, Error};
use crate::limits::{BufferBudget, BufferPermit};
use crate::rewrite::RequestTrailers;

/// The body of a request to a vendor: one type for each body that a host app's server brings, as a
/// pool of connections takes but one.
///
/// hyper's own is kept inline, others are boxed once. One that isn't read to its end is read on for
/// a moment when it's dropped, so that an answer that came first isn't lost in a connection's reset
/// (RFC 9112 §9.6).
pub struct RequestBody {
    kind: Kind,
    uploading: Option<Arc<Uploading>>,
    /// Runs from the first wait for the caller.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the caller waits for `100 Continue` until the body is asked for.
    expects_continue: bool,
}

pub(super) enum Kind {
    Empty,
    Buffered(Box<Buffered>),
    Incoming(Incoming),
    Boxed(BoxBody),
    /// Over HTTP/2: the end is looked at twice.
    Stream(Stream),
    /// Made of another one by the scheme.
    Encoded(Box<Encoded>),
}

/// What goes along with a body that is forwarded; one piece of memory for all who want to know.
pub(super) struct Uploading {
    progress: Upload,
    trailers: RequestTrailers,
    /// In bytes.
    limit: Option<u64>,
    pub(super) idle: Duration,
    tee: Option<Arc<Tee>>,
}

impl Progress for Uploading {
    fn progress(&self) -> &Upload {
        &self.progress
    }
}

impl RequestBody {
    /// The body of that request, and its head.
    pub(crate) fn from_request<B>(request: Request<B>) -> Request<Self>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let is_stream = head.version == Version::HTTP_2;
        let mut slot = Some(body).filter(|body| !body.is_end_stream());
        let kind = match (take::<Incoming, B>(&mut slot), slot) {
            (Some(incoming), _) if is_stream => Kind::Stream(Stream::of_hyper(incoming)),
            (Some(incoming), _) => Kind::Incoming(incoming),
            (None, Some(body)) if is_stream => Kind::Stream(Stream::of(boxed(body))),
            (None, Some(body)) => Kind::Boxed(boxed(body)),
            // One that is at its end mustn't be framed as if there were more to come.
            (None, None) => Kind::Empty,
        };
        let body = Self {
            kind,
            uploading: None,
            timer: None,
            expects_continue: head.headers.contains_key(EXPECT),
        };
        Request::from_parts(head, body)
    }

    /// A body that is kept in memory, to be sent more than once.
    pub(crate) fn buffered(
        data: Bytes,
        trailers: Option<HeaderMap>,
        taken: Option<BufferPermit>,
    ) -> Self {
        let data = Some(data).filter(|data| !data.is_empty());
        if data.is_none() && trailers.is_none() {
            return Self::with(Kind::Empty);
        }
        Self::with(Kind::Buffered(Box::new(Buffered::new(
            data, trailers, taken,
        ))))
    }

    /// The same, without saying how long it is.
    pub(super) fn chunked(mut self) -> Self {
        if let Kind::Buffered(kept) = &mut self.kind {
            kept.hide_size();
        }
        self
    }

    /// Returns a body without content.
    #[must_use]
    pub fn empty() -> Self {
        Self::with(Kind::Empty)
    }

    /// Returns a body of any type. A body of [`Bytes`] can be sent again, so make it by `From` instead.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::from_request(Request::new(body)).into_body()
    }

    fn with(kind: Kind) -> Self {
        Self {
            kind,
            uploading: None,
            timer: None,
            expects_continue: false,
        }
    }

    /// The same body once more, if it's empty or kept.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        match &self.kind {
            Kind::Empty => Some(Self::empty()),
            Kind::Buffered(kept) => Some(Self::with(Kind::Buffered(kept.clone()))),
            Kind::Encoded(coded) => Some(Self::with(Kind::Encoded(Box::new(coded.try_clone()?)))),
            Kind::Incoming(_) | Kind::Boxed(_) | Kind::Stream(_) => None,
        }
    }

    /// What `coder` makes of it. It hasn't been followed yet. `tee` keeps what it's made of.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Overloaded`](crate::ErrorCode::Overloaded) if there is no room for what the
    /// coder keeps of it.
    pub(crate) fn encoded(
        self,
        coder: Box<dyn BodyEncoder>,
        tee: Option<Arc<Tee>>,
        room: &Arc<BufferBudget>,
    ) -> Result<Self, Error> {
        let whole = self.size_hint().exact();
        let whole = whole.and_then(|whole| usize::try_from(whole).ok());
        let mut taken = BufferPermit::empty(room);
        if !taken.try_grow(whole.map_or(coder.max_buffered(), |whole| {
            whole.min(coder.max_buffered())
        })) {
            return Err(no_room());
        }
        let coded = Encoded::new(self, coder, tee, Arc::new(taken));
        Ok(Self::with(Kind::Encoded(Box::new(coded))))
    }

    /// The same body once more, and what goes along with it, if it's empty or kept.
    pub(crate) fn spare(&self) -> Option<Self> {
        let mut spare = self.try_clone()?;
        spare.uploading.clone_from(&self.uploading);
        Some(spare)
    }

    /// What passes is counted from the beginning.
    pub(crate) fn restart(&self) {
        if let Some(uploading) = &self.uploading {
            uploading.progress.restart();
        }
    }

    /// Counts, limits and rewrites what passes from now on, and returns the progress. A body at its end needs none of it.
    pub(crate) fn follow(
        mut self,
        started: Instant,
        trailers: impl FnOnce() -> RequestTrailers,
        (limit, idle): (Option<u64>, Duration),
        tee: Option<Arc<Tee>>,
    ) -> (Self, Option<Arc<dyn Progress>>) {
        if self.is_end_stream() {
            return (self, None);
        }
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

    /// What of it isn't the caller's.
    fn overhead(&self) -> u64 {
        match &self.kind {
            Kind::Encoded(coded) => coded.overhead(),
            _ => 0,
        }
    }

    /// Ready if nothing of the call has moved for the idle timeout. The caller may have its answer
    /// by then, and nobody else would end what it doesn't send.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(uploading) = &self.uploading else {
            return Poll::Pending;
        };
        uploading.progress.set(UploadState::AwaitsCaller);
        let idle = uploading.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        poll_still(timer.as_mut(), cx, uploading.progress.moved(), idle, None)
    }

    /// How far it will have come, if it isn't at its end.
    pub(crate) fn following(&self) -> Option<Following> {
        self.uploading.clone().map(Following)
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

    fn judge(
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
                progress.set(UploadState::Broken);
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
            UploadState::AwaitsVendor
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
            // The caller is still there: what it may yet send is read on for a moment.
            return Poll::Ready(Some(Err(Stalled.into())));
        }
        let frame = ready!(polled);
        if !matches!(frame, Some(Ok(_))) {
            // Broken or at its end: there is nothing left to read on from.
            self.kind = Kind::Empty;
        }
        Poll::Ready(self.judge(frame))
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
        // Reading would make the caller send what it holds back.
        if self.is_end_stream() || self.expects_continue {
            return;
        }
        match std::mem::replace(&mut self.kind, Kind::Empty) {
            Kind::Incoming(body) => drain::in_background(body),
            Kind::Boxed(body) => drain::in_background(body),
            Kind::Stream(body) => drain::in_background(body),
            // What it's made of reads on by itself.
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

/// The caller sent nothing for the idle timeout.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request's body stalled")
    }
}

impl std::error::Error for Stalled {}

/// The body grew over the host's limit.
#[derive(Debug)]
struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is larger than the host allows")
    }
}

impl std::error::Error for TooLarge {}
