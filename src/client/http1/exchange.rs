//! A request and its response, over an HTTP/1.1 connection.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use pin_project_lite::pin_project;

use super::connection::Http1;
use super::detached;
use crate::body::{Following, RequestBody, UpstreamBody};
use crate::client::connect::is_certificate_refusal;
use crate::client::error::{TransportError, TransportErrorKind};

/// The failure of an exchange.
pub(crate) enum Failure {
    /// A reused connection was closed before a byte of the request was written, so the request can be
    /// sent over another connection.
    Stale(Box<Request<RequestBody>>),
    Failed(TransportError),
}

pin_project! {
    /// Waits for the head of the response.
    struct Exchange<F> {
        // `None` once the head has been received.
        connection: Option<Box<Http1>>,
        #[pin]
        answer: F,
        upload: Option<Following>,
    }
}

impl Http1 {
    /// Sends the request, and returns the response as soon as its head has been received. Dropping the
    /// future, or the response's body before its end, closes the connection.
    pub(crate) fn exchange(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, Failure>> + Send {
        let upload = request.body().following();
        let answer = self.queue(request);
        // This isn't an async block, because an async block would store its arguments twice.
        Exchange {
            connection: Some(self),
            answer,
            upload,
        }
    }

    fn into_response(
        self: Box<Self>,
        response: Response<Incoming>,
        upload: Option<Following>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::Failed(TransportErrorKind::UpgradeFailed.into()));
        }
        let is_uploading = upload.as_ref().is_some_and(|upload| !upload.has_ended());
        Ok(response.map(|body| {
            if is_uploading && !self.is_half_closed() {
                return detached::continue_upload(self, upload, body);
            }
            self.into_body(body)
        }))
    }

    /// Returns the response's body, which keeps the connection if there is more to read.
    fn into_body(self: Box<Self>, body: Incoming) -> UpstreamBody {
        if body.is_end_stream() {
            self.release();
            return UpstreamBody::new(body);
        }
        if self.is_free() {
            let body = UpstreamBody::read(body);
            self.release();
            return body;
        }
        UpstreamBody::driven(body, self)
    }
}

impl<F> Future for Exchange<F>
where
    F: Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>>,
{
    type Output = Result<Response<UpstreamBody>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(connection) = this.connection else {
            return Poll::Pending;
        };
        let answered = connection.poll_until(cx, |cx| this.answer.as_mut().poll(cx));
        if answered.is_pending() && connection.is_flooded() {
            // The upstream gets no more of this machine's time. There is no head of a response, so the timeout ends the call.
            *this.connection = None;
            return Poll::Pending;
        }
        let answered = ready!(answered);
        let Some(connection) = this.connection.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match answered {
            Ok(response) => connection.into_response(response, this.upload.take()),
            // If hyper returns the request, no byte of it was written, and the written bytes were
            // only the TLS alert of a closed connection.
            Err(error) if error.message().is_none() && connection.has_written() => {
                Err(Failure::Failed(sent_error(error.into_error())))
            }
            Err(error) => Err(unsent_failure(error, connection.is_reused())),
        })
    }
}

/// Returns the failure for a request of which no byte was written, so that the upstream can't have
/// acted on it.
fn unsent_failure(mut error: TrySendError<Request<RequestBody>>, is_reused: bool) -> Failure {
    match error.take_message() {
        Some(request) if is_reused => Failure::Stale(Box::new(request)),
        _ => {
            let error = error.into_error();
            Failure::Failed(TransportError::new(TransportErrorKind::Unsent, error))
        }
    }
}

/// Returns the error for a request on which the upstream may have acted.
pub(super) fn sent_error(error: hyper::Error) -> TransportError {
    let io = error.source().and_then(|source| source.downcast_ref());
    let kind = if error.is_parse() {
        TransportErrorKind::HttpProtocol
    } else if io.is_some_and(is_certificate_refusal) {
        TransportErrorKind::ClientCertificate
    } else {
        TransportErrorKind::ResponseIncomplete
    };
    TransportError::new(kind, error)
}
