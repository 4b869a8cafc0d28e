//! The passthrough as a service that answers every request itself.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http::Response;
use http_body::Body;
use tower_service::Service;

use super::builder::PassthroughBuilder;
use super::future::ResponseFuture;
use crate::address::{Prefix, PrefixError};
use crate::authorize::Authorize;
use crate::body::RequestBody;
use crate::client::{HttpTransport, Transport};
use crate::error::BoxError;
#[cfg(feature = "rate-limit")]
use crate::limits::SharedRateStatus;
use crate::pipeline::config::Config;
use crate::pipeline::{Forward, Gateway, ResponseBody};
use crate::store::CredentialStore;
use crate::upstream::BaseUrlResolver;

/// Answers each request with the response of a connection's upstream, or with an error of this crate.
///
/// The service is always ready and never fails. It has no type parameters, so it is easy to use in a struct's field, in a function's
/// signature or in an axum state. Cloning increments two reference counts.
///
/// ```
/// use tower_passthrough::PassthroughService;
///
/// struct App {
///     passthrough: PassthroughService,
/// }
/// ```
///
/// # Panics
///
/// The futures of the service panic outside of a tokio runtime with its timer enabled, as all of tokio's timers do.
#[derive(Clone)]
pub struct PassthroughService {
    gateway: Arc<dyn Forward>,
    prefix: Prefix,
}

impl PassthroughService {
    /// Returns a builder for a service with that store and resolver. The next step is to set an authorizer.
    pub fn builder<S, R>(store: S, resolver: R) -> PassthroughBuilder<S, R, HttpTransport> {
        PassthroughBuilder::new(store, resolver, HttpTransport::default())
    }

    pub(super) fn new<S, A, R, T>(gateway: Gateway<S, A, R, T>, prefix: Prefix) -> Self
    where
        S: CredentialStore,
        A: Authorize,
        R: BaseUrlResolver,
        T: Transport,
    {
        Self {
            gateway: Arc::new(gateway),
            prefix,
        }
    }

    pub(super) fn config(&self) -> &Config {
        self.gateway.config()
    }

    /// Returns the same service under another prefix, so that several mounts share the limits, the circuits and the observer. The prefix has
    /// the form of [`PassthroughBuilder::prefix`](crate::PassthroughBuilder::prefix).
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if the prefix doesn't have this form.
    pub fn with_prefix(&self, prefix: &str) -> Result<Self, PrefixError> {
        Ok(Self {
            gateway: Arc::clone(&self.gateway),
            prefix: Prefix::new(prefix)?,
        })
    }

    /// Returns the counts of the shared rate, for metrics, or `None` if
    /// [`shared_rate_per_connection_key`](PassthroughBuilder::shared_rate_per_connection_key) isn't set. A service that
    /// [shares the limits](PassthroughBuilder::share_limits_with) of another service with the same rate goes on with its counts.
    #[cfg(feature = "rate-limit")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rate-limit")))]
    #[must_use]
    pub fn shared_rate_status(&self) -> Option<SharedRateStatus> {
        self.config().limits.shared_rate_status()
    }

    /// Returns `true` if the request is a call, and not a request for a service beside this service.
    pub(super) fn takes<B>(&self, request: &Request<B>) -> bool {
        let addressing = || self.config().addressing.as_ref();
        self.prefix.strip(request.uri().path()).is_some()
            || addressing().is_some_and(|addressing| addressing.takes(request))
    }

    pub(super) fn respond<B>(&self, request: Request<B>) -> ResponseFuture
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let request = RequestBody::from_request(request);
        let gateway = Arc::clone(&self.gateway);
        ResponseFuture::new(gateway.call(request, self.prefix.clone()))
    }
}

impl<B> Service<Request<B>> for PassthroughService
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.respond(request)
    }
}

impl fmt::Debug for PassthroughService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughService")
            .field("prefix", &self.prefix)
            .field("config", self.config())
            .finish_non_exhaustive()
    }
}
