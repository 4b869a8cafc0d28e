//! The transport over HTTP/1.1 and HTTP/2.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use http::header::UPGRADE;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};

use super::builder::HttpTransportBuilder;
use super::dispatch::Dispatch;
use super::error::{TransportError, TransportErrorKind};
use super::http2::StreamEnd as _;
use super::pool::{Key, Lease, Pool, PoolStatus};
use super::transport::Transport;
use super::{grpc, http1, http2};
use crate::body::{RequestBody, UpstreamBody};
use crate::policy::{Plaintext, Scheme};
use crate::rewrite::{has, remove_host, set_host};
use crate::upstream::HttpProtocol;

/// The maximum size of the head of a request on an HTTP/2 connection that connection keys share, in bytes. Many upstreams end the
/// connection after a larger head (ENHANCE_YOUR_CALM) instead of refusing the request.
const MAX_SHARED_HEAD_SIZE: usize = 8 * 1024;

/// The maximum number of times that a request is sent again because the upstream hasn't processed it.
const MAX_RESENDS: u32 = 2;

/// Sends requests over pooled connections, by HTTP/1.1 or HTTP/2 as TLS agrees on (ALPN).
///
/// A gRPC call (`application/grpc`, not gRPC-Web) is only sent over HTTP/2: over TLS if ALPN agrees on it,
/// without TLS with prior knowledge. If ALPN agrees on HTTP/1.1, the call fails with
/// [`Http2Unavailable`](TransportErrorKind::Http2Unavailable), and nothing is sent.
///
/// A [`NetworkPolicy`](crate::policy::NetworkPolicy) checks each address on each new connection. Redirects
/// aren't followed, nothing is decompressed, and no proxy is read from the environment. Cloning increments a reference count, and
/// clones share a pool.
///
/// A request is sent again only in these cases:
///
/// - A reused connection was closed before any byte of the request was written.
/// - The upstream reports that it hasn't processed the request (RFC 9113 §8.7), and its body is empty or in memory. After
///   HTTP_1_1_REQUIRED, the request and all later requests to this origin are sent over HTTP/1.1.
/// - A reused connection ended before any byte of the response, the method is GET, HEAD or OPTIONS, and the body is empty or in memory
///   (RFC 9110 §9.2.2). The request is sent once more, over a new connection.
#[derive(Clone)]
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    pool: Pool,
    plaintext: Plaintext,
    /// `true` if each connection key has its own network connections.
    isolates_keys: bool,
    /// `true` if field names over HTTP/1.1 are written as `Title-Case`.
    title_case: bool,
}

impl HttpTransport {
    pub(super) fn new(
        pool: Pool,
        plaintext: Plaintext,
        isolates_keys: bool,
        title_case: bool,
    ) -> Self {
        Self(Arc::new(Inner {
            pool,
            plaintext,
            isolates_keys,
            title_case,
        }))
    }

    /// Returns the key of the connections for a call. Streams of gRPC may send small messages without end, which must not wait, and which
    /// may end a connection if a handler doesn't read them. So connection keys don't share connections for gRPC.
    fn key(&self, to: &Dispatch, is_grpc: bool, needs_http2: bool) -> Key {
        let isolates_keys = self.0.isolates_keys || is_grpc;
        Key::new(to, isolates_keys, needs_http2, self.0.title_case)
    }

    /// Sends a request to switch protocols, over a dedicated connection.
    async fn switch(
        &self,
        mut request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let shared = self.0.pool.shared();
        to.begin_wait();
        let key = self.key(to, false, false);
        let stream = self.0.pool.connect_dedicated(key).await?;
        to.end_wait();
        *request.uri_mut() = Uri::from(take_target(&mut request));
        let host = to.destination().origin().host_field();
        set_host(request.headers_mut(), host);
        let title_case = to.title_case().unwrap_or(self.0.title_case);
        http1::switch(stream, shared.http1(title_case), request).await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::new()
    }

    /// Returns the current counts of the pool, for gauges.
    ///
    /// It locks each host of the pool for a moment, so call it on a scrape rather than on each call.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        self.0.pool.status()
    }
}

impl Default for HttpTransport {
    /// Returns a transport to the public internet over TLS, with the bundled roots.
    fn default() -> Self {
        HttpTransportBuilder::new().build_or_fail_later()
    }
}

impl Transport for HttpTransport {
    fn presents_client_certificates(&self) -> bool {
        cfg!(feature = "rustls")
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an async function would hold the request twice"
    )]
    fn send(
        &self,
        mut request: Request<RequestBody>,
        to: &Dispatch,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send {
        async move {
            let Inner { pool, .. } = &*self.0;
            let destination = to.destination();
            if destination.scheme() == Scheme::Http && !self.0.plaintext.permits(destination.host())
            {
                return Err(TransportErrorKind::PlaintextProhibited.into());
            }
            if destination.scheme() == Scheme::Http && to.has_client_identity() {
                let why = "a client certificate can only be presented over TLS; the base URL must have https";
                let kind = TransportErrorKind::PlaintextProhibited;
                return Err(TransportError::new(kind, why));
            }
            if has(request.headers(), &UPGRADE) {
                // The future is boxed, because it would otherwise make the future of each call larger.
                return Box::pin(self.switch(request, to)).await;
            }
            let protocol = to.required_protocol();
            let is_grpc = grpc::is_grpc(request.headers());
            let needs_http2 = is_grpc || protocol == HttpProtocol::Http2;
            if needs_http2 && (protocol == HttpProtocol::Http1 || pool.is_http1_only()) {
                return Err(TransportErrorKind::Http2Unavailable.into());
            }
            let key = self.key(to, is_grpc, needs_http2);
            let mut host = pool.host_for(key, to.connection_key());
            let mut resends = 0;
            // The failure of a connection that ended without a response. The request is then sent over a new connection.
            let mut lost: Option<Lost> = None;
            loop {
                if lost.is_none() {
                    to.begin_wait();
                }
                let newer_than = lost.as_ref().map(|lost| lost.newest);
                let acquired = host.acquire(pool.shared(), to.connection_key(), newer_than);
                let lease = match acquired.await {
                    Ok(lease) => lease,
                    // The upstream may have acted on the request, so the first failure counts.
                    Err(error) => return Err(lost.map_or(error, |lost| lost.error)),
                };
                to.end_wait();
                // The destination that the policy has checked replaces the destination in the request.
                let target = take_target(&mut request);
                match lease {
                    Lease::Http1(connection) => {
                        *request.uri_mut() = Uri::from(target);
                        set_host(request.headers_mut(), host.authority());
                        let may_repeat = connection.is_reused()
                            && lost.is_none()
                            && may_be_repeated(request.method());
                        let spare = match may_repeat {
                            true => http1::Spare::from_body(request.body()),
                            false => None,
                        };
                        match connection.exchange(request, spare).await {
                            Ok(response) => return Ok(response),
                            Err(http1::Failure::Stale(unsent)) => request = *unsent,
                            Err(http1::Failure::Lost {
                                error,
                                request: sent,
                            }) => {
                                request = *sent;
                                request.body().restart();
                                to.record_resend();
                                lost = Some(Lost::new(error, pool));
                            }
                            Err(http1::Failure::Failed(error)) => {
                                return Err(first_failure(lost, error));
                            }
                        }
                    }
                    Lease::Http2(connection, stream) => {
                        if has_large_head(&request, &target) {
                            if let Some(own) = pool.separated(&host, to.connection_key()) {
                                stream.complete();
                                *request.uri_mut() = Uri::from(target);
                                host = own;
                                continue;
                            }
                        }
                        *request.uri_mut() = absolute_uri(to, target)?;
                        remove_host(request.headers_mut());
                        let copy = try_clone(&request);
                        let id = stream.connection_id();
                        // The future is boxed, because it would otherwise make the future of each call
                        // over HTTP/1.1 larger.
                        match Box::pin(connection.exchange(request, stream)).await {
                            Ok(response) => return Ok(response),
                            Err(http2::Failure::Stale(unsent)) => {
                                // The attempts are limited, because an upstream may close every
                                // connection.
                                resends += 1;
                                if resends > MAX_RESENDS {
                                    return Err(first_failure(
                                        lost,
                                        TransportErrorKind::Unsent.into(),
                                    ));
                                }
                                request = *unsent;
                                continue;
                            }
                            Err(http2::Failure::Refused { error, is_busy }) => {
                                if is_busy {
                                    host.record_complaint(id);
                                }
                                resends += 1;
                                let copy = copy.filter(|_| resends <= MAX_RESENDS);
                                let Some(copy) = copy else {
                                    return Err(first_failure(lost, error));
                                };
                                request = *copy;
                            }
                            Err(http2::Failure::Http1Required(error)) => {
                                if needs_http2 {
                                    let kind = TransportErrorKind::Http2Unavailable;
                                    return Err(TransportError::new(kind, error));
                                }
                                // Without TLS, the host application has said that the upstream uses HTTP/2.
                                if destination.scheme() == Scheme::Http {
                                    return Err(first_failure(lost, error));
                                }
                                host.require_http1();
                                resends += 1;
                                let copy = copy.filter(|_| resends <= MAX_RESENDS);
                                let Some(copy) = copy else {
                                    return Err(first_failure(lost, error));
                                };
                                request = *copy;
                            }
                            Err(http2::Failure::Lost(error)) => {
                                let may_repeat = lost.is_none();
                                let copy = copy
                                    .filter(|copy| may_repeat && may_be_repeated(copy.method()));
                                let Some(copy) = copy else {
                                    return Err(error);
                                };
                                request = *copy;
                                lost = Some(Lost::new(error, pool));
                            }
                            Err(http2::Failure::Failed(error)) => {
                                return Err(first_failure(lost, error));
                            }
                        }
                        request.body().restart();
                        to.record_resend();
                    }
                }
            }
        }
    }
}

/// The failure of a reused connection that ended before any byte of the response.
struct Lost {
    error: TransportError,
    /// The id of the newest connection at the time of the failure. The other connections may end in the same way.
    newest: u64,
}

impl Lost {
    fn new(error: TransportError, pool: &Pool) -> Self {
        Self {
            error,
            newest: pool.newest_connection_id(),
        }
    }
}

/// Returns `true` if a request with that method may be sent again, although the upstream may have acted on it (RFC 9110 §9.2.2).
fn may_be_repeated(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Returns the failure of a call. If the request was sent before and lost, a failure that says that nothing was sent would be wrong.
fn first_failure(lost: Option<Lost>, error: TransportError) -> TransportError {
    match lost {
        Some(lost) if error.kind() == TransportErrorKind::Unsent => lost.error,
        _ => error,
    }
}

/// Returns `true` if an upstream may end an HTTP/2 connection because of the size of the request's head.
fn has_large_head(request: &Request<RequestBody>, target: &PathAndQuery) -> bool {
    let lines = request.headers().iter();
    let fields: usize = lines
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    fields + target.as_str().len() > MAX_SHARED_HEAD_SIZE
}

/// Takes path and query out of a request, because cloning them would allocate.
fn take_target(request: &mut Request<RequestBody>) -> PathAndQuery {
    let target = std::mem::take(request.uri_mut())
        .into_parts()
        .path_and_query;
    target.unwrap_or(PathAndQuery::from_static("/"))
}

fn absolute_uri(to: &Dispatch, target: PathAndQuery) -> Result<Uri, TransportError> {
    to.destination()
        .uri(target)
        .map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))
}

/// Clones a request if its body is empty or buffered.
fn try_clone(request: &Request<RequestBody>) -> Option<Box<Request<RequestBody>>> {
    let mut copy = Request::new(request.body().spare()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(Box::new(copy))
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

#[cfg(feature = "rustls")]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use rcgen::{CertificateParams, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::*;
    use crate::policy::NetworkPolicy;
    use crate::upstream::Upstream;

    /// Returns the TLS of an upstream, and its certificate.
    fn tls() -> (TlsAcceptor, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["vendor.test".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        (TlsAcceptor::from(Arc::new(config)), certificate.pem())
    }

    fn get() -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::empty());
        *request.uri_mut() = Uri::from_static("/x");
        request
    }

    /// Answers with a head whose body has two bytes, and with these bytes of the body.
    async fn answer(vendor: &TcpListener, tls: TlsAcceptor, body: &str) -> TlsStream<TcpStream> {
        let (socket, _) = vendor.accept().await.unwrap();
        let mut stream = tls.accept(socket).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let ok = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}");
        stream.write_all(ok.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream
    }

    /// Returns a transport to an upstream at this address, and the dispatch.
    fn transport(address: std::net::SocketAddr, root: &str) -> (HttpTransport, Dispatch) {
        let loopback = "127.0.0.0/8".parse().unwrap();
        let transport = HttpTransport::builder()
            .network(NetworkPolicy::new().allow(loopback))
            .resolve("vendor.test", [127, 0, 0, 1].into())
            .root_pem(root.as_bytes())
            .unwrap()
            .build()
            .unwrap();
        let url = format!("https://vendor.test:{}", address.port());
        let upstream = Upstream::new(&url).unwrap();
        (transport, Dispatch::new(upstream.destination()))
    }

    /// Ends the connection, and waits until the end has arrived.
    async fn end(mut stream: TlsStream<TcpStream>, vendor: &TcpListener) {
        stream.shutdown().await.unwrap();
        // Events are reported in order: after this connection, so has been the end.
        let address = vendor.local_addr().unwrap();
        let (probe, _) = tokio::join!(TcpStream::connect(address), vendor.accept());
        probe.unwrap();
    }

    /// Ends the connection between the check-out and the request, which is a moment that no peer can choose.
    #[tokio::test]
    async fn a_request_that_finds_its_tls_connection_closed_comes_back() {
        let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tls, root) = tls();
        let (transport, to) = transport(vendor.local_addr().unwrap(), &root);
        let answer = answer(&vendor, tls, "ok");
        let (answered, stream) = tokio::join!(transport.send(get(), &to), answer);
        answered.unwrap().into_body().collect().await.unwrap();

        let pool = &transport.0.pool;
        let host = pool.host(Key::new(&to, false, false, false));
        let Lease::Http1(connection) = host.acquire(pool.shared(), None, None).await.unwrap()
        else {
            unreachable!("HTTP/1.1 was agreed on");
        };
        end(stream, &vendor).await;

        let failure = connection.exchange(get(), None).await.err();
        assert!(matches!(failure, Some(http1::Failure::Stale(_))));
    }

    /// Does the same with a connection that was never idle: another call gives it to a call that waits.
    #[tokio::test]
    async fn a_request_that_waited_for_a_connection_which_is_closed_comes_back() {
        let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tls, root) = tls();
        let (transport, to) = transport(vendor.local_addr().unwrap(), &root);
        let answer = answer(&vendor, tls, "o");
        let (answered, mut stream) = tokio::join!(transport.send(get(), &to), answer);
        let response = answered.unwrap();

        let pool = &transport.0.pool;
        let host = pool.host(Key::new(&to, false, false, false));
        let waiting = host.acquire(pool.shared(), None, None);
        let mut waiting = std::pin::pin!(waiting);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        // The connection that is opened for the call gets no TLS handshake.
        let _unshaken = vendor.accept().await.unwrap();
        stream.write_all(b"k").await.unwrap();
        stream.flush().await.unwrap();
        response.into_body().collect().await.unwrap();
        let Lease::Http1(connection) = waiting.await.unwrap() else {
            unreachable!("HTTP/1.1 was agreed on");
        };
        end(stream, &vendor).await;

        let failure = connection.exchange(get(), None).await.err();
        assert!(matches!(failure, Some(http1::Failure::Stale(_))));
    }
}
