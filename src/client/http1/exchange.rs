//! A request and its response, over an HTTP/1.1 connection.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use pin_project_lite::pin_project;

use super::connection::Http1;
use super::waker::quietly;
use super::{detached, mend, resend};
use crate::body::{Following, RequestBody, UpstreamBody};
use crate::client::connect::is_certificate_refusal;
use crate::client::error::{TransportError, TransportErrorKind};

/// The failure of an exchange.
pub(crate) enum Failure {
    /// A reused connection was closed before a byte of the request was written, so the request can be
    /// sent over another connection.
    Stale(Box<Request<RequestBody>>),
    /// A reused connection ended before any byte of the response, and the request was sent with a [`Spare`]. The request
    /// can be sent again over a new connection.
    Lost {
        error: TransportError,
        request: Box<Request<RequestBody>>,
    },
    Failed(TransportError),
}

/// The content of a request that may be sent again.
pub(crate) enum Spare {
    Empty,
    Buffered(Box<RequestBody>),
}

impl Spare {
    /// Returns the content, if it's empty or in memory.
    pub(crate) fn from_body(body: &RequestBody) -> Option<Self> {
        if body.is_end_stream() {
            return Some(Self::Empty);
        }
        Some(Self::Buffered(Box::new(body.spare()?)))
    }

    fn into_body(self) -> RequestBody {
        match self {
            Self::Empty => RequestBody::empty(),
            Self::Buffered(body) => *body,
        }
    }
}

pin_project! {
    /// Waits for the head of the response.
    struct Exchange<F> {
        // `None` once the head has been received.
        connection: Option<Box<Http1>>,
        #[pin]
        answer: F,
        upload: Option<Following>,
        spare: Option<Spare>,
        is_head: bool,
        // Reads a response that hyper doesn't accept.
        mending: Option<Mending>,
    }
}

type Mending = Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send>>;

impl Http1 {
    /// Sends the request, and returns the response as soon as its head has been received. If there is a `spare`, the request comes back
    /// when the connection ends before the response. Dropping the future, or the response's body before its end, closes the
    /// connection.
    #[inline(always)] // Without it, the request would be copied twice more.
    pub(crate) fn exchange(
        mut self: Box<Self>,
        request: Request<RequestBody>,
        spare: Option<Spare>,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, Failure>> + Send {
        let upload = request.body().following();
        let is_head = request.method() == Method::HEAD;
        let answer = self.queue(request, spare.is_some());
        // This isn't an async block, because an async block would store its arguments twice.
        Exchange {
            connection: Some(self),
            answer,
            upload,
            spare,
            is_head,
            mending: None,
        }
    }

    pub(super) fn into_response(
        mut self: Box<Self>,
        response: Response<Incoming>,
        upload: Option<Following>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        self.on_head(response.headers());
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
            let body = quietly(|| UpstreamBody::read(body));
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
        if let Some(mending) = this.mending {
            return mending.as_mut().poll(cx).map_err(Failure::Failed);
        }
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
        let Some(mut connection) = this.connection.take() else {
            return Poll::Pending;
        };
        let error = match answered {
            Ok(response) => {
                return Poll::Ready(connection.into_response(response, this.upload.take()));
            }
            Err(error) => error,
        };
        connection.on_refusal(error.error());
        let has_ended = this.upload.as_ref().is_none_or(Following::has_ended);
        if error.error().is_parse() && error.message().is_none() && has_ended {
            if let Some(broken) = connection.take_broken(error.error()) {
                let error = sent_error(error.into_error());
                let mending = mend::receive(connection, broken, *this.is_head, error);
                let mending = this.mending.insert(Box::pin(mending));
                return mending.as_mut().poll(cx).map_err(Failure::Failed);
            }
        }
        Poll::Ready(Err(connection.failure(error, this.spare.take())))
    }
}

impl Http1 {
    fn failure(
        &self,
        mut error: TrySendError<Request<RequestBody>>,
        spare: Option<Spare>,
    ) -> Failure {
        match error.take_message() {
            // If hyper returns the request, no byte of it was written, and the written bytes were only the TLS alert of a
            // closed connection.
            Some(request) if self.is_reused() => return Failure::Stale(Box::new(request)),
            Some(_) => return Failure::Failed(unsent_error(error.into_error())),
            None => {}
        }
        let error = match self.has_written() {
            true => sent_error(error.into_error()),
            false => unsent_error(error.into_error()),
        };
        if matches!(
            error.kind(),
            TransportErrorKind::ResponseIncomplete | TransportErrorKind::Unsent
        ) {
            let sent = spare.and_then(|spare| Some((self.take_unanswered()?, spare)));
            let request = sent.and_then(|(head, spare)| resend::parse(&head, spare.into_body()));
            if let Some(request) = request {
                let request = Box::new(request);
                return Failure::Lost { error, request };
            }
        }
        Failure::Failed(error)
    }
}

/// Returns the error for a request of which no byte was written, so that the upstream can't have acted on it.
fn unsent_error(error: hyper::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Unsent, error)
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
