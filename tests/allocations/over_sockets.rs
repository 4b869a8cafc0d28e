//! The number of allocations of a call over real sockets, compared with a proxy that consists only of hyper.
//!
//! hyper serves both, and both call the vendor over hyper's connection, on one thread, so the difference is due to the
//! passthrough. The vendor and the caller have threads of their own.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use allocation_counter::measure;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{self, Runtime};
use tokio::sync::Mutex;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};

/// The number of calls before the measurement, and of calls in the measurement.
const WARM: usize = 50;
const COUNTED: usize = 200;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";

/// Reads one message without a body. Returns `false` at the end.
pub(super) fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return false,
            Ok(read) => head.extend_from_slice(bytes.get(..read).unwrap_or_default()),
        }
    }
    true
}

/// Starts a vendor that answers each request of each connection.
fn vendor() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(
                move || {
                    while read_head(&mut stream) && stream.write_all(ANSWER).is_ok() {}
                },
            );
        }
    });
    address
}

/// Makes that number of calls, one after another, and leaves.
fn calls(address: SocketAddr, calls: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut answer = Vec::new();
        for _ in 0..calls {
            let request = "GET /p/c/contacts?page=2 HTTP/1.1\r\nHost: app.test\r\n\
                           Accept: application/json\r\nUser-Agent: app/1.0\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            answer.clear();
            while !answer.ends_with(b"{\"ok\":true}") {
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).unwrap();
                assert!(read > 0, "the server left");
                answer.extend_from_slice(bytes.get(..read).unwrap_or_default());
            }
        }
    })
}

/// Returns the number of allocations of each call that `service` serves.
fn per_call<S>(runtime: &Runtime, service: S) -> u64
where
    S: HttpService<Incoming, Error = Infallible> + Clone,
    S::ResBody: 'static,
    <S::ResBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = |count: usize| {
        let caller = calls(address, count);
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let info = measure(|| {
            runtime.block_on(async {
                let stream = tokio::net::TcpStream::from_std(stream).unwrap();
                let served =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                // The caller closes the connection, which isn't a fault.
                let _ = served.await;
            });
        });
        caller.join().unwrap();
        info.count_total
    };
    serve(WARM);
    let (once, twice) = (serve(COUNTED), serve(2 * COUNTED));
    // Both numbers contain the allocations of a connection. A read that is split differently may add one now and then.
    (twice.saturating_sub(once) + COUNTED as u64 / 2) / COUNTED as u64
}

/// Measures hyper's server with hyper's connection to the vendor, which is kept open.
fn hyper_alone(runtime: &Runtime, vendor: SocketAddr) -> u64 {
    let sender: SendRequest<Incoming> = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(vendor).await.unwrap();
        let (sender, connection) = Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    });
    let sender = Arc::new(Mutex::new(sender));
    let service = service_fn(move |request: Request<Incoming>| {
        let sender = Arc::clone(&sender);
        async move {
            let mut sender = sender.lock().await;
            sender.ready().await.unwrap();
            let response: Response<Incoming> = sender.send_request(request).await.unwrap();
            Ok::<_, Infallible>(response)
        }
    });
    per_call(runtime, service)
}

/// Returns the passthrough to that vendor, over sockets.
pub(super) fn service(vendor: SocketAddr) -> PassthroughService {
    let network = NetworkPolicy::new()
        .allow("127.0.0.0/8".parse().unwrap())
        .dangerous()
        .plaintext();
    let transport = HttpTransport::builder().network(network).build().unwrap();
    let store = MemoryStore::from_iter([(
        "c",
        Connection::new("vendor").with_secret("token", "s3cr3t"),
    )]);
    let upstream = Upstream::new(&format!("http://{vendor}/v2"))
        .unwrap()
        .auth(auth::Bearer);
    PassthroughService::builder(store, Integrations::new().with("vendor", upstream))
        .dangerous()
        .allow_all()
        .transport(transport)
        .prefix("/p")
        .unwrap()
        .build()
}

fn passthrough(runtime: &Runtime, vendor: SocketAddr) -> u64 {
    per_call(runtime, TowerToHyperService::new(service(vendor)))
}

#[test]
fn a_call_allocates_at_most_twice_more_than_hyper_alone() {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let vendor = vendor();
    let alone = hyper_alone(&runtime, vendor);
    let ours = passthrough(&runtime, vendor);
    assert!(
        ours <= alone + 2,
        "{ours} allocations, and {alone} with hyper alone"
    );
    assert!(alone > 0, "nothing was counted");
}
