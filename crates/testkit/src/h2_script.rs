//! A vendor that speaks HTTP/2 frame by frame; the test controls each frame.

use std::collections::VecDeque;

use super::gateway::Origin;
use super::h2_frames::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, encode, fields, read,
};
use super::manual::ManualVendor;
use super::wait::within;
use super::wire::Wire;

/// A setting's number (RFC 9113 §6.5.2).
pub const MAX_CONCURRENT_STREAMS: u16 = 3;

/// Error codes (RFC 9113 §7).
pub const NO_ERROR: u32 = 0;
pub const INTERNAL_ERROR: u32 = 2;
pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;
pub const HTTP_1_1_REQUIRED: u32 = 13;

/// A vendor that listens; the test accepts.
pub struct FrameVendor(pub ManualVendor);

impl FrameVendor {
    /// Binds in plaintext, for a gateway that knows the protocol beforehand.
    pub async fn bind() -> Self {
        Self(ManualVendor::bind().await)
    }

    pub async fn bind_tls() -> Self {
        Self(ManualVendor::bind_tls(&["h2"]).await)
    }

    /// Returns the gateway's next connection, which has acknowledged these settings.
    pub async fn accept(&self, settings: &[(u16, u32)]) -> FrameConnection {
        let mut wire = self.0.accept().await.wire;
        let preface = within("the preface", wire.until(PREFACE)).await;
        assert_eq!(preface.as_deref(), Some(PREFACE));
        let mut connection = FrameConnection {
            wire,
            frames: VecDeque::new(),
        };
        connection.settings(settings).await;
        connection
    }
}

impl Origin for FrameVendor {
    fn origin(&self) -> String {
        self.0.origin()
    }
}

/// One connection from the gateway. Frames that keep the connection itself alive are answered on
/// the side.
pub struct FrameConnection {
    pub wire: Wire,
    /// Frames that came while a test waited for another frame.
    frames: VecDeque<Frame>,
}

impl FrameConnection {
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.wire.write(&encode(kind, flags, stream, payload)).await;
    }

    /// Sends settings, and waits until the gateway has acknowledged the settings.
    pub async fn settings(&mut self, settings: &[(u16, u32)]) {
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.send(SETTINGS, 0, 0, &payload).await;
        self.acknowledged(SETTINGS).await;
    }

    /// Waits until the gateway has read all earlier frames. The frames that the gateway sent before
    /// are kept.
    pub async fn ping(&mut self) {
        self.send(PING, 0, 0, b"in step?").await;
        self.acknowledged(PING).await;
    }

    async fn acknowledged(&mut self, kind: u8) {
        loop {
            let frame = self.read().await.expect("the gateway closed");
            if frame.kind == kind && frame.flags & ACK != 0 {
                return;
            }
            self.frames.extend(about_a_call(frame));
        }
    }

    /// Returns the next frame from the wire.
    async fn read(&mut self) -> Option<Frame> {
        let frame = read(&mut self.wire).await?;
        if matches!(frame.kind, SETTINGS | PING) && frame.flags & ACK == 0 {
            let payload = match frame.kind {
                PING => frame.payload.as_slice(),
                _ => &[],
            };
            // A gateway that leaves reads no more.
            let _ = self
                .wire
                .try_write(&encode(frame.kind, ACK, 0, payload))
                .await;
        }
        Some(frame)
    }

    /// Returns the next frame about a call, or about the connection's end. `None` means that the
    /// gateway closed.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let frame = self.read().await?;
            self.frames.extend(about_a_call(frame));
        }
    }

    /// Returns the next request's stream. Bodies of other requests, and their ends, are skipped.
    pub async fn request(&mut self) -> u32 {
        loop {
            let frame = self.next().await.expect("the gateway closed");
            if frame.kind == HEADERS {
                return frame.stream;
            }
        }
    }

    /// Returns the body of a request.
    pub async fn body(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let frame = self.next().await.expect("the gateway closed");
            assert_eq!((frame.kind, frame.stream), (DATA, stream), "{frame:?}");
            body.extend(frame.payload);
            if frame.flags & END_STREAM != 0 {
                return body;
            }
        }
    }

    /// Returns the code with which the gateway resets that stream. The stream's body is skipped.
    pub async fn reset_of(&mut self, stream: u32) -> u32 {
        loop {
            let frame = self.next().await.expect("the gateway closed");
            if (frame.kind, frame.stream) == (RST_STREAM, stream) {
                let code = frame.payload.as_slice().try_into();
                return u32::from_be_bytes(code.expect("a code"));
            }
        }
    }

    /// Fails if another request has come by now.
    pub async fn no_other(&mut self) {
        self.ping().await;
        let other = self.frames.iter().find(|frame| frame.kind == HEADERS);
        assert!(other.is_none(), "another request: {other:?}");
    }

    /// Waits until the gateway closes; fails if another request comes before.
    pub async fn closed(&mut self) {
        while let Some(frame) = self.next().await {
            assert_ne!(frame.kind, HEADERS, "another request: {frame:?}");
        }
    }

    /// Answers 200; a body follows.
    pub async fn begin(&mut self, stream: u32) {
        let head = fields(&[(b":status", b"200")]);
        self.send(HEADERS, END_HEADERS, stream, &head).await;
    }

    pub async fn data(&mut self, stream: u32, data: &str, is_last: bool) {
        let flags = if is_last { END_STREAM } else { 0 };
        self.send(DATA, flags, stream, data.as_bytes()).await;
    }

    /// Answers 200 with that body.
    pub async fn answer(&mut self, stream: u32, body: &str) {
        self.begin(stream).await;
        self.data(stream, body, true).await;
    }

    /// Answers with that status, and without a body.
    pub async fn answer_without_body(&mut self, stream: u32, status: &str) {
        let head = fields(&[(b":status", status.as_bytes())]);
        let flags = END_HEADERS | END_STREAM;
        self.send(HEADERS, flags, stream, &head).await;
    }

    pub async fn reset(&mut self, stream: u32, code: u32) {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    /// Makes room for `bytes` more bytes, on a stream or (0) on the connection.
    pub async fn make_room(&mut self, stream: u32, bytes: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
            .await;
    }

    /// Announces that the connection ends, and that no stream above `last` was processed.
    pub async fn goaway(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.send(GOAWAY, 0, 0, &payload).await;
    }
}

fn about_a_call(frame: Frame) -> Option<Frame> {
    matches!(frame.kind, HEADERS | DATA | RST_STREAM | GOAWAY).then_some(frame)
}
