//! The upstreams, which do what the path says.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use testkit::gateway::Origin;
use testkit::h2_vendor::{H2Call, H2Vendor, read};
use testkit::io::Io;
use testkit::vendor::request_framing;
use testkit::wire::Wire;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The size of a download, in bytes.
pub(super) const DOWNLOAD: usize = 512 * 1024;
/// The number of events of a stream.
pub(super) const EVENTS: usize = 10;

/// The number of pieces of 16 KiB that fill the sockets between an upstream and a caller that doesn't read.
const FILLING: usize = 400;

/// Returns a piece of a response without end, as a chunk.
fn piece() -> Vec<u8> {
    [b"4000\r\n", &[b'x'; 0x4000][..], b"\r\n"].concat()
}

/// The pause between two bursts of an attack. Without it, the attack would need all processors, and the test would measure them.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// The origins of the upstreams, which run until this value is dropped.
pub(super) struct Upstreams {
    pub(super) http1: String,
    pub(super) http2: String,
    /// HTTP/1.1 over TLS, with a connection for each call.
    pub(super) closing: String,
    _tasks: JoinSet<()>,
}

impl Upstreams {
    pub(super) async fn start() -> Self {
        let mut tasks = JoinSet::new();
        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http1 = format!("http://127.0.0.1:{}", plain.local_addr().unwrap().port());
        tasks.spawn(serve(plain, false));
        let secure = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closing = format!(
            "https://vendor.test:{}",
            secure.local_addr().unwrap().port()
        );
        tasks.spawn(serve(secure, true));
        // The limit of hyper's servers, which end the connection after a head that is much larger.
        let mut settings = h2::server::Builder::new();
        settings.max_header_list_size(16 * 1024);
        let vendor = H2Vendor::with(settings).await;
        let http2 = vendor.origin();
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                calls.spawn(answer_stream(vendor.wait().await));
                while calls.try_join_next().is_some() {}
            }
        });
        Self {
            http1,
            http2,
            closing,
            _tasks: tasks,
        }
    }
}

async fn serve(listener: TcpListener, is_secure: bool) {
    let tls = testkit::certificates::acceptor("vendor.test", &["http/1.1"]);
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let tls = tls.clone();
        connections.spawn(async move {
            let io = match is_secure {
                false => Io::Plain(socket),
                true => match tls.accept(socket).await {
                    Ok(stream) => Io::Tls(Box::new(stream)),
                    Err(_) => return,
                },
            };
            let mut wire = Wire::new(io);
            while answer(&mut wire).await && !is_secure {}
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Answers a request over HTTP/1.1. Returns `false` if the connection has ended.
async fn answer(wire: &mut Wire) -> bool {
    let Some(head) = wire.head().await else {
        return false;
    };
    let target = head.target().to_owned();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    match &*target {
        "/upload" => {
            let body = wire.body(request_framing(&head)).await;
            let length = body.data.len().to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{length}",
                length.len()
            );
            wire.try_write(head.as_bytes()).await
        }
        "/download" => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {DOWNLOAD}\r\n\r\n");
            wire.try_write(head.as_bytes()).await && wire.try_write(&vec![b'x'; DOWNLOAD]).await
        }
        "/events" => {
            if !wire.try_write(chunked.as_bytes()).await {
                return false;
            }
            for _ in 0..EVENTS {
                if !wire.try_write(b"6\r\nevent\n\r\n").await {
                    return false;
                }
                sleep(Duration::from_millis(1)).await;
            }
            wire.try_write(b"0\r\n\r\n").await
        }
        "/ws" => {
            let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            if !wire.try_write(agreed.as_bytes()).await {
                return false;
            }
            // Echoes until the other side leaves.
            loop {
                let bytes = wire.take();
                if !bytes.is_empty() && !wire.try_write(&bytes).await {
                    return false;
                }
                if !wire.fill().await {
                    return false;
                }
            }
        }
        "/flood" => {
            let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(50);
            while wire.try_write(interim.as_bytes()).await {}
            false
        }
        "/stall" => {
            if !wire.try_write(chunked.as_bytes()).await {
                return false;
            }
            while wire.try_write(&piece()).await {}
            false
        }
        "/tokens" => {
            if !wire.try_write(chunked.as_bytes()).await {
                return false;
            }
            // The sockets are full, and then only tokens come.
            for _ in 0..FILLING {
                if !wire.try_write(&piece()).await {
                    return false;
                }
            }
            let tokens = b"1\r\nt\r\n".repeat(200);
            while wire.try_write(&tokens).await {
                sleep(PAUSE).await;
            }
            false
        }
        "/never" => {
            while wire.fill().await {}
            false
        }
        "/closing" => {
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nown";
            let _ = wire.try_write(answer).await;
            false
        }
        _ => {
            wire.try_write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
                .await
        }
    }
}

/// Answers a stream.
async fn answer_stream(mut call: H2Call) {
    let target = call.request.uri().path().to_owned();
    match &*target {
        "/upload" => {
            let Ok((data, _)) = read(&mut call.body).await else {
                return;
            };
            let length = data.len().to_string();
            send(&mut call, [length.into()], true).await;
        }
        "/download" => send(&mut call, [vec![b'x'; DOWNLOAD].into()], true).await,
        "/events" => {
            let Ok(mut stream) = call.respond.send_response(Response::new(()), false) else {
                return;
            };
            for nth in 1..=EVENTS {
                if stream
                    .send_data(Bytes::from_static(b"event\n"), nth == EVENTS)
                    .is_err()
                {
                    return;
                }
                sleep(Duration::from_millis(1)).await;
            }
        }
        "/stall" => {
            let pieces = std::iter::repeat_with(|| Bytes::from_static(&[b'x'; 0x4000]));
            send(&mut call, pieces, false).await;
        }
        "/tokens" => {
            let filling = std::iter::repeat_with(|| Bytes::from_static(&[b'x'; 0x4000]));
            let tokens = std::iter::repeat_with(|| Bytes::from_static(b"t"));
            send(&mut call, filling.take(FILLING).chain(tokens), false).await;
        }
        "/never" => {
            // Until the gateway resets it.
            std::future::poll_fn(|cx| call.respond.poll_reset(cx))
                .await
                .ok();
        }
        _ => send(&mut call, [Bytes::from_static(b"own")], true).await,
    }
}

/// Sends the pieces as the window permits.
async fn send(call: &mut H2Call, pieces: impl IntoIterator<Item = Bytes>, ends: bool) {
    let Ok(mut stream) = call.respond.send_response(Response::new(()), false) else {
        return;
    };
    for piece in pieces {
        let mut piece = piece;
        while !piece.is_empty() {
            stream.reserve_capacity(piece.len());
            let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
            let Some(Ok(room)) = room else {
                return;
            };
            if stream
                .send_data(piece.split_to(room.min(piece.len())), false)
                .is_err()
            {
                return;
            }
        }
    }
    if ends {
        let _ = stream.send_data(Bytes::new(), true);
    }
}
