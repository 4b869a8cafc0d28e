//! A layer that adds the passthrough to an existing service.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::future::PassthroughFuture;
use super::passthrough::PassthroughService;
use crate::address::PrefixError;
use crate::error::BoxError;
use crate::pipeline::ResponseBody;

/// Adds a [`PassthroughService`] under a prefix of another service.
///
/// The layer is outside of the other service, so authentication inside of that service isn't called for passthrough calls: put the
/// authentication around both. The guide [`mounting`](crate::guides::mounting) shows the order of the layers.
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
    /// Returns the layer that answers the requests under `prefix`, and passes all other requests to the inner service.
    ///
    /// Requests that name their connection by the host or by an extension are answered as well, whatever their path is
    /// ([`Addressing`](crate::address::Addressing)).
    ///
    /// The prefix is compared by whole segments of the raw path. It replaces a prefix that was set on the service.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if the prefix doesn't begin with `/` or isn't valid.
    pub fn new(prefix: &str, service: PassthroughService) -> Result<Self, PrefixError> {
        let service = service.with_prefix(prefix)?;
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

/// A service that answers requests under a prefix by a passthrough, and passes all other requests unchanged to the inner service.
///
/// The service is ready when the inner service is ready, and fails when the inner service fails. So a passthrough call waits until
/// the inner service is ready, and a concurrency limit of the inner service counts passthrough calls as well. To avoid this, put
/// such a limit outside of the layer or around the other routes.
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
        if self.service.takes(&request) {
            PassthroughFuture::own(self.service.respond(request))
        } else {
            PassthroughFuture::inner(self.inner.call(request))
        }
    }
}
