//! What lies below TLS, or below HTTP where there is none: one connection, in one place for what is
//! to be known of each byte that passes.
//!
//! A vendor may answer, and close, before it has read the whole of a request. Then writing fails,
//! while the answer waits to be read (RFC 9112 §9.5; FORWARDING B9). So an error of writing is held
//! back here: nothing more is written, and reading goes on until it brings the answer, the end or
//! an error of its own.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::line::Line;

/// A connection's bytes, as they leave and as they come.
pub(in crate::client) struct Wire {
    line: Line,
    state: Arc<WireState>,
}

/// What has happened on a [`Wire`].
#[derive(Default)]
pub(in crate::client) struct WireState {
    failed: AtomicBool,
    written: AtomicBool,
    over: AtomicBool,
}

impl WireState {
    /// Whether writing has failed, so that nothing more can be sent.
    pub(in crate::client) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Reading has brought the end, or the connection is being closed: nothing is left that an error
    /// of writing could be held back for.
    pub(in crate::client) fn is_over(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// From now on it's asked whether a byte was written.
    pub(in crate::client) fn watch(&self) {
        self.written.store(false, Ordering::Relaxed);
    }

    /// Whether a byte was written since then.
    pub(in crate::client) fn has_written(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }
}

impl Wire {
    pub(super) fn new(line: Line) -> Self {
        Self {
            line,
            state: Arc::default(),
        }
    }

    pub(super) fn state(&self) -> Arc<WireState> {
        Arc::clone(&self.state)
    }

    fn poll_write_with(
        &mut self,
        write: impl FnOnce(Pin<&mut Line>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.state.over.load(Ordering::Relaxed) {
            return write(Pin::new(&mut self.line));
        }
        if self.state.has_failed() {
            // Reading wakes the task: the connection is dead, and says so there.
            return Poll::Pending;
        }
        match ready!(write(Pin::new(&mut self.line))) {
            Ok(written) => {
                self.state.written.store(true, Ordering::Relaxed);
                Poll::Ready(Ok(written))
            }
            Err(_) => {
                self.state.failed.store(true, Ordering::Relaxed);
                Poll::Pending
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(|line| line.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(|line| match slices {
            // The cheaper system call, and most requests are but a head.
            [slice] => line.poll_write(cx, slice),
            slices => line.poll_write_vectored(cx, slices),
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.line.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

/// What lies below a stream, and is told that nothing more will be read.
pub(in crate::client) trait Below {
    fn is_over(&self) {}
}

impl Below for Wire {
    fn is_over(&self) {
        self.state.is_over();
    }
}

impl Below for tokio::net::TcpStream {}
