//! A connection, in clear or over TLS: to a vendor, or to the proxy that leads there.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::{Below, Wire, WireState};

pub(in crate::client) enum Stream<S = Wire> {
    Plain(S),
    #[cfg(feature = "rustls")]
    Tls(Box<tokio_rustls::client::TlsStream<S>>),
}

impl Stream {
    /// What happens below TLS.
    pub(in crate::client) fn wire(&self) -> Arc<WireState> {
        match self {
            Self::Plain(wire) => wire.state(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0.state(),
        }
    }

    /// Whether it's without TLS.
    pub(in crate::client) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Whether HTTP/2 was agreed on (ALPN).
    pub(in crate::client) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl<S> Stream<S> {
    fn below(&self) -> &S {
        match self {
            Self::Plain(below) => below,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// Calls the same method of whichever stream it is.
macro_rules! each {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Plain($inner) => $call,
            #[cfg(feature = "rustls")]
            Stream::Tls($inner) => $call,
        }
    };
}

impl<S: AsyncRead + AsyncWrite + Below + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = self.get_mut();
        let read =
            std::task::ready!(each!(&mut *this, inner => Pin::new(inner).poll_read(cx, buffer)));
        if read.is_err() || (buffer.filled().len() == before && buffer.remaining() > 0) {
            this.below().is_over();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Below + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), inner => Pin::new(inner).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), inner => Pin::new(inner).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, inner => inner.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.below().is_over();
        each!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(cx))
    }
}
