//! Stores whose connections can be refreshed, by several processes at once, and changed.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{CredentialStore, StoreError};
use crate::connection::{Connection, ConnectionKey};

/// A store whose connections can be refreshed by several processes at once.
///
/// The suite of [`conformance`](crate::conformance) checks an implementation (feature `test-util`). All that the suite checks is
/// stated here and in [`ConnectionStore`].
///
/// # Versions
///
/// Each credential that is written has a [`CredentialVersion`] that no other ever had, also not a removed one of the same key. A
/// commit names the version that it is based on, and counts only if that is the newest (compare-and-swap). So a process that slept
/// through its lease never overwrites what is newer.
///
/// # Leases
///
/// A [`RefreshLease`] keeps others from asking a token endpoint at the same time. A lease ends by itself, as its holder may be
/// killed. A [`put`](ConnectionStore::put) and a [`remove`](ConnectionStore::remove) end the lease on their connection as well: it
/// was for another credential. Each lease has a higher fence than the leases on the same key before it.
///
/// [`GrantUpdate::Refreshed`] counts also with a lease that is over, as long as nobody else has committed: the tokens are all that
/// is left of a refresh token that the token endpoint has rotated. [`GrantUpdate::Revoked`] counts only with the newest lease:
/// whoever lost the lease may have been refused because its successor is being served.
pub trait TokenStore: CredentialStore {
    /// Returns the connection as it is stored now, past any cache.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Unavailable`] if the store can't tell.
    fn read(
        &self,
        key: &ConnectionKey,
    ) -> impl Future<Output = Result<StoredConnection, StoreError>> + Send;

    /// Takes the right to refresh that connection, for `time` from now on. `None`: somebody else has it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); [`StoreError::Unavailable`] also if no clock can hold the end of the lease.
    fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> impl Future<Output = Result<Option<RefreshLease>, StoreError>> + Send;

    /// Gives a lease back before its time. A lease that is over, or isn't the newest, changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: the lease then ends by itself.
    fn release(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the result of a refresh, based on what was [`read`](Self::read), and returns the new version. When this returns, the
    /// result survives a crash of the process and of the machine.
    ///
    /// `None`: nothing was written, as the credential is another by now, or, for [`GrantUpdate::Revoked`], the lease isn't the
    /// newest. A commit leaves the lease as it is. `GrantUpdate::Revoked` keeps the version, so that the new tokens of somebody who
    /// was faster still count.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). The result may then be written or not.
    ///
    /// # Cancel safety
    ///
    /// The method is called in a task that nobody drops, unless the runtime ends.
    fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> impl Future<Output = Result<Option<CredentialVersion>, StoreError>> + Send;
}

/// A store whose connections can be changed.
pub trait ConnectionStore: TokenStore {
    /// Adds a connection, or replaces the connection of that key, and returns its new version. The connection's state is
    /// [`GrantState::Active`], it has no lease, and `refreshed_at` is `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> impl Future<Output = Result<CredentialVersion, StoreError>> + Send;

    /// Removes a connection and its lease. Returns `true` if there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn remove(&self, key: &ConnectionKey) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns up to `limit` connections in the order of their keys' bytes, beginning after `after`. No secret is read for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ConnectionSummary>, StoreError>> + Send;
}

/// A connection as it is stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredConnection {
    /// The connection.
    pub connection: Connection,
    /// The version of its credential.
    pub version: CredentialVersion,
    /// The state of its grant.
    pub state: GrantState,
    /// The time of the last refresh; `None` if there was none since the connection was put there.
    pub refreshed_at: Option<SystemTime>,
}

impl StoredConnection {
    /// Returns an active connection that was put there and not refreshed since.
    #[must_use]
    pub fn new(connection: Connection, version: CredentialVersion) -> Self {
        Self {
            connection,
            version,
            state: GrantState::Active,
            refreshed_at: None,
        }
    }

    /// Sets the state of the grant.
    #[must_use]
    pub fn state(mut self, state: GrantState) -> Self {
        self.state = state;
        self
    }

    /// Sets the time of the last refresh.
    #[must_use]
    pub fn refreshed_at(mut self, at: SystemTime) -> Self {
        self.refreshed_at = Some(at);
        self
    }
}

/// The state of the grant that a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantState {
    /// The credential can be refreshed, as far as is known.
    Active,
    /// The token endpoint has refused the grant for good (`invalid_grant`, RFC 6749 §5.2): the connection's owner must authorize the
    /// connection again.
    Revoked,
}

/// The result of a refresh.
#[derive(Clone, Debug)]
pub enum GrantUpdate {
    /// The connection with its new tokens. The credential gets a new version.
    Refreshed(Connection),
    /// The token endpoint has refused the grant for good.
    Revoked,
}

/// Tells one state of a credential from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialVersion(u64);

impl CredentialVersion {
    /// Returns the version of that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number of the version.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The right to refresh a connection, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefreshLease(u64);

impl RefreshLease {
    /// Returns the lease of that fence.
    #[must_use]
    pub const fn new(fence: u64) -> Self {
        Self(fence)
    }

    /// Returns the fence, which is higher than the fences of all leases on that connection before.
    #[must_use]
    pub const fn fence(self) -> u64 {
        self.0
    }
}

/// An entry of a list of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionSummary {
    /// The key of the connection.
    pub key: ConnectionKey,
    /// The name of its integration.
    pub integration: Arc<str>,
    /// The state of its grant.
    pub state: GrantState,
}

impl ConnectionSummary {
    /// Returns the entry of a connection.
    #[must_use]
    pub fn new(key: ConnectionKey, integration: impl Into<Arc<str>>, state: GrantState) -> Self {
        Self {
            key,
            integration: integration.into(),
            state,
        }
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: TokenStore> TokenStore for $pointer<S> {
            fn read(
                &self,
                key: &ConnectionKey,
            ) -> impl Future<Output = Result<StoredConnection, StoreError>> + Send {
                S::read(self, key)
            }

            fn lease(
                &self,
                key: &ConnectionKey,
                time: Duration,
            ) -> impl Future<Output = Result<Option<RefreshLease>, StoreError>> + Send {
                S::lease(self, key, time)
            }

            fn release(
                &self,
                key: &ConnectionKey,
                lease: RefreshLease,
            ) -> impl Future<Output = Result<(), StoreError>> + Send {
                S::release(self, key, lease)
            }

            fn commit(
                &self,
                key: &ConnectionKey,
                read: CredentialVersion,
                lease: RefreshLease,
                update: &GrantUpdate,
            ) -> impl Future<Output = Result<Option<CredentialVersion>, StoreError>> + Send {
                S::commit(self, key, read, lease, update)
            }
        }

        impl<S: ConnectionStore> ConnectionStore for $pointer<S> {
            fn put(
                &self,
                key: &ConnectionKey,
                connection: &Connection,
            ) -> impl Future<Output = Result<CredentialVersion, StoreError>> + Send {
                S::put(self, key, connection)
            }

            fn remove(
                &self,
                key: &ConnectionKey,
            ) -> impl Future<Output = Result<bool, StoreError>> + Send {
                S::remove(self, key)
            }

            fn list(
                &self,
                after: Option<&ConnectionKey>,
                limit: usize,
            ) -> impl Future<Output = Result<Vec<ConnectionSummary>, StoreError>> + Send {
                S::list(self, after, limit)
            }
        }
    };
}

forward!(Arc);
forward!(Box);
