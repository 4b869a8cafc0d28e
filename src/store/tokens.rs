//! Stores whose connections can be refreshed, by several processes at once, and changed.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{CredentialStore, StoreError};
use crate::connection::{Connection, ConnectionKey};

/// A store whose connections can be refreshed by several processes at once.
///
/// The suite of [`conformance`](crate::conformance) checks an implementation (feature `test-util`). Every rule of the suite is stated
/// here, in [`CredentialStore`] and in [`ConnectionStore`]. The example `token_store` implements all three.
///
/// # Handles
///
/// A handle is one value of the store's type, with a cache of its own if there is one. Handles of several processes share the
/// connections, and every rule holds across them: a lease that was taken through one handle can be released through another, and is
/// held for all of them.
///
/// # Contents
///
/// A connection comes back byte for byte, by [`read`](Self::read) and by [`connection`](CredentialStore::connection), whether it was
/// put or committed: the integration, which may be empty, and the names and values of variables and secrets. Names and values may be
/// empty and may hold any text; secrets may hold any bytes, such as NUL or bytes that aren't UTF-8, and at least 64 KiB of them. There
/// may be at least a hundred variables and a hundred secrets. A variable and a secret may have one name, and names differ by case. The
/// order doesn't matter. A write replaces the whole connection: nothing of the old one is merged into the new one.
///
/// # Versions
///
/// Each credential that is written has a [`CredentialVersion`] that no other credential of the same key ever had, not even a removed
/// one, and not after a restart either. [`put`](ConnectionStore::put) and [`commit`](Self::commit) return the version that `read`
/// returns from then on. A commit names the version that it is based on, and counts only if that version is the newest
/// (compare-and-swap): of several commits of one version, one counts. So a process that slept through its lease never overwrites a
/// newer credential, and a commit never brings a removed connection back.
///
/// # Leases
///
/// A [`RefreshLease`] keeps other processes from asking a token endpoint at the same time: of several that ask for the lease of a
/// connection, one gets it, and the others get `None` until the lease is released or its time is over. A lease ends by itself, also
/// when its holder was killed, and outlives the handle that it was taken through. The next lease has its own time. A
/// [`put`](ConnectionStore::put) and a [`remove`](ConnectionStore::remove) end the lease on their connection as well: it was for
/// another credential.
///
/// Each lease has a higher fence than all leases on the same key before it, however they ended: also after a put, and after a removal
/// and a put. A lease concerns one connection, and changes neither its contents nor its version.
///
/// [`GrantUpdate::Refreshed`] counts also with a lease that is over or was given to another process since, as long as nobody else has
/// committed: if the token endpoint has rotated the refresh token, these tokens are the only ones that work.
/// [`GrantUpdate::Revoked`] counts only with the newest lease: a process that has lost its lease may have been refused because its
/// successor was served. A lease that was never given doesn't count.
///
/// # Revoked grants
///
/// [`GrantUpdate::Revoked`] sets the state to [`GrantState::Revoked`], and keeps contents, version and lease: the new tokens of a
/// process that was faster still count, and make the state [`GrantState::Active`] again. So does a put, after which a revocation of
/// the version before it counts no more. A revoked connection can be leased, as its owner may mend it.
///
/// # Durability
///
/// When a write has returned, every handle that is opened from then on finds it, also after a crash: contents, version, state, time of
/// the last refresh, the lease, and the absence of a removed connection. Writes that run at the same time are all there, except that
/// the last put of one key replaces the others; and neither a put nor a removal is undone by a commit that runs at the same time.
pub trait TokenStore: CredentialStore {
    /// Returns the connection as it is stored now, past any cache: a write through another handle that has returned is seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Unavailable`] if the store can't tell.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point.
    fn read(
        &self,
        key: &ConnectionKey,
    ) -> impl Future<Output = Result<StoredConnection, StoreError>> + Send;

    /// Takes the right to refresh that connection, for `time` from now on. `None`: another process has it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); [`StoreError::Unavailable`] also if no clock can hold the end of the lease.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may have been taken. It then ends by itself.
    fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> impl Future<Output = Result<Option<RefreshLease>, StoreError>> + Send;

    /// Gives a lease back before its time, so that the connection can be leased at once. A lease that is over, was released, was
    /// never given, or isn't the newest of the connection changes nothing, and neither does a lease on a connection that isn't there;
    /// none of these is an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: the lease then ends by itself.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may be held until it ends by itself.
    fn release(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the result of a refresh, based on the version that was [`read`](Self::read), and returns the version from now on: a new
    /// one for [`GrantUpdate::Refreshed`], and `read` for [`GrantUpdate::Revoked`].
    ///
    /// `Refreshed` replaces the connection, makes its state active, and sets `refreshed_at` to the current time. A commit leaves the
    /// lease as it is.
    ///
    /// `None`: nothing was written, as `read` isn't the newest version, or, for `Revoked`, `lease` isn't the newest lease. A connection
    /// that was removed meanwhile is `None` or [`StoreError::NotFound`].
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). After [`StoreError::Unavailable`] the result may be written or not.
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

/// A store whose connections can be changed. The rules of [`TokenStore`] and [`CredentialStore`] hold for its writes.
pub trait ConnectionStore: TokenStore {
    /// Adds a connection, or replaces the connection of that key, and returns its new version. The connection's state is
    /// [`GrantState::Active`], it has no lease, and `refreshed_at` is `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The connection may then be written or not.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may be written or not.
    fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> impl Future<Output = Result<CredentialVersion, StoreError>> + Send;

    /// Removes a connection and its lease. Returns `true` if there was one; that there was none isn't an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The connection may then be there or not.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may be there or not.
    fn remove(&self, key: &ConnectionKey) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns up to `limit` connections in the order of their keys' bytes, beginning with the first key after `after`, which needn't
    /// exist. All pages together hold each connection once, with its integration and state. A `limit` of 0 returns nothing, and any
    /// other returns nothing only at the end. No secret is read for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point.
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

/// The version of a credential: tells each credential of a connection from all others. Versions have no order in time.
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
