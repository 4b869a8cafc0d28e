//! The store that every call asks.

use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use crate::authorize::{AuthorizeError, CallContext};
use crate::connection::{Connection, ConnectionKey};
use crate::error::{BoxError, Error, ErrorCode};

/// Looks up connections.
///
/// # Keys
///
/// Keys are exact bytes: a store must not fold their case, trim, pad or normalise them, nor read them as patterns, numbers, paths or
/// encodings. `acme`, `ACME`, `acme ` and `acm%` are four keys, and so are `crm`, `acme/crm`, `/acme/crm` and `acme%2Fcrm`. A key
/// has up to 512 bytes, all of which count. No method may find the connection of another key.
///
/// # Caches
///
/// [`connection`](Self::connection) may answer from a cache. A store with a cache states its *staleness*: the maximum time for which a
/// change that another process has made may go unseen, be it a new connection, another credential or a removal. Changes that were
/// made through the same handle on the store count for its next call.
///
/// # Dispatch
///
/// The trait isn't dyn-compatible, as its methods return futures without a box. For a store that is chosen at run time there is
/// [`BoxCredentialStore`](crate::store::BoxCredentialStore):
///
/// ```compile_fail,E0038
/// # use tower_passthrough::{CredentialStore, MemoryStore};
/// let store: Box<dyn CredentialStore> = Box::new(MemoryStore::new());
/// // error[E0038]: the trait `CredentialStore` is not dyn compatible
/// // note: .. in place of `dyn`, use `BoxCredentialStore`
/// ```
///
/// ```
/// # use tower_passthrough::MemoryStore;
/// use tower_passthrough::store::BoxCredentialStore;
///
/// let store = BoxCredentialStore::new(MemoryStore::new());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a store of connections",
    label = "not a `CredentialStore`",
    note = "implement `CredentialStore` for it, or begin with `MemoryStore`",
    note = "for a store that is chosen at run time, use `BoxCredentialStore::new(store)` in place of a `Box<dyn ..>`"
)]
pub trait CredentialStore: Send + Sync + 'static {
    /// Returns the connection of that key, byte for byte as it was stored. A connection whose grant was
    /// [revoked](crate::store::GrantState::Revoked) is returned too: its access token may still be valid.
    ///
    /// The caller has been authorized for it by then; `cx` has what the host application knows of the caller.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is none, [`StoreError::Unavailable`] if the store can't tell.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point.
    fn connection(
        &self,
        key: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send; // in place of `dyn`, use `BoxCredentialStore`

    /// Returns the connection with another credential, after the upstream has answered 401 to `rejected`. `None`: there is no
    /// other credential, and the 401 goes to the caller. Default: `None`.
    ///
    /// # Errors
    ///
    /// As [`connection`](Self::connection).
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future at any await point, and so does, after a second, a call that can't be sent
    /// again. A rotated token must not be lost by that: refresh in a task of its own, and wait for the task here.
    fn refresh(
        &self,
        key: &ConnectionKey,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
        let _ = (key, rejected, cx);
        ready(Ok(None))
    }

    /// Returns `true` if [`refresh`](Self::refresh) may bring another credential for that connection. The head of each of the
    /// connection's calls is then kept until the upstream has answered, and the body up to
    /// [`replay_limit`](crate::PassthroughBuilder::replay_limit). Default: `false`.
    fn can_refresh(&self, connection: &Connection) -> bool {
        let _ = connection;
        false
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: CredentialStore> CredentialStore for $pointer<S> {
            fn connection(
                &self,
                key: &ConnectionKey,
                cx: CallContext<'_>,
            ) -> impl Future<Output = Result<Connection, StoreError>> + Send {
                S::connection(self, key, cx)
            }

            fn refresh(
                &self,
                key: &ConnectionKey,
                rejected: &Connection,
                cx: CallContext<'_>,
            ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
                S::refresh(self, key, rejected, cx)
            }

            fn can_refresh(&self, connection: &Connection) -> bool {
                S::can_refresh(self, connection)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The error of a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no connection of that key. The answer is `unknown-connection`.
    NotFound,
    /// Only the connection's owner can mend the connection. The answer is `reauthorize`.
    Reauthorize,
    /// The store failed and can't tell. The answer is `store-unavailable`.
    Unavailable(BoxError),
    /// The credential is stale and can't be refreshed for now. The answer is `refresh-failed`.
    RefreshFailed {
        /// The time to wait before a refresh may work again.
        retry_after: Duration,
        /// The cause, for the host's logs. It must hold nothing of a token endpoint's answer.
        source: BoxError,
    },
}

impl StoreError {
    /// Returns the error of a store that failed, for `map_err`. There is no `From`, so that no `?` chooses a status by accident.
    ///
    /// The error is taken by its text if it isn't `'static`:
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use tower_passthrough::StoreError;
    ///
    /// let counter = Mutex::new(0);
    /// let count = counter.lock().map_err(|error| StoreError::unavailable(error.to_string()))?;
    /// # Ok::<_, StoreError>(())
    /// ```
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }

    /// The error of a call whose credential the upstream has rejected and the store can't refresh.
    pub(crate) fn while_refreshing(self) -> Error {
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
                "the connection's credential was revoked or has expired: its owner must authorize the connection again",
            ),
            StoreError::Unavailable(source) => Self::new(
                ErrorCode::StoreUnavailable,
                "the credential store failed; try again later",
            )
            .with_source(source)
            .with_retry_after(Duration::from_secs(1)),
            StoreError::RefreshFailed {
                retry_after,
                source,
            } => refresh_failed(source).with_retry_after(retry_after),
        }
    }
}

impl From<StoreError> for AuthorizeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::Denied,
            StoreError::Reauthorize => Self::Reauthorize,
            other => Self::unavailable(other),
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
            Self::Reauthorize => "the connection must be authorized again by its owner",
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
