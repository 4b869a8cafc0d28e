//! Byte streams to an upstream, or to the egress proxy in front of the upstream, with or without TLS.
//!
//! An upstream may answer, and close the connection, before it has read the whole request. Then
//! writing fails while the response can still be read (RFC 9112 §9.5). So a [`Wire`], which is
//! below TLS, doesn't report a write error at once: nothing more is written, and reading continues
//! until it returns the response, the end of the stream or an error.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::policy::Origin;

/// The destination of a connection, and the TLS configuration for it.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    origin: &'a Origin,
    /// The TLS configuration with a client certificate, which replaces the transport's configuration.
    #[cfg(feature = "rustls")]
    tls: Option<&'a tokio_rustls::TlsConnector>,
}

impl<'a> Peer<'a> {
    /// Returns a peer to which no client certificate is presented.
    pub(crate) fn new(origin: &'a Origin) -> Self {
        Self {
            origin,
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }

    /// Returns a peer that is reached with `tls` instead of the transport's TLS configuration.
    #[cfg(feature = "rustls")]
    pub(super) fn with_tls(origin: &'a Origin, tls: &'a tokio_rustls::TlsConnector) -> Self {
        Self {
            origin,
            tls: Some(tls),
        }
    }

    pub(super) fn origin(&self) -> &'a Origin {
        self.origin
    }

    #[cfg(feature = "rustls")]
    pub(super) fn tls(&self) -> Option<&'a tokio_rustls::TlsConnector> {
        self.tls
    }
}

/// A stream of bytes, with or without TLS.
pub(crate) enum Stream<S = Wire> {
    Plain(S),
    #[cfg(feature = "rustls")]
    Tls(Box<tokio_rustls::client::TlsStream<S>>),
    Resumed(Box<Resumed<S>>),
}

/// A stream whose bytes are read again. The request is already sent, so the next head of a request isn't written.
pub(crate) struct Resumed<S> {
    inner: Stream<S>,
    /// The bytes to read again.
    unread: Bytes,
    /// `true` until the head of a request has been skipped. Nothing is read until then.
    skips: bool,
    reader: Option<Waker>,
}

/// A TCP connection to the upstream, or a tunnel to it through an egress proxy. The proxy itself may
/// be reached over TLS.
pub(super) type RawStream = Stream<TcpStream>;

impl Stream {
    /// Returns the state of the [`Wire`] below TLS.
    pub(crate) fn wire_state(&self) -> Arc<WireState> {
        Arc::clone(&self.below_tls().state)
    }

    /// Returns a stream that returns `unread` before the bytes of this stream, and that skips the head of the next request.
    pub(crate) fn resumed(self, unread: Bytes) -> Self {
        let inner = match self {
            Self::Resumed(resumed) if resumed.unread.is_empty() => resumed.inner,
            other => other,
        };
        Self::Resumed(Box::new(Resumed {
            inner,
            unread,
            skips: true,
            reader: None,
        }))
    }

    /// Returns `true` if the stream has no TLS.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            #[cfg(feature = "rustls")]
            Self::Tls(_) => false,
            Self::Resumed(resumed) => resumed.inner.is_plain(),
        }
    }

    /// Returns `true` if TLS agreed on HTTP/2 (ALPN).
    pub(crate) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            Self::Resumed(resumed) => resumed.inner.is_http2(),
        }
    }
}

impl<S> Stream<S> {
    fn below_tls(&self) -> &S {
        match self {
            Self::Plain(stream) => stream,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0,
            Self::Resumed(resumed) => resumed.inner.below_tls(),
        }
    }
}

/// Calls a method of the inner stream.
macro_rules! delegate {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Plain($inner) => $call,
            #[cfg(feature = "rustls")]
            Stream::Tls($inner) => $call,
            Stream::Resumed($inner) => $call,
        }
    };
}

impl<S: AsyncRead + AsyncWrite + BelowTls + Unpin> AsyncRead for Stream<S> {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = self.get_mut();
        let read = ready!(delegate!(&mut *this, inner => Pin::new(inner).poll_read(cx, buffer)));
        let count = buffer.filled().len() - before;
        if count > 0 {
            // A stream that is read again counts its bytes itself.
            if !matches!(this, Self::Resumed(_)) {
                this.below_tls().on_read(count);
            }
        } else if read.is_err() || buffer.remaining() > 0 {
            this.below_tls().end_reading();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + BelowTls + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = delegate!(&mut *this, inner => Pin::new(inner).poll_write(cx, bytes));
        this.below_tls()
            .on_write(&[io::IoSlice::new(bytes)], &written);
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written =
            delegate!(&mut *this, inner => Pin::new(inner).poll_write_vectored(cx, slices));
        this.below_tls().on_write(slices, &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, inner => inner.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.below_tls().end_reading();
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(cx))
    }
}

impl<S: AsyncRead + AsyncWrite + BelowTls + Unpin> AsyncRead for Resumed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.skips {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.unread.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buffer);
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(length));
        self.inner.below_tls().on_read(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + BelowTls + Unpin> AsyncWrite for Resumed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.skips {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        }
        // hyper writes a head as a whole, and writes nothing else of a request without a body.
        if bytes.ends_with(b"\r\n\r\n") {
            self.skips = false;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// The stream below TLS, which is informed by the stream above.
pub(crate) trait BelowTls {
    /// Records that nothing more will be read.
    fn end_reading(&self) {}

    /// Records that this number of bytes above TLS was read.
    fn on_read(&self, _count: usize) {}

    /// Records that bytes above TLS were to be written, and the result.
    fn on_write(&self, _bytes: &[io::IoSlice<'_>], _written: &Poll<io::Result<usize>>) {}
}

impl BelowTls for TcpStream {}

/// The stream of a connection to an upstream, below TLS. Write errors aren't reported until reading
/// ends.
pub(crate) struct Wire {
    raw: RawStream,
    state: Arc<WireState>,
}

/// The events on a [`Wire`], for the connection that uses it.
#[derive(Default)]
pub(crate) struct WireState {
    write_failed: AtomicBool,
    written: AtomicBool,
    /// The number of bytes that were read since the last request was queued.
    read: AtomicUsize,
    reading_ended: AtomicBool,
    /// The number of bytes above TLS that were read since the last request was queued.
    received: AtomicUsize,
    /// `true` while the bytes of the request are kept.
    keeps: AtomicBool,
    kept: Mutex<Kept>,
}

/// The head of a request above TLS.
#[derive(Default)]
struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    /// The number of bytes that were accepted. The bytes after them were only offered.
    accepted: usize,
    /// The whole head was accepted, so the next bytes belong to the body.
    is_complete: bool,
}

/// The end of a head.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// The maximum size of a head that is kept.
const MAX_KEPT_SIZE: usize = 128 * 1024;

/// The maximum size of a request's bytes for which the memory stays reserved until the next request.
const MAX_RESERVED_SIZE: usize = 4 * 1024;

impl WireState {
    /// Returns `true` if writing has failed, so that nothing more can be sent.
    pub(crate) fn has_write_failed(&self) -> bool {
        self.write_failed.load(Ordering::Relaxed)
    }

    /// Starts new counts of written and read bytes, for the next request. If `keeps` is `true`, the bytes of the request are kept.
    pub(crate) fn reset_counts(&self, keeps: bool) {
        self.written.store(false, Ordering::Relaxed);
        self.received.store(0, Ordering::Relaxed);
        self.read.store(0, Ordering::Relaxed);
        self.keeps.store(keeps, Ordering::Relaxed);
        if keeps {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.accepted = 0;
            kept.is_complete = false;
            match kept.bytes.capacity() > MAX_RESERVED_SIZE {
                true => kept.bytes = Zeroizing::default(),
                false => kept.bytes.clear(),
            }
        }
    }

    /// Overwrites the bytes of the request, which isn't sent again.
    pub(crate) fn forget_request(&self) {
        if self.keeps.load(Ordering::Relaxed) {
            self.keeps.store(false, Ordering::Relaxed);
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.bytes.fill(0);
            kept.bytes.clear();
        }
    }

    /// Returns the bytes of the request above TLS, if they were kept, and no byte of a response was read.
    pub(crate) fn take_unanswered(&self) -> Option<Zeroizing<Vec<u8>>> {
        if self.received() > 0 || !self.keeps.swap(false, Ordering::Relaxed) {
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut kept.bytes))
    }

    /// Keeps the bytes of the head that were offered, because a failed write doesn't tell how many of them were written.
    fn keep(&self, offered: &[io::IoSlice<'_>], accepted: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_complete {
            return;
        }
        let before = kept.accepted;
        kept.bytes.truncate(before);
        for slice in offered {
            let part = head_in(slice);
            let room = MAX_KEPT_SIZE.saturating_sub(kept.bytes.len());
            let part = part.get(..room).unwrap_or(part);
            let size = kept.bytes.len() + part.len();
            if kept.bytes.capacity() < size {
                // A buffer that grows would leave its old memory behind, with secrets. The old buffer is overwritten when it's dropped.
                let mut larger = Zeroizing::new(Vec::with_capacity(size));
                larger.extend_from_slice(&kept.bytes);
                kept.bytes = larger;
            }
            kept.bytes.extend_from_slice(part);
            if kept.bytes.ends_with(END_OF_HEAD) {
                break;
            }
        }
        kept.accepted = kept.bytes.len().min(before + accepted);
        kept.is_complete = kept.accepted == kept.bytes.len() && kept.bytes.ends_with(END_OF_HEAD);
    }

    /// Returns the number of bytes above TLS that were read since [`reset_counts`](Self::reset_counts).
    pub(crate) fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes that were read since [`reset_counts`](Self::reset_counts).
    pub(crate) fn read(&self) -> usize {
        self.read.load(Ordering::Relaxed)
    }

    /// Returns `true` if a byte was written since [`reset_counts`](Self::reset_counts).
    pub(crate) fn has_written(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }
}

/// Returns the bytes up to the end of a head, or all bytes if the head doesn't end in them.
fn head_in(bytes: &[u8]) -> &[u8] {
    // Most requests have no body.
    if bytes.ends_with(END_OF_HEAD) && bytes.len() < MAX_RESERVED_SIZE {
        return bytes;
    }
    let end = bytes
        .windows(END_OF_HEAD.len())
        .position(|part| part == END_OF_HEAD);
    let end = end.map(|at| at + END_OF_HEAD.len());
    end.and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

impl Wire {
    pub(super) fn new(raw: RawStream) -> Self {
        Self {
            raw,
            state: Arc::default(),
        }
    }

    fn poll_write_with(
        &mut self,
        write: impl FnOnce(Pin<&mut RawStream>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.state.reading_ended.load(Ordering::Relaxed) {
            return write(Pin::new(&mut self.raw));
        }
        if self.state.has_write_failed() {
            // No waker is needed for this write: reading reports the end of the connection, and wakes
            // the task.
            return Poll::Pending;
        }
        match ready!(write(Pin::new(&mut self.raw))) {
            Ok(written) => {
                self.state.written.store(true, Ordering::Relaxed);
                Poll::Ready(Ok(written))
            }
            Err(_) => {
                self.state.write_failed.store(true, Ordering::Relaxed);
                Poll::Pending
            }
        }
    }
}

impl BelowTls for Wire {
    /// Lets write errors be reported. Reading has ended, so no response can arrive any more.
    fn end_reading(&self) {
        self.state.reading_ended.store(true, Ordering::Relaxed);
    }

    fn on_read(&self, count: usize) {
        // Only this task reads, so the count needs no atomic addition.
        let received = self.state.received() + count;
        self.state.received.store(received, Ordering::Relaxed);
    }

    fn on_write(&self, bytes: &[io::IoSlice<'_>], written: &Poll<io::Result<usize>>) {
        if self.state.keeps.load(Ordering::Relaxed) {
            let accepted = match written {
                Poll::Ready(Ok(accepted)) => *accepted,
                _ => 0,
            };
            self.state.keep(bytes, accepted);
        }
    }
}

impl AsyncRead for Wire {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.raw).poll_read(cx, buffer));
        // Only this task reads, so the count needs no atomic addition.
        let count = self.state.read() + (buffer.filled().len() - before);
        self.state.read.store(count, Ordering::Relaxed);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(|raw| raw.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(|raw| match slices {
            // Most requests are a single slice, which is the head, and `write` is a cheaper system call
            // than `writev`.
            [slice] => raw.poll_write(cx, slice),
            slices => raw.poll_write_vectored(cx, slices),
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.raw.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.raw).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.raw).poll_shutdown(cx)
    }
}
