//! The attackers: callers with a valid key for connections of their own, and upstreams that help them.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::caller::{Caller, get, request};
use testkit::h2_frames::{
    END_HEADERS, END_STREAM, FrameCaller, HEADERS, RST_STREAM, encode, fields,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::upstream::PAUSE;

/// A kind of attack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack {
    /// Downloads that nobody reads.
    StalledDownloads,
    /// Streams of single bytes that nobody reads.
    StalledTokens,
    /// Calls that are never answered.
    EndlessCalls,
    /// Uploads that send a byte and no more.
    StalledUploads,
    /// Calls that are cancelled as soon as they are sent.
    Cancels,
    /// Streams over HTTP/2 that are reset as soon as they are opened.
    RapidResets,
    /// Interim responses without end.
    InterimResponses,
    /// WebSockets full of bytes.
    BusyTunnels,
    /// Connections that never finish a head.
    HalfHeads,
    /// Downloads whose caller hangs up after the head.
    HangUps,
    /// Requests with a head that is too large for the upstream.
    LargeHeads,
}

/// A running attack. It ends when this value is dropped.
pub(super) struct Attacker {
    _tasks: JoinSet<()>,
}

/// Returns a handshake for a WebSocket.
pub(super) fn handshake(id: &str) -> String {
    format!(
        "GET /p/{id}/ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

impl Attack {
    pub(super) const ALL: [Self; 11] = [
        // The first, because keys that cancel calls share no connections later on.
        Self::LargeHeads,
        Self::StalledDownloads,
        Self::StalledTokens,
        Self::EndlessCalls,
        Self::StalledUploads,
        Self::Cancels,
        Self::RapidResets,
        Self::InterimResponses,
        Self::BusyTunnels,
        Self::HalfHeads,
        Self::HangUps,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::StalledDownloads => "downloads",
            Self::StalledTokens => "tokens",
            Self::EndlessCalls => "endless",
            Self::StalledUploads => "uploads",
            Self::Cancels => "cancels",
            Self::RapidResets => "resets",
            Self::InterimResponses => "interim",
            Self::BusyTunnels => "tunnels",
            Self::HalfHeads => "half heads",
            Self::HangUps => "hang-ups",
            Self::LargeHeads => "large heads",
        }
    }

    /// Returns the upstreams at which the attack takes place.
    pub(super) fn integrations(self) -> &'static [&'static str] {
        match self {
            Self::InterimResponses | Self::BusyTunnels | Self::HalfHeads => &["h1"],
            _ => &["h1", "h2"],
        }
    }

    /// Begins the attack with `size` calls of four keys, and returns when they have been sent.
    pub(super) async fn begin(
        self,
        gateway: SocketAddr,
        integration: &str,
        size: usize,
    ) -> Attacker {
        let mut tasks = JoinSet::new();
        for nth in 0..size {
            let id = format!("{integration}-a{}", nth % 4);
            tasks.spawn(self.attack(gateway, id, nth));
        }
        // Until the calls are at their upstream.
        sleep(Duration::from_millis(150)).await;
        Attacker { _tasks: tasks }
    }

    async fn attack(self, gateway: SocketAddr, id: String, nth: usize) {
        let call = |target: &str| get(&format!("/p/{id}/{target}"));
        match self {
            Self::StalledDownloads => hold(gateway, call("stall")).await,
            Self::StalledTokens => hold(gateway, call("tokens")).await,
            Self::EndlessCalls => hold(gateway, call("never")).await,
            // Each costs some time of a processor, until it's cut off.
            Self::InterimResponses if nth >= 8 => {}
            Self::InterimResponses => hold(gateway, call("flood")).await,
            Self::StalledUploads => {
                let head = format!(
                    "POST /p/{id}/upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nx"
                );
                hold(gateway, head).await;
            }
            Self::HalfHeads => hold(gateway, "GET /p/".to_owned()).await,
            Self::Cancels => loop {
                let mut caller = Caller::connect(gateway).await;
                caller.write(call("never")).await;
                sleep(10 * PAUSE).await;
            },
            Self::HangUps => loop {
                let mut caller = Caller::connect(gateway).await;
                caller.write(call("stall")).await;
                // The head, and the first bytes.
                let _ = caller.wire.fill().await;
                drop(caller);
                sleep(50 * PAUSE).await;
            },
            Self::LargeHeads => loop {
                let large = format!("X-Large: {}", "x".repeat(200_000));
                let call = request("GET", &format!("/p/{id}/small"), &[&large], "");
                let mut caller = Caller::connect(gateway).await;
                caller.write(call).await;
                let _ = caller.wire.fill().await;
                sleep(50 * PAUSE).await;
            },
            Self::RapidResets => loop {
                let mut caller = FrameCaller::connect(gateway).await;
                let path = format!("/p/{id}/never");
                for stream in (1..100).step_by(2) {
                    let head = fields(&[
                        (b":method", b"GET"),
                        (b":scheme", b"http"),
                        (b":authority", b"h"),
                        (b":path", path.as_bytes()),
                    ]);
                    let open = encode(HEADERS, END_HEADERS | END_STREAM, stream, &head);
                    let reset = encode(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
                    if !caller.try_send(&[open, reset].concat()).await {
                        break;
                    }
                }
                sleep(20 * PAUSE).await;
            },
            Self::BusyTunnels => {
                // A few are enough to keep the processors busy.
                if nth >= 4 {
                    return;
                }
                let mut caller = Caller::connect(gateway).await;
                caller.write(handshake(&id)).await;
                caller.head().await;
                let bytes = vec![b'x'; 16 * 1024];
                while caller.wire.try_write(&bytes).await {
                    let (echo, _) = caller.wire.exactly(bytes.len()).await;
                    if echo.len() != bytes.len() {
                        return;
                    }
                    sleep(PAUSE / 10).await;
                }
            }
        }
    }
}

/// Sends bytes, and reads nothing.
async fn hold(gateway: SocketAddr, bytes: String) {
    let mut caller = Caller::connect(gateway).await;
    caller.wire.try_write(bytes.as_bytes()).await;
    std::future::pending().await
}
