//! The memory of an idle event stream over real sockets, compared with a proxy that consists only of hyper.
//!
//! hyper's own buffers are in both, so the difference is what the passthrough keeps while nothing is sent: neither the head of the
//! request nor the call's future, and not the buffers from which they were read.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use allocation_counter::measure;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::Builder;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::runtime;
use tokio::sync::oneshot;

use super::over_sockets::{read_head, service};

/// The number of streams. Memory that is allocated once is divided among them.
const STREAMS: usize = 64;

/// The maximum number of bytes that a stream may take beyond hyper alone.
const MAX_MORE: i64 = 3 * 1024;

const STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
                        9\r\ndata: 1\n\n\r\n";

/// Starts a vendor that answers each connection with an event stream, and sends a single event.
fn vendor() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            stream.write_all(STREAM).unwrap();
            open.push(stream);
        }
    });
    address
}

/// Opens the streams, and returns them as soon as each has received its event.
fn streams(address: SocketAddr) -> oneshot::Receiver<Vec<TcpStream>> {
    let (done, opened) = oneshot::channel();
    thread::spawn(move || {
        let opened = (0..STREAMS).map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            let request =
                "GET /p/c/events HTTP/1.1\r\nHost: app.test\r\nAccept: text/event-stream\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"data: 1\n\n\r\n") {
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).unwrap();
                assert!(read > 0, "the server left");
                answer.extend_from_slice(bytes.get(..read).unwrap_or_default());
            }
            stream
        });
        done.send(opened.collect()).unwrap();
    });
    opened
}

/// Returns the memory that each idle stream takes, in bytes.
fn per_stream<S>(service: S) -> i64
where
    S: HttpService<Incoming, Error = Infallible, Future: Send> + Clone + Send + 'static,
    S::ResBody: Send + 'static,
    <S::ResBody as http_body::Body>::Data: Send,
    <S::ResBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Each measurement has its own runtime, which frees the memory of the streams after the measurement.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut kept = None;
    let info = measure(|| {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut opened = streams(listener.local_addr().unwrap());
            let opened = loop {
                tokio::select! {
                    opened = &mut opened => break opened.unwrap(),
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        let stream = TokioIo::new(stream);
                        tokio::spawn(http1::Builder::new().serve_connection(stream, service.clone()));
                    }
                }
            };
            // The tasks that were woken by the last event finish.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            kept = Some(opened);
        });
    });
    assert_eq!(kept.map(|kept| kept.len()), Some(STREAMS));
    info.bytes_current / i64::try_from(STREAMS).unwrap()
}

/// Measures hyper's server with a connection of hyper for each stream.
fn hyper_alone(vendor: SocketAddr) -> i64 {
    let service = service_fn(move |request: Request<Incoming>| async move {
        let stream = tokio::net::TcpStream::connect(vendor).await.unwrap();
        let shaken = Builder::new().handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        let response: Response<Incoming> = sender.send_request(request).await.unwrap();
        Ok::<_, Infallible>(response)
    });
    per_stream(service)
}

#[test]
fn an_idle_stream_keeps_little_more_memory_than_with_hyper_alone() {
    let vendor = vendor();
    let alone = hyper_alone(vendor);
    let ours = per_stream(TowerToHyperService::new(service(vendor)));
    println!("{ours} bytes, and {alone} with hyper alone");
    assert!(
        ours <= alone + MAX_MORE,
        "{ours} bytes, and {alone} with hyper alone"
    );
    assert!(alone > 0, "nothing was counted");
}
