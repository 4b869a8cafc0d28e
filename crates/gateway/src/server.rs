//! Accepts callers, with HTTP/1.1 and HTTP/2 on the same port, until the server must stop. Then
//! waits for the calls under way to end.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use tower_passthrough::upgrade::UpgradeTracker;

use crate::socket::{Ending, Socket, Stream};

/// The time for which idle connections stay open after the server begins to stop. A call that the
/// caller has already sent is then still answered. Without this time, its connection would be
/// closed before the call arrives.
const ON_THE_WAY: Duration = Duration::from_millis(200);

/// The maximum time of TLS's handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The maximum time for calls and tunnels to end after they were cut.
const CUT: Duration = Duration::from_secs(1);

/// The maximum number of callers that are accepted after the server begins to stop. It's the size
/// of a listener's queue on Linux. Without a maximum, new callers could keep the server running.
const QUEUE: usize = 4096;

/// The maximum number of HTTP/2 streams that a caller may have open on a connection.
const STREAMS: u32 = 128;

/// Returns the protocol settings, which limit the resources that a caller can use on a connection.
///
/// h2 itself limits the floods of HTTP/2 (resets, CONTINUATION, empty frames, settings, pings). The
/// limits here are those that h2 leaves to the server.
fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        // The longest target that is forwarded has 64 KiB, and its head may be somewhat longer.
        .max_buf_size(256 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        // Needed for WebSockets over HTTP/2 (RFC 8441).
        .enable_connect_protocol()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(16 * 1024)
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
    builder
}

/// The connections of all callers.
pub(crate) struct Server {
    router: watch::Sender<Router>,
    tls: watch::Sender<Option<Arc<ServerConfig>>>,
    protocols: auto::Builder<TokioExecutor>,
    connections: JoinSet<()>,
    /// Dropped when the server stops, which notifies all connections.
    stopping: watch::Sender<()>,
}

impl Server {
    /// Returns a server that speaks TLS if there are settings for it.
    pub(crate) fn new(router: Router, tls: Option<Arc<ServerConfig>>) -> Self {
        Self {
            router: watch::Sender::new(router),
            tls: watch::Sender::new(tls),
            protocols: protocols(),
            connections: JoinSet::new(),
            stopping: watch::Sender::new(()),
        }
    }

    /// Returns the sender that replaces the router. The new router answers calls that begin later,
    /// also on connections that are already open. Calls under way keep their router.
    pub(crate) fn router(&self) -> watch::Sender<Router> {
        self.router.clone()
    }

    /// Returns the sender that replaces the settings of TLS for connections that are opened later.
    pub(crate) fn tls(&self) -> watch::Sender<Option<Arc<ServerConfig>>> {
        self.tls.clone()
    }

    /// Accepts callers until `stop` is ready, and then closes the listener. Callers that are
    /// already in the listener's queue are accepted as well, because they may have sent a call.
    pub(crate) async fn accept(&mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                // Connections that have ended are removed, so that the set doesn't grow.
                Some(_) = self.connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.connect(stream),
                Err(error) => hold(&error).await,
            }
        }
        // The system is called directly, because the runtime may not have been notified of these
        // callers yet.
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
        // Small frames are sent at once, because a proxy gains nothing by collecting them.
        let _ = stream.set_nodelay(true);
        let stopped = self.stopping.subscribe();
        let routers = self.router.subscribe();
        let (protocols, tls) = (self.protocols.clone(), self.tls.borrow().clone());
        self.connections.spawn(async move {
            let mut stopped = stopped;
            if let Some(stream) = handshake(tls, stream, &mut stopped).await {
                connection(protocols, stream, routers, stopped).await;
            }
        });
    }

    /// Waits for calls under way to end, but not longer than until `limit` or `cut`.
    /// Connections accept no new calls, except calls that were already [on their way](ON_THE_WAY).
    pub(crate) async fn drain(
        self,
        limit: impl Future<Output = ()>,
        tunnels: &UpgradeTracker,
        cut: impl Future<Output = ()>,
    ) {
        let Self {
            mut connections,
            stopping,
            ..
        } = self;
        drop(stopping);
        // Everything that delays the exit is in this future, and is cut off below if it doesn't
        // end.
        let ended = async {
            while connections.join_next().await.is_some() {}
            tunnels.ended().await;
        };
        let all_ended = tokio::select! {
            () = ended => true,
            () = limit => false,
            () = cut => false,
        };
        if !all_ended {
            tracing::warn!(
                connections = connections.len(),
                tunnels = tunnels.open(),
                "calls that are still under way are ended now"
            );
            // Each connection is dropped before the process ends, so its calls are reported.
            tunnels.cut();
            let cut = async {
                connections.shutdown().await;
                tunnels.ended().await;
            };
            let _ = timeout(CUT, cut).await;
        }
    }
}

/// Sets the socket to non-blocking. On Linux, an accepted socket doesn't inherit that from its
/// listener.
fn not_blocking(stream: std::net::TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Waits after a failure to accept. The usual reason is that there are no more file descriptors.
/// They become free when calls end, and trying again at once would only waste CPU time.
async fn hold(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!(%error, "no connection can be accepted for now");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Returns the stream after TLS's handshake, if there are settings for it. `None` if the handshake failed,
/// took too long, or didn't end in time when the server stops.
async fn handshake(
    tls: Option<Arc<ServerConfig>>,
    stream: TcpStream,
    stopped: &mut watch::Receiver<()>,
) -> Option<Stream> {
    let Some(tls) = tls else {
        return Some(Stream::Plain(stream));
    };
    let accepted = TlsAcceptor::from(tls).accept(stream);
    let mut shaken = pin!(timeout(HANDSHAKE, accepted));
    let shaken = tokio::select! {
        shaken = &mut shaken => shaken,
        _ = stopped.changed() => timeout(ON_THE_WAY, shaken).await.ok()?,
    };
    match shaken {
        Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a caller's TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

async fn connection(
    protocols: auto::Builder<TokioExecutor>,
    stream: Stream,
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
        // The sender never sends anything: dropping it is the signal.
        _ = stopped.changed() => match timeout(ON_THE_WAY, connection.as_mut()).await {
            Ok(ended) => ended,
            Err(_) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        // The caller disconnected, or didn't send HTTP. hyper's own message contains nothing that
        // the caller sent, but its causes may, so only the message is logged.
        tracing::debug!(%error, "a caller's connection ended early");
    }
}

async fn call(
    mut router: Router,
    ending: Ending,
    stopped: watch::Receiver<()>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let version = request.version();
    // Only the end of the connection ends an HTTP/1.0 response.
    ending.reset_unless_closed(version == Version::HTTP_10);
    let mut response = router.call(request.map(Body::new)).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        ending.is_a_tunnels();
    }
    // The sender was dropped, so the server is stopping. HTTP/2 needs no field for that, because it
    // has a separate frame.
    let is_last = version <= Version::HTTP_11 && stopped.has_changed().is_err();
    if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}
