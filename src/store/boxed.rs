//! Stores and authorizers chosen at run time: a box per call buys a type without parameters.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::authorize::Authorize;
use super::context::CallContext;
use super::scope::Scope;
use super::{CredentialStore, StoreError};
use crate::address::ConnectionId;
use crate::connection::Connection;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Any [`CredentialStore`]. Cloning is one increment.
#[derive(Clone)]
pub struct BoxCredentialStore(Arc<dyn DynStore>);

/// Any [`Authorize`]. Cloning is one increment.
#[derive(Clone)]
pub struct BoxAuthorize(Arc<dyn DynAuthorize>);

impl BoxCredentialStore {
    /// Erases the type of a store.
    pub fn new(store: impl CredentialStore) -> Self {
        Self(Arc::new(store))
    }
}

impl BoxAuthorize {
    /// Erases the type of an authorizer.
    pub fn new(authorizer: impl Authorize) -> Self {
        Self(Arc::new(authorizer))
    }
}

impl CredentialStore for BoxCredentialStore {
    async fn connection(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        self.0.dyn_connection(id, cx).await
    }

    async fn renew(
        &self,
        id: &ConnectionId,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        self.0.dyn_renew(id, rejected, cx).await
    }

    fn renews(&self, connection: &Connection) -> bool {
        self.0.dyn_renews(connection)
    }
}

impl Authorize for BoxAuthorize {
    async fn authorize(&self, id: &ConnectionId, cx: CallContext<'_>) -> Result<Scope, StoreError> {
        self.0.dyn_authorize(id, cx).await
    }
}

trait DynStore: Send + Sync {
    fn dyn_connection<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Connection>;

    fn dyn_renew<'a>(
        &'a self,
        id: &'a ConnectionId,
        rejected: &'a Connection,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Option<Connection>>;

    fn dyn_renews(&self, connection: &Connection) -> bool;
}

impl<S: CredentialStore> DynStore for S {
    fn dyn_connection<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Connection> {
        Box::pin(self.connection(id, cx))
    }

    fn dyn_renew<'a>(
        &'a self,
        id: &'a ConnectionId,
        rejected: &'a Connection,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Option<Connection>> {
        Box::pin(self.renew(id, rejected, cx))
    }

    fn dyn_renews(&self, connection: &Connection) -> bool {
        self.renews(connection)
    }
}

trait DynAuthorize: Send + Sync {
    fn dyn_authorize<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Scope>;
}

impl<A: Authorize> DynAuthorize for A {
    fn dyn_authorize<'a>(
        &'a self,
        id: &'a ConnectionId,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Scope> {
        Box::pin(self.authorize(id, cx))
    }
}

impl fmt::Debug for BoxCredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxCredentialStore")
    }
}

impl fmt::Debug for BoxAuthorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxAuthorize")
    }
}
