//! What it takes of a store that tokens refresh themselves: to tell one state of a credential from
//! the next, to let one process at a time ask for new tokens, and to lose none of them.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{CredentialStore, StoreError};
use crate::address::ConnectionId;
use crate::connection::Connection;

/// A store that connections can be renewed in, by several processes at once.
///
/// An implementation proves itself by the suite of the feature `test-util`.
///
/// # Versions and leases
///
/// Each credential that is written has a [`Version`] that no other ever had, also not one of the
/// same id that was removed in between. A commit names the version that it's based on, and counts
/// only if that is the newest (compare-and-swap): so a process that slept through its lease never
/// overwrites what is newer (SECURITY O3).
///
/// A [`Lease`] keeps others from asking a token endpoint at the same time. It ends by itself, as
/// its holder may be killed. Each has a higher fence than those before it. New tokens are taken also
/// from whoever has lost the lease since, as long as nobody else has committed: they are all that
/// is left of a refresh token that the vendor has rotated. That a credential is dead is believed
/// only of the newest lease: whoever lost it may have been refused because its successor is being
/// served.
pub trait TokenStore: CredentialStore {
    /// The connection as it's stored now, past any cache.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Unavailable`] if the store can't
    /// tell.
    fn read(&self, id: &ConnectionId) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// The right to renew that connection, for `time` from now on. `None`: somebody else has it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    fn lease(
        &self,
        id: &ConnectionId,
        time: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, StoreError>> + Send;

    /// Gives a lease back before its time. One that is over, or another's by now, is nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: it then ends by itself.
    fn release(
        &self,
        id: &ConnectionId,
        lease: Lease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes what became of a renewal, based on what was [`read`](Self::read). When it returns, that
    /// survives a crash of process and machine. `None`: the credential is another by now, or, for
    /// [`Renewal::Dead`], the lease is; nothing was written.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). The renewal may then be written or not.
    ///
    /// # Cancel safety
    ///
    /// It's called in a task that nobody drops, save by ending the runtime.
    fn commit(
        &self,
        id: &ConnectionId,
        read: Version,
        lease: Lease,
        renewal: &Renewal,
    ) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send;
}

/// A store whose connections can be changed.
pub trait ConnectionStore: TokenStore {
    /// Adds a connection, or replaces the one of that id, with a new version. A replaced one that
    /// was dead isn't any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn put(
        &self,
        id: &ConnectionId,
        connection: &Connection,
    ) -> impl Future<Output = Result<Version, StoreError>> + Send;

    /// Removes a connection; whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn remove(&self, id: &ConnectionId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Up to `limit` connections in the order of their ids' bytes, those after `after`. No secret is
    /// read for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed.
    fn list(
        &self,
        after: Option<&ConnectionId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;
}

/// A connection as it's stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The connection.
    pub connection: Connection,
    /// Of its credential.
    pub version: Version,
    /// Whether its credential can be renewed.
    pub standing: Standing,
    /// When it was renewed last; `None` since it was put there.
    pub renewed_at: Option<SystemTime>,
}

impl Record {
    /// A live one, put there and not renewed since.
    #[must_use]
    pub fn new(connection: Connection, version: Version) -> Self {
        Self {
            connection,
            version,
            standing: Standing::Live,
            renewed_at: None,
        }
    }

    /// Sets whether its credential can be renewed.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Sets when it was renewed last.
    #[must_use]
    pub fn renewed_at(mut self, at: SystemTime) -> Self {
        self.renewed_at = Some(at);
        self
    }
}

/// Whether a credential can be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As far as is known.
    Live,
    /// Its owner must authorize it anew (SECURITY O4).
    Dead,
}

/// What became of a renewal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Renewal {
    /// New tokens: the connection with them. The credential gets a new version.
    Renewed(Connection),
    /// The vendor said that it can't be renewed any more. The version stays, so that new tokens of
    /// somebody who was faster still count.
    Dead,
}

/// Tells one state of a credential from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The one of that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The right to renew a connection, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease(u64);

impl Lease {
    /// The one of that fence.
    #[must_use]
    pub const fn new(fence: u64) -> Self {
        Self(fence)
    }

    /// Its fence: higher than those of all leases on that connection before it.
    #[must_use]
    pub const fn fence(self) -> u64 {
        self.0
    }
}

/// What a list shows of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: ConnectionId,
    /// The name of its integration.
    pub integration: Arc<str>,
    /// Whether its credential can be renewed.
    pub standing: Standing,
}

impl Listed {
    /// A connection of that id.
    #[must_use]
    pub fn new(id: ConnectionId, integration: impl Into<Arc<str>>, standing: Standing) -> Self {
        Self {
            id,
            integration: integration.into(),
            standing,
        }
    }
}

impl<S: TokenStore> TokenStore for Arc<S> {
    fn read(&self, id: &ConnectionId) -> impl Future<Output = Result<Record, StoreError>> + Send {
        S::read(self, id)
    }

    fn lease(
        &self,
        id: &ConnectionId,
        time: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, StoreError>> + Send {
        S::lease(self, id, time)
    }

    fn release(
        &self,
        id: &ConnectionId,
        lease: Lease,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        S::release(self, id, lease)
    }

    fn commit(
        &self,
        id: &ConnectionId,
        read: Version,
        lease: Lease,
        renewal: &Renewal,
    ) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send {
        S::commit(self, id, read, lease, renewal)
    }
}

impl<S: ConnectionStore> ConnectionStore for Arc<S> {
    fn put(
        &self,
        id: &ConnectionId,
        connection: &Connection,
    ) -> impl Future<Output = Result<Version, StoreError>> + Send {
        S::put(self, id, connection)
    }

    fn remove(&self, id: &ConnectionId) -> impl Future<Output = Result<bool, StoreError>> + Send {
        S::remove(self, id)
    }

    fn list(
        &self,
        after: Option<&ConnectionId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send {
        S::list(self, after, limit)
    }
}
