//! Accepts callers, HTTP/1.1 and HTTP/2 on one port, until told to stop; then lets the calls under
//! way end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use tower_passthrough::upgrade::UpgradeTracker;

use crate::socket::{Ending, Socket};

/// How long idle connections stay open when the server stops. A call that was on its way by then
/// reaches it, and is answered; without this its connection would be closed under it.
const ON_THE_WAY: Duration = Duration::from_millis(200);

/// At most so many callers are accepted after the stop: what Linux holds in a listener's queue, as
/// others may come for as long as it's emptied.
const QUEUE: usize = 4096;

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
    router: watch::Sender<Router>,
    protocols: auto::Builder<TokioExecutor>,
    connections: JoinSet<()>,
    /// Dropped when the server stops: that is the news to all connections.
    stopping: watch::Sender<()>,
}

impl Server {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router: watch::Sender::new(router),
            protocols: protocols(),
            connections: JoinSet::new(),
            stopping: watch::Sender::new(()),
        }
    }

    /// Takes another router for calls that begin from then on, on connections that are open too.
    /// Those under way keep the one that they have.
    pub(crate) fn router(&self) -> watch::Sender<Router> {
        self.router.clone()
    }

    /// Accepts callers until `stop` is ready, then closes the listener. Callers that the system has
    /// accepted by then are taken as well: they may have sent a call.
    pub(crate) async fn accept(&mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                // Those that have ended go, so that the set holds only those that haven't.
                Some(_) = self.connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.connect(stream),
                Err(error) => hold(&error).await,
            }
        }
        // The system is asked, not the runtime, which may not have heard of them yet.
        let Ok(listener) = listener.into_std() else {
            return;
        };
        for _ in 0..QUEUE {
            let accepted = listener.accept();
            match accepted.and_then(|(stream, _)| TcpStream::from_std(not_blocking(stream)?)) {
                Ok(stream) => self.connect(stream),
                Err(_) => return,
            }
        }
    }

    fn connect(&mut self, stream: TcpStream) {
        // Small frames leave as they come: a proxy has nothing to gather.
        let _ = stream.set_nodelay(true);
        let stopped = self.stopping.subscribe();
        let routers = self.router.subscribe();
        let connection = connection(self.protocols.clone(), stream, routers, stopped);
        self.connections.spawn(connection);
    }

    /// Lets calls under way end, for up to `limit` and no longer than until `cut`. Connections take
    /// no new ones but those that were [on their way](ON_THE_WAY).
    pub(crate) async fn drain(
        self,
        limit: Duration,
        tunnels: &UpgradeTracker,
        cut: impl Future<Output = ()>,
    ) {
        let Self {
            mut connections,
            stopping,
            ..
        } = self;
        drop(stopping);
        // All that holds the exit goes in here, and is cut below if it doesn't end.
        let ended = async {
            while connections.join_next().await.is_some() {}
            tunnels.ended().await;
        };
        let all_ended = tokio::select! {
            () = ended => true,
            () = sleep(limit) => false,
            () = cut => false,
        };
        if !all_ended {
            tracing::warn!(
                connections = connections.len(),
                tunnels = tunnels.open(),
                "calls were still under way, and are cut off"
            );
            // Each is dropped, and so reported, before the process ends.
            connections.shutdown().await;
            tunnels.cut();
            tunnels.ended().await;
        }
    }
}

/// On Linux a socket doesn't take that after its listener.
fn not_blocking(stream: std::net::TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nonblocking(true)?;
    Ok(stream)
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
    routers: watch::Receiver<Router>,
    mut stopped: watch::Receiver<()>,
) {
    let ending = Ending::default();
    let socket = TokioIo::new(Socket::new(stream, ending.clone()));
    let is_last = stopped.clone();
    let service = service_fn(move |request| {
        let router = routers.borrow().clone();
        call(router, ending.clone(), is_last.clone(), request)
    });
    let mut connection = pin!(protocols.serve_connection_with_upgrades(socket, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // The sender is never used: it goes, and that is the news.
        _ = stopped.changed() => match timeout(ON_THE_WAY, connection.as_mut()).await {
            Ok(ended) => ended,
            Err(_) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
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
    ending: Ending,
    stopped: watch::Receiver<()>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let version = request.version();
    // Only HTTP/1.0 responses are ended by the connection's end.
    ending.reset_unless_closed(version == Version::HTTP_10);
    let mut response = router.call(request.map(Body::new)).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        ending.is_a_tunnels();
    }
    // The sender has gone: the server stops. HTTP/2 says so by a frame of its own.
    let is_last = version <= Version::HTTP_11 && stopped.has_changed().is_err();
    if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}
