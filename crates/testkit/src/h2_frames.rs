//! HTTP/2 written frame by frame, for bytes that a library wouldn't send.

use std::net::SocketAddr;

use super::caller::Caller;
use super::wait::within;
use super::wire::Wire;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame, byte for byte.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A connection to the gateway.
pub struct FrameCaller {
    caller: Caller,
}

impl FrameCaller {
    pub async fn connect(gateway: SocketAddr) -> Self {
        let mut caller = Caller::connect(gateway).await;
        caller.write(PREFACE).await;
        let mut frames = Self { caller };
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.caller
            .write(encode(kind, flags, stream, payload))
            .await;
    }

    /// Writes whole frames to a gateway that may have closed the connection; `false` means that the
    /// gateway is gone.
    pub async fn try_send(&mut self, frames: &[u8]) -> bool {
        self.caller.wire.try_write(frames).await
    }

    /// Returns the next frame; `None` means that the gateway closed.
    pub async fn next(&mut self) -> Option<Frame> {
        read(&mut self.caller.wire).await
    }

    /// Returns the first frame that ends the stream or the connection, or that answers on the
    /// stream.
    pub async fn verdict(&mut self, stream: u32) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == GOAWAY || (frame.stream == stream && frame.kind != SETTINGS) {
                return Some(frame);
            }
        }
    }
}

/// Returns a frame's bytes.
pub fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Returns the next frame; `None` means that the peer closed.
pub async fn read(wire: &mut Wire) -> Option<Frame> {
    let (head, _) = within("a frame", wire.exactly(9)).await;
    let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = head.try_into().ok()?;
    let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
    let (payload, _) = within("a frame's payload", wire.exactly(length)).await;
    Some(Frame {
        kind,
        flags,
        stream: u32::from_be_bytes([s0, s1, s2, s3]),
        payload,
    })
}

/// Returns a field block (RFC 7541): each field is a literal that is never indexed, without Huffman
/// codes.
pub fn fields(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0x10);
        for part in [name, value] {
            // An integer with a prefix of seven bits (RFC 7541 §5.1).
            match u8::try_from(part.len()) {
                Ok(length @ 0..127) => block.push(length),
                _ => {
                    block.push(127);
                    let mut rest = part.len() - 127;
                    while rest >= 128 {
                        block.push(u8::try_from(rest % 128).expect("seven bits") | 128);
                        rest /= 128;
                    }
                    block.push(u8::try_from(rest).expect("seven bits"));
                }
            }
            block.extend(*part);
        }
    }
    block
}
