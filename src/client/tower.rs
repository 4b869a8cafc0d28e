//! Transports as tower services, and tower services as transports.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::dispatch::Dispatch;
use super::error::{TransportError, TransportErrorKind};
use super::transport::Transport;
use crate::body::{RequestBody, UpstreamBody};
use crate::error::BoxError;
use crate::policy::Destination;
use crate::rewrite::remove_host;

/// A `tower::Service` as a [`Transport`], so that tower's layers and mocks can be used in place of the upstream or in front of it.
///
/// Each call is made on a clone of the service. The [`Destination`] is in the request's extensions, and so is the
/// [`ConnectionKey`](crate::store::ConnectionKey), if there is a key. **The service must check the addresses that the destination's name
/// resolves to.** If the service's error is a [`TransportError`], it is used unchanged; with any other error, the upstream is assumed to
/// have received the request.
///
/// If the credential authenticates the network connection itself (NTLM), the request has an
/// [isolation key](Dispatch::isolation_key). Such a request fails before it is sent, unless the service
/// [isolates connections](Self::isolates_connections).
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, service_fn};
/// use tower_passthrough::body::{RequestBody, UpstreamBody};
/// use tower_passthrough::client::ServiceTransport;
///
/// let mock = service_fn(|request: Request<RequestBody>| async move {
///     assert_eq!(request.uri().host(), Some("api.vendor.test"));
///     Ok::<_, std::convert::Infallible>(Response::new(UpstreamBody::from("hello")))
/// });
/// let transport = ServiceTransport::new(ServiceBuilder::new().service(mock));
/// ```
#[derive(Clone)]
pub struct ServiceTransport<S> {
    service: S,
    isolates: bool,
}

impl<S> ServiceTransport<S> {
    /// Returns the transport over that service.
    pub const fn new(service: S) -> Self {
        Self {
            service,
            isolates: false,
        }
    }

    /// Says that the service sends requests over the same network connection only if their extensions have the same
    /// [`IsolationKey`](crate::auth::IsolationKey), or all have none. Default: `false`.
    #[must_use]
    pub const fn isolates_connections(mut self, isolates: bool) -> Self {
        self.isolates = isolates;
        self
    }
}

impl<S, B> Transport for ServiceTransport<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn send(
        &self,
        mut request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        // The client sets `Host` or `:authority` itself.
        remove_host(request.headers_mut());
        let extensions = request.extensions_mut();
        extensions.insert(to.destination().clone());
        if let Some(key) = to.connection_key() {
            extensions.insert(key.clone());
        }
        if let Some(key) = to.isolation_key() {
            if !self.isolates {
                let cause = "the service of the transport may share network connections between credentials, and the scheme \
                             authenticates them; see `ServiceTransport::isolates_connections`";
                return Err(TransportError::new(TransportErrorKind::Unsent, cause));
            }
            extensions.insert(key);
        }
        let mut service = self.service.clone();
        to.begin_wait();
        let ready = poll_fn(|cx| service.poll_ready(cx)).await;
        ready.map_err(TransportError::unsent)?;
        to.end_wait();
        let response = service
            .call(request)
            .await
            .map_err(TransportError::from_service)?;
        Ok(response.map(UpstreamBody::new))
    }
}

impl<S> fmt::Debug for ServiceTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceTransport")
    }
}

/// A [`Transport`] as a `tower::Service`, which sends every request to a single checked destination.
///
/// It is meant for calls that the host application makes itself, and for tower's layers around a transport. Cloning increments two
/// reference counts.
///
/// ```
/// use http::Request;
/// use tower::{Service, ServiceExt};
/// use tower_passthrough::body::RequestBody;
/// use tower_passthrough::client::TransportService;
/// use tower_passthrough::{HttpTransport, Upstream};
///
/// # async fn status() -> Result<http::StatusCode, Box<dyn std::error::Error + Send + Sync>> {
/// let upstream = Upstream::new("https://status.vendor.test")?;
/// let mut service = TransportService::new(HttpTransport::default(), upstream.destination());
/// let request = Request::get("https://status.vendor.test/v1").body(RequestBody::empty())?;
/// let response = service.ready().await?.call(request).await?;
/// # Ok(response.status())
/// # }
/// ```
pub struct TransportService<T> {
    transport: Arc<T>,
    to: Arc<Destination>,
}

impl<T: Transport> TransportService<T> {
    /// Returns the service that sends requests to that destination.
    pub fn new(transport: T, to: Destination) -> Self {
        Self {
            transport: Arc::new(transport),
            to: Arc::new(to),
        }
    }
}

impl<T: Transport> Service<Request<RequestBody>> for TransportService<T> {
    type Response = Response<UpstreamBody>;
    type Error = TransportError;
    type Future =
        Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let Self { transport, to } = self.clone();
        Box::pin(async move {
            let to = Dispatch::new(Destination::clone(&to));
            transport.send(request, &to).await
        })
    }
}

impl<T> Clone for TransportService<T> {
    fn clone(&self) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            to: Arc::clone(&self.to),
        }
    }
}

impl<T> fmt::Debug for TransportService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportService")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
