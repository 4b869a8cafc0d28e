//! A caller's socket, with protections that hyper leaves to the server.
//!
//! - hyper's timeouts begin when the protocol is known, HTTP/1.1 or HTTP/2. A caller that sends
//!   nothing, or only a part of HTTP/2's preface, could keep its socket open for ever. And hyper's
//!   timeout of a head of HTTP/1 also counts the time in which a connection is idle.
//! - If a socket is closed while the caller is still sending, the kernel resets it. The reset can
//!   remove a response that refused an upload (RFC 9112 §9.6). So the writing side is closed first,
//!   and data that still arrives is read for a short time.
//! - hyper has no limit for the time in which a caller doesn't read. Such a caller would hold the upstream's connection as
//!   long as it likes.
//! - An HTTP/1.0 response may end with the connection. If it broke off, a normal end would make it
//!   look complete, so the socket is reset instead, also below TLS.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

use crate::peers::Place;

/// The maximum time until a caller has shown which protocol it uses.
const PATIENCE: Duration = Duration::from_secs(10);

/// The maximum time from the first byte of a head of HTTP/1 to its last.
const HEAD: Duration = Duration::from_secs(15);

/// The time for which a closed connection is still read.
const LINGER: Duration = Duration::from_secs(1);

/// The beginning of each HTTP/2 connection (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection, with or without TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Tcp),
    Tls(Box<TlsStream<Tcp>>),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// Returns the TCP connection, or `None` for a Unix socket.
    pub(crate) fn tcp(&self) -> Option<&Tcp> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Tls(stream) => Some(stream.get_ref().0),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }
}

/// A TCP connection whose reset can be noticed while nobody reads from it. hyper doesn't read while a call is under way, because a
/// caller that has closed its sending side still waits for the response.
#[derive(Clone, Debug)]
pub(crate) struct Tcp(Arc<TcpStream>);

impl Tcp {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    /// Returns the socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.0
    }

    /// Completes when the caller has reset the connection.
    pub(crate) async fn reset(self) {
        // The readiness of a socket that has failed never goes away. An error of `ready` means that the runtime ends.
        while let Ok(ready) = self.0.ready(Interest::ERROR).await {
            if ready.is_error() {
                return;
            }
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|_| ())),
            }
        }
    }
}

impl Tcp {
    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(shut_down(&self.0))
    }
}

#[cfg(unix)]
fn shut_down(stream: &TcpStream) -> io::Result<()> {
    rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?;
    Ok(())
}

/// Does nothing: the connection is closed when it's dropped.
#[cfg(not(unix))]
fn shut_down(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A caller's socket.
pub(crate) struct Socket {
    stream: Stream,
    /// `None` until the caller has shown which protocol it uses.
    protocol: Option<Protocol>,
    /// The caller's first bytes, which show the protocol.
    first: [u8; PREFACE.len()],
    /// The bytes of `first` that have arrived, and that hyper hasn't read yet.
    unread: Range<usize>,
    /// Set while a head of HTTP/1 arrives: the number of calls that had begun before.
    head: Option<u64>,
    timer: Pin<Box<Sleep>>,
    closing: Closing,
    ending: Ending,
    place: Place,
    /// The maximum time for which the caller may take no byte.
    limit: Duration,
    /// Fires when the caller has taken no byte for the limit. `None` before the first wait.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes wait for the caller.
    is_blocked: bool,
}

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    NotYet,
    Lingering,
    Done,
}

/// The way in which the socket ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    reset: AtomicBool,
    tunnel: AtomicBool,
}

impl Ending {
    /// Sets whether an unfinished response must be reset, so that it doesn't look complete.
    pub(crate) fn reset_unless_closed(&self, reset: bool) {
        self.0.reset.store(reset, Ordering::Relaxed);
    }

    /// Records that the connection is a tunnel now, and no longer HTTP. The two directions of a
    /// tunnel end independently, and the tunnel itself reads the data.
    pub(crate) fn is_a_tunnels(&self) {
        self.0.tunnel.store(true, Ordering::Relaxed);
    }
}

impl Socket {
    pub(crate) fn new(stream: Stream, ending: Ending, place: Place, limit: Duration) -> Self {
        Self {
            stream,
            protocol: None,
            first: [0; PREFACE.len()],
            unread: 0..0,
            head: None,
            timer: Box::pin(sleep(PATIENCE)),
            closing: Closing::NotYet,
            ending,
            place,
            limit,
            stalled: None,
            is_blocked: false,
        }
    }

    /// Returns the protocol as soon as the caller's first bytes show it. The bytes are then read like all other bytes.
    pub(crate) fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Protocol>> {
        loop {
            if let Some(protocol) = self.protocol {
                return Poll::Ready(Ok(protocol));
            }
            if self.timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let seen = self.unread.end;
            let mut buffer = ReadBuf::new(self.first.get_mut(seen..).unwrap_or_default());
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let count = buffer.filled().len();
            self.unread.end += count;
            // At the end of the stream, hyper decides by HTTP/1 what to do with an incomplete preface.
            self.protocol = match self.first.get(..self.unread.end) {
                Some(first) if first == PREFACE => Some(Protocol::Http2),
                Some(first) if count > 0 && PREFACE.starts_with(first) => None,
                _ => Some(Protocol::Http1),
            };
        }
    }

    /// Moves first bytes that hyper hasn't read yet into the buffer. Returns `true` if there were some.
    fn read_first(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let unread = self.first.get(self.unread.clone()).unwrap_or_default();
        let some = unread.len().min(buffer.remaining());
        let unread = unread.get(..some).unwrap_or_default();
        buffer.put_slice(unread);
        self.unread.start += some;
        some > 0
    }

    /// Returns the result of an attempt to write, or an error if no attempt has succeeded for the limit.
    fn unless_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        // A tunnel has a limit for both directions together.
        if written.is_ready() || self.ending.0.tunnel.load(Ordering::Relaxed) {
            self.is_blocked = false;
            return written;
        }
        let limit = self.limit;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !std::mem::replace(&mut self.is_blocked, true) {
            timer.as_mut().reset(Instant::now() + limit);
        }
        ready!(timer.as_mut().poll(cx));
        // The bytes that the kernel still holds are dropped, and the response doesn't look complete.
        self.ending.reset_unless_closed(true);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let protocol = ready!(this.poll_protocol(cx))?;
        let member = this.place.member();
        // A call begins with the end of its head.
        this.head = this.head.filter(|begun| *begun == member.begun());
        if this.head.is_some() && this.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        // hyper reads the first bytes together with the bytes after them. After a part of a head, it would enlarge its buffer.
        let has_first = this.read_first(buffer);
        if !has_first || buffer.remaining() > 0 {
            match Pin::new(&mut this.stream).poll_read(cx, buffer) {
                // The next read returns an error, or the end, again.
                Poll::Pending | Poll::Ready(Err(_)) if has_first => {}
                read => ready!(read)?,
            }
        }
        let member = this.place.member();
        let has_read = buffer.filled().len() > before;
        if has_read && protocol == Protocol::Http1 && this.head.is_none() && member.is_idle() {
            this.head = Some(member.begun());
            this.timer.as_mut().reset(Instant::now() + HEAD);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.unless_stalled(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.unless_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            // Nothing has been written, and nothing waits.
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            flushed => self.unless_stalled(cx, flushed),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing == Closing::NotYet {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.ending.0.tunnel.load(Ordering::Relaxed) {
                this.closing = Closing::Done;
            } else {
                this.timer = Box::pin(sleep(LINGER));
                this.closing = Closing::Lingering;
            }
        }
        while this.closing == Closing::Lingering {
            let mut room = [0; 4096];
            let mut buffer = ReadBuf::new(&mut room);
            let ended = match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(read) => read.is_err() || buffer.filled().is_empty(),
                Poll::Pending => {
                    ready!(this.timer.as_mut().poll(cx));
                    true
                }
            };
            // A caller that never stops sending gets no more time than a caller that is silent.
            if ended || this.timer.is_elapsed() {
                this.closing = Closing::Done;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.closing == Closing::NotYet && self.ending.0.reset.load(Ordering::Relaxed) {
            if let Some(stream) = self.stream.tcp() {
                reset_when_dropped(stream.socket());
            }
        }
    }
}

#[cfg(unix)]
fn reset_when_dropped(stream: &TcpStream) {
    // If the option can't be set, the socket is closed normally.
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

#[cfg(not(unix))]
fn reset_when_dropped(_: &TcpStream) {}

#[cfg(all(test, unix))]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::peers::{PeerLimits, Peers};

    const LIMIT: Duration = Duration::from_secs(60);

    /// Returns a socket, and the caller's side of it.
    fn pair() -> io::Result<(UnixStream, Socket)> {
        let (caller, stream) = UnixStream::pair()?;
        let peers = Peers::new(PeerLimits {
            total: None,
            per_address: None,
            idle: LIMIT,
            stalled: LIMIT,
        });
        let place = peers.enter_anyway(None);
        let socket = Socket::new(Stream::Unix(stream), Ending::default(), place, LIMIT);
        Ok((caller, socket))
    }

    #[tokio::test]
    async fn a_head_that_has_arrived_is_read_at_once() -> io::Result<()> {
        let head = b"GET /passthrough/c/x HTTP/1.1\r\nHost: gateway.test\r\n\r\n";
        let (mut caller, mut socket) = pair()?;
        caller.write_all(head).await?;
        let protocol = poll_fn(|cx| socket.poll_protocol(cx)).await?;
        assert_eq!(protocol, Protocol::Http1);
        let mut room = [0; 8192];
        let read = socket.read(&mut room).await?;
        assert_eq!(room.get(..read), Some(&head[..]));
        Ok(())
    }

    #[tokio::test]
    async fn no_byte_of_the_beginning_is_lost() -> io::Result<()> {
        let http2 = [&PREFACE[..], b"frames"].concat();
        for (bytes, expected) in [
            (&http2[..], Protocol::Http2),
            (PREFACE, Protocol::Http2),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r ", Protocol::Http1),
            (b"PRI * HTTP/1.1\r\n\r\n", Protocol::Http1),
            (b"PRI", Protocol::Http1),
            (b"P", Protocol::Http1),
            (
                b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n",
                Protocol::Http1,
            ),
            (b"", Protocol::Http1),
        ] {
            for split in 0..=bytes.len() {
                let (start, rest) = bytes.split_at(split);
                let (mut caller, mut socket) = pair()?;
                let send = async {
                    caller.write_all(start).await?;
                    tokio::task::yield_now().await;
                    caller.write_all(rest).await?;
                    caller.shutdown().await
                };
                let read = async {
                    let protocol = poll_fn(|cx| socket.poll_protocol(cx)).await?;
                    let mut read = Vec::new();
                    let mut room = [0; 7];
                    loop {
                        match socket.read(&mut room).await? {
                            0 => break io::Result::Ok((protocol, read)),
                            count => read.extend_from_slice(room.get(..count).unwrap_or_default()),
                        }
                    }
                };
                let (sent, read) = tokio::join!(send, read);
                sent?;
                assert_eq!(read?, (expected, bytes.to_vec()), "{split}");
            }
        }
        Ok(())
    }
}
