//! The transport over HTTP/1.1 and HTTP/2: hyper-util's pooled client behind our own connector.

use std::fmt;

use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};

use super::builder::HttpTransportBuilder;
use super::connector::Connector;
use super::error::{TransportError, TransportErrorKind};
use super::transport::Transport;
use crate::body::{RequestBody, UpstreamBody};
use crate::policy::{Destination, Scheme};

/// Sends requests over pooled connections, HTTP/1.1 or HTTP/2 as TLS agrees on (ALPN).
///
/// Each address is judged by a [`NetworkPolicy`](crate::NetworkPolicy) on each new connection.
/// Redirects aren't followed, nothing is decompressed, no proxy is read from the environment. What
/// is resent without being asked: a request that a kept connection gave back unwritten. Cloning is
/// cheap, and clones share one pool.
#[derive(Clone)]
pub struct HttpTransport {
    pub(super) client: Client<Connector, RequestBody>,
    pub(super) plaintext: bool,
}

impl HttpTransport {
    /// A transport to be set up.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::new()
    }
}

impl Default for HttpTransport {
    /// The public internet alone, TLS alone, with the bundled roots.
    fn default() -> Self {
        HttpTransportBuilder::new().build_or_fail_later()
    }
}

impl Transport for HttpTransport {
    async fn send(
        &self,
        mut request: Request<RequestBody>,
        to: &Destination,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        if to.scheme() == Scheme::Http && !self.plaintext {
            return Err(TransportErrorKind::PlaintextProhibited.into());
        }
        // Whatever the request says, it goes where the policy's judgement went.
        let target = std::mem::take(request.uri_mut())
            .into_parts()
            .path_and_query;
        let target = target.unwrap_or(PathAndQuery::from_static("/"));
        let unsendable = |error| TransportError::new(TransportErrorKind::Unsent, error);
        *request.uri_mut() = to.uri(target).map_err(unsendable)?;
        let response = self.client.request(request).await.map_err(classify)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(TransportErrorKind::UpgradeFailed.into());
        }
        let version = response.version();
        Ok(response.map(|body| upstream_body(body, version)))
    }
}

#[cfg(feature = "http2")]
fn upstream_body(body: Incoming, version: Version) -> UpstreamBody {
    if version == Version::HTTP_2 {
        UpstreamBody::of_stream(body)
    } else {
        UpstreamBody::new(body)
    }
}

#[cfg(not(feature = "http2"))]
fn upstream_body(body: Incoming, _: Version) -> UpstreamBody {
    UpstreamBody::new(body)
}

fn classify(error: legacy::Error) -> TransportError {
    let kind = causes(&error)
        .find_map(|cause| {
            cause
                .downcast_ref::<TransportError>()
                .map(TransportError::kind)
        })
        .or_else(|| {
            error
                .is_connect()
                .then_some(TransportErrorKind::ConnectionFailed)
        })
        .or_else(|| {
            causes(&error).find_map(|cause| cause.downcast_ref::<hyper::Error>().map(of_hyper))
        })
        .unwrap_or(TransportErrorKind::ResponseIncomplete);
    TransportError::new(kind, error)
}

fn of_hyper(error: &hyper::Error) -> TransportErrorKind {
    if error.is_parse() {
        TransportErrorKind::HttpProtocol
    } else if error.is_canceled() || error.is_closed() {
        // hyper hands back what it hasn't begun to write.
        TransportErrorKind::Unsent
    } else {
        TransportErrorKind::ResponseIncomplete
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}
