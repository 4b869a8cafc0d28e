//! An HTTP/1.1 connection, which is polled by the call that uses it.
//!
//! Rules: `docs/rules/security.md#5-protection-against-vendors`.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::waker::ConnectionWaker;
use super::{detached, keep_alive};
use crate::body::{Drive, RequestBody};
use crate::client::connect::{Stream, WireState};
use crate::client::error::{TransportError, TransportErrorKind};
use crate::connection::ConnectionKey;

/// The maximum number of consecutive polls of a connection that wakes itself. After these polls,
/// other tasks get their turn.
const MAX_POLLS: usize = 4;

/// The maximum size of a response's head, in bytes.
pub(super) const MAX_HEAD_SIZE: usize = 128 * 1024;
/// The maximum number of bytes that an upstream may send before the head of its response has been received: interim responses (1xx,
/// RFC 9110 §15.2), and the head.
const MAX_SIZE_BEFORE_RESPONSE: usize = 2 * MAX_HEAD_SIZE;

/// The pool that keeps a connection while no call uses the connection.
pub(crate) trait IdlePool: Send + Sync {
    /// Takes a connection that is ready for the next request.
    fn check_in(self: Arc<Self>, connection: Box<Http1>);

    /// Handles an event on the idle connection `id`, such as its end.
    fn on_idle_activity(&self, id: u64);

    /// Handles bytes that no request asked for.
    fn on_unsolicited(&self);

    /// Handles a response with more fields or trailers than hyper accepts by default.
    fn on_large_head(&self);

    /// Returns `true` for a while after such a response. Only connections that accept large heads are then used.
    fn has_large_heads(&self) -> bool;
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The upstream has closed the connection, or it failed.
    Closed,
    /// The upstream has sent bytes that no request asked for.
    Unsolicited,
}

/// The maximum number of fields in a response's head that hyper accepts by default.
const DEFAULT_MAX_FIELDS: usize = 100;
/// The maximum number of fields in a response's head. For another maximum than its default, hyper allocates memory for so many
/// fields and fills it, for each response. So connections begin with the default, and a larger head is read again with this maximum.
const MAX_FIELDS: usize = 256;

/// The settings of connections. All connections share them, because a connection keeps them as long as it exists.
#[derive(Clone)]
pub(crate) struct Settings(Arc<Builders>);

struct Builders {
    default: Builder,
    /// The same with [`MAX_FIELDS`].
    for_large_heads: Builder,
}

impl Settings {
    pub(crate) fn new(title_case: bool) -> Self {
        let mut default = Builder::new();
        default
            .max_buf_size(MAX_HEAD_SIZE)
            .title_case_headers(title_case);
        let mut for_large_heads = default.clone();
        for_large_heads.max_headers(MAX_FIELDS);
        Self(Arc::new(Builders {
            default,
            for_large_heads,
        }))
    }

    /// Returns the settings with the maximum number of fields.
    pub(super) fn for_large_heads(&self) -> &Builder {
        &self.0.for_large_heads
    }
}

/// A connection of hyper that has ended because of a head that hyper refuses.
pub(super) struct Broken {
    pub(super) stream: Stream,
    /// The bytes that were read. They begin with the head.
    pub(super) read: Bytes,
    /// `true` if the head has more fields than hyper accepts by default.
    pub(super) is_large: bool,
}

/// A connection that a single call uses at a time.
pub(crate) struct Http1 {
    sender: SendRequest<RequestBody>,
    /// `None` once the connection has ended.
    connection: Option<Connection<TokioIo<Stream>, RequestBody>>,
    wakeups: Arc<ConnectionWaker>,
    /// A `Waker` made from `wakeups`.
    waker: Waker,
    wire: Arc<WireState>,
    /// The pool to which the connection is returned, or `None` while the connection is in the pool.
    pool: Option<Arc<dyn IdlePool>>,
    /// The connection key of the last call.
    user: Option<ConnectionKey>,
    /// `false` before the first call.
    is_used: bool,
    id: u64,
    reused: bool,
    /// The time after which no request is sent, because the upstream will close the connection soon.
    expires: Option<Instant>,
    end: End,
    settings: Settings,
    /// `true` if hyper accepts [`MAX_FIELDS`].
    accepts_large_heads: bool,
    /// `true` until the head of the response has been received.
    awaits_head: bool,
    /// `true` if the request of the present connection of hyper was sent before.
    is_restarted: bool,
    /// A head of a response was read again, so a part of the request may not have been written. The connection isn't used again.
    is_mended: bool,
    /// The connection after its end, if the bytes that it has read may become a response nevertheless.
    broken: Option<Box<Connection<TokioIo<Stream>, RequestBody>>>,
}

impl Http1 {
    /// Performs the handshake over `stream`, and returns an idle connection, or `None` if the upstream
    /// closed the connection at once.
    pub(crate) async fn handshake<P: IdlePool + 'static>(
        stream: Stream,
        settings: &Settings,
        pool: &Arc<P>,
        id: u64,
    ) -> Result<Option<Box<Self>>, TransportError> {
        let wire = stream.wire_state();
        let accepts_large_heads = pool.has_large_heads();
        let builder = match accepts_large_heads {
            true => settings.for_large_heads(),
            false => &settings.0.default,
        };
        let shaken = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            shaken.map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))?;
        let pool: Weak<P> = Arc::downgrade(pool);
        let wakeups = ConnectionWaker::new(pool, id);
        let connection = Box::new(Self {
            sender,
            connection: Some(connection),
            waker: Waker::from(Arc::clone(&wakeups)),
            wakeups,
            wire,
            pool: None,
            user: None,
            is_used: false,
            id,
            reused: false,
            expires: None,
            end: End::Closed,
            settings: settings.clone(),
            accepts_large_heads,
            awaits_head: false,
            is_restarted: false,
            is_mended: false,
            broken: None,
        });
        Ok(connection.poll_idle().ok())
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Returns `true` if the connection is idle, and an event on it hasn't been handled yet.
    pub(crate) fn has_idle_activity(&self) -> bool {
        self.wakeups.is_idle_woken()
    }

    /// Records that the connection was idle, so the upstream may have closed it unnoticed.
    pub(crate) fn mark_reused(&mut self) {
        self.reused = true;
    }

    /// Returns `true` if the connection was idle or in use before this call, so the upstream may have closed it
    /// unnoticed.
    pub(crate) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Returns `true` if no call has used the connection.
    pub(crate) fn is_unused(&self) -> bool {
        !self.is_used
    }

    fn has_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Instant::now())
    }

    /// Returns `true` if no connection key but `user` has used the connection.
    pub(crate) fn is_free_for(&self, user: Option<&ConnectionKey>) -> bool {
        !self.is_used || self.user.as_ref() == user
    }

    /// Checks the connection out of `pool`, for a call of `user`. If the connection has ended meanwhile, will end soon, has received
    /// bytes without a request, or doesn't accept the large heads of the upstream, closes it and returns `None`.
    pub(crate) fn check_out(
        mut self: Box<Self>,
        pool: Arc<dyn IdlePool>,
        user: Option<&ConnectionKey>,
    ) -> Option<Box<Self>> {
        let was_woken = self.wakeups.start_poll();
        if was_woken && self.poll_io().is_ready() {
            if self.end == End::Unsolicited {
                pool.on_unsolicited();
            }
            return None;
        }
        if self.has_expired() || (!self.accepts_large_heads && pool.has_large_heads()) {
            return None;
        }
        self.pool = Some(pool);
        // A call that waited gets the connection of another call, which the upstream may close after its response.
        self.reused |= self.is_used;
        self.is_used = true;
        if self.user.as_ref() != user {
            self.user = user.cloned();
        }
        Some(self)
    }

    /// Handles the events on the idle connection.
    ///
    /// # Errors
    ///
    /// The end of the connection.
    pub(crate) fn poll_idle(mut self: Box<Self>) -> Result<Box<Self>, End> {
        for _ in 0..MAX_POLLS {
            self.wakeups.start_poll();
            if self.poll_io().is_ready() {
                return Err(self.end);
            }
            if self.wakeups.park() {
                return Ok(self);
            }
        }
        Err(End::Closed)
    }

    /// Polls the connection. The result is ready once the connection has ended. `start_poll` must be
    /// called before.
    fn poll_io(&mut self) -> Poll<()> {
        if let Some(connection) = &mut self.connection {
            let mut cx = Context::from_waker(&self.waker);
            // hyper reports the error to the call or to the body as well.
            let ended = match self.awaits_head {
                // The response may have to be read in another way.
                true => ready!(connection.poll_without_shutdown(&mut cx)),
                false => ready!(Pin::new(connection).poll(&mut cx)),
            };
            // hyper has no public kind for unexpected bytes. It's the only error of an idle connection without a source.
            if ended.is_err_and(|error| error.source().is_none() && !error.is_canceled()) {
                self.end = End::Unsolicited;
            }
            let connection = self.connection.take();
            let has_response = self.wire.read() > 0 && self.wire.has_written();
            if self.awaits_head && (has_response || self.is_restarted) {
                self.broken = connection.map(Box::new);
            }
            // If the request hasn't been written, dropping the connection returns the request to its
            // call.
        }
        Poll::Ready(())
    }

    /// Polls the connection and then `output`, until `output` is ready. Only the connection can make
    /// progress for `output`, so `output` gets no separate waker.
    pub(super) fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut output: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.wakeups.register(cx.waker());
        for _ in 0..MAX_POLLS {
            self.wakeups.start_poll();
            if self.poll_io().is_ready() {
                return output(cx);
            }
            if let Poll::Ready(output) = output(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(output);
            }
            if !self.wakeups.finish_poll() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Polls the connection until it can take the next request, or has ended.
    pub(super) fn poll_free(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.wakeups.register(cx.waker());
        for _ in 0..MAX_POLLS {
            self.wakeups.start_poll();
            if self.poll_io().is_ready() || self.sender.is_ready() {
                return Poll::Ready(());
            }
            if !self.wakeups.finish_poll() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Queues a request. The request is written when the connection is polled. If `keeps` is `true`, its bytes are kept for
    /// [`take_unanswered`](Self::take_unanswered).
    #[inline(always)] // Without it, the request would be copied once more.
    pub(super) fn queue(
        &mut self,
        request: Request<RequestBody>,
        keeps: bool,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> + use<>
    {
        self.wakeups.start_poll();
        self.wire.reset_counts(keeps);
        self.awaits_head = true;
        self.sender.try_send_request(request)
    }

    /// Records that the head of the response has been received.
    pub(super) fn on_head(&mut self, fields: &HeaderMap) {
        self.awaits_head = false;
        self.is_restarted = false;
        self.wire.forget_request();
        self.expires = keep_alive::end(fields);
        if fields.len() > DEFAULT_MAX_FIELDS {
            self.remember_large_heads();
        }
    }

    /// Makes the host use connections that accept large heads, if that is what hyper has refused.
    pub(super) fn on_refusal(&self, error: &hyper::Error) {
        if is_large_head(error) {
            self.remember_large_heads();
        }
    }

    fn remember_large_heads(&self) {
        if let Some(pool) = &self.pool {
            pool.on_large_head();
        }
    }

    /// Returns the pool of the connection, for a response that is read without the connection.
    pub(super) fn pool(&self) -> Option<Arc<dyn IdlePool>> {
        self.pool.clone()
    }

    /// Takes the stream of the connection that has ended, and the bytes that were read. Returns `None` if they don't begin with a head:
    /// if hyper has already removed a head whose framing isn't valid, the rest is a body, which may look like a head.
    pub(super) fn take_broken(&mut self, error: &hyper::Error) -> Option<Broken> {
        let parts = self.broken.take()?.into_parts();
        // hyper counts the fields before it removes the head. Interim responses may precede the head, and a part of the body may
        // follow it. If the head is too long, the new connection refuses it as well.
        let is_large = is_large_head(error);
        if !is_large && parts.read_buf.len() != self.wire.received() {
            return None;
        }
        Some(Broken {
            stream: parts.io.into_inner(),
            read: parts.read_buf,
            is_large,
        })
    }

    /// Starts again with another stream, after the connection has ended. Now large heads are accepted.
    pub(super) async fn restart(&mut self, stream: Stream) -> hyper::Result<()> {
        let builder = self.settings.for_large_heads();
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        self.sender = sender;
        self.connection = Some(connection);
        self.accepts_large_heads = true;
        self.is_restarted = true;
        self.is_mended = true;
        Ok(())
    }

    /// Returns the bytes of the queued request, if they were kept, and no byte of a response was read.
    pub(super) fn take_unanswered(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.wire.take_unanswered()
    }

    /// Returns `true` if the request has been written and the response has been read.
    pub(super) fn is_free(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Checks the connection in to its pool if the request has been written, and the response has
    /// been read without excess bytes. Otherwise returns the connection. `start_poll` must be called
    /// before.
    pub(super) fn try_check_in(mut self: Box<Self>) -> Result<(), Box<Self>> {
        for _ in 0..MAX_POLLS {
            if self.connection.is_none() {
                // The response was complete, so bytes after it belong to no request.
                if self.end == End::Unsolicited {
                    if let Some(pool) = &self.pool {
                        pool.on_unsolicited();
                    }
                }
                return Ok(());
            }
            if !self.sender.is_ready() || self.is_half_closed() {
                return Err(self);
            }
            if self.has_expired() || self.is_mended {
                return Ok(());
            }
            if self.wakeups.park() {
                if let Some(pool) = self.pool.take() {
                    pool.check_in(self);
                }
                return Ok(());
            }
            self.wakeups.start_poll();
            let _ = self.poll_io();
        }
        // A connection that keeps waking itself is closed rather than reused.
        Ok(())
    }

    /// Checks the connection in to its pool, now or when the request has been written.
    pub(super) fn release(self: Box<Self>) {
        match self.try_check_in() {
            // A half-closed connection is closed: the upstream has refused the rest of the upload.
            Err(busy) if !busy.is_half_closed() => detached::finish_request(busy),
            _ => {}
        }
    }

    /// Returns `true` if the upstream sends interim responses without end.
    pub(super) fn is_flooded(&self) -> bool {
        is_flooded(&self.wire)
    }

    /// Returns `true` if a byte of the queued request has been written.
    pub(super) fn has_written(&self) -> bool {
        self.wire.has_written()
    }

    /// Returns `true` if nothing more can be written, so that the connection can't be reused.
    pub(super) fn is_half_closed(&self) -> bool {
        self.wire.has_write_failed()
    }
}

/// Returns `true` if the error is that of a head with too many fields, or too many bytes.
fn is_large_head(error: &hyper::Error) -> bool {
    // hyper has a predicate for this error only with its server.
    error.is_parse() && error.to_string() == "message head is too large"
}

/// Handles the result of reading a body. After too many trailers, the pool uses connections that accept more.
pub(super) fn check_trailers(
    frame: &Option<hyper::Result<Frame<Bytes>>>,
    pool: Option<&Arc<dyn IdlePool>>,
) {
    let Some(Err(error)) = frame else {
        return;
    };
    // hyper has no kind for this error.
    let is_large = error
        .source()
        .is_some_and(|source| source.to_string() == "chunk trailers count overflow");
    if let (true, Some(pool)) = (is_large, pool) {
        pool.on_large_head();
    }
}

/// Returns `true` if more bytes have been read than may precede a response.
pub(super) fn is_flooded(wire: &WireState) -> bool {
    wire.read() > MAX_SIZE_BEFORE_RESPONSE
}

impl Drive for Http1 {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let mut body = Pin::new(body);
        // A frame that hyper has already read needs no poll of the socket.
        let mut noop = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = body.as_mut().poll_frame(&mut noop) {
            check_trailers(&frame, self.pool.as_ref());
            return Poll::Ready(frame);
        }
        let frame = ready!(self.poll_until(cx, |cx| body.as_mut().poll_frame(cx)));
        check_trailers(&frame, self.pool.as_ref());
        Poll::Ready(frame)
    }

    fn finish(mut self: Box<Self>) {
        self.wakeups.start_poll();
        let _ = self.poll_io();
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idle stream keeps its connection, and thousands of streams may be idle.
    #[test]
    fn a_connection_is_little_larger_than_hypers() {
        let hyper = size_of::<Connection<TokioIo<Stream>, RequestBody>>();
        let ours = size_of::<Http1>();
        assert!(ours <= hyper + 200, "{ours} bytes, and {hyper} of hyper");
    }
}
