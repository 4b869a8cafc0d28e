//! Stores that are chosen at run time: each call allocates a box, and the type has no parameters.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::tokens::{
    ConnectionStore, ConnectionSummary, CredentialVersion, GrantUpdate, RefreshLease,
    StoredConnection, TokenStore,
};
use super::{CredentialStore, StoreError};
use crate::authorize::CallContext;
use crate::connection::{Connection, ConnectionKey};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

macro_rules! boxed {
    ($(#[$doc:meta])* $name:ident, $store:ident, $erased:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<dyn $erased>);

        impl $name {
            /// Erases the type of a store.
            pub fn new(store: impl $store) -> Self {
                Self(Arc::new(store))
            }
        }

        impl CredentialStore for $name {
            async fn connection(
                &self,
                key: &ConnectionKey,
                cx: CallContext<'_>,
            ) -> Result<Connection, StoreError> {
                self.0.dyn_connection(key, cx).await
            }

            async fn refresh(
                &self,
                key: &ConnectionKey,
                rejected: &Connection,
                cx: CallContext<'_>,
            ) -> Result<Option<Connection>, StoreError> {
                self.0.dyn_refresh(key, rejected, cx).await
            }

            fn can_refresh(&self, connection: &Connection) -> bool {
                self.0.dyn_can_refresh(connection)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

boxed! {
    /// Holds any [`CredentialStore`]. Cloning increments a reference count; each call allocates
    /// another box.
    BoxCredentialStore, CredentialStore, DynCredentials
}

boxed! {
    /// Holds any [`TokenStore`]. Cloning increments a reference count; each call allocates another
    /// box.
    BoxTokenStore, TokenStore, DynTokens
}

boxed! {
    /// Holds any [`ConnectionStore`]. Cloning increments a reference count; each call allocates
    /// another box.
    BoxConnectionStore, ConnectionStore, DynConnections
}

macro_rules! boxed_tokens {
    ($name:ident) => {
        impl TokenStore for $name {
            async fn read(&self, key: &ConnectionKey) -> Result<StoredConnection, StoreError> {
                self.0.dyn_read(key).await
            }

            async fn lease(
                &self,
                key: &ConnectionKey,
                time: Duration,
            ) -> Result<Option<RefreshLease>, StoreError> {
                self.0.dyn_lease(key, time).await
            }

            async fn extend(
                &self,
                key: &ConnectionKey,
                lease: RefreshLease,
                time: Duration,
            ) -> Result<bool, StoreError> {
                self.0.dyn_extend(key, lease, time).await
            }

            async fn release(
                &self,
                key: &ConnectionKey,
                lease: RefreshLease,
            ) -> Result<(), StoreError> {
                self.0.dyn_release(key, lease).await
            }

            async fn commit(
                &self,
                key: &ConnectionKey,
                read: CredentialVersion,
                lease: RefreshLease,
                update: &GrantUpdate,
            ) -> Result<Option<CredentialVersion>, StoreError> {
                self.0.dyn_commit(key, read, lease, update).await
            }
        }
    };
}

boxed_tokens!(BoxTokenStore);
boxed_tokens!(BoxConnectionStore);

impl ConnectionStore for BoxConnectionStore {
    async fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        self.0.dyn_put(key, connection).await
    }

    async fn put_all(
        &self,
        connections: &[(ConnectionKey, Connection)],
    ) -> Result<Vec<CredentialVersion>, StoreError> {
        self.0.dyn_put_all(connections).await
    }

    async fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        self.0.dyn_restore(key, stored, replaced).await
    }

    async fn remove(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
        self.0.dyn_remove(key).await
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        self.0.dyn_list(after, limit).await
    }
}

trait DynCredentials: Send + Sync {
    fn dyn_connection<'a>(
        &'a self,
        key: &'a ConnectionKey,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Connection>;

    fn dyn_refresh<'a>(
        &'a self,
        key: &'a ConnectionKey,
        rejected: &'a Connection,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Option<Connection>>;

    fn dyn_can_refresh(&self, connection: &Connection) -> bool;
}

impl<S: CredentialStore> DynCredentials for S {
    fn dyn_connection<'a>(
        &'a self,
        key: &'a ConnectionKey,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Connection> {
        Box::pin(self.connection(key, cx))
    }

    fn dyn_refresh<'a>(
        &'a self,
        key: &'a ConnectionKey,
        rejected: &'a Connection,
        cx: CallContext<'a>,
    ) -> BoxFuture<'a, Option<Connection>> {
        Box::pin(self.refresh(key, rejected, cx))
    }

    fn dyn_can_refresh(&self, connection: &Connection) -> bool {
        self.can_refresh(connection)
    }
}

trait DynTokens: DynCredentials {
    fn dyn_read<'a>(&'a self, key: &'a ConnectionKey) -> BoxFuture<'a, StoredConnection>;

    fn dyn_lease<'a>(
        &'a self,
        key: &'a ConnectionKey,
        time: Duration,
    ) -> BoxFuture<'a, Option<RefreshLease>>;

    fn dyn_extend<'a>(
        &'a self,
        key: &'a ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> BoxFuture<'a, bool>;

    fn dyn_release<'a>(&'a self, key: &'a ConnectionKey, lease: RefreshLease) -> BoxFuture<'a, ()>;

    fn dyn_commit<'a>(
        &'a self,
        key: &'a ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &'a GrantUpdate,
    ) -> BoxFuture<'a, Option<CredentialVersion>>;
}

impl<S: TokenStore> DynTokens for S {
    fn dyn_read<'a>(&'a self, key: &'a ConnectionKey) -> BoxFuture<'a, StoredConnection> {
        Box::pin(self.read(key))
    }

    fn dyn_lease<'a>(
        &'a self,
        key: &'a ConnectionKey,
        time: Duration,
    ) -> BoxFuture<'a, Option<RefreshLease>> {
        Box::pin(self.lease(key, time))
    }

    fn dyn_extend<'a>(
        &'a self,
        key: &'a ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> BoxFuture<'a, bool> {
        Box::pin(self.extend(key, lease, time))
    }

    fn dyn_release<'a>(&'a self, key: &'a ConnectionKey, lease: RefreshLease) -> BoxFuture<'a, ()> {
        Box::pin(self.release(key, lease))
    }

    fn dyn_commit<'a>(
        &'a self,
        key: &'a ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &'a GrantUpdate,
    ) -> BoxFuture<'a, Option<CredentialVersion>> {
        Box::pin(self.commit(key, read, lease, update))
    }
}

trait DynConnections: DynTokens {
    fn dyn_put<'a>(
        &'a self,
        key: &'a ConnectionKey,
        connection: &'a Connection,
    ) -> BoxFuture<'a, CredentialVersion>;

    fn dyn_put_all<'a>(
        &'a self,
        connections: &'a [(ConnectionKey, Connection)],
    ) -> BoxFuture<'a, Vec<CredentialVersion>>;

    fn dyn_restore<'a>(
        &'a self,
        key: &'a ConnectionKey,
        stored: &'a StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> BoxFuture<'a, Option<CredentialVersion>>;

    fn dyn_remove<'a>(&'a self, key: &'a ConnectionKey) -> BoxFuture<'a, bool>;

    fn dyn_list<'a>(
        &'a self,
        after: Option<&'a ConnectionKey>,
        limit: usize,
    ) -> BoxFuture<'a, Vec<ConnectionSummary>>;
}

impl<S: ConnectionStore> DynConnections for S {
    fn dyn_put<'a>(
        &'a self,
        key: &'a ConnectionKey,
        connection: &'a Connection,
    ) -> BoxFuture<'a, CredentialVersion> {
        Box::pin(self.put(key, connection))
    }

    fn dyn_put_all<'a>(
        &'a self,
        connections: &'a [(ConnectionKey, Connection)],
    ) -> BoxFuture<'a, Vec<CredentialVersion>> {
        Box::pin(self.put_all(connections))
    }

    fn dyn_restore<'a>(
        &'a self,
        key: &'a ConnectionKey,
        stored: &'a StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> BoxFuture<'a, Option<CredentialVersion>> {
        Box::pin(self.restore(key, stored, replaced))
    }

    fn dyn_remove<'a>(&'a self, key: &'a ConnectionKey) -> BoxFuture<'a, bool> {
        Box::pin(self.remove(key))
    }

    fn dyn_list<'a>(
        &'a self,
        after: Option<&'a ConnectionKey>,
        limit: usize,
    ) -> BoxFuture<'a, Vec<ConnectionSummary>> {
        Box::pin(self.list(after, limit))
    }
}
