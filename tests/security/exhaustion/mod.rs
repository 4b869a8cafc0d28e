//! Resources that may be used up.

mod held;
mod http2;
mod identities;
mod limits;
mod parsers;
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use tower_passthrough::Transport;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::TransportError;

/// Answers without a network.
struct Void(Arc<AtomicUsize>);

impl Transport for Void {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(UpstreamBody::new(request.into_body())))
    }
}
