//! One request and its response, on one stream.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use h2::Reason;
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use tokio::sync::oneshot;

use super::Permit;
use super::body::ResponseBody;
use super::connection::Http2;
use super::upload::{End, Upload};
use crate::body::{RequestBody, UpstreamBody};
use crate::client::connect::refuses_client;
use crate::client::error::{TransportError, TransportErrorKind};

/// Why there is no response.
pub(in crate::client) enum Failure {
    /// The connection takes no new streams, and the request wasn't sent.
    Stale(Box<Request<RequestBody>>),
    /// The vendor says that it hasn't looked at the request: REFUSED_STREAM, or GOAWAY with a last
    /// stream below this one (RFC 9113 §8.7).
    Refused {
        error: TransportError,
        /// It said that it's called too much (ENHANCE_YOUR_CALM).
        is_busy: bool,
    },
    Failed(TransportError),
}

impl Http2 {
    /// The response, as soon as its head is there. Dropping the future, or the response's body
    /// before its end, resets the stream.
    pub(in crate::client) async fn exchange(
        mut self,
        request: Request<RequestBody>,
        permit: Permit,
    ) -> Result<Response<UpstreamBody>, Failure> {
        if self.look().is_err() {
            return Err(Failure::Stale(Box::new(request)));
        }
        let (mut head, body) = request.into_parts();
        let following = body.following();
        head.version = Version::HTTP_2;
        frame(&head.method, &mut head.headers, &body);
        let is_whole = body.is_end_stream();
        let (mut response, stream) = self
            .sender
            .send_request(Request::from_parts(head, ()), is_whole)
            .map_err(|error| {
                Failure::Failed(TransportError::new(TransportErrorKind::Unsent, error))
            })?;
        let mut upload = (!is_whole).then(|| Upload::new(body, stream));
        let response = poll_fn(|cx| {
            if let Some(Poll::Ready(end)) = upload.as_mut().map(|upload| upload.poll(cx)) {
                upload = None;
                if end == End::Caller {
                    return Poll::Ready(Err(None));
                }
            }
            Pin::new(&mut response).poll(cx).map_err(Some)
        })
        .await;
        let response = response.map_err(failure)?;
        let length = length(response.headers());
        Ok(response.map(|stream| {
            let told = upload.map(|upload| {
                let (tell, told) = oneshot::channel();
                upload.outlive(following, told, Permit::clone(&permit));
                tell
            });
            UpstreamBody::new(ResponseBody::new(stream, length, told, permit))
        }))
    }
}

/// `None`: the caller's body broke off, and the stream was reset.
fn failure(error: Option<h2::Error>) -> Failure {
    let Some(error) = error else {
        return Failure::Failed(TransportErrorKind::ResponseIncomplete.into());
    };
    let is_refused = error.is_remote()
        && (error.is_go_away()
            || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)));
    if is_refused {
        return Failure::Refused {
            is_busy: error.reason() == Some(Reason::ENHANCE_YOUR_CALM),
            error: TransportError::new(TransportErrorKind::Unsent, error),
        };
    }
    // What h2 itself takes offence at is no HTTP.
    let kind = if error.is_library() {
        TransportErrorKind::HttpProtocol
    } else if error.get_io().is_some_and(refuses_client) {
        TransportErrorKind::ClientCertificate
    } else {
        TransportErrorKind::ResponseIncomplete
    };
    Failure::Failed(TransportError::new(kind, error))
}

/// Frames the request as HTTP/2 does: by its stream, and a length where there is one (RFC 9113
/// §8.1.1).
fn frame(method: &Method, fields: &mut HeaderMap, body: &RequestBody) {
    fields.remove(TRANSFER_ENCODING);
    let Some(length) = body.size_hint().exact() else {
        return;
    };
    let has_meaning = length > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    if has_meaning && !fields.contains_key(CONTENT_LENGTH) {
        // A full map keeps its fields, and the stream frames the body.
        let _ = fields.try_insert(CONTENT_LENGTH, length.into());
    }
}

fn length(fields: &HeaderMap) -> Option<u64> {
    let mut lines = fields.get_all(CONTENT_LENGTH).into_iter();
    let length = lines.next()?.to_str().ok()?.parse().ok()?;
    lines.next().is_none().then_some(length)
}
