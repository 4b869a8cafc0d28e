//! A request that asks the vendor to switch protocols, over a connection that nobody else uses
//! (FORWARDING U2).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;

use super::connection::Settings;
use super::exchange::of_sent;
use crate::body::{Drive, RequestBody, UpstreamBody};
use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection for one request. It's closed when the response has been read, or dropped.
struct Lone {
    /// None once it has ended, or what's left of it is the tunnel's.
    connection: Option<Connection>,
    /// Without it hyper would close the connection.
    _sender: SendRequest<RequestBody>,
}

impl Lone {
    fn poll_io(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection {
            // Why it ended is told to the call or to the body.
            if connection.as_mut().poll(cx).is_ready() {
                self.connection = None;
            }
        }
    }
}

/// Sends a request that asks to switch. After a 101 the vendor's side is in the response's
/// extensions, as hyper's `OnUpgrade`, and it's there at once.
pub(in crate::client) async fn switch(
    stream: Stream,
    settings: &Settings,
    request: Request<RequestBody>,
) -> Result<Response<UpstreamBody>, TransportError> {
    let unsent = |error| TransportError::new(TransportErrorKind::Unsent, error);
    let shaken = settings.builder().handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(unsent)?;
    let mut answer = pin!(sender.send_request(request));
    let mut connection: Connection = Box::pin(connection.with_upgrades());
    let mut is_over = false;
    let answered = poll_fn(|cx| {
        if !is_over {
            is_over = connection.as_mut().poll(cx).is_ready();
        }
        answer.as_mut().poll(cx)
    });
    let response = answered.await.map_err(of_sent)?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if !is_over {
            // It hands its socket over, and that is its end.
            let _ = connection.await;
        }
        return Ok(response.map(|_| UpstreamBody::empty()));
    }
    let lone = Lone {
        connection: (!is_over).then_some(connection),
        _sender: sender,
    };
    Ok(response.map(|body| UpstreamBody::driven(body, Box::new(lone))))
}

impl Drive for Lone {
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
