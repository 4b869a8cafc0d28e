//! The application's own transport, around another transport.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use tower_passthrough::Transport;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{Dispatch, TransportError, TransportErrorKind};

/// Counts the requests that it sends, and sends nothing in plaintext.
#[derive(Debug)]
pub struct Counting<T> {
    inner: T,
    sent: AtomicUsize,
}

impl<T> Counting<T> {
    /// Returns the transport around `inner`.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            sent: AtomicUsize::new(0),
        }
    }

    /// Returns how many requests have been sent.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl<T: Transport> Transport for Counting<T> {
    async fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        if request.uri().scheme_str() == Some("http") {
            return Err(TransportErrorKind::PlaintextProhibited.into());
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.send(request, to).await
    }

    fn presents_client_certificates(&self) -> bool {
        self.inner.presents_client_certificates()
    }
}
