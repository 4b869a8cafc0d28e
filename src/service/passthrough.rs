//! The terminal service.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::builder::{PassthroughBuilder, Unauthorized};
use super::future::ResponseFuture;
use crate::address::Prefix;
use crate::body::{RequestBody, ResponseBody};
use crate::client::{DefaultTransport, Transport};
use crate::error::BoxError;
use crate::pipeline::Gateway;
use crate::resolver::BaseUrlResolver;
use crate::settings::Settings;
use crate::store::{Authorize, CredentialStore};

/// Answers each request with the response of a connection's vendor, or with an error of its own.
/// It's always ready and never fails; cloning is two increments.
///
/// `S` is the store with its authorizer, `R` the resolver, `T` the transport.
///
/// # Panics
///
/// Its futures panic outside of a tokio runtime with its timer enabled, as all of tokio's timers
/// do.
pub struct PassthroughService<S, R, T = DefaultTransport> {
    gateway: Arc<Gateway<S, R, T>>,
    prefix: Prefix,
}

impl PassthroughService<(), ()> {
    /// A service over that store and resolver, to be authorized.
    pub fn builder<S, R>(store: S, resolver: R) -> PassthroughBuilder<Unauthorized<S>, R> {
        PassthroughBuilder::new(store, resolver, DefaultTransport::default())
    }

    /// A service over that store, resolver and transport, to be authorized.
    pub fn builder_with_transport<S, R, T>(
        store: S,
        resolver: R,
        transport: T,
    ) -> PassthroughBuilder<Unauthorized<S>, R, T> {
        PassthroughBuilder::new(store, resolver, transport)
    }
}

impl<S, R, T> PassthroughService<S, R, T> {
    pub(super) fn new(gateway: Gateway<S, R, T>, prefix: Prefix) -> Self {
        Self {
            gateway: Arc::new(gateway),
            prefix,
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.gateway.settings
    }

    pub(super) fn set_prefix(&mut self, prefix: Prefix) {
        self.prefix = prefix;
    }

    pub(super) fn prefix(&self) -> &Prefix {
        &self.prefix
    }
}

impl<S, R, T> PassthroughService<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    pub(super) fn respond<B>(&self, request: Request<B>) -> ResponseFuture
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let request = RequestBody::of(request);
        let Self { gateway, prefix } = self.clone();
        ResponseFuture::new(gateway.call(request, prefix))
    }
}

impl<S, R, T, B> Service<Request<B>> for PassthroughService<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
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

impl<S, R, T> Clone for PassthroughService<S, R, T> {
    fn clone(&self) -> Self {
        Self {
            gateway: Arc::clone(&self.gateway),
            prefix: self.prefix.clone(),
        }
    }
}

impl<S, R, T> fmt::Debug for PassthroughService<S, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassthroughService")
            .field("prefix", &self.prefix)
            .field("settings", &self.gateway.settings)
            .finish_non_exhaustive()
    }
}
