//! A request to switch protocols, over a connection that no other call uses.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;

use super::connection::{Settings, is_flooded};
use super::exchange::sent_error;
use crate::body::{Drive, RequestBody, UpstreamBody};
use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection for a single request. The connection is closed when the response has been read or dropped.
struct DedicatedConnection {
    /// `None` once the connection has ended.
    connection: Option<Connection>,
    /// hyper closes the connection when the sender is dropped.
    _sender: SendRequest<RequestBody>,
}

impl DedicatedConnection {
    fn poll_io(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection {
            // hyper reports the error to the call or to the body as well.
            if connection.as_mut().poll(cx).is_ready() {
                self.connection = None;
            }
        }
    }
}

/// Sends a request to switch protocols. After a 101 response, the response's extensions contain the
/// upstream's side of the tunnel, in the form of hyper's `OnUpgrade`, which is ready at once.
pub(crate) async fn switch(
    stream: Stream,
    settings: &Settings,
    request: Request<RequestBody>,
) -> Result<Response<UpstreamBody>, TransportError> {
    let unsent = |error| TransportError::new(TransportErrorKind::Unsent, error);
    let wire = stream.wire_state();
    wire.reset_counts(false);
    let shaken = settings
        .for_large_heads()
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = shaken.map_err(unsent)?;
    let mut answer = pin!(sender.send_request(request));
    let mut connection: Connection = Box::pin(connection.with_upgrades());
    let mut has_ended = false;
    let answered = poll_fn(|cx| {
        // An upstream that sends interim responses without end is left alone, until the timeout ends the call.
        if !has_ended && !is_flooded(&wire) {
            has_ended = connection.as_mut().poll(cx).is_ready();
        }
        answer.as_mut().poll(cx)
    });
    let response = answered.await.map_err(sent_error)?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if !has_ended {
            // The connection ends by handing its socket over to `OnUpgrade`.
            let _ = connection.await;
        }
        return Ok(response.map(|_| UpstreamBody::empty()));
    }
    let connection = DedicatedConnection {
        connection: (!has_ended).then_some(connection),
        _sender: sender,
    };
    Ok(response.map(|body| UpstreamBody::driven(body, Box::new(connection))))
}

impl Drive for DedicatedConnection {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.poll_io(cx);
        Pin::new(body).poll_frame(cx)
    }

    fn finish(self: Box<Self>) {}
}
