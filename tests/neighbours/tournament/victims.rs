//! The victims: calls that must be answered, whatever others do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::caller::{Caller, get, request};
use testkit::h2_caller::{H2Caller, request as h2_request};
use tokio::time::timeout;

use super::upstream::{DOWNLOAD, EVENTS};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Victim {
    Small,
    SmallOverHttp2,
    Upload,
    UploadOverHttp2,
    Download,
    DownloadOverHttp2,
    Events,
    Tunnel,
    /// A call over a new TLS connection.
    Handshake,
    /// The first call of a connection, which waits for its token.
    Refresh,
    /// A call over HTTP/2 on both sides, as gRPC makes it.
    Grpc,
}

pub(super) const VICTIMS: [Victim; 11] = [
    Victim::Small,
    Victim::SmallOverHttp2,
    Victim::Upload,
    Victim::UploadOverHttp2,
    Victim::Download,
    Victim::DownloadOverHttp2,
    Victim::Events,
    Victim::Tunnel,
    Victim::Handshake,
    Victim::Refresh,
    Victim::Grpc,
];

/// The size of an upload, in bytes.
const UPLOAD: usize = 300_000;

/// The number of the next connection whose token must be refreshed.
static REFRESHED: AtomicUsize = AtomicUsize::new(0);

impl Victim {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::SmallOverHttp2 => "small h2",
            Self::Upload => "upload",
            Self::UploadOverHttp2 => "upload h2",
            Self::Download => "download",
            Self::DownloadOverHttp2 => "download h2",
            Self::Events => "events",
            Self::Tunnel => "tunnel",
            Self::Handshake => "handshake",
            Self::Refresh => "refresh",
            Self::Grpc => "grpc",
        }
    }

    /// Makes a call. Returns the fault, if it isn't answered completely and correctly.
    pub(super) async fn call(self, gateway: SocketAddr) -> Result<(), String> {
        match timeout(Duration::from_secs(9), self.try_call(gateway)).await {
            Ok(outcome) => outcome,
            Err(_) => Err("no answer within 9 s".to_owned()),
        }
    }

    async fn try_call(self, gateway: SocketAddr) -> Result<(), String> {
        let upload = |id: &str| {
            request(
                "POST",
                &format!("/p/{id}/upload"),
                &[&format!("Content-Length: {UPLOAD}")],
                &"y".repeat(UPLOAD),
            )
        };
        let (request, expected) = match self {
            Self::Small => (get("/p/h1-v/small"), "own".to_owned()),
            Self::SmallOverHttp2 => (get("/p/h2-v/small"), "own".to_owned()),
            Self::Upload => (upload("h1-v"), UPLOAD.to_string()),
            Self::UploadOverHttp2 => (upload("h2-v"), UPLOAD.to_string()),
            Self::Download => (get("/p/h1-v/download"), "x".repeat(DOWNLOAD)),
            Self::DownloadOverHttp2 => (get("/p/h2-v/download"), "x".repeat(DOWNLOAD)),
            Self::Events => (get("/p/h2-v/events"), "event\n".repeat(EVENTS)),
            Self::Handshake => (get("/p/tls-v/closing"), "own".to_owned()),
            Self::Refresh => {
                let nth = REFRESHED.fetch_add(1, Ordering::Relaxed);
                (get(&format!("/p/refreshed-{nth}/small")), "own".to_owned())
            }
            Self::Tunnel => return tunnel(gateway).await,
            Self::Grpc => return grpc(gateway).await,
        };
        let answer = Caller::connect(gateway).await.call(request).await;
        if answer.status() != 200 || !answer.complete() || answer.text() != expected {
            let (status, length) = (answer.status(), answer.body.data.len());
            return Err(format!(
                "{status} {:?}, {length} bytes, {:?}",
                answer.error(),
                answer.body.end
            ));
        }
        Ok(())
    }
}

async fn tunnel(gateway: SocketAddr) -> Result<(), String> {
    let mut caller = Caller::connect(gateway).await;
    caller.write(super::attackers::handshake("h1-v")).await;
    let head = caller.head().await;
    if head.status() != 101 {
        return Err(format!("a handshake was answered with {}", head.status()));
    }
    for _ in 0..5 {
        caller.write("ping").await;
        let (echo, _) = caller.wire.exactly(4).await;
        if echo != b"ping" {
            return Err(format!("an echo of {} bytes", echo.len()));
        }
    }
    Ok(())
}

async fn grpc(gateway: SocketAddr) -> Result<(), String> {
    let mut caller = H2Caller::connect(gateway).await;
    let call = h2_request("POST", "/p/h2-v/pkg.Service/Method")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let answer = caller.call(call).await;
    match (answer.status.as_u16(), &*answer.body) {
        (200, b"own") => Ok(()),
        (status, body) => Err(format!("{status}, {} bytes", body.len())),
    }
}
