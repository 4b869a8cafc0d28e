//! The body of the response that the host application's server sends.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Empty;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::body::{Pieces, SMALL_SIZE, UpstreamBody, poll_still};
use crate::error::BoxError;
use crate::observe::{CallGuard, Outcome};
use crate::rewrite::ResponseTrailers;

pin_project! {
    /// The body of a response: the upstream's body, the gateway's own error, or the body of the
    /// service inside a layer.
    ///
    /// It owns the resources that must be released when the call ends. Dropping it before its end
    /// cancels the request to the upstream.
    pub struct ResponseBody<B = Empty<Bytes>> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        Own { #[pin] own: OwnBody },
        Inner { #[pin] inner: B },
    }
}

pin_project! {
    /// The body of a response that the passthrough itself returns.
    #[project = OwnProj]
    pub(crate) enum OwnBody {
        // The response to a HEAD, a 204 or a 304. It has no content, regardless of the length in
        // its head.
        Bodiless { guard: CallGuard },
        // The response that opens a tunnel, which owns the guard, or a response that doesn't belong
        // to a call.
        Empty,
        Problem { text: Option<Bytes>, guard: CallGuard },
        Relay { #[pin] relay: Relay },
    }
}

pin_project! {
    /// The upstream's body on its way to the caller.
    struct Relay {
        body: UpstreamBody,
        guard: CallGuard,
        trailers: ResponseTrailers,
        held: Held,
        #[pin]
        idle: Idle,
    }
}

/// A part of the body that was received and hasn't been returned yet.
enum Held {
    Nothing,
    /// The rest of a piece, the start of which was joined with the pieces before it.
    Piece(Bytes),
    /// The trailers after the data.
    Trailers(Box<Frame<Bytes>>),
    /// The error after the data, which the server must send first.
    Failed(BoxError),
    /// An error that the next poll returns.
    Error(BoxError),
    /// The end of the body.
    End,
}

pin_project! {
    /// Ends a body if no byte of it moves.
    struct Idle {
        limit: Duration,
        // The time by which the whole call must have ended.
        end: Option<Instant>,
        // The time since which the body waits for the upstream. The time isn't counted while the
        // caller has no room.
        since: Option<Instant>,
        // Made at the first wait for the upstream.
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn own(own: OwnBody) -> Self {
        Self {
            kind: Kind::Own { own },
        }
    }

    /// Returns the body of the service inside a layer.
    pub(crate) fn inner(inner: B) -> Self {
        Self {
            kind: Kind::Inner { inner },
        }
    }
}

impl OwnBody {
    /// Returns a body without content and without a size, because an exact size would become a
    /// `Content-Length`.
    pub(crate) fn bodiless(mut guard: CallGuard) -> Self {
        guard.finish(Outcome::Complete);
        Self::Bodiless { guard }
    }

    /// Returns a body without content, because the data of a tunnel isn't HTTP.
    pub(crate) fn tunnelled() -> Self {
        Self::Empty
    }

    /// Returns a body with the text of the gateway's own error.
    pub(crate) fn problem(text: Bytes, guard: CallGuard) -> Self {
        Self::Problem {
            text: Some(text),
            guard,
        }
    }

    /// Returns the upstream's body. It breaks off if no byte of it moves for `idle`, or at `end`.
    #[inline(always)] // Without it, the guard would be copied twice more.
    pub(crate) fn relay(
        body: UpstreamBody,
        guard: CallGuard,
        trailers: ResponseTrailers,
        idle: Duration,
        end: Option<Instant>,
    ) -> Self {
        let mut relay = Relay {
            body,
            guard,
            trailers,
            held: Held::Nothing,
            idle: Idle {
                limit: idle,
                end,
                since: None,
                sleep: None,
            },
        };
        if relay.body.is_end_stream() {
            relay.guard.finish(Outcome::Complete);
        }
        Self::Relay { relay }
    }
}

impl Idle {
    /// Ends the wait for the upstream, because the upstream has sent a frame or the end of the
    /// body.
    fn ends(self: Pin<&mut Self>) {
        *self.project().since = None;
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// Returns `Ready` if nothing has moved for the limit. `moved` is the time when a byte of the
    /// request last moved.
    fn poll_elapsed(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        moved: Option<Instant>,
    ) -> Poll<()> {
        let mut this = self.project();
        let since = *this.since.get_or_insert_with(Instant::now);
        let moved = moved.map_or(since, |moved| moved.max(since));
        if this.sleep.is_none() {
            let deadline = moved + *this.limit;
            let deadline = this.end.map_or(deadline, |end| end.min(deadline));
            this.sleep.set(Some(sleep_until(deadline)));
        }
        match this.sleep.as_pin_mut() {
            Some(sleep) => poll_still(sleep, cx, moved, *this.limit, *this.end),
            None => Poll::Pending,
        }
    }
}

impl Relay {
    /// Returns the next frame of the upstream, or an error if no byte moves.
    fn poll_upstream(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        match Pin::new(&mut *this.body).poll_frame(cx) {
            Poll::Ready(_) if this.idle.is_over() => Poll::Ready(Some(Err(Stalled.into()))),
            Poll::Ready(frame) => {
                this.idle.as_mut().ends();
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let moved = this.guard.upload().map(|upload| upload.moved());
                ready!(this.idle.as_mut().poll_elapsed(cx, moved));
                Poll::Ready(Some(Err(Stalled.into())))
            }
        }
    }

    /// Joins a small piece with the pieces after it that have already arrived. If there are none, returns the piece as it is.
    ///
    /// A caller over HTTP/2 may end its connection if too many small DATA frames are unread.
    #[inline(never)]
    fn join(self: Pin<&mut Self>, cx: &mut Context<'_>, first: Bytes) -> Bytes {
        let this = self.project();
        let mut pieces = Pieces::default();
        pieces.push(first);
        // The number of polls is limited, because pieces may be empty.
        for _ in 0..SMALL_SIZE {
            if !pieces.is_small() || this.body.is_end_stream() {
                break;
            }
            let Poll::Ready(frame) = Pin::new(&mut *this.body).poll_frame(cx) else {
                break;
            };
            *this.held = match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(piece))) => {
                    pieces.push(piece);
                    continue;
                }
                Some(Ok(Err(frame))) => Held::Trailers(Box::new(frame)),
                Some(Err(error)) => Held::Failed(error),
                None => Held::End,
            };
            break;
        }
        let joined = pieces.take();
        if !pieces.is_empty() {
            *this.held = Held::Piece(pieces.take());
        }
        joined
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = match std::mem::replace(self.as_mut().project().held, Held::Nothing) {
            Held::Nothing => ready!(self.as_mut().poll_upstream(cx)),
            Held::Piece(piece) => Some(Ok(Frame::data(piece))),
            Held::Trailers(frame) => Some(Ok(*frame)),
            Held::Failed(error) => Some(Err(error)),
            Held::Error(error) => return Poll::Ready(Some(Err(error))),
            Held::End => None,
        };
        match polled {
            Some(Ok(mut frame)) => {
                let small = frame.data_mut().filter(|data| data.len() < SMALL_SIZE);
                if let Some(data) = small {
                    if !self.body.is_end_stream() {
                        let first = std::mem::take(data);
                        *data = self.as_mut().join(cx, first);
                    }
                }
                let this = self.as_mut().project();
                if let Some(data) = frame.data_ref() {
                    this.guard.add_response_bytes(data.len());
                    if let Some(upload) = this.guard.upload() {
                        upload.touch();
                    }
                } else if let Some(trailers) = frame.trailers_mut() {
                    this.trailers.rewrite(trailers);
                }
                if self.is_end_stream() || frame.is_trailers() {
                    self.project().guard.finish(Outcome::Complete);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let this = self.project();
                this.guard.finish(Outcome::Aborted);
                // A server that receives the error at once would drop the data that it hasn't
                // flushed, including the head.
                *this.held = Held::Error(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                let this = self.project();
                this.guard.finish(Outcome::Complete);
                *this.held = Held::End;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self.held {
            Held::Nothing => self.body.is_end_stream(),
            Held::End => true,
            Held::Piece(_) | Held::Trailers(_) | Held::Failed(_) | Held::Error(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut size = self.body.size_hint();
        if let Held::Piece(piece) = &self.held {
            let held = piece.len() as u64;
            // The upper bound is set first, because it must not be below the lower bound.
            if let Some(upper) = size.upper() {
                size.set_upper(upper + held);
            }
            size.set_lower(size.lower() + held);
        }
        size
    }
}

impl Body for OwnBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            OwnProj::Bodiless { .. } | OwnProj::Empty => Poll::Ready(None),
            OwnProj::Problem { text, .. } => Poll::Ready(text.take().map(Frame::data).map(Ok)),
            OwnProj::Relay { relay } => relay.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Bodiless { .. } | Self::Empty => true,
            Self::Problem { text, .. } => text.is_none(),
            Self::Relay { relay } => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Bodiless { .. } | Self::Empty => SizeHint::new(),
            Self::Problem { text, .. } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            Self::Relay { relay } => relay.size_hint(),
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().kind.project() {
            KindProj::Own { own } => own.poll_frame(cx),
            KindProj::Inner { inner } => inner.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own { own } => own.is_end_stream(),
            Kind::Inner { inner } => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own { own } => own.size_hint(),
            Kind::Inner { inner } => inner.size_hint(),
        }
    }
}

/// Returns an empty body, for layers that answer in place of the service.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::own(OwnBody::Empty)
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

/// The error of a body of which no byte moved for the idle timeout, or of a call that took too
/// long.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no byte was transferred for the idle timeout, or the call took too long")
    }
}

impl std::error::Error for Stalled {}
