//! One request and its response over one connection.

use std::future::{Future as _, poll_fn};
use std::pin::pin;

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;

use super::connection::Http1;
use super::rest;
use crate::body::{Drive as _, RequestBody, UpstreamBody};
use crate::client::error::{TransportError, TransportErrorKind};

/// Why there is no response.
pub(in crate::client) enum Failure {
    /// The connection gave the request back, and not a byte of it was written. It had been used
    /// before, so that another may do better (FORWARDING K1).
    Stale(Request<RequestBody>),
    Failed(TransportError),
}

impl Http1 {
    /// The response, as soon as its head is there. Dropping the future, or the response's body
    /// before its end, closes the connection.
    pub(in crate::client) async fn exchange(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let is_reused = self.is_reused();
        let upload = request.body().following();
        let mut answer = pin!(self.queue(request));
        let answered = poll_fn(|cx| self.poll_until(cx, |cx| answer.as_mut().poll(cx))).await;
        let response = answered.map_err(|error| match self.has_written() {
            true => Failure::Failed(of_sent(error.into_error())),
            false => of_unsent(error, is_reused),
        })?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::Failed(TransportErrorKind::UpgradeFailed.into()));
        }
        let is_uploading = upload.as_ref().is_some_and(|upload| !upload.has_ended());
        Ok(response.map(|body| {
            if is_uploading && !self.is_half_closed() {
                rest::drive(self, upload);
                return UpstreamBody::new(body);
            }
            self.attach(body)
        }))
    }

    /// The response's body, and with it the connection, if it isn't already free.
    fn attach(self: Box<Self>, body: Incoming) -> UpstreamBody {
        match self.give_back() {
            Ok(()) => UpstreamBody::new(body),
            Err(busy) if body.is_end_stream() => {
                busy.finish();
                UpstreamBody::new(body)
            }
            Err(busy) => UpstreamBody::driven(body, busy),
        }
    }
}

/// Not a byte was written, so the vendor can't have acted on the request.
fn of_unsent(mut error: TrySendError<Request<RequestBody>>, is_reused: bool) -> Failure {
    match error.take_message() {
        Some(request) if is_reused => Failure::Stale(request),
        _ => {
            let error = error.into_error();
            Failure::Failed(TransportError::new(TransportErrorKind::Unsent, error))
        }
    }
}

fn of_sent(error: hyper::Error) -> TransportError {
    let kind = if error.is_parse() {
        TransportErrorKind::HttpProtocol
    } else {
        TransportErrorKind::ResponseIncomplete
    };
    TransportError::new(kind, error)
}
