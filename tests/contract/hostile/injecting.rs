//! An HTTP/2 vendor that answers correctly, between frames of the test.
//!
//! A server of h2 sends through a pump, which finds the ends of the server's frames and writes other frames between
//! them. So an abused connection continues, and shows whether calls on the connection still get their own answers.

use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use testkit::gateway::{Gateway, Origin, Setup};
use testkit::h2_frames::{ACK, PING, PREFACE, SETTINGS, encode};
use testkit::h2_vendor::read;
use testkit::tenant;
use testkit::wait::within;

const MARK: &[u8; 8] = b"injected";

/// A stream whose request isn't a tenant's, and which the test controls.
pub(super) struct Victim {
    pub(super) stream: u32,
    inject: mpsc::UnboundedSender<Vec<u8>>,
    /// Gets a value when the gateway has read the injected frames, and ends with the connection.
    read: mpsc::UnboundedReceiver<()>,
    /// Keeps the stream open.
    _call: (SendResponse<Bytes>, h2::RecvStream),
}

impl Victim {
    /// Writes these bytes between two frames, and waits until the gateway has read the bytes, or has closed the
    /// connection. Returns whether the connection is still open.
    pub(super) async fn inject(&mut self, bytes: Vec<u8>) -> bool {
        let mark = encode(PING, 0, 0, MARK);
        let _ = self.inject.send([bytes, mark].concat());
        within("the injected frames to be read", self.read.recv())
            .await
            .is_some()
    }
}

/// Accepts in the background until the value is dropped.
pub(super) struct Injecting {
    port: u16,
    victims: Mutex<mpsc::UnboundedReceiver<Victim>>,
    _tasks: JoinSet<()>,
}

impl Injecting {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, victims) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                connections.spawn(connection(socket, sender.clone()));
            }
        });
        Self {
            port,
            victims: Mutex::new(victims),
            _tasks: tasks,
        }
    }

    /// Starts a gateway in front of the vendor, with another tenant.
    pub(super) async fn gateway(&self) -> Gateway {
        super::with_next(Setup::new(self))
            .transport(|transport| transport.http2_prior_knowledge(true))
            .start()
            .await
    }

    /// Returns the next stream that isn't a tenant's.
    pub(super) async fn victim(&self) -> Victim {
        let mut victims = self.victims.lock().await;
        within("a stream at the vendor", victims.recv())
            .await
            .expect("the vendor is there")
    }
}

impl Origin for Injecting {
    fn origin(&self) -> String {
        format!("http://vendor.test:{}", self.port)
    }
}

async fn connection(socket: TcpStream, victims: mpsc::UnboundedSender<Victim>) {
    let (pumped, server) = tokio::io::duplex(1 << 20);
    let (from_gateway, to_gateway) = socket.into_split();
    let (from_server, to_server) = tokio::io::split(pumped);
    let (inject, injected) = mpsc::unbounded_channel();
    let (tell, read) = mpsc::unbounded_channel();
    tokio::select! {
        () = serve(server, inject, read, victims) => {}
        Err(_) = forth(from_gateway, to_server, tell) => {}
        Err(_) = back(from_server, to_gateway, injected) => {}
    }
}

/// Echoes to tenants, and leaves all other streams open.
async fn serve(
    server: DuplexStream,
    inject: mpsc::UnboundedSender<Vec<u8>>,
    told: mpsc::UnboundedReceiver<()>,
    victims: mpsc::UnboundedSender<Victim>,
) {
    let mut told = Some(told);
    let mut settings = h2::server::Builder::new();
    // A stream that isn't read uses up its own window, and not the window of the connection.
    settings.initial_connection_window_size(1 << 20);
    let mut server = settings.handshake::<_, Bytes>(server).await.unwrap();
    let mut calls = JoinSet::new();
    while let Some(Ok((request, mut respond))) = server.accept().await {
        let (head, mut body) = request.into_parts();
        let request = Request::from_parts(head, ());
        if !tenant::is_own(request.uri().path()) {
            let _ = victims.send(Victim {
                stream: respond.stream_id().into(),
                inject: inject.clone(),
                read: told.take().expect("one victim on each connection"),
                _call: (respond, body),
            });
            continue;
        }
        calls.spawn(async move {
            let Ok((body, _)) = read(&mut body).await else {
                return;
            };
            let answer = tenant::echo_stream(&request, &body);
            if let Ok(mut stream) = respond.send_response(Response::new(()), false) {
                let _ = stream.send_data(answer.into(), true);
            }
        });
    }
}

/// Returns a frame's bytes, kind and flags.
async fn frame(from: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<(u8, u8, Vec<u8>)> {
    let mut frame = vec![0; 9];
    from.read_exact(&mut frame).await?;
    let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]) as usize;
    frame.resize(9 + length, 0);
    from.read_exact(&mut frame[9..]).await?;
    Ok((frame[3], frame[4], frame))
}

/// Moves frames from the gateway to the server, without answers to frames that the server didn't send.
async fn forth(
    mut from: OwnedReadHalf,
    mut to: WriteHalf<DuplexStream>,
    tell: mpsc::UnboundedSender<()>,
) -> std::io::Result<()> {
    let mut preface = vec![0; PREFACE.len()];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    let mut acknowledged = false;
    loop {
        let (kind, flags, frame) = frame(&mut from).await?;
        match (kind, flags & ACK != 0) {
            (PING, true) if frame.ends_with(MARK) => {
                let _ = tell.send(());
                continue;
            }
            (PING, true) => continue,
            (SETTINGS, true) if std::mem::replace(&mut acknowledged, true) => continue,
            _ => to.write_all(&frame).await?,
        }
    }
}

/// Moves frames from the server to the gateway, and writes the injected frames.
async fn back(
    mut from: ReadHalf<DuplexStream>,
    mut to: OwnedWriteHalf,
    mut injected: mpsc::UnboundedReceiver<Vec<u8>>,
) -> std::io::Result<()> {
    let (sender, mut frames) = mpsc::unbounded_channel();
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        while let Ok((_, _, frame)) = frame(&mut from).await {
            let _ = sender.send(frame);
        }
    });
    loop {
        let next = tokio::select! {
            Some(frame) = frames.recv() => frame,
            Some(bytes) = injected.recv() => bytes,
            else => return Ok(()),
        };
        to.write_all(&next).await?;
    }
}
