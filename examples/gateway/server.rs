//! Accepts callers, HTTP/1.1 and HTTP/2 on one port, until told to stop; then lets the calls under
//! way end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower_service::Service;

use crate::socket::{ResetUnlessClosed, Socket};

/// What one caller may take up on one connection (SECURITY X3, X4).
///
/// HTTP/2's floods (resets, CONTINUATION, empty frames, settings, pings) are counted by h2 itself;
/// these are the limits that it leaves to the server.
fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        // The longest target that is forwarded is 64 KiB; its head may be somewhat longer.
        .max_buf_size(256 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        // WebSockets (RFC 8441).
        .enable_connect_protocol()
        .max_concurrent_streams(128)
        .max_header_list_size(16 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(256)
        .max_send_buf_size(256 * 1024)
        // A stalled upload fills its own window, not that of the connection.
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The connections of all callers.
pub(crate) struct Server {
    router: Router,
    protocols: auto::Builder<TokioExecutor>,
    connections: JoinSet<()>,
    /// Dropped when the server stops: that is the news to all connections.
    stopping: watch::Sender<()>,
}

impl Server {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            protocols: protocols(),
            connections: JoinSet::new(),
            stopping: watch::Sender::new(()),
        }
    }

    /// Accepts callers until `stop` is ready, then closes the listener.
    pub(crate) async fn accept(&mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                // Those that have ended go, so that the set holds only those that haven't.
                Some(_) = self.connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.connect(stream),
                Err(error) => hold(&error).await,
            }
        }
    }

    fn connect(&mut self, stream: TcpStream) {
        // Small frames leave as they come: a proxy has nothing to gather.
        let _ = stream.set_nodelay(true);
        let stopped = self.stopping.subscribe();
        let connection = connection(self.protocols.clone(), stream, self.router.clone(), stopped);
        self.connections.spawn(connection);
    }

    /// Lets calls under way end, for up to `limit` and no longer than until `cut`. Connections take
    /// no new ones.
    pub(crate) async fn drain(self, limit: Duration, cut: impl Future<Output = ()>) {
        let Self {
            mut connections,
            stopping,
            ..
        } = self;
        drop(stopping);
        let ended = async { while connections.join_next().await.is_some() {} };
        let all_ended = tokio::select! {
            () = ended => true,
            () = sleep(limit) => false,
            () = cut => false,
        };
        if !all_ended {
            tracing::warn!(
                connections = connections.len(),
                "calls were still under way, and are cut off"
            );
            // Each is dropped, and so reported, before the process ends.
            connections.shutdown().await;
        }
    }
}

/// Out of file descriptors, mostly: they come back when calls end, and trying at once would only
/// burn the processor.
async fn hold(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!(%error, "no caller can be accepted for now");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn connection(
    protocols: auto::Builder<TokioExecutor>,
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<()>,
) {
    let reset = ResetUnlessClosed::default();
    let socket = TokioIo::new(Socket::new(stream, reset.clone()));
    let service = service_fn(move |request| call(router.clone(), reset.clone(), request));
    let mut connection = pin!(protocols.serve_connection_with_upgrades(socket, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // The sender is never used: it goes, and that is the news.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // The caller left, or spoke no HTTP. What it sent isn't in hyper's words, but the causes
        // below them may be.
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn call(
    mut router: Router,
    reset: ResetUnlessClosed,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    // Only HTTP/1.0 responses are ended by the connection's end.
    reset.set(request.version() == Version::HTTP_10);
    router.call(request.map(Body::new)).await
}
