//! WebSockets: their handshake is a call like any other, and their bytes aren't parsed.

mod handshake;
mod http2;
mod peers;
mod tunnel;

use testkit::caller::Caller;
use testkit::gateway::{Gateway, Setup};
use testkit::head::Head;
use testkit::manual::{ManualVendor, VendorConnection};

/// The example of RFC 6455.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Returns a handshake with these further lines.
fn handshake(target: &str, lines: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    )
}

/// Returns a vendor's agreement with these further lines.
fn agreement(lines: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{lines}\r\n"
    )
}

/// Both ends of a tunnel.
struct Ends {
    caller: Caller,
    /// The request that the vendor received.
    asked: Head,
    vendor: VendorConnection,
    _gateway: Gateway,
}

impl Ends {
    async fn open() -> Self {
        Self::of(|setup| setup).await
    }

    async fn of(change: impl FnOnce(Setup) -> Setup) -> Self {
        let vendor = ManualVendor::bind().await;
        let gateway = change(Setup::new(&vendor)).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(handshake("/p/c/live", "")).await;
        let mut vendor = vendor.accept().await;
        let asked = vendor.head().await;
        vendor.write(agreement("")).await;
        assert_eq!(caller.head().await.status(), 101);
        Self {
            caller,
            asked,
            vendor,
            _gateway: gateway,
        }
    }
}
