//! A request and its response, on an HTTP/2 stream.

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
use crate::client::connect::is_certificate_refusal;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::grpc;
use crate::rewrite::says_its_length;

/// The failure of an exchange.
pub(crate) enum Failure {
    /// The connection accepts no new streams, so the request wasn't sent.
    Stale(Box<Request<RequestBody>>),
    /// The upstream hasn't processed the request, because it answered with REFUSED_STREAM, or with
    /// GOAWAY and a lower last stream (RFC 9113 §8.7).
    Refused {
        error: TransportError,
        /// The upstream complained about too many calls (ENHANCE_YOUR_CALM).
        is_busy: bool,
    },
    /// The upstream accepts the request only over HTTP/1.1, and hasn't processed it (HTTP_1_1_REQUIRED, RFC 9113 §7).
    Http1Required(TransportError),
    /// A connection that had served other requests ended before any frame of the response.
    Lost(TransportError),
    Failed(TransportError),
}

impl Http2 {
    /// Sends the request, and returns the response as soon as its head has been received. Dropping the
    /// future, or the response's body before its end, resets the stream.
    pub(crate) async fn exchange(
        mut self,
        request: Request<RequestBody>,
        permit: Permit,
    ) -> Result<Response<UpstreamBody>, Failure> {
        if self.check_open().is_err() {
            permit.complete();
            return Err(Failure::Stale(Box::new(request)));
        }
        let (mut head, body) = request.into_parts();
        let following = body.following();
        head.version = Version::HTTP_2;
        set_framing(&head.method, &mut head.headers, &body);
        let has_no_body = body.is_end_stream();
        let is_grpc = !has_no_body && grpc::is_grpc(&head.headers);
        let (mut response, stream) = self
            .sender
            .send_request(Request::from_parts(head, ()), has_no_body)
            .map_err(|error| {
                permit.complete();
                Failure::Failed(TransportError::new(TransportErrorKind::Unsent, error))
            })?;
        let id = response.stream_id().as_u32();
        let registered = self.inboxes.add(id);
        let mut upload = (!has_no_body).then(|| {
            let small_frames = registered.small_frames();
            Upload::new(body, stream, small_frames, &permit, is_grpc)
        });
        let mut interim = 0;
        let answered = poll_fn(|cx| {
            if let Some(Poll::Ready(end)) = upload.as_mut().map(|upload| upload.poll(cx)) {
                upload = None;
                if end == End::Caller {
                    return Poll::Ready(Err(Fault::Caller));
                }
            }
            while let Poll::Ready(Some(Ok(_))) = response.poll_informational(cx) {
                interim += 1;
                if interim > MAX_INTERIM_RESPONSES {
                    return Poll::Ready(Err(Fault::Flood));
                }
            }
            Pin::new(&mut response).poll(cx).map_err(Fault::H2)
        })
        .await;
        let response = match answered {
            Ok(response) => response,
            Err(Fault::Flood) => {
                // The stream is reset. There is no head of a response, so the timeout ends the call.
                drop((response, registered, upload, permit));
                return std::future::pending().await;
            }
            Err(Fault::Caller) => {
                return Err(Failure::Failed(
                    TransportErrorKind::ResponseIncomplete.into(),
                ));
            }
            Err(Fault::H2(error)) => {
                permit.complete();
                let is_lost = id > FIRST_STREAM && interim == 0 && error.is_io();
                return Err(match failure(error) {
                    Failure::Failed(error)
                        if is_lost && error.kind() == TransportErrorKind::ResponseIncomplete =>
                    {
                        Failure::Lost(error)
                    }
                    failure => failure,
                });
            }
        };
        let length = content_length(response.headers());
        Ok(response.map(|stream| {
            let upload = upload.map(|upload| {
                let (sender, response) = oneshot::channel();
                upload.detach(following, response);
                sender
            });
            let is_end = stream.is_end_stream();
            registered.inbox().set_stream(stream);
            UpstreamBody::new(ResponseBody::new(
                registered, is_end, length, upload, permit,
            ))
        }))
    }
}

/// The maximum number of interim responses (1xx, RFC 9110 §15.2) before a response.
const MAX_INTERIM_RESPONSES: usize = 256;

/// The id of the first stream of a connection (RFC 9113 §5.1.1).
const FIRST_STREAM: u32 = 1;

/// The reason why there is no response.
enum Fault {
    H2(h2::Error),
    /// The caller's body ended early, and the stream was reset.
    Caller,
    /// The upstream sends interim responses without end.
    Flood,
}

/// Returns the failure for an error of h2.
fn failure(error: h2::Error) -> Failure {
    if error.is_remote() && error.reason() == Some(Reason::HTTP_1_1_REQUIRED) {
        return Failure::Http1Required(TransportError::new(TransportErrorKind::Unsent, error));
    }
    let is_refused = error.is_remote()
        && (error.is_go_away()
            || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)));
    if is_refused {
        return Failure::Refused {
            is_busy: error.reason() == Some(Reason::ENHANCE_YOUR_CALM),
            error: TransportError::new(TransportErrorKind::Unsent, error),
        };
    }
    // h2 reports bytes that aren't valid HTTP/2 as its own error.
    let kind = if error.is_library() {
        TransportErrorKind::HttpProtocol
    } else if error.get_io().is_some_and(is_certificate_refusal) {
        TransportErrorKind::ClientCertificate
    } else {
        TransportErrorKind::ResponseIncomplete
    };
    Failure::Failed(TransportError::new(kind, error))
}

/// Replaces the framing of HTTP/1.1 by the framing of HTTP/2: the stream, and `Content-Length` if the
/// length is known (RFC 9113 §8.1.1).
fn set_framing(method: &Method, fields: &mut HeaderMap, body: &RequestBody) {
    fields.remove(TRANSFER_ENCODING);
    let Some(length) = body.size_hint().exact() else {
        return;
    };
    let has_meaning = length > 0 || says_its_length(method);
    if has_meaning && !fields.contains_key(CONTENT_LENGTH) {
        // Inserting fails if the map is full. Then only the stream frames the body.
        let _ = fields.try_insert(CONTENT_LENGTH, length.into());
    }
}

/// Returns the value of `Content-Length`, if the response has exactly one such field.
fn content_length(fields: &HeaderMap) -> Option<u64> {
    let mut lines = fields.get_all(CONTENT_LENGTH).into_iter();
    let length = lines.next()?.to_str().ok()?.parse().ok()?;
    lines.next().is_none().then_some(length)
}
