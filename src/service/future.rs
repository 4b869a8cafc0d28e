//! The futures of the services. Dropping a future cancels the upstream's request.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::pipeline::{CallFuture, ResponseBody};

/// The future of the response of a [`PassthroughService`](crate::PassthroughService). Dropping it cancels the upstream's request.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(CallFuture);

impl ResponseFuture {
    pub(super) const fn new(call: CallFuture) -> Self {
        Self(call)
    }

    fn poll_response<B>(&mut self, cx: &mut Context<'_>) -> Poll<Response<ResponseBody<B>>> {
        let response = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(response.map(ResponseBody::own))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_response(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of the response of a [`Passthrough`](super::Passthrough). Dropping it cancels the upstream's request.
    #[must_use = "futures do nothing unless polled"]
    pub struct PassthroughFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<F> {
        Own { own: ResponseFuture },
        Inner { #[pin] inner: F },
    }
}

impl<F> PassthroughFuture<F> {
    pub(super) fn own(own: ResponseFuture) -> Self {
        Self {
            kind: Kind::Own { own },
        }
    }

    pub(super) fn inner(inner: F) -> Self {
        Self {
            kind: Kind::Inner { inner },
        }
    }
}

impl<F, B, E> Future for PassthroughFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Own { own } => own.poll_response(cx).map(Ok),
            KindProj::Inner { inner } => inner
                .poll(cx)
                .map_ok(|response| response.map(ResponseBody::inner)),
        }
    }
}

impl<F> fmt::Debug for PassthroughFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughFuture").finish_non_exhaustive()
    }
}
