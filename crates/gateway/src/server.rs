//! Accepts callers, with HTTP/1.1 and HTTP/2 on the same port, until the server must stop. Then
//! waits for the calls under way to end.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use pin_project_lite::pin_project;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use tower_passthrough::service::ResponseBody;
use tower_passthrough::upgrade::UpgradeTracker;

use crate::listen::Listener;
use crate::peers::{self, Member, NotACall, Peers, Place};
use crate::protocols::Protocols;
use crate::routes::Routes;
use crate::socket::{Ending, Socket, Stream};

/// The time for which idle connections stay open after the server begins to stop. A call that the
/// caller has already sent is then still answered. Without this time, its connection would be
/// closed before the call arrives.
const ON_THE_WAY: Duration = Duration::from_millis(200);

/// The time in which a connection that must end can end properly: if other connections wait for its
/// place, and otherwise.
const PRESSED: Duration = Duration::from_millis(20);
const UNPRESSED: Duration = Duration::from_secs(1);

/// The time between two probes of the system, on a connection on which no byte moves.
const PROBES: Duration = Duration::from_secs(15);

/// The maximum time of TLS's handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The maximum time for calls and tunnels to end after they were cut.
const CUT: Duration = Duration::from_secs(1);

/// The maximum number of callers that are accepted after the server begins to stop. It's the size
/// of a listener's queue on Linux. Without a maximum, new callers could keep the server running.
const QUEUE: usize = 4096;

/// The connections of all callers.
pub(crate) struct Server {
    routes: watch::Sender<Routes>,
    tls: watch::Sender<Option<Arc<ServerConfig>>>,
    peers: Peers,
    protocols: Arc<Protocols>,
    connections: JoinSet<()>,
    /// Dropped when the server stops, which notifies all connections.
    stopping: watch::Sender<()>,
}

impl Server {
    /// Returns a server that speaks TLS if there are settings for it.
    pub(crate) fn new(routes: Routes, tls: Option<Arc<ServerConfig>>, peers: Peers) -> Self {
        Self {
            routes: watch::Sender::new(routes),
            tls: watch::Sender::new(tls),
            peers,
            protocols: Arc::new(Protocols::new()),
            connections: JoinSet::new(),
            stopping: watch::Sender::new(()),
        }
    }

    /// Returns the sender that replaces the routes. The new routes answer calls that begin later,
    /// also on connections that are already open. Calls under way keep their routes.
    pub(crate) fn routes(&self) -> watch::Sender<Routes> {
        self.routes.clone()
    }

    /// Returns the sender that replaces the settings of TLS for connections that are opened later.
    pub(crate) fn tls(&self) -> watch::Sender<Option<Arc<ServerConfig>>> {
        self.tls.clone()
    }

    /// Accepts callers until `stop` is ready, and then closes the listener. Callers that are
    /// already in the listener's queue are accepted as well, because they may have sent a call.
    pub(crate) async fn accept(
        &mut self,
        listener: impl Into<Listener>,
        stop: impl Future<Output = ()>,
    ) {
        let listener = listener.into();
        let mut stop = pin!(stop);
        let mut sweep = pin!(sleep(self.peers.sweep()));
        let peers = self.peers.clone();
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                // Connections that have ended are removed, so that the set doesn't grow.
                Some(_) = self.connections.join_next() => continue,
                () = &mut sweep => {
                    sweep.as_mut().reset(Instant::now() + peers.sweep());
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => tokio::select! {
                    place = peers.enter(address) => {
                        if let Some(place) = place {
                            self.connect(stream, place);
                        }
                    }
                    () = &mut stop => {
                        self.connect(stream, peers.enter_anyway(address));
                        break;
                    }
                },
                Err(error) => self.hold(&error).await,
            }
        }
        listener.close(QUEUE, |stream, address| {
            self.connect(stream, peers.enter_anyway(address));
        });
    }

    /// Waits after a failure to accept. The usual reason is that there are no more file descriptors.
    /// They become free when connections end, and trying again at once would only waste CPU time.
    async fn hold(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if !matches!(
            error.kind(),
            ConnectionAborted | ConnectionRefused | ConnectionReset
        ) {
            tracing::error!(%error, "no connection can be accepted for now");
            self.peers.make_room();
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn connect(&mut self, stream: Stream, place: Place) {
        // Small frames are sent at once, because a proxy gains nothing by collecting them.
        if let Some(stream) = stream.tcp() {
            let _ = stream.socket().set_nodelay(true);
            keep_alive(stream.socket());
        }
        let stopped = self.stopping.subscribe();
        let routes = self.routes.subscribe();
        let (protocols, tls) = (Arc::clone(&self.protocols), self.tls.borrow().clone());
        let stalled = self.peers.stalled();
        self.connections.spawn(async move {
            let mut stopped = stopped;
            let shaken = tokio::select! {
                shaken = handshake(tls, stream, &mut stopped) => shaken,
                () = place.member().closed() => None,
            };
            if let Some(stream) = shaken {
                connection(protocols, stream, (place, stalled), routes, stopped).await;
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

/// Makes the system probe the caller, so that a caller that has left without a reset is noticed in about a minute: its system answers
/// the probes of a closed connection only for a limited time.
#[cfg(unix)]
fn keep_alive(stream: &tokio::net::TcpStream) {
    use rustix::net::sockopt;
    // If an option can't be set, departures are noticed later.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, PROBES);
    let _ = sockopt::set_tcp_keepintvl(stream, PROBES);
}

#[cfg(not(unix))]
fn keep_alive(_: &tokio::net::TcpStream) {}

/// Returns the stream after TLS's handshake, if there are settings for it. `None` if the handshake failed,
/// took too long, or didn't end in time when the server stops.
async fn handshake(
    tls: Option<Arc<ServerConfig>>,
    stream: Stream,
    stopped: &mut watch::Receiver<()>,
) -> Option<Stream> {
    let (tls, stream) = match (tls, stream) {
        (Some(tls), Stream::Plain(stream)) => (tls, stream),
        (_, stream) => return Some(stream),
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
    protocols: Arc<Protocols>,
    stream: Stream,
    (place, stalled): (Place, Duration),
    routes: watch::Receiver<Routes>,
    mut stopped: watch::Receiver<()>,
) {
    let ending = Ending::default();
    let member = Arc::clone(place.member());
    let tcp = stream.tcp().cloned();
    let reset = async {
        match tcp {
            Some(tcp) => tcp.reset().await,
            // The caller of a Unix socket is on the same machine, and a write to it fails at once.
            None => std::future::pending().await,
        }
    };
    let socket = Socket::new(stream, ending.clone(), place, stalled);
    let is_last = stopped.clone();
    let own = Arc::clone(&member);
    let service = service_fn(move |request| {
        let routes = routes.borrow().clone();
        call(
            routes,
            ending.clone(),
            Arc::clone(&own),
            is_last.clone(),
            request,
        )
    });
    let mut connection = pin!(protocols.serve(socket, service));
    let ended = async {
        tokio::select! {
        ended = connection.as_mut() => ended,
        // The sender never sends anything: dropping it is the signal.
        _ = stopped.changed() => match timeout(ON_THE_WAY, connection.as_mut()).await {
            Ok(ended) => ended,
            Err(_) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        },
        () = member.closed() => {
            connection.as_mut().graceful_shutdown();
            let patience = if member.is_pressed() { PRESSED } else { UNPRESSED };
            loop {
                match timeout(patience, connection.as_mut()).await {
                    Ok(ended) => break ended,
                    // The caller doesn't close its side, so the connection is dropped.
                    Err(_) if member.is_idle() => break Ok(()),
                    // A call that began meanwhile ends first.
                    Err(_) => {}
                }
            }
        }
        }
    };
    let ended = tokio::select! {
        ended = ended => ended,
        // The calls of a caller that has left are cancelled.
        () = reset => Ok(()),
    };
    if let Err(error) = ended {
        // The caller disconnected, or didn't send HTTP. hyper's own message contains nothing that
        // the caller sent, but its causes may, so only the message is logged.
        tracing::debug!(%error, "a caller's connection ended early");
    }
}

async fn call(
    routes: Routes,
    ending: Ending,
    member: Arc<Member>,
    stopped: watch::Receiver<()>,
    mut request: Request<Incoming>,
) -> Result<Response<Counted<Either<ResponseBody, Body>>>, Infallible> {
    let under_way = member.begin();
    if let Some(peer) = member.peer() {
        request.extensions_mut().insert(peer);
    }
    if request.method() == Method::CONNECT {
        // A tunnel over HTTP/2 keeps the extensions for as long as it's open.
        request.extensions_mut().insert(under_way.clone());
    }
    let version = request.version();
    // Only the end of the connection ends an HTTP/1.0 response.
    ending.reset_unless_closed(version == Version::HTTP_10);
    // An upload may go on after its response has ended.
    let request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(Counted::new(body, Some(under_way.clone()))),
    });
    let mut response = routes.answer(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        ending.is_a_tunnels();
        member.is_a_tunnels();
    }
    // The sender was dropped, so the server is stopping. HTTP/2 needs no field for that, because it
    // has a separate frame.
    let is_last = version <= Version::HTTP_11 && stopped.has_changed().is_err();
    if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    let is_call = response.extensions().get::<NotACall>().is_none();
    let under_way = Some(under_way).filter(|_| is_call);
    Ok(response.map(|body| Counted::new(body, under_way)))
}

pin_project! {
    /// A body of a call, which is under way until its bodies are dropped.
    struct Counted<B> {
        #[pin]
        body: B,
        call: Option<peers::Call>,
    }
}

impl<B> Counted<B> {
    fn new(body: B, call: Option<peers::Call>) -> Self {
        Self { body, call }
    }
}

impl<B: http_body::Body> http_body::Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
