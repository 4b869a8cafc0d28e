//! What a refresh brought, as all who waited for it are told.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::connection::Connection;
use crate::error::BoxError;
use crate::store::StoreError;

/// How a flight ended.
#[derive(Clone)]
pub(super) enum Landed {
    /// This is to be used.
    Usable(Connection),
    /// There is no other, and it's too early to ask for one because of a 401.
    Unchanged,
    /// Only the connection's owner can help.
    Dead,
    /// It may work again, then.
    Failed(Instant, SharedError),
    /// The store failed.
    Unavailable(SharedError),
    /// The connection is gone.
    NotFound,
}

impl Landed {
    /// What a call makes of it. `None`: nothing has changed.
    ///
    /// # Errors
    ///
    /// If there is no token for it.
    pub(super) fn into_result(self) -> Result<Option<Connection>, StoreError> {
        match self {
            Self::Usable(connection) => Ok(Some(connection)),
            Self::Unchanged => Ok(None),
            Self::Dead => Err(StoreError::Reauthorize),
            Self::Failed(until, cause) => Err(refresh_failed(until, cause)),
            Self::Unavailable(cause) => Err(StoreError::unavailable(cause)),
            Self::NotFound => Err(StoreError::NotFound),
        }
    }
}

impl From<StoreError> for Landed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Reauthorize => Self::Dead,
            StoreError::Unavailable(source) => Self::Unavailable(SharedError::new(source)),
            StoreError::RefreshFailed {
                retry_after,
                source,
            } => {
                let now = Instant::now();
                let until = now.checked_add(retry_after).unwrap_or(now);
                Self::Failed(until, SharedError::new(source))
            }
        }
    }
}

/// The error of a call that needed a token at once.
pub(super) fn refresh_failed(until: Instant, cause: SharedError) -> StoreError {
    StoreError::RefreshFailed {
        retry_after: until.saturating_duration_since(Instant::now()),
        source: cause.into(),
    }
}

/// A cause that several calls are told.
#[derive(Clone)]
pub(super) struct SharedError(Arc<dyn Error + Send + Sync>);

impl SharedError {
    pub(super) fn new(error: impl Into<BoxError>) -> Self {
        Self(Arc::from(error.into()))
    }

    pub(super) fn as_error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
