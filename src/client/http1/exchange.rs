//! One request and its response over one connection.

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
use super::rest;
use crate::body::{Following, RequestBody, UpstreamBody};
use crate::client::connect::refuses_client;
use crate::client::error::{TransportError, TransportErrorKind};

/// Why there is no response.
pub(in crate::client) enum Failure {
    /// The connection gave the request back, and not a byte of it was written. It had been used
    /// before, so that another may do better (FORWARDING K1).
    Stale(Box<Request<RequestBody>>),
    Failed(TransportError),
}

pin_project! {
    /// Waits for the head of the response.
    struct Exchange<F> {
        // None once it has been there.
        connection: Option<Box<Http1>>,
        #[pin]
        answer: F,
        upload: Option<Following>,
    }
}

impl Http1 {
    /// The response, as soon as its head is there. Dropping the future, or the response's body
    /// before its end, closes the connection.
    pub(in crate::client) fn exchange(
        mut self: Box<Self>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, Failure>> + Send {
        let upload = request.body().following();
        let answer = self.queue(request);
        // By hand: an async block would hold what it's given twice.
        Exchange {
            connection: Some(self),
            answer,
            upload,
        }
    }

    fn answers(
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
                return rest::beside(self, upload, body);
            }
            self.attach(body)
        }))
    }

    /// The response's body, and with it the connection, if there is more to be read.
    fn attach(self: Box<Self>, body: Incoming) -> UpstreamBody {
        if body.is_end_stream() {
            self.gives_back();
            return UpstreamBody::new(body);
        }
        if self.is_free() {
            let body = UpstreamBody::read(body);
            self.gives_back();
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
        let answered = ready!(connection.poll_until(cx, |cx| this.answer.as_mut().poll(cx)));
        let Some(connection) = this.connection.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match answered {
            Ok(response) => connection.answers(response, this.upload.take()),
            // A connection that was found closed says goodbye in TLS: then bytes were written, and the
            // request is here.
            Err(error) if error.message().is_none() && connection.has_written() => {
                Err(Failure::Failed(of_sent(error.into_error())))
            }
            Err(error) => Err(of_unsent(error, connection.is_reused())),
        })
    }
}

/// Not a byte was written, so the vendor can't have acted on the request.
fn of_unsent(mut error: TrySendError<Request<RequestBody>>, is_reused: bool) -> Failure {
    match error.take_message() {
        Some(request) if is_reused => Failure::Stale(Box::new(request)),
        _ => {
            let error = error.into_error();
            Failure::Failed(TransportError::new(TransportErrorKind::Unsent, error))
        }
    }
}

pub(super) fn of_sent(error: hyper::Error) -> TransportError {
    let io = error.source().and_then(|source| source.downcast_ref());
    let kind = if error.is_parse() {
        TransportErrorKind::HttpProtocol
    } else if io.is_some_and(refuses_client) {
        TransportErrorKind::ClientCertificate
    } else {
        TransportErrorKind::ResponseIncomplete
    };
    TransportError::new(kind, error)
}
