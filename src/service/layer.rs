//! The passthrough around a service that already exists.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::future::PassthroughFuture;
use super::passthrough::PassthroughService;
use crate::address::{Prefix, PrefixError};
use crate::body::ResponseBody;
use crate::client::{DefaultTransport, Transport};
use crate::error::BoxError;
use crate::resolver::BaseUrlResolver;
use crate::store::{Authorize, CredentialStore};

/// Puts a [`PassthroughService`] under a prefix of another service.
///
/// ```
/// use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughLayer, PassthroughService};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, integrations) = (MemoryStore::new(), Integrations::new());
/// # let authorizer = |_: &tower_passthrough::ConnectionId, _: tower_passthrough::CallContext<'_>| true;
/// let service = PassthroughService::builder(store, integrations).authorize(authorizer).build();
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(|| async { "the app's own" }))
///     .layer(PassthroughLayer::new("/passthrough", service)?);
/// # Ok(())
/// # }
/// ```
pub struct PassthroughLayer<S, R, T = DefaultTransport> {
    service: PassthroughService<S, R, T>,
}

impl<S, R, T> PassthroughLayer<S, R, T> {
    /// Takes the requests under `prefix`, whole segments of the raw path, and leaves all others to
    /// the inner service. It takes the place of a prefix that the service has.
    ///
    /// # Errors
    ///
    /// If it's no path.
    pub fn new(
        prefix: &str,
        mut service: PassthroughService<S, R, T>,
    ) -> Result<Self, PrefixError> {
        service.set_prefix(Prefix::new(prefix)?);
        Ok(Self { service })
    }
}

impl<S, R, T, Inner> Layer<Inner> for PassthroughLayer<S, R, T> {
    type Service = Passthrough<Inner, S, R, T>;

    fn layer(&self, inner: Inner) -> Self::Service {
        Passthrough {
            inner,
            service: self.service.clone(),
        }
    }
}

impl<S, R, T> Clone for PassthroughLayer<S, R, T> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
        }
    }
}

impl<S, R, T> fmt::Debug for PassthroughLayer<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughLayer")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A service whose requests under a prefix are answered by a passthrough. The rest goes to the
/// inner service untouched.
///
/// It's ready when the inner service is, and fails as that does.
pub struct Passthrough<Inner, S, R, T = DefaultTransport> {
    inner: Inner,
    service: PassthroughService<S, R, T>,
}

impl<Inner, S, R, T> Passthrough<Inner, S, R, T> {
    /// The inner service.
    pub fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The inner service.
    pub fn inner_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }

    /// The inner service alone.
    pub fn into_inner(self) -> Inner {
        self.inner
    }
}

impl<Inner, S, R, T, B, ResB> Service<Request<B>> for Passthrough<Inner, S, R, T>
where
    Inner: Service<Request<B>, Response = Response<ResB>>,
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
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

impl<Inner: Clone, S, R, T> Clone for Passthrough<Inner, S, R, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            service: self.service.clone(),
        }
    }
}

impl<Inner: fmt::Debug, S, R, T> fmt::Debug for Passthrough<Inner, S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passthrough")
            .field("inner", &self.inner)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
