//! HTTP/1 read by hand: heads, bodies in each framing, and the ends of bodies.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::head::{self, Head};
use super::io::Io;
use super::wait::within;

/// The framing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

/// The end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The body ended in accordance with its framing.
    Complete,
    /// The connection ended, or was reset, before the body's end.
    Cut,
}

/// A body, byte for byte.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes with the chunks' framing.
    pub raw: Vec<u8>,
    pub data: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub framing: Framing,
    pub end: End,
}

/// A buffered stream of bytes.
pub struct Wire {
    io: Io,
    buffer: Vec<u8>,
}

impl Wire {
    pub fn new(io: Io) -> Self {
        Self {
            io,
            buffer: Vec::new(),
        }
    }

    /// Reads the available bytes. `false` means that the peer is gone, by a close or a reset.
    pub async fn fill(&mut self) -> bool {
        self.buffer.reserve(16 * 1024);
        matches!(self.io.read_buf(&mut self.buffer).await, Ok(1..))
    }

    /// Reads up to and with the first `needle`. `None` means that the peer left first; the bytes
    /// that the peer sent are in the buffer.
    pub async fn until(&mut self, needle: &[u8]) -> Option<Vec<u8>> {
        let mut searched = 0_usize;
        loop {
            let from = searched.saturating_sub(needle.len());
            let found = self.buffer[from..]
                .windows(needle.len())
                .position(|window| window == needle);
            if let Some(at) = found {
                return Some(self.buffer.drain(..from + at + needle.len()).collect());
            }
            searched = self.buffer.len();
            if !self.fill().await {
                return None;
            }
        }
    }

    /// Returns exactly `count` bytes, or the bytes that come before the peer leaves.
    pub async fn exactly(&mut self, count: usize) -> (Vec<u8>, End) {
        while self.buffer.len() < count {
            if !self.fill().await {
                return (std::mem::take(&mut self.buffer), End::Cut);
            }
        }
        (self.buffer.drain(..count).collect(), End::Complete)
    }

    /// Returns the next head. `None` means that the peer left before the head was whole.
    pub async fn head(&mut self) -> Option<Head> {
        self.until(b"\r\n\r\n").await.map(Head::parse)
    }

    /// Returns the body that follows a head.
    pub async fn body(&mut self, framing: Framing) -> Body {
        let mut body = Body {
            raw: Vec::new(),
            data: Vec::new(),
            trailers: Vec::new(),
            framing,
            end: End::Complete,
        };
        match framing {
            Framing::None => {}
            Framing::Length(length) => {
                (body.data, body.end) = self.exactly(length).await;
                body.raw.clone_from(&body.data);
            }
            Framing::UntilClose => {
                body.end = self.rest().await;
                body.data = std::mem::take(&mut self.buffer);
                body.raw.clone_from(&body.data);
            }
            Framing::Chunked => body.end = self.chunks(&mut body).await,
        }
        body
    }

    async fn chunks(&mut self, body: &mut Body) -> End {
        loop {
            let Some(line) = self.until(b"\r\n").await else {
                body.raw.append(&mut self.buffer);
                return End::Cut;
            };
            let text = head::latin1(&line);
            let size = text.trim_end().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16)
                .unwrap_or_else(|_| panic!("no chunk size: {text:?}"));
            body.raw.extend_from_slice(&line);
            if size == 0 {
                return self.trailers(body).await;
            }
            let (chunk, end) = self.exactly(size + 2).await;
            body.raw.extend_from_slice(&chunk);
            body.data.extend_from_slice(&chunk[..chunk.len().min(size)]);
            if end == End::Cut {
                return end;
            }
            assert!(chunk.ends_with(b"\r\n"), "a chunk of another length");
        }
    }

    async fn trailers(&mut self, body: &mut Body) -> End {
        loop {
            let Some(line) = self.until(b"\r\n").await else {
                body.raw.append(&mut self.buffer);
                return End::Cut;
            };
            body.raw.extend_from_slice(&line);
            let text = head::latin1(&line);
            match text.trim_end_matches("\r\n") {
                "" => return End::Complete,
                field => body.trailers.extend(head::fields(std::iter::once(field))),
            }
        }
    }

    /// Reads until the peer closes (`Complete`) or resets (`Cut`), into the buffer.
    async fn rest(&mut self) -> End {
        loop {
            self.buffer.reserve(16 * 1024);
            match self.io.read_buf(&mut self.buffer).await {
                Ok(0) => return End::Complete,
                Err(_) => return End::Cut,
                Ok(_) => {}
            }
        }
    }

    /// Writes all of `bytes`; `false` means that the peer is gone.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.io.write_all(bytes).await.is_ok() && self.io.flush().await.is_ok()
    }

    /// Writes all of `bytes` to a peer that reads.
    pub async fn write(&mut self, bytes: &[u8]) {
        let written = within("the peer to read", self.try_write(bytes)).await;
        assert!(written, "the peer closed before it had read all");
    }

    /// Writes the bytes that the peer takes now; `None` means that the peer is gone.
    pub async fn write_some(&mut self, bytes: &[u8]) -> Option<usize> {
        self.io.write(bytes).await.ok()
    }

    /// Waits until the peer closes or resets. Returns the bytes that the peer sends until then.
    pub async fn closed(&mut self) -> Vec<u8> {
        within("the peer to close", self.rest()).await;
        std::mem::take(&mut self.buffer)
    }

    /// Returns the bytes that were read and not taken yet.
    /// Takes the bytes that have been read, and not yet returned.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Announces the end of writing (a TCP FIN; `close_notify` on TLS).
    pub async fn finish(&mut self) {
        let _ = self.io.shutdown().await;
    }

    /// Drops the connection with a TCP reset.
    pub fn reset(self) {
        let _ = self.io.socket().set_zero_linger();
    }
}
