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
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
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
}

impl Stream {
    pub(crate) fn tcp(&self) -> &Tcp {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
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
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A caller's socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    /// The number of bytes of the preface that have arrived. `None` if the protocol is known.
    preface: Option<usize>,
    /// `true` if the protocol is known to be HTTP/1.
    is_http1: bool,
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
            preface: Some(0),
            is_http1: false,
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
        if this.preface.is_some() && this.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let member = this.place.member();
        // A call begins with the end of its head.
        this.head = this.head.filter(|begun| *begun == member.begun());
        if this.head.is_some() && this.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        if let Some(seen) = this.preface {
            let new = buffer.filled().get(before..).unwrap_or_default();
            let expected = PREFACE.get(seen..).unwrap_or_default();
            // The protocol is still unknown while the bytes match HTTP/2's preface, but the preface
            // isn't complete.
            let open = new.len() < expected.len() && expected.starts_with(new);
            this.preface = open.then_some(seen + new.len());
            this.is_http1 = !open && !new.starts_with(expected);
        }
        let has_read = buffer.filled().len() > before;
        if has_read && this.is_http1 && this.head.is_none() && member.is_idle() {
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
            reset_when_dropped(&self.stream.tcp().0);
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
