//! The trait of an authorizer, and its error.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{CallContext, Grant};
use crate::address::ConnectionId;
use crate::error::{BoxError, Error, ErrorCode};

/// Decides by the connection id, before the store lookup, whether a caller may use a connection.
///
/// For a function or a closure, call [`authorize_fn`](crate::PassthroughBuilder::authorize_fn) on the builder instead of
/// implementing this trait.
///
/// ```
/// use http::Method;
/// use tower_passthrough::authorize::AuthorizeError;
/// use tower_passthrough::{Authorize, CallContext, ConnectionId, Grant, Scope};
///
/// struct ReadContacts;
///
/// impl Authorize for ReadContacts {
///     async fn authorize(&self, _: &ConnectionId, _: CallContext<'_>) -> Result<Grant, AuthorizeError> {
///         Ok(Scope::all().methods([Method::GET]).paths(["crm/v3/*"]).into())
///     }
/// }
/// ```
///
/// A service can't be built before it has an authorizer and the fields by which callers authenticate:
///
/// ```compile_fail,E0277
/// use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
///
/// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new()).build();
/// // error[E0277]: `NeedsAuthorizer` can't authorize callers
/// // note: a service needs an authorizer: call `.authorize_fn(..)`, `.authorize_async_fn(..)` or `.authorize(..)`
/// ```
///
/// ```compile_fail,E0277
/// # use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
/// # let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new());
/// let service = builder.authorize_fn(|_, _| true).build();
/// // error[E0277]: `NeedsCallerCredentials<AuthorizeFn<{closure@...}, bool>>` can't authorize callers
/// // note: then call `.caller_credentials([..])` with the names of the header fields by which callers authenticate
/// ```
///
/// ```compile_fail,E0277
/// # use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
/// # let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new());
/// let builder = builder.authorize(|_, _| true);
/// // error[E0277]: `{closure@...}` can't authorize callers
/// // note: a closure or a function isn't an authorizer by itself: pass it to `.authorize_fn(..)`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't authorize callers",
    label = "not an authorizer",
    note = "a service needs an authorizer: call `.authorize_fn(..)`, `.authorize_async_fn(..)` or `.authorize(..)`",
    note = "then call `.caller_credentials([..])` with the names of the header fields by which callers authenticate",
    note = "a closure or a function isn't an authorizer by itself: pass it to `.authorize_fn(..)`"
)]
pub trait Authorize: Send + Sync + 'static {
    /// Returns the caller's permission for the connection, and the connection's key.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Denied`] if the caller may not use the connection at all: the response then has exactly the same
    /// bytes as for an unknown id. [`AuthorizeError::Unavailable`] if the authorizer failed.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects.
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Grant, AuthorizeError>> + Send; // in place of `dyn`, use `BoxAuthorize`
}

/// The error of an authorizer: a refusal, or a failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// The caller may not use the connection, or there is no connection with that id. The response is `unknown-connection`, so the caller
    /// can't find out which ids exist.
    Denied,
    /// The caller may use the connection, but only its owner can repair the connection. Return it if the authorizer already knows that the
    /// credential was revoked. The response is `reauthorize`.
    Reauthorize,
    /// The authorizer failed, for example because its database can't be reached. The host application's operator must find the cause, which
    /// is the error's source. The response is `store-unavailable`.
    Unavailable(BoxError),
}

impl AuthorizeError {
    /// Returns the error of an authorizer that failed.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<AuthorizeError> for Error {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Denied => Self::unknown_connection(),
            AuthorizeError::Reauthorize => Self::reauthorize(
                "the connection's credential was revoked or has expired: its owner must authorize the connection again",
            ),
            AuthorizeError::Unavailable(source) => {
                let detail = "the host application's authorizer failed; try again later";
                Self::new(ErrorCode::StoreUnavailable, detail)
                    .with_source(source)
                    .with_retry_after(Duration::from_secs(1))
            }
        }
    }
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "the caller may not use the connection",
            Self::Reauthorize => "the connection must be authorized again by its owner",
            Self::Unavailable(_) => "the authorizer failed",
        })
    }
}

impl std::error::Error for AuthorizeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Denied | Self::Reauthorize => None,
            Self::Unavailable(source) => Some(&**source),
        }
    }
}

/// Allows every caller to use every connection with every method and path. Only
/// [`DangerousBuilder::allow_all`](crate::service::DangerousBuilder::allow_all) makes it.
#[derive(Clone, Copy, Debug)]
pub struct AllowAll(());

impl AllowAll {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Authorize for AllowAll {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        Ok(Grant::all())
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<A: Authorize> Authorize for $pointer<A> {
            fn authorize(
                &self,
                id: &ConnectionId,
                cx: CallContext<'_>,
            ) -> impl Future<Output = Result<Grant, AuthorizeError>> + Send {
                A::authorize(self, id, cx)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// Holds any authorizer, for types that are chosen at run time. Cloning increments a reference count; each call allocates
/// another box.
#[derive(Clone)]
pub struct BoxAuthorize(Arc<dyn DynAuthorize>);

impl BoxAuthorize {
    /// Erases the type of an authorizer.
    pub fn new(authorizer: impl Authorize) -> Self {
        Self(Arc::new(authorizer))
    }
}

impl Authorize for BoxAuthorize {
    async fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        self.0.dyn_authorize(id, cx).await
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait DynAuthorize: Send + Sync {
    fn dyn_authorize<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Result<Grant, AuthorizeError>>;
}

impl<A: Authorize> DynAuthorize for A {
    fn dyn_authorize<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Result<Grant, AuthorizeError>> {
        Box::pin(self.authorize(id, cx))
    }
}

impl fmt::Debug for BoxAuthorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxAuthorize")
    }
}
