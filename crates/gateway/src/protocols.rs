//! A caller's connection in the protocol that the caller's first bytes show, HTTP/1.1 or HTTP/2.
//!
//! hyper-util's `auto` chooses the protocol as well, but passes the first 24 bytes of a connection to hyper on their own. hyper then
//! enlarges its read buffer for the rest of the head, from 8 to 16 KiB, and copies the whole buffer. A connection keeps its buffer as
//! long as it exists, so idle connections would need 8 KiB more.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;

use crate::socket::{Protocol, Socket};

/// The maximum number of HTTP/2 streams that a caller may have open on a connection.
const STREAMS: u32 = 128;

/// The settings of both protocols, which limit the resources that a caller can use on a connection.
///
/// h2 itself limits the floods of HTTP/2 (resets, CONTINUATION, empty frames, settings, pings). The
/// limits here are those that h2 leaves to the server.
pub(crate) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    pub(crate) fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // `Socket` limits the time of a head, and `Peers` the time in which a connection is idle.
            .header_read_timeout(None)
            // A caller may close its sending side after its request. `connection` watches for a reset.
            .half_close(true)
            // The longest target that is forwarded has 64 KiB, and its head may be somewhat longer.
            .max_buf_size(256 * 1024);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            // Needed for WebSockets over HTTP/2 (RFC 8441).
            .enable_connect_protocol()
            .max_concurrent_streams(STREAMS)
            // The longest target that is forwarded has almost 64 KiB. h2 answers 431 to a longer list, and would reset the stream of a
            // longer target that it accepts.
            .max_header_list_size(64 * 1024)
            // A caller may open all its streams and cancel them in the same packet. A flood has more.
            .max_pending_accept_reset_streams(STREAMS as usize)
            // Counted over the life of a connection, which may be long.
            .max_local_error_reset_streams(1024)
            .max_send_buf_size(256 * 1024)
            // A stalled upload fills only its own window, and not the window of the connection.
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        Self { http1, http2 }
    }

    /// Serves the socket as soon as the caller has shown which protocol it uses.
    pub(crate) fn serve<S: HttpService<Incoming>>(
        self: Arc<Self>,
        socket: Socket,
        service: S,
    ) -> Connection<S> {
        Connection {
            state: State::Unknown {
                unknown: Some(Unknown {
                    socket,
                    service,
                    protocols: self,
                }),
            },
        }
    }
}

/// A connection whose protocol isn't known yet.
struct Unknown<S> {
    socket: Socket,
    service: S,
    protocols: Arc<Protocols>,
}

pin_project! {
    /// The future of a connection, which is ready when the connection has ended.
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct Connection<S>
    where
        S: HttpService<Incoming>,
    {
        #[pin]
        state: State<S>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S>
    where
        S: HttpService<Incoming>,
    {
        // `None` if the connection must end.
        Unknown { unknown: Option<Unknown<S>> },
        Http1 { #[pin] connection: http1::UpgradeableConnection<TokioIo<Socket>, S> },
        Http2 { #[pin] connection: http2::Connection<TokioIo<Socket>, S, TokioExecutor> },
    }
}

impl<S, B> Connection<S>
where
    S: HttpService<Incoming, ResBody = B, Error: Into<BoxError>, Future: Send + 'static>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    /// Ends the connection after the calls under way, or at once if the protocol isn't known yet. The future must still be polled.
    pub(crate) fn graceful_shutdown(self: Pin<&mut Self>) {
        match self.project().state.project() {
            StateProj::Unknown { unknown } => *unknown = None,
            StateProj::Http1 { connection } => connection.graceful_shutdown(),
            StateProj::Http2 { connection } => connection.graceful_shutdown(),
        }
    }
}

impl<S, B> Future for Connection<S>
where
    S: HttpService<Incoming, ResBody = B, Error: Into<BoxError>, Future: Send + 'static>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            let unknown = match state.as_mut().project() {
                StateProj::Unknown { unknown } => unknown,
                StateProj::Http1 { connection } => return connection.poll(cx).map_err(Into::into),
                StateProj::Http2 { connection } => return connection.poll(cx).map_err(Into::into),
            };
            let protocol = match unknown {
                Some(unknown) => ready!(unknown.socket.poll_protocol(cx))?,
                None => return Poll::Ready(Ok(())),
            };
            let Some(known) = unknown.take() else {
                return Poll::Ready(Ok(()));
            };
            let Unknown {
                socket,
                service,
                protocols,
            } = known;
            let socket = TokioIo::new(socket);
            state.set(match protocol {
                Protocol::Http1 => State::Http1 {
                    connection: protocols
                        .http1
                        .serve_connection(socket, service)
                        .with_upgrades(),
                },
                Protocol::Http2 => State::Http2 {
                    connection: protocols.http2.serve_connection(socket, service),
                },
            });
        }
    }
}
