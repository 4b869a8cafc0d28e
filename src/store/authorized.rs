//! A store together with who may use it.

use std::fmt;
use std::future::Future;

use super::authorize::Authorize;
use super::context::CallContext;
use super::scope::Scope;
use super::{CredentialStore, StoreError};
use crate::address::ConnectionId;
use crate::connection::Connection;

/// A store and its authorizer, which is asked first.
#[derive(Clone, Copy)]
pub struct Authorized<S, A> {
    store: S,
    authorizer: A,
}

impl<S, A> Authorized<S, A> {
    pub(crate) const fn new(store: S, authorizer: A) -> Self {
        Self { store, authorizer }
    }
}

impl<S: CredentialStore, A: Send + Sync + 'static> CredentialStore for Authorized<S, A> {
    fn connection(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send {
        self.store.connection(id, cx)
    }

    fn renew(
        &self,
        id: &ConnectionId,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
        self.store.renew(id, rejected, cx)
    }

    fn renews(&self, connection: &Connection) -> bool {
        self.store.renews(connection)
    }
}

impl<S: Send + Sync + 'static, A: Authorize> Authorize for Authorized<S, A> {
    fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Scope, StoreError>> + Send {
        self.authorizer.authorize(id, cx)
    }
}

impl<S, A> fmt::Debug for Authorized<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized").finish_non_exhaustive()
    }
}
