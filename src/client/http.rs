//! The transport over HTTP/1.1 and HTTP/2.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};

use super::builder::HttpTransportBuilder;
use super::error::{TransportError, TransportErrorKind};
use super::pool::{Key, Lease, Pool};
use super::transport::Transport;
use super::{http1, http2};
use crate::body::{RequestBody, UpstreamBody};
use crate::policy::{Destination, Scheme};

/// How often a request is sent anew that the vendor refused without having looked at it.
const REFUSALS: u32 = 2;

/// Sends requests over pooled connections, HTTP/1.1 or HTTP/2 as TLS agrees on (ALPN).
///
/// Each address is judged by a [`NetworkPolicy`](crate::NetworkPolicy) on each new connection.
/// Redirects aren't followed, nothing is decompressed, no proxy is read from the environment. What
/// is resent without being asked: a request that a kept connection gave back unwritten, or of which
/// the vendor says that it hasn't looked at it (RFC 9113 §8.7). Cloning is one increment, and clones
/// share one pool.
#[derive(Clone)]
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    pool: Pool,
    plaintext: bool,
    /// Whether each connection id has connections of its own.
    keeps_apart: bool,
}

impl HttpTransport {
    pub(super) fn new(pool: Pool, plaintext: bool, keeps_apart: bool) -> Self {
        Self(Arc::new(Inner {
            pool,
            plaintext,
            keeps_apart,
        }))
    }

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
    // Not an async function: it would hold the request twice.
    fn send(
        &self,
        mut request: Request<RequestBody>,
        to: &Destination,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send {
        // Whatever the request says, it goes where the policy's judgement went.
        *request.uri_mut() = Uri::from(target(&mut request));
        async move {
            let Inner { pool, .. } = &*self.0;
            if to.scheme() == Scheme::Http && !self.0.plaintext {
                return Err(TransportErrorKind::PlaintextProhibited.into());
            }
            let host = pool.host(Key::of(to, self.0.keeps_apart));
            let mut refusals = 0;
            loop {
                to.waits(true);
                let lease = host.acquire(pool.shared(), to.connection()).await?;
                to.waits(false);
                match lease {
                    Lease::Http1(connection) => {
                        *request.uri_mut() = Uri::from(target(&mut request));
                        request.headers_mut().insert(HOST, host.authority());
                        match connection.exchange(request).await {
                            Ok(response) => return Ok(response),
                            Err(http1::Failure::Stale(unsent)) => request = *unsent,
                            Err(http1::Failure::Failed(error)) => return Err(error),
                        }
                    }
                    Lease::Http2(connection, stream) => {
                        *request.uri_mut() = absolute(to, target(&mut request))?;
                        request.headers_mut().remove(HOST);
                        let spare = again(&request);
                        let id = stream.connection();
                        // Boxed, or it would make the future of each call over HTTP/1.1 larger.
                        match Box::pin(connection.exchange(request, stream)).await {
                            Ok(response) => return Ok(response),
                            Err(http2::Failure::Stale(unsent)) => {
                                // A vendor that hangs up on each connection isn't called for ever.
                                refusals += 1;
                                if refusals > REFUSALS {
                                    return Err(TransportErrorKind::Unsent.into());
                                }
                                request = *unsent;
                            }
                            Err(http2::Failure::Refused { error, is_busy }) => {
                                if is_busy {
                                    host.is_called_too_much(id);
                                }
                                refusals += 1;
                                let spare = spare.filter(|_| refusals <= REFUSALS);
                                request = *spare.ok_or(error)?;
                                request.body().restart();
                            }
                            Err(http2::Failure::Failed(error)) => return Err(error),
                        }
                    }
                }
            }
        }
    }
}

/// Takes path and query out of a request. Cloned, they would become memory that is shared, at the
/// price of an allocation.
fn target(request: &mut Request<RequestBody>) -> PathAndQuery {
    let target = std::mem::take(request.uri_mut())
        .into_parts()
        .path_and_query;
    target.unwrap_or(PathAndQuery::from_static("/"))
}

fn absolute(to: &Destination, target: PathAndQuery) -> Result<Uri, TransportError> {
    to.uri(target)
        .map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))
}

/// The same request once more, if its body is empty or kept.
fn again(request: &Request<RequestBody>) -> Option<Box<Request<RequestBody>>> {
    let mut spare = Request::new(request.body().spare()?);
    *spare.method_mut() = request.method().clone();
    *spare.uri_mut() = request.uri().clone();
    *spare.headers_mut() = request.headers().clone();
    Some(Box::new(spare))
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}
