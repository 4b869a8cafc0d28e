//! Where connections come from, and who may use them.
//!
//! A store is one asynchronous method:
//!
//! ```
//! use tower_passthrough::{CallContext, Connection, ConnectionId, CredentialStore, StoreError};
//!
//! # #[derive(Debug)] struct Row { integration: String, token: String }
//! # #[derive(Debug)] struct Pool;
//! # impl Pool { async fn get(&self, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) } }
//! struct Database(Pool);
//!
//! impl CredentialStore for Database {
//!     async fn connection(&self, id: &ConnectionId, _: CallContext<'_>) -> Result<Connection, StoreError> {
//!         let row = self.0.get(id.as_str()).await.map_err(StoreError::unavailable)?;
//!         let row = row.ok_or(StoreError::NotFound)?;
//!         Ok(Connection::new(row.integration).with("token", row.token))
//!     }
//! }
//! ```

mod authorize;
mod authorized;
mod boxed;
mod context;
mod memory;
mod scope;
mod tokens;

pub use self::authorize::{Authorize, Everyone};
pub use self::authorized::Authorized;
pub use self::boxed::{BoxAuthorize, BoxCredentialStore};
pub use self::context::CallContext;
pub use self::memory::MemoryStore;
pub use self::scope::Scope;
pub use self::tokens::{
    ConnectionStore, Lease, Listed, Record, Renewal, Standing, TokenStore, Version,
};

use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use crate::address::ConnectionId;
use crate::connection::Connection;
use crate::error::{BoxError, Error, ErrorCode};

/// Looks up connections.
///
/// Ids are exact bytes: a store must not fold their case, trim, pad or normalise them, nor read
/// them as patterns (SECURITY T14).
pub trait CredentialStore: Send + Sync + 'static {
    /// The connection of that id.
    ///
    /// The caller has been authorized for the id by then; `cx` tells what the host app knows of it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Unavailable`] if the store can't
    /// tell.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point.
    fn connection(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send;

    /// Another credential, now that the vendor has answered 401 to `rejected`. `None`: there is
    /// none, and the 401 goes back.
    ///
    /// # Errors
    ///
    /// As [`connection`](Self::connection).
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point, and so does, after a second, a
    /// call that can't be sent again. A rotated token must not be lost by that: renew in a task of
    /// its own, and wait for it here.
    fn renew(
        &self,
        id: &ConnectionId,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
        let _ = (id, rejected, cx);
        ready(Ok(None))
    }

    /// Whether [`renew`](Self::renew) can bring another credential for that connection. If so, the
    /// head of each of its calls is kept until the vendor has answered, and of the body what may be.
    fn renews(&self, connection: &Connection) -> bool {
        let _ = connection;
        false
    }
}

impl<S: CredentialStore> CredentialStore for Arc<S> {
    fn connection(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send {
        S::connection(self, id, cx)
    }

    fn renew(
        &self,
        id: &ConnectionId,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
        S::renew(self, id, rejected, cx)
    }

    fn renews(&self, connection: &Connection) -> bool {
        S::renews(self, connection)
    }
}

/// Why a store or an authorizer gives no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none of that id, or this caller may not use it: the answer is the same.
    NotFound,
    /// Only the connection's owner can mend it.
    Reauthorize,
    /// The store failed, and can't tell.
    Unavailable(BoxError),
    /// The credential is stale, and can't be renewed for now.
    RefreshFailed {
        /// How long to wait before it may work again.
        retry_after: Duration,
        /// Why, for the host's logs. It must hold nothing of a token endpoint's answer.
        source: BoxError,
    },
}

impl StoreError {
    /// The store failed. Named, so that no `?` chooses a status by accident.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl StoreError {
    /// The error of a call whose credential the vendor has rejected and the store can't renew.
    pub(crate) fn while_renewing(self) -> Error {
        match self {
            Self::Unavailable(source) => refresh_failed(source),
            known => known.into(),
        }
        .with_sent(true)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::unknown_connection(),
            StoreError::Reauthorize => Self::reauthorize(
                "the connection's credential is dead: its owner must authorize it anew",
            ),
            StoreError::Unavailable(source) => {
                Self::new(ErrorCode::StoreUnavailable, "the credential store failed")
                    .with_source(source)
                    .with_retry_after(Duration::from_secs(1))
            }
            StoreError::RefreshFailed {
                retry_after,
                source,
            } => refresh_failed(source).with_retry_after(retry_after),
        }
    }
}

fn refresh_failed(source: BoxError) -> Error {
    let detail = "the connection's credential can't be refreshed for now";
    Error::new(ErrorCode::RefreshFailed, detail).with_source(source)
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such connection",
            Self::Reauthorize => "the connection must be authorized anew",
            Self::Unavailable(_) => "the store is unavailable",
            Self::RefreshFailed { .. } => "the credential can't be refreshed for now",
        })
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(source) | Self::RefreshFailed { source, .. } => Some(&**source),
            Self::NotFound | Self::Reauthorize => None,
        }
    }
}
