//! The passthrough around a service that already exists.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::future::PassthroughFuture;
use super::passthrough::PassthroughService;
use crate::address::{Prefix, PrefixError};
use crate::error::BoxError;
use crate::pipeline::ResponseBody;

/// Puts a [`PassthroughService`] under a prefix of another service.
///
/// ```
/// use http::header::HeaderName;
/// use tower_passthrough::{Integrations, MemoryStore, PassthroughLayer, PassthroughService};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, integrations) = (MemoryStore::new(), Integrations::new());
/// # let owns_connection = |_: &tower_passthrough::ConnectionId, _: tower_passthrough::CallContext<'_>| true;
/// let service = PassthroughService::builder(store, integrations)
///     .authorize_fn(owns_connection)
///     .caller_credentials([HeaderName::from_static("x-api-key")])
///     .build();
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(|| async { "the app's own" }))
///     .layer(PassthroughLayer::new("/passthrough", service)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PassthroughLayer {
    service: PassthroughService,
}

impl PassthroughLayer {
    /// Returns the layer that takes the requests under `prefix`, whole segments of the raw path, and leaves all others to the inner
    /// service. The prefix replaces one that the service has.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if the prefix isn't a path that begins with `/`.
    pub fn new(prefix: &str, service: PassthroughService) -> Result<Self, PrefixError> {
        let service = service.with_prefix(Prefix::new(prefix)?);
        Ok(Self { service })
    }
}

impl<Inner> Layer<Inner> for PassthroughLayer {
    type Service = Passthrough<Inner>;

    fn layer(&self, inner: Inner) -> Self::Service {
        Passthrough {
            inner,
            service: self.service.clone(),
        }
    }
}

/// A service whose requests under a prefix are answered by a passthrough. The rest goes to the inner service untouched.
///
/// The service is ready when the inner service is, and fails as the inner service does. So a passthrough call waits for the inner
/// service's readiness, and a concurrency limit inside counts it: put such a limit outside of the layer or around the other routes.
#[derive(Clone, Debug)]
pub struct Passthrough<Inner> {
    inner: Inner,
    service: PassthroughService,
}

impl<Inner> Passthrough<Inner> {
    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &Inner {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> Inner {
        self.inner
    }
}

impl<Inner, B, ResB> Service<Request<B>> for Passthrough<Inner>
where
    Inner: Service<Request<B>, Response = Response<ResB>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = Inner::Error;
    type Future = PassthroughFuture<Inner::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Inner::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.service.prefix().strip(request.uri().path()).is_some() {
            PassthroughFuture::own(self.service.respond(request))
        } else {
            PassthroughFuture::inner(self.inner.call(request))
        }
    }
}
