//! A caller's socket, with two things that hyper leaves to whoever owns it: patience and a decent
//! end.
//!
//! - hyper's timeouts begin once the protocol is known, HTTP/1.1 or HTTP/2. A caller that sends
//!   nothing, or half of HTTP/2's preface, would hold its socket for ever (SECURITY X4).
//! - Closing a socket while the caller still sends makes the kernel reset it, and the reset can eat
//!   an answer that refused the upload (RFC 9112 §9.6, FORWARDING E7). So the writing side is
//!   closed first, and what still comes is read for a moment.
//! - An HTTP/1.0 response may end with the connection. If it broke off, a proper end would make it
//!   look whole, so the socket is reset instead (FORWARDING B12).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a caller may take to show which protocol it speaks.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a closed connection is read on.
const LINGER: Duration = Duration::from_secs(1);

/// How each HTTP/2 connection begins (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A caller's socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// How much of the preface has come; `None` once the protocol is known.
    preface: Option<usize>,
    timer: Pin<Box<Sleep>>,
    closing: Closing,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    NotYet,
    Lingering,
    Done,
}

/// How this socket ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    reset: AtomicBool,
    tunnel: AtomicBool,
}

impl Ending {
    /// Whether an unfinished response must not end like a finished one.
    pub(crate) fn reset_unless_closed(&self, reset: bool) {
        self.0.reset.store(reset, Ordering::Relaxed);
    }

    /// What comes from now on isn't HTTP: each side ends by itself, and the reading one is the
    /// tunnel's (FORWARDING U7).
    pub(crate) fn is_a_tunnels(&self) {
        self.0.tunnel.store(true, Ordering::Relaxed);
    }
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, ending: Ending) -> Self {
        Self {
            stream,
            preface: Some(0),
            timer: Box::pin(sleep(PATIENCE)),
            closing: Closing::NotYet,
            ending,
        }
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
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        if let Some(seen) = this.preface {
            let new = buffer.filled().get(before..).unwrap_or_default();
            let expected = PREFACE.get(seen..).unwrap_or_default();
            // Still to be told apart: HTTP/2 as far as it goes, and not yet whole.
            let open = new.len() < expected.len() && expected.starts_with(new);
            this.preface = open.then_some(seen + new.len());
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
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
            // A caller that never stops sending doesn't get more time than one that is silent.
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
            reset_when_dropped(&self.stream);
        }
    }
}

#[cfg(unix)]
fn reset_when_dropped(stream: &TcpStream) {
    // If it can't be set, the socket is closed as any other.
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

#[cfg(not(unix))]
fn reset_when_dropped(_: &TcpStream) {}
