//! Stores in which connections can be changed, and can be refreshed by several processes at the same time.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{CredentialStore, StoreError};
use crate::connection::{Connection, ConnectionKey};

/// The time of the lease with which a revoked grant is restored by default.
const RESTORE_LEASE: Duration = Duration::from_secs(10);

/// A store in which several processes can refresh connections at the same time.
///
/// The suite of [`conformance`](crate::conformance) checks an implementation (feature `test-util`). Every rule that the suite checks is
/// documented here, in [`CredentialStore`] or in [`ConnectionStore`]. The example `token_store` implements all three traits.
///
/// # Handles
///
/// A handle is a value of the store's type, with its own cache if the store has caches. Handles of several processes share the
/// connections, and every rule holds for all handles: a lease that was taken through a handle can be released through another handle,
/// and prevents leases through all of them.
///
/// # Contents
///
/// [`read`](Self::read) and [`connection`](CredentialStore::connection) return a connection with exactly the bytes that were put or
/// committed: the integration, which may be empty, and the names and values of variables and secrets. Names and values may be empty and
/// may contain any text. Secrets may contain any bytes, such as NUL or bytes that aren't UTF-8. A store must accept secrets of at least
/// 64 KiB, and at least a hundred variables and a hundred secrets. A variable and a secret may have the same name, and names are
/// case-sensitive. The order doesn't matter. A write replaces the whole connection: no part of the old connection is merged into the
/// new connection.
///
/// # Versions
///
/// Each credential that is written has a [`CredentialVersion`] that no other credential of the same key ever had, not even after a removal
/// or a restart. [`put`](ConnectionStore::put) and [`commit`](Self::commit) return the version that `read` returns after the write. A
/// commit names the version that it is based on, and succeeds only if that version is the newest (compare-and-swap): of several commits
/// based on the same version, only one commit succeeds. So a process that was suspended for longer than its lease never overwrites a newer
/// credential, and a commit never restores a removed connection.
///
/// # Leases
///
/// A [`RefreshLease`] prevents several processes from calling a token endpoint at the same time: if several processes request the lease of
/// a connection, one process gets the lease, and the others get `None` until the lease is released or expires. A lease expires by itself,
/// even if its holder was killed, and doesn't end with the handle that it was taken through. The next lease has its own expiry. A
/// [`put`](ConnectionStore::put) and a [`remove`](ConnectionStore::remove) also end the lease on their connection, because the lease was
/// for another credential. A lease can be [extended](Self::extend) until it expires, if a token endpoint needs longer than expected.
///
/// Each lease has a higher fence than all leases on the same key before it, however those ended: also after a put, and after a removal
/// and a put. A lease affects a single connection, and changes neither its contents nor its version.
///
/// [`GrantUpdate::Refreshed`] is accepted even if the lease has expired or another process has a lease now, as long as no other commit
/// was made: if the token endpoint has rotated the refresh token, only these tokens work. [`GrantUpdate::Revoked`] is accepted only
/// with the newest lease: the token endpoint may have refused a process that lost its lease because it had already answered the process
/// with the next lease. A lease that was never given isn't accepted.
///
/// # Revoked grants
///
/// [`GrantUpdate::Revoked`] sets the state to [`GrantState::Revoked`], and doesn't change contents, version or lease. So a process that
/// was faster can still commit its new tokens, which sets the state to [`GrantState::Active`] again. A put sets the state to active as
/// well, and a revocation that is based on the version before the put is then rejected. A revoked connection can be leased, as its
/// owner may repair it.
///
/// # Durability
///
/// After a write has returned, every handle that is opened later finds it, even after a crash: contents, version, state, time of the
/// last refresh, the lease, and the absence of a removed connection. Concurrent writes all take effect, except that the last put of a
/// key replaces the others. A concurrent commit undoes neither a put nor a removal.
pub trait TokenStore: CredentialStore {
    /// Returns the connection as it is stored now, without any cache: the result includes each write through another handle that has
    /// returned.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such connection, [`StoreError::Unavailable`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects.
    fn read(
        &self,
        key: &ConnectionKey,
    ) -> impl Future<Output = Result<StoredConnection, StoreError>> + Send;

    /// Takes the right to refresh that connection, for `time` from now. `None` if another process has it.
    ///
    /// # Errors
    ///
    /// The same errors as [`read`](Self::read); also [`StoreError::Unavailable`] if the end of the lease can't be represented as a time.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may have been taken. It then expires by itself.
    fn lease(
        &self,
        key: &ConnectionKey,
        time: Duration,
    ) -> impl Future<Output = Result<Option<RefreshLease>, StoreError>> + Send;

    /// Extends a lease that hasn't expired, so that it expires after `time` from now. Returns `true` if the lease was extended.
    ///
    /// The result is `false`, and nothing changes, if the lease has expired, was released, was never given, or isn't the connection's
    /// newest lease, if there is no such connection, or if the store can't extend leases. The refresh then continues, because its tokens
    /// are accepted without a lease, but another process may call the token endpoint at the same time.
    ///
    /// Default: `false`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The lease may or may not be extended then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may or may not be extended.
    fn extend(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        let _ = (key, lease, time);
        ready(Ok(false))
    }

    /// Releases a lease before it expires, so that the connection can be leased at once.
    ///
    /// Nothing changes, and no error is returned, if the lease has expired, was already released, was never given, or isn't the
    /// connection's newest lease, or if there is no such connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The lease then expires by itself.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may be held until it expires.
    fn release(
        &self,
        key: &ConnectionKey,
        lease: RefreshLease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the result of a refresh that is based on the version `read`, and returns the version after the write.
    ///
    /// The version is a new version for [`GrantUpdate::Refreshed`], and `read` for [`GrantUpdate::Revoked`]. `Refreshed` replaces the
    /// connection, sets its state to active, and sets `refreshed_at` to the current time. A commit doesn't change the lease.
    ///
    /// The result is `None` if nothing was written: `read` isn't the newest version, or, for `Revoked`, `lease` isn't the newest lease.
    /// For a connection that was removed meanwhile, the result is `None` or [`StoreError::NotFound`].
    ///
    /// # Errors
    ///
    /// The same errors as [`read`](Self::read). After [`StoreError::Unavailable`], the result may or may not be written.
    ///
    /// # Cancel safety
    ///
    /// The method is called in a separate task that is dropped only when the runtime shuts down.
    fn commit(
        &self,
        key: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        update: &GrantUpdate,
    ) -> impl Future<Output = Result<Option<CredentialVersion>, StoreError>> + Send;
}

/// A store in which connections can be changed. The rules of [`TokenStore`] and [`CredentialStore`] apply to its writes.
pub trait ConnectionStore: TokenStore {
    /// Adds a connection, or replaces the connection of that key, and returns its new version.
    ///
    /// The connection's state is then [`GrantState::Active`], it has no lease, and its `refreshed_at` is `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The connection may or may not be written then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may or may not be written.
    fn put(
        &self,
        key: &ConnectionKey,
        connection: &Connection,
    ) -> impl Future<Output = Result<CredentialVersion, StoreError>> + Send;

    /// Adds or replaces several connections, and returns their versions in the same order. If a key is contained twice, the last
    /// connection is stored.
    ///
    /// By default, the connections are [put](Self::put) one after the other, so the connections before a failure are stored. A store with
    /// transactions should store either all of them or none, and document that.
    ///
    /// # Errors
    ///
    /// The same errors as [`put`](Self::put). Some connections may be written then, or all.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some connections may be written, or all.
    fn put_all(
        &self,
        connections: &[(ConnectionKey, Connection)],
    ) -> impl Future<Output = Result<Vec<CredentialVersion>, StoreError>> + Send {
        async move {
            let mut versions = Vec::with_capacity(connections.len());
            for (key, connection) in connections {
                versions.push(self.put(key, connection).await?);
            }
            Ok(versions)
        }
    }

    /// Writes a connection that was read from another store, with its state and the time of its last refresh, and returns its new
    /// version.
    ///
    /// `replaced` is the version of the connection that may be replaced (compare-and-swap), or `None` if there must be no connection of
    /// that key. The result is `None`, and nothing is written, if another version is the newest, or if there is a connection. So a
    /// connection that is put or refreshed at the same time is never lost.
    ///
    /// The connection gets a version of this store, and `stored.version` isn't used: versions only distinguish the credentials of a
    /// store, and no cache and no refresh of this store knows the version of another store. As after a [put](Self::put), the connection
    /// has no lease. The time of the last refresh is stored in milliseconds, or more precisely.
    ///
    /// By default, the connection is written with [`read`](TokenStore::read), [`put`](Self::put) and, if its grant was revoked,
    /// [`commit`](TokenStore::commit). That isn't a single write, so a change at the same time may be lost, and the time of the last
    /// refresh isn't stored. A store in a database should replace the default.
    ///
    /// # Errors
    ///
    /// The same errors as [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may or may not be written.
    fn restore(
        &self,
        key: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> impl Future<Output = Result<Option<CredentialVersion>, StoreError>> + Send {
        async move {
            let newest = match self.read(key).await {
                Ok(newest) => Some(newest.version),
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(error),
            };
            if newest != replaced {
                return Ok(None);
            }
            let version = self.put(key, &stored.connection).await?;
            if stored.state == GrantState::Revoked {
                if let Some(lease) = self.lease(key, RESTORE_LEASE).await? {
                    self.commit(key, version, lease, &GrantUpdate::Revoked)
                        .await?;
                    self.release(key, lease).await?;
                }
            }
            Ok(Some(version))
        }
    }

    /// Removes a connection and its lease. Returns `true` if there was such a connection; if there was none, this isn't an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The connection may or may not be removed then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection may or may not be removed.
    fn remove(&self, key: &ConnectionKey) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns up to `limit` connections in the byte order of their keys, beginning with the first key after `after`, which needn't
    /// exist.
    ///
    /// All pages together contain each connection once, with its integration and state. If `limit` is 0, the page is empty; otherwise
    /// only the page after the last connection is empty. No secret is read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects.
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
    /// The time of the last refresh; `None` if the connection hasn't been refreshed since it was put.
    pub refreshed_at: Option<SystemTime>,
}

impl StoredConnection {
    /// Returns an active connection that hasn't been refreshed since it was put.
    #[must_use]
    pub fn new(connection: Connection, version: CredentialVersion) -> Self {
        Self {
            connection,
            version,
            state: GrantState::Active,
            refreshed_at: None,
        }
    }

    /// Sets the state of the grant. Default: [`GrantState::Active`].
    #[must_use]
    pub fn state(mut self, state: GrantState) -> Self {
        self.state = state;
        self
    }

    /// Sets the time of the last refresh. Default: `None`.
    #[must_use]
    pub fn refreshed_at(mut self, at: SystemTime) -> Self {
        self.refreshed_at = Some(at);
        self
    }
}

/// The state of the grant that a credential is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantState {
    /// The credential can be refreshed, as far as is known.
    Active,
    /// The token endpoint has refused the grant permanently (`invalid_grant`, RFC 6749 §5.2): the connection's owner must authorize the
    /// connection again.
    Revoked,
}

/// The result of a refresh.
#[derive(Clone, Debug)]
pub enum GrantUpdate {
    /// The connection with its new tokens. The credential gets a new version.
    Refreshed(Connection),
    /// The token endpoint has refused the grant permanently.
    Revoked,
}

/// The version of a credential, which distinguishes the credential from all other credentials of the connection. Versions have no order
/// in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialVersion(u64);

impl CredentialVersion {
    /// Returns the version with that number.
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

/// The right to refresh a connection, for a limited time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefreshLease(u64);

impl RefreshLease {
    /// Returns the lease with that fence.
    #[must_use]
    pub const fn new(fence: u64) -> Self {
        Self(fence)
    }

    /// Returns the fence, which is higher than the fences of all earlier leases on the connection.
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

            fn extend(
                &self,
                key: &ConnectionKey,
                lease: RefreshLease,
                time: Duration,
            ) -> impl Future<Output = Result<bool, StoreError>> + Send {
                S::extend(self, key, lease, time)
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

            fn put_all(
                &self,
                connections: &[(ConnectionKey, Connection)],
            ) -> impl Future<Output = Result<Vec<CredentialVersion>, StoreError>> + Send {
                S::put_all(self, connections)
            }

            fn restore(
                &self,
                key: &ConnectionKey,
                stored: &StoredConnection,
                replaced: Option<CredentialVersion>,
            ) -> impl Future<Output = Result<Option<CredentialVersion>, StoreError>> + Send {
                S::restore(self, key, stored, replaced)
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
