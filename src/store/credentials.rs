//! The store that looks up the connection of each call.

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
/// Keys are exact bytes: a store must not change their case, trim, pad or normalise them, and must not interpret them as patterns,
/// numbers, paths or encodings. `acme`, `ACME`, `acme ` and `acm%` are four different keys, and so are `crm`, `acme/crm`, `/acme/crm`
/// and `acme%2Fcrm`. A key has up to 512 bytes, and all of them count. No method may return the connection of another key.
///
/// # Caches
///
/// [`connection`](Self::connection) may answer from a cache. A store with a cache documents its *staleness*: the maximum time for
/// which a change by another process may not be visible yet, whether it is a new connection, another credential or a removal. A change
/// through the same handle on the store is visible to the next call.
///
/// # Dispatch
///
/// The trait isn't dyn-compatible, because its methods return futures that aren't boxed. To choose a store at run time, use
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
    /// Returns the connection with that key, with exactly the bytes that were stored.
    ///
    /// A connection with a grant that was [revoked](crate::store::GrantState::Revoked) is returned too, because its access token may still
    /// be valid. The authorizer has already allowed the call; `cx` has the host application's data about the caller.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such connection, [`StoreError::Unavailable`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects.
    fn connection(
        &self,
        key: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send; // in place of `dyn`, use `BoxCredentialStore`

    /// Returns the connection with another credential, after the upstream has rejected `rejected` by a 401 or by another
    /// [sign](crate::Upstream::refresh_on). `None` if there is no other credential; the caller then gets the upstream's response. Default:
    /// `None`.
    ///
    /// # Errors
    ///
    /// The same errors as [`connection`](Self::connection).
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects. It is also dropped after a second if the call can't be
    /// sent again. A rotated token must not be lost then: refresh in a separate task, and wait for the task here.
    fn refresh(
        &self,
        key: &ConnectionKey,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send {
        let _ = (key, rejected, cx);
        ready(Ok(None))
    }

    /// Returns `true` if [`refresh`](Self::refresh) may return another credential for that connection.
    ///
    /// If it's `true`, the head of each call of the connection is buffered until the upstream has answered, and so is the body up to
    /// [`replay_limit`](crate::PassthroughBuilder::replay_limit).
    ///
    /// Default: `false`.
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

/// The error of a store that can't return the connection of a call.
///
/// A store must distinguish its answer that there is no such connection ([`NotFound`](Self::NotFound)) from its own failure
/// ([`Unavailable`](Self::Unavailable)), because callers try again only after a failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no connection with that key. The response is `unknown-connection`, with the same bytes as for a caller who may not use the
    /// connection.
    NotFound,
    /// The credential can't be used any more, and only the connection's owner can repair the connection. A
    /// [`RefreshingStore`](crate::refresh::RefreshingStore) returns it if the grant was revoked and the access token has expired. The owner
    /// must authorize the connection again, and the host application must store the new credential. The response is `reauthorize`.
    Reauthorize,
    /// The store failed: it can't be reached, or it can't read the record. The host application's operator must find the cause, which is
    /// the error's source. The response is `store-unavailable`, and `refresh-failed` after the upstream's 401.
    Unavailable(BoxError),
    /// The access token isn't valid any more, and can't be refreshed at present, because the token endpoint fails. Another call after
    /// `retry_after` may succeed. The response is `refresh-failed`, with `Retry-After`.
    RefreshFailed {
        /// The time to wait before a refresh may work again.
        retry_after: Duration,
        /// The cause, for the host application's logs. It must not contain any part of a token endpoint's response.
        source: BoxError,
    },
}

impl StoreError {
    /// Returns the error of a store that failed, for `map_err`.
    ///
    /// There is no `From` implementation, so that the `?` operator never chooses a status by accident. If the error isn't `'static`,
    /// pass its text:
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

    /// Returns the error of a call after the upstream has rejected the credential and the store couldn't refresh it.
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
