//! May this caller use this connection, and for what?

use std::future::{Future, ready};

use super::StoreError;
use super::context::CallContext;
use super::scope::Scope;
use crate::address::ConnectionId;

/// Decides by id, before the store's secrets are read.
///
/// A closure that says yes or no is one:
///
/// ```
/// use tower_passthrough::{CallContext, ConnectionId};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// let owns_connection = |id: &ConnectionId, cx: CallContext<'_>| {
///     let tenant = cx.extensions().get::<Tenant>();
///     tenant.is_some_and(|tenant| id.as_str().strip_prefix(&tenant.0).is_some_and(|rest| rest.starts_with('-')))
/// };
/// # tower_passthrough::PassthroughService::builder(tower_passthrough::MemoryStore::new(), tower_passthrough::Integrations::new()).authorize(owns_connection);
/// ```
///
/// An implementation can grant less than everything:
///
/// ```
/// use http::Method;
/// use tower_passthrough::{Authorize, CallContext, ConnectionId, Scope, StoreError};
///
/// struct ReadContacts;
///
/// impl Authorize for ReadContacts {
///     async fn authorize(&self, _: &ConnectionId, _: CallContext<'_>) -> Result<Scope, StoreError> {
///         Ok(Scope::all().methods([Method::GET]).paths(["crm/v3/*"]))
///     }
/// }
/// ```
pub trait Authorize: Send + Sync + 'static {
    /// What this caller may do with this connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if it may not use it at all: the answer is that of an unknown id,
    /// byte for byte.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point.
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Scope, StoreError>> + Send;
}

impl<F> Authorize for F
where
    F: Fn(&ConnectionId, CallContext<'_>) -> bool + Send + Sync + 'static,
{
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Scope, StoreError>> + Send {
        ready(if self(id, cx) {
            Ok(Scope::all())
        } else {
            Err(StoreError::NotFound)
        })
    }
}

/// Lets each caller use each connection. Made by `dangerous().allow_everyone()` alone.
#[derive(Clone, Copy, Debug)]
pub struct Everyone(());

impl Everyone {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Authorize for Everyone {
    async fn authorize(&self, _: &ConnectionId, _: CallContext<'_>) -> Result<Scope, StoreError> {
        Ok(Scope::all())
    }
}
