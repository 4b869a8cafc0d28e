//! Functions and closures as authorizers.

use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;

use super::{Authorize, AuthorizeError, CallContext, Grant, IntoGrant};
use crate::address::ConnectionId;

/// A function as an authorizer. Made by [`PassthroughBuilder::authorize_fn`](crate::PassthroughBuilder::authorize_fn).
pub struct AuthorizeFn<F, G> {
    decide: F,
    grant: PhantomData<fn() -> G>,
}

impl<F, G> AuthorizeFn<F, G>
where
    F: Fn(&ConnectionId, CallContext<'_>) -> G + Send + Sync + 'static,
    G: IntoGrant,
{
    /// Returns the authorizer that calls `decide`.
    pub fn new(decide: F) -> Self {
        Self {
            decide,
            grant: PhantomData,
        }
    }
}

impl<F, G> Authorize for AuthorizeFn<F, G>
where
    F: Fn(&ConnectionId, CallContext<'_>) -> G + Send + Sync + 'static,
    G: IntoGrant + 'static,
{
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Grant, AuthorizeError>> + Send {
        ready((self.decide)(id, cx).into_grant())
    }
}

impl<F, G> fmt::Debug for AuthorizeFn<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeFn")
    }
}

/// A function that returns a future, as an authorizer. Made by
/// [`PassthroughBuilder::authorize_async_fn`](crate::PassthroughBuilder::authorize_async_fn).
pub struct AuthorizeAsyncFn<F, Fut> {
    decide: F,
    future: PhantomData<fn() -> Fut>,
}

impl<F, Fut> AuthorizeAsyncFn<F, Fut>
where
    F: Fn(&ConnectionId, CallContext<'_>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoGrant> + Send + 'static,
{
    /// Returns the authorizer that awaits the future that `decide` returns.
    pub fn new(decide: F) -> Self {
        Self {
            decide,
            future: PhantomData,
        }
    }
}

impl<F, Fut> Authorize for AuthorizeAsyncFn<F, Fut>
where
    F: Fn(&ConnectionId, CallContext<'_>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoGrant> + Send + 'static,
{
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Grant, AuthorizeError>> + Send {
        let deciding = (self.decide)(id, cx);
        async move { deciding.await.into_grant() }
    }
}

impl<F, Fut> fmt::Debug for AuthorizeAsyncFn<F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeAsyncFn")
    }
}
