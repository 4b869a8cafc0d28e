//! The feed of changes that other processes make.

use std::future::Future;
use std::sync::Arc;

use crate::connection::ConnectionKey;
use crate::store::StoreError;

/// A source of changes, which reports to a [`ConnectionCache`](super::ConnectionCache) the connections that have been written to.
///
/// The cache calls it at most once in its [staleness](super::ConnectionCacheBuilder::staleness), only when there is a call, and
/// never twice at the same time.
///
/// A feed must not miss a change that was committed before the feed was called. Be careful with databases in which transactions commit in
/// another order than they take numbers: a cursor that is "the highest number so far" misses the transaction that took a lower number and
/// commits later. In PostgreSQL, a cursor can be the snapshot (`pg_current_snapshot`) of the last call. If the feed can't determine the
/// connections that were written to, because its log was truncated or the database was replaced by a standby, it returns [`Changes::All`].
///
/// The feed may report too many connections: for a connection that hasn't changed, only the versions are compared, and it isn't
/// decrypted again. The feed may also report changes by this process.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_passthrough::StoreError;
/// use tower_passthrough::durable::{ChangeFeed, Changes};
///
/// /// A simplified database, which counts its commits.
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

    /// Returns the changes after `cursor`, and the next cursor. If `cursor` is `None`, the cache is empty, and the feed returns
    /// the current cursor.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the store failed. The waiting calls then fail, because a cached connection might be older
    /// than the staleness, and the next call of the feed has the same cursor.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects. The feed is then called again with the same
    /// cursor.
    fn changes_since(
        &self,
        cursor: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Changes<Self::Cursor>, StoreError>> + Send;
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<F: ChangeFeed> ChangeFeed for $pointer<F> {
            type Cursor = F::Cursor;

            fn changes_since(
                &self,
                cursor: Option<&Self::Cursor>,
            ) -> impl Future<Output = Result<Changes<Self::Cursor>, StoreError>> + Send {
                F::changes_since(self, cursor)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The changes since a cursor, each with the next cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changes<C> {
    /// No connection has changed.
    None(C),
    /// These connections were put, committed or removed. A key may be contained twice.
    Keys(Vec<ConnectionKey>, C),
    /// Any connection may have changed.
    All(C),
}
