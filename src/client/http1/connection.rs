//! A connection, and how it's polled.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;

use super::rest;
use super::waking::Waking;
use crate::body::{Drive, RequestBody};
use crate::client::connect::{Stream, WireState};
use crate::client::error::{TransportError, TransportErrorKind};

/// How often a connection that wakes itself is polled in one go, before others have their turn.
const ROUNDS: usize = 4;

/// Where a connection is kept while nobody uses it.
pub(in crate::client) trait Home: Send + Sync {
    /// Keeps a connection that can take the next request.
    fn keep(self: Arc<Self>, connection: Box<Http1>);

    /// Something happened on the kept connection of that number.
    fn stirred(&self, id: u64);
}

/// What is changed of hyper's defaults.
#[derive(Clone)]
pub(in crate::client) struct Settings(Builder);

impl Settings {
    pub(in crate::client) fn new(title_case: bool) -> Self {
        /// The longest head of a response, in bytes, and the most fields of it (FORWARDING H22).
        const HEAD: usize = 128 * 1024;
        const FIELDS: usize = 256;
        let mut builder = Builder::new();
        builder
            .max_buf_size(HEAD)
            .max_headers(FIELDS)
            .title_case_headers(title_case);
        Self(builder)
    }

    pub(super) fn builder(&self) -> &Builder {
        &self.0
    }
}

/// A connection that is used by one call at a time.
pub(in crate::client) struct Http1 {
    sender: SendRequest<RequestBody>,
    /// None once it has ended.
    connection: Option<Connection<TokioIo<Stream>, RequestBody>>,
    waking: Arc<Waking>,
    /// That of `waking`.
    waker: Waker,
    wire: Arc<WireState>,
    /// Where it goes when it's free; none while it's there.
    home: Option<Arc<dyn Home>>,
    id: u64,
    reused: bool,
}

impl Http1 {
    /// A connection over that stream, at rest.
    pub(in crate::client) async fn over<H: Home + 'static>(
        stream: Stream,
        settings: &Settings,
        home: &Arc<H>,
        id: u64,
    ) -> Result<Option<Box<Self>>, TransportError> {
        let wire = stream.wire();
        let shaken = settings.0.handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            shaken.map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))?;
        let home: Weak<H> = Arc::downgrade(home);
        let waking = Waking::new(home, id);
        let connection = Box::new(Self {
            sender,
            connection: Some(connection),
            waker: Waker::from(Arc::clone(&waking)),
            waking,
            wire,
            home: None,
            id,
            reused: false,
        });
        // So that a vendor that hangs up at once is noticed.
        Ok(connection.look())
    }

    pub(in crate::client) fn id(&self) -> u64 {
        self.id
    }

    /// Whether something has happened while nobody used it.
    pub(in crate::client) fn is_stirred(&self) -> bool {
        self.waking.is_stirred()
    }

    /// It was at rest until now, so that it may have ended unnoticed.
    pub(in crate::client) fn has_rested(&mut self) {
        self.reused = true;
    }

    /// Whether it may have ended unnoticed before the request was there.
    pub(super) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Lends the connection out. `None` if it has ended meanwhile, or has bytes that nobody asked
    /// for (FORWARDING K5): then it's closed.
    pub(in crate::client) fn lend(mut self: Box<Self>, home: Arc<dyn Home>) -> Option<Box<Self>> {
        self.home = Some(home);
        let stirred = self.waking.begin();
        (!stirred || self.poll_io().is_pending()).then_some(self)
    }

    /// Looks what happened while nobody used it. `None` if it was the connection's end.
    pub(in crate::client) fn look(mut self: Box<Self>) -> Option<Box<Self>> {
        for _ in 0..ROUNDS {
            self.waking.begin();
            if self.poll_io().is_ready() {
                return None;
            }
            if self.waking.rest() {
                return Some(self);
            }
        }
        None
    }

    /// Moves the connection on. Ready if it has ended. `waking` has begun.
    fn poll_io(&mut self) -> Poll<()> {
        if let Some(connection) = &mut self.connection {
            let mut cx = Context::from_waker(&self.waker);
            // Why it ended is told to the call or to the body; nobody else asks.
            let _ = ready!(Pin::new(connection).poll(&mut cx));
            // What it still holds, it gives back when it's dropped.
            self.connection = None;
        }
        Poll::Ready(())
    }

    /// Polls `output` each time the connection has moved on, until there is some. What `output`
    /// waits for can be brought about by the connection alone, so it needs no waker.
    pub(super) fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut output: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.waking.belongs_to(cx.waker());
        for _ in 0..ROUNDS {
            self.waking.begin();
            if self.poll_io().is_ready() {
                return output(cx);
            }
            if let Poll::Ready(output) = output(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(output);
            }
            if !self.waking.end() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Moves the connection on until it can take the next request, or has ended.
    pub(super) fn poll_free(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.waking.belongs_to(cx.waker());
        for _ in 0..ROUNDS {
            self.waking.begin();
            if self.poll_io().is_ready() || self.sender.is_ready() {
                return Poll::Ready(());
            }
            if !self.waking.end() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Queues a request. It isn't written before the connection is polled.
    pub(super) fn queue(
        &mut self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> + use<>
    {
        self.waking.begin();
        self.wire.watch();
        self.sender.try_send_request(request)
    }

    /// Whether it has taken all of the request, and given all of the response.
    pub(super) fn is_free(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Gives the connection back, if it has taken all of the request and given all of the response,
    /// and nothing besides. Otherwise it's the caller's. `waking` has begun.
    pub(super) fn give_back(mut self: Box<Self>) -> Result<(), Box<Self>> {
        for _ in 0..ROUNDS {
            if self.connection.is_none() {
                return Ok(());
            }
            if !self.sender.is_ready() || self.is_half_closed() {
                return Err(self);
            }
            if self.waking.rest() {
                if let Some(home) = self.home.take() {
                    home.keep(self);
                }
                return Ok(());
            }
            self.waking.begin();
            let _ = self.poll_io();
        }
        // It doesn't come to rest. Better none than one that can't be trusted.
        Ok(())
    }

    /// Gives the connection back, at once or when the request has been written.
    pub(super) fn gives_back(self: Box<Self>) {
        match self.give_back() {
            // The vendor has closed its side of an upload that it didn't want.
            Err(busy) if !busy.is_half_closed() => rest::behind(busy),
            _ => {}
        }
    }

    /// Whether a byte of the queued request has been written.
    pub(super) fn has_written(&self) -> bool {
        self.wire.has_written()
    }

    /// Whether nothing more can be written: then it's of no use once its response has been read.
    pub(super) fn is_half_closed(&self) -> bool {
        self.wire.has_failed()
    }
}

impl Drive for Http1 {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let mut body = Pin::new(body);
        // What is there needs no look at the socket.
        let mut noop = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = body.as_mut().poll_frame(&mut noop) {
            return Poll::Ready(frame);
        }
        self.poll_until(cx, |cx| body.as_mut().poll_frame(cx))
    }

    fn finish(mut self: Box<Self>) {
        self.waking.begin();
        let _ = self.poll_io();
        self.gives_back();
    }
}
