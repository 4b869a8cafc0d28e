//! HTTP/1.1 read and written by hand, piece by piece: each body is checked while it arrives, and is
//! never held.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::head::{self, Head};
use crate::load::content::Content;
use crate::load::draw::Draw;
use crate::load::plan::Framing;
use crate::wire::Framing as Delimited;

/// The part of the current body that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Bytes(u64),
    /// The rest of a chunk.
    Chunk(u64),
    /// The line with a chunk's size is next.
    ChunkSize,
    UntilClose,
}

/// Messages of a peer, one after another.
pub struct Messages<R> {
    from: BufReader<R>,
    left: Left,
    /// The number of bytes in the buffer that the last piece took.
    taken: usize,
    trailers: Vec<(String, String)>,
}

impl<R: AsyncRead + Unpin> Messages<R> {
    pub fn of(peer: R) -> Self {
        Self {
            from: BufReader::with_capacity(32 * 1024, peer),
            left: Left::Nothing,
            taken: 0,
            trailers: Vec::new(),
        }
    }

    /// Returns the reader below.
    pub fn peer(&mut self) -> &mut R {
        self.from.get_mut()
    }

    /// Returns the next head; `None` means that the peer closed, which the peer may do between two
    /// messages.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        self.from.consume(std::mem::take(&mut self.taken));
        let mut raw = Vec::new();
        loop {
            let before = raw.len();
            match self.from.read_until(b'\n', &mut raw).await? {
                0 if before == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ if raw.get(before..) == Some(b"\r\n") => return Ok(Some(Head::parse(raw))),
                _ => {}
            }
        }
    }

    /// Sets the framing of the body that follows.
    pub fn expect(&mut self, delimited: Delimited) {
        self.trailers.clear();
        self.left = match delimited {
            Delimited::None => Left::Nothing,
            Delimited::Length(length) => Left::Bytes(length as u64),
            Delimited::Chunked => Left::ChunkSize,
            Delimited::UntilClose => Left::UntilClose,
        };
    }

    /// Returns the next piece of the body; `None` means that the body is whole. An error of kind `InvalidData` means
    /// that the bytes aren't HTTP; any other error means that the body was cut.
    pub async fn piece(&mut self) -> io::Result<Option<&[u8]>> {
        self.from.consume(std::mem::take(&mut self.taken));
        let most = loop {
            match self.left {
                Left::Nothing | Left::Bytes(0) => {
                    self.left = Left::Nothing;
                    return Ok(None);
                }
                Left::Bytes(left) => break left,
                Left::UntilClose => break u64::MAX,
                Left::Chunk(0) => {
                    let line = self.line().await?;
                    line.is_empty().then_some(()).ok_or_else(|| wrong(&line))?;
                    self.left = Left::ChunkSize;
                }
                Left::Chunk(left) => break left,
                Left::ChunkSize => {
                    let line = self.line().await?;
                    let size = u64::from_str_radix(&line, 16).map_err(|_| wrong(&line))?;
                    self.left = Left::Chunk(size);
                    if size == 0 {
                        self.read_trailers().await?;
                        self.left = Left::Nothing;
                    }
                }
            }
        };
        let there = self.from.fill_buf().await?;
        if there.is_empty() {
            let ended = self.left == Left::UntilClose;
            self.left = Left::Nothing;
            return if ended {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        let size = there.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        self.taken = size;
        match &mut self.left {
            Left::Bytes(left) | Left::Chunk(left) => *left -= size as u64,
            Left::Nothing | Left::ChunkSize | Left::UntilClose => {}
        }
        Ok(Some(&there[..size]))
    }

    /// Waits until the peer sends bytes that the reader didn't ask for, or leaves, which returns
    /// `false`.
    pub async fn hears_more(&mut self) -> bool {
        self.from.consume(std::mem::take(&mut self.taken));
        self.from
            .fill_buf()
            .await
            .is_ok_and(|there| !there.is_empty())
    }

    /// Returns the trailer of that name, after the body.
    pub fn trailer(&self, name: &str) -> Option<String> {
        let values = head::values(&self.trailers, name);
        values.first().map(|value| (*value).to_owned())
    }

    async fn read_trailers(&mut self) -> io::Result<()> {
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(());
            }
            self.trailers.extend(head::fields(std::iter::once(&*line)));
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.from.read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(head::latin1(line)),
            None if line.ends_with(b"\n") => Err(wrong(&head::latin1(&line))),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn wrong(line: &str) -> io::Error {
    let what = format!("no line of a chunked body: {line:?}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A body to be written.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub content: Content,
    pub framing: Framing,
    /// The byte at which the writer stops: before the body's end, the writer writes nothing that
    /// looks like an end.
    pub upto: u64,
    /// The line that follows the last chunk, if any.
    pub trailer: Option<String>,
}

impl Outgoing {
    pub fn whole(content: Content, framing: Framing) -> Self {
        Self {
            content,
            framing,
            upto: content.length,
            trailer: None,
        }
    }

    /// Writes the head and the body; the head and the first piece go together.
    pub async fn write(&self, head: Vec<u8>, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut draw = Draw::new(self.content.seed);
        let mut bytes = head;
        let mut at = 0;
        while at < self.upto {
            let most = match self.framing {
                Framing::Chunked => draw.between(1, 24_000),
                Framing::Length | Framing::Close => 64 << 10,
            };
            let size = most.min(self.upto - at) as usize;
            if self.framing == Framing::Chunked {
                // The chunk in which the writer stops announces more bytes than the writer sends.
                let stops = at + size as u64 == self.upto && self.upto < self.content.length;
                let size = size + usize::from(stops);
                bytes.extend_from_slice(format!("{size:x}\r\n").as_bytes());
                bytes.extend_from_slice(&self.content.piece(at, size - usize::from(stops)));
                bytes.extend_from_slice(if stops { b"" } else { b"\r\n" });
            } else {
                bytes.extend_from_slice(&self.content.piece(at, size));
            }
            at += size as u64;
            to.write_all(&bytes).await?;
            bytes.clear();
        }
        if self.framing == Framing::Chunked && at == self.content.length {
            bytes.extend_from_slice(b"0\r\n");
            if let Some(trailer) = &self.trailer {
                bytes.extend_from_slice(trailer.as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
        }
        to.write_all(&bytes).await?;
        to.flush().await
    }
}
