//! The parts of a WebSocket's handshake.

use base64::Engine as _;

/// Returns what an upstream must answer to that key (RFC 6455 §4.2.2).
pub fn accept(key: &str) -> String {
    let mut digest = sha1_smol::Sha1::new();
    digest.update(key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(digest.digest().bytes())
}
