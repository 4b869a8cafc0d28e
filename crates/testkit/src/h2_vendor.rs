//! A vendor that speaks HTTP/2 over TLS; the test controls each stream.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificates;
use super::counts::Counts;
use super::gateway::Origin;
use super::wait::within;

/// One stream.
pub struct H2Call {
    pub request: Request<()>,
    pub body: RecvStream,
    pub respond: SendResponse<Bytes>,
    /// The number of the connection that carried the stream, from 0.
    pub connection: usize,
}

impl H2Call {
    /// Returns the request's body and trailers.
    pub async fn read(&mut self) -> (Vec<u8>, HeaderMap) {
        within("a body on HTTP/2", read(&mut self.body))
            .await
            .expect("a whole body")
    }

    /// Reads the rest of the request's body, which breaks off, and returns the error.
    pub async fn read_broken(&mut self) -> h2::Error {
        within("a body on HTTP/2 to break off", read(&mut self.body))
            .await
            .expect_err("the body was whole")
    }

    /// Answers with a head alone.
    pub fn finish(&mut self, response: Response<()>) {
        self.respond
            .send_response(response, true)
            .expect("an open stream");
    }

    /// Answers with a head; a body follows.
    pub fn answer(&mut self, response: Response<()>) -> SendStream<Bytes> {
        self.respond
            .send_response(response, false)
            .expect("an open stream")
    }

    /// Answers 200 with that body.
    pub fn ok(&mut self, body: &'static str) {
        let mut stream = self.answer(Response::new(()));
        stream
            .send_data(Bytes::from_static(body.as_bytes()), true)
            .expect("an open stream");
    }

    /// Waits until the gateway resets the stream, before a head was sent.
    pub async fn reset(&mut self) -> Reason {
        let reset = std::future::poll_fn(|cx| self.respond.poll_reset(cx));
        within("a reset of the stream", reset)
            .await
            .unwrap_or(Reason::CANCEL)
    }
}

/// Reads a whole body, and releases capacity to the sender with each piece read.
pub async fn read(body: &mut RecvStream) -> Result<(Vec<u8>, HeaderMap), h2::Error> {
    let mut data = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        let _ = body.flow_control().release_capacity(chunk.len());
        data.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    Ok((data, trailers))
}

/// Accepts in the background until the vendor is dropped.
pub struct H2Vendor {
    address: SocketAddr,
    counts: Counts,
    calls: Mutex<mpsc::UnboundedReceiver<H2Call>>,
    _tasks: JoinSet<()>,
}

impl H2Vendor {
    pub async fn start() -> Self {
        Self::with(h2::server::Builder::new()).await
    }

    pub async fn with(settings: h2::server::Builder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let counts = Counts::default();
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, settings, counts.clone(), sender));
        Self {
            address,
            counts,
            calls: Mutex::new(receiver),
            _tasks: tasks,
        }
    }

    /// Returns the next stream.
    pub async fn next(&self) -> H2Call {
        let mut calls = self.calls.lock().await;
        within("a stream at the vendor", calls.recv())
            .await
            .expect("the vendor is there")
    }

    /// Returns the next stream, however long it takes.
    pub async fn wait(&self) -> H2Call {
        let mut calls = self.calls.lock().await;
        calls.recv().await.expect("the vendor is there")
    }

    pub async fn connections(&self) -> usize {
        self.counts.connections(self.address).await
    }

    /// Waits until the gateway has closed connection `number`.
    pub async fn closed(&self, number: usize) {
        self.counts.wait_closed(number).await;
    }
}

impl Origin for H2Vendor {
    fn origin(&self) -> String {
        format!("https://vendor.test:{}", self.address.port())
    }
}

async fn accept(
    listener: TcpListener,
    settings: h2::server::Builder,
    counts: Counts,
    sender: mpsc::UnboundedSender<H2Call>,
) {
    let tls = certificates::acceptor("vendor.test", &["h2"]);
    let mut connections = JoinSet::new();
    while let Ok((socket, peer)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let number = counts.accepted(peer);
        let (tls, settings, sender) = (tls.clone(), settings.clone(), sender.clone());
        let counts = counts.clone();
        connections.spawn(async move {
            // A probe, or a handshake that the gateway breaks off, ends here.
            let _ = serve(&tls, socket, &settings, number, &sender).await;
            counts.closed(number);
        });
    }
}

async fn serve(
    tls: &TlsAcceptor,
    socket: tokio::net::TcpStream,
    settings: &h2::server::Builder,
    connection: usize,
    sender: &mpsc::UnboundedSender<H2Call>,
) -> Option<()> {
    let stream = tls.accept(socket).await.ok()?;
    let mut streams = settings.handshake(stream).await.ok()?;
    loop {
        let (request, respond) = streams.accept().await?.ok()?;
        let (parts, body) = request.into_parts();
        let _ = sender.send(H2Call {
            request: Request::from_parts(parts, ()),
            body,
            respond,
            connection,
        });
    }
}
