//! A scripted vendor, which records each request unchanged, and answers by a script.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificates;
use super::counts::Counts;
use super::gateway::Origin;
use super::head::Head;
use super::io::Io;
use super::reply::{Reply, Step};
use super::wait::within;
use super::wire::{Body, End, Framing, Wire};

/// A request, byte for byte.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: Head,
    pub body: Body,
    /// The number of the connection that carried the request, from 0.
    pub connection: usize,
}

impl Received {
    pub fn target(&self) -> &str {
        self.head.target()
    }
}

type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// Accepts, records and answers in the background until the vendor is dropped.
pub struct Vendor {
    address: SocketAddr,
    counts: Counts,
    received: Mutex<mpsc::UnboundedReceiver<Received>>,
    is_secure: bool,
    _tasks: JoinSet<()>,
}

impl Vendor {
    /// Answers each request with the closure's reply, after the request's body has been read.
    pub async fn replying(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(None, Arc::new(script)).await
    }

    /// Does the same as `replying`, on this listener.
    pub fn replying_on(
        listener: TcpListener,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::on(listener, None, Arc::new(script))
    }

    /// Does the same as `replying`, over TLS, with these protocols offered by ALPN. The vendor
    /// speaks HTTP/1.1 whatever protocol is agreed on.
    pub async fn replying_over_tls(
        alpn: &[&str],
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::replying_over_tls_as("vendor.test", alpn, script).await
    }

    /// Does the same as `replying_over_tls`, with a certificate for `name`.
    pub async fn replying_over_tls_as(
        name: &str,
        alpn: &[&str],
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let tls = certificates::acceptor(name, alpn);
        Self::with(Some(tls), Arc::new(script)).await
    }

    async fn with(tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener, tls, script)
    }

    fn on(listener: TcpListener, tls: Option<TlsAcceptor>, script: Script) -> Self {
        let address = listener.local_addr().expect("a bound socket");
        let counts = Counts::default();
        let (sender, receiver) = mpsc::unbounded_channel();
        let is_secure = tls.is_some();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, tls, counts.clone(), script, sender));
        Self {
            address,
            counts,
            received: Mutex::new(receiver),
            is_secure,
            _tasks: tasks,
        }
    }

    /// Answers each request with the same reply.
    pub async fn answering(reply: impl Into<Reply>) -> Self {
        let reply = reply.into();
        Self::replying(move |_| reply.clone()).await
    }

    /// Answers each request with a 200 and the body `ok`.
    pub async fn ok() -> Self {
        Self::answering(Reply::ok("ok")).await
    }

    /// Returns the next recorded request.
    pub async fn next(&self) -> Received {
        let mut received = self.received.lock().await;
        within("a request at the vendor", received.recv())
            .await
            .expect("the vendor is there")
    }

    /// Returns a recorded request, if there is a recorded request by now.
    pub async fn try_next(&self) -> Option<Received> {
        self.received.lock().await.try_recv().ok()
    }

    /// Returns the number of connections that the gateway has made.
    pub async fn connections(&self) -> usize {
        self.counts.connections(self.address).await
    }

    /// Fails unless the gateway never made a connection.
    pub async fn untouched(&self) {
        assert_eq!(self.connections().await, 0, "the vendor was connected to");
    }

    /// Waits until the gateway has closed connection `number`.
    pub async fn closed(&self, number: usize) {
        self.counts.wait_closed(number).await;
    }

    /// Waits until the gateway holds no connection any more.
    pub async fn all_closed(&self) {
        self.counts.wait_all_closed().await;
    }

    /// Waits until the gateway has closed `number` connections.
    pub async fn closed_so_many(&self, number: usize) {
        self.counts.wait_so_many_closed(number).await;
    }

    /// Returns the number of connections that the gateway has closed by now.
    pub fn closed_by_now(&self) -> usize {
        self.counts.closed_by_now()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Origin for Vendor {
    fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://vendor.test:{}", self.address.port())
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    counts: Counts,
    script: Script,
    sender: mpsc::UnboundedSender<Received>,
) {
    let mut connections = JoinSet::new();
    while let Ok((socket, peer)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let number = counts.accepted(peer);
        let (counts, script, sender) = (counts.clone(), script.clone(), sender.clone());
        let tls = tls.clone();
        connections.spawn(async move {
            let io = match tls {
                None => Some(Io::Plain(socket)),
                // A probe, or a handshake that the gateway breaks off, ends here.
                Some(tls) => tls.accept(socket).await.ok().map(Box::new).map(Io::Tls),
            };
            if let Some(io) = io {
                serve(Wire::new(io), number, &script, &sender).await;
            }
            counts.closed(number);
        });
    }
}

async fn serve(
    mut wire: Wire,
    connection: usize,
    script: &Script,
    sender: &mpsc::UnboundedSender<Received>,
) {
    while let Some(head) = wire.head().await {
        let body = wire.body(request_framing(&head)).await;
        let cut = body.end == End::Cut;
        let received = Received {
            head,
            body,
            connection,
        };
        let reply = script(&received);
        let _ = sender.send(received);
        if cut {
            return;
        }
        for step in reply.0 {
            match step {
                Step::Write(bytes) => {
                    if !wire.try_write(&bytes).await {
                        return;
                    }
                }
                Step::Until(signal) => {
                    tokio::select! {
                        () = signal.given() => {}
                        () = gone(&mut wire) => return,
                    }
                }
                Step::Close => return,
                Step::Finish => {
                    wire.finish().await;
                    return gone(&mut wire).await;
                }
                Step::Reset => return wire.reset(),
                Step::Silence => return gone(&mut wire).await,
            }
        }
    }
}

/// Reads until the peer is gone, and keeps the bytes.
async fn gone(wire: &mut Wire) {
    while wire.fill().await {}
}

/// Returns the framing of a request's body (RFC 9112 §6.3).
pub fn request_framing(head: &Head) -> Framing {
    let chunked = head
        .values("transfer-encoding")
        .iter()
        .any(|value| value.eq_ignore_ascii_case("chunked"));
    match (chunked, head.values("content-length").first()) {
        (true, _) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length.parse().expect("a length")),
        (false, None) => Framing::None,
    }
}
