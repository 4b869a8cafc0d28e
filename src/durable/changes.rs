//! The changes that other processes make.

use std::future::Future;

use crate::connection::ConnectionKey;
use crate::store::StoreError;

/// A source of changes: tells a [`ConnectionCache`](super::ConnectionCache) which connections have been written to.
///
/// The cache asks at most once in its [staleness](super::ConnectionCacheBuilder::staleness), only when a call comes, and never
/// twice at once.
///
/// A feed must not miss a change that was committed before it was asked. Beware of databases whose transactions commit in another
/// order than they take numbers in: a cursor that is "the highest number so far" misses the transaction that took a lower number
/// and commits later. In PostgreSQL a cursor can be the snapshot (`pg_current_snapshot`) of the last time. If the feed can't tell
/// which connections were written to, because its log was cut off or the database was replaced by a standby, it returns
/// [`Changes::All`].
///
/// The feed may report too much: a connection that hasn't changed is compared by its version and not decrypted again. It may
/// report changes of this process, too.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_passthrough::StoreError;
/// use tower_passthrough::durable::{ChangeFeed, Changes};
///
/// /// Stands for a database that counts its commits.
/// struct Commits(Arc<AtomicU64>);
///
/// impl ChangeFeed for Commits {
///     type Cursor = u64;
///
///     async fn changes_since(&self, cursor: Option<&u64>) -> Result<Changes<u64>, StoreError> {
///         let now = self.0.load(Ordering::Acquire);
///         Ok(match cursor {
///             Some(&seen) if seen != now => Changes::All(now),
///             _ => Changes::None(now),
///         })
///     }
/// }
/// ```
pub trait ChangeFeed: Send + Sync + 'static {
    /// The position up to which changes have been reported.
    type Cursor: Send + Sync + 'static;

    /// Returns the changes after `cursor`, and the next cursor. With `None` the cache holds nothing yet, and the feed returns the
    /// cursor of now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store can't tell. The calls that wait for it fail, as what they would get may be older
    /// than the staleness, and the next call asks again with the same cursor.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point. The feed is then asked again with the same cursor.
    fn changes_since(
        &self,
        cursor: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Changes<Self::Cursor>, StoreError>> + Send;
}

/// The changes since a cursor, each with the next cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changes<C> {
    /// Nobody has written.
    None(C),
    /// These connections were put, committed or removed; a key may come twice.
    Keys(Vec<ConnectionKey>, C),
    /// Any connection may have changed.
    All(C),
}
