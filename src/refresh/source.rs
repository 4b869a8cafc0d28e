//! Sources of access tokens, such as a token endpoint or an upstream's own login call, and the secrets that contain tokens.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::expires_at;
use crate::connection::{Connection, ConnectionKey};
use crate::error::BoxError;
use crate::secret::Secret;

const ACCESS_TOKEN: &str = "access_token";
const REFRESH_TOKEN: &str = "refresh_token";

/// Fetches new tokens for a connection.
///
/// A source only fetches tokens. [`RefreshingStore`](super::RefreshingStore) decides when to call it, ensures that only one
/// call per connection runs at a time, and stores the result before using it.
pub trait TokenSource: Send + Sync + 'static {
    /// Returns `true` if the source can fetch tokens for the connection. If it can't, the connection is used without changes,
    /// and the upstream's rejection is returned to the caller.
    fn supports(&self, connection: &Connection) -> bool;

    /// Fetches new tokens, which replace the tokens of the connection.
    ///
    /// # Errors
    ///
    /// [`TokenError::Revoked`] if only the connection's owner can repair it, [`TokenError::Failed`] if a later call may
    /// succeed.
    ///
    /// # Cancel safety
    ///
    /// The future runs in a separate task, which is aborted when the store's
    /// [`exchange_timeout`](super::RefreshingStore::exchange_timeout) has passed or the runtime shuts down.
    fn fetch(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> impl Future<Output = Result<Tokens, TokenError>> + Send;
}

/// The result of a [`TokenSource`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// The new access token: the secret `access_token`.
    pub access_token: Secret,
    /// The new refresh token: the secret `refresh_token`. If it's `None`, the old refresh token is retained. Default: `None`.
    pub refresh_token: Option<Secret>,
    /// The expiry of the access token: the secret `expires_at`. If it's `None`, it's unknown, and the token is refreshed only after the
    /// upstream has rejected it. Default: `None`.
    pub expires_at: Option<SystemTime>,
    /// Other secrets in the response, by name. Default: none.
    pub others: Vec<(Box<str>, Secret)>,
}

impl Tokens {
    /// Returns tokens that contain only an access token.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: None,
            expires_at: None,
            others: Vec::new(),
        }
    }
}

/// The error of a source that returned no tokens.
///
/// Calls use the old access token until it expires, and callers don't notice the error before that.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The grant was revoked or has expired (`invalid_grant`, RFC 6749 §5.2), so only the connection's owner can repair the connection. The
    /// store keeps this state, and the source isn't called again until the connection has been put again, or was revived by a store with a
    /// method `revive`. When the access token has expired, the response is `reauthorize`.
    Revoked,
    /// The connection lacks data that only its owner can add, such as a variable or a valid key, and no request was made. The connection is
    /// checked again after 5 s. If there is no valid access token, the response is `reauthorize`.
    Incomplete {
        /// The missing data, for the host application's logs. It contains no value of a secret or a variable.
        source: BoxError,
    },
    /// The token endpoint failed, and a later call may succeed. The source is called again after a wait that doubles with each failure, up
    /// to 60 s. If there is no valid access token, the response is `refresh-failed`, with `Retry-After`.
    Failed {
        /// The time to wait that the endpoint requested, of which at most 5 min are waited. `None` if it requested none.
        retry_after: Option<Duration>,
        /// The cause, for the host application's logs. From the endpoint's response, it contains at most the status and a
        /// registered error code, because other text may repeat the request.
        source: BoxError,
    },
}

impl TokenError {
    /// Returns [`Failed`](Self::Failed) with that cause.
    ///
    /// There is no `From` implementation, so that the `?` operator can't convert an error that shows a response.
    pub fn failed(source: impl Into<BoxError>) -> Self {
        Self::Failed {
            retry_after: None,
            source: source.into(),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoked | Self::Incomplete { .. } => "the connection must be authorized again",
            Self::Failed { .. } => "the token source has no tokens for now",
        })
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Revoked => None,
            Self::Incomplete { source } | Self::Failed { source, .. } => Some(&**source),
        }
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<T: TokenSource> TokenSource for $pointer<T> {
            fn supports(&self, connection: &Connection) -> bool {
                T::supports(self, connection)
            }

            fn fetch(
                &self,
                id: &ConnectionKey,
                connection: &Connection,
            ) -> impl Future<Output = Result<Tokens, TokenError>> + Send {
                T::fetch(self, id, connection)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// Uses the first of the two sources that supports the connection.
impl<A: TokenSource, B: TokenSource> TokenSource for (A, B) {
    fn supports(&self, connection: &Connection) -> bool {
        self.0.supports(connection) || self.1.supports(connection)
    }

    async fn fetch(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        if self.0.supports(connection) {
            return self.0.fetch(id, connection).await;
        }
        self.1.fetch(id, connection).await
    }
}

/// Returns `true` if the connection has an access token.
pub(super) fn has_token(connection: &Connection) -> bool {
    connection.credential().get(ACCESS_TOKEN).is_some()
}

/// Returns `true` if both have the same access token, or none.
pub(super) fn is_same_token(one: &Connection, other: &Connection) -> bool {
    one.credential().get(ACCESS_TOKEN) == other.credential().get(ACCESS_TOKEN)
}

/// Returns `true` if `newest` still has the refresh token of `old`, which was rotated when it was exchanged for `tokens`.
pub(super) fn is_used_up(old: &Connection, tokens: &Tokens, newest: &Connection) -> bool {
    let [old_token, newest_token] =
        [old, newest].map(|connection| connection.credential().get(REFRESH_TOKEN));
    tokens.refresh_token.is_some()
        && old.integration() == newest.integration()
        && newest_token.is_some()
        && old_token == newest_token
        && tokens.refresh_token.as_ref() != newest_token
}

/// Returns the connection with the tokens.
pub(super) fn with_tokens(mut connection: Connection, tokens: Tokens) -> Connection {
    for (name, secret) in tokens.others {
        connection = connection.with_secret(name, secret);
    }
    connection = connection.with_secret(ACCESS_TOKEN, tokens.access_token);
    // A response without a refresh token keeps the old refresh token (RFC 6749 §6).
    if let Some(secret) = tokens.refresh_token {
        connection = connection.with_secret(REFRESH_TOKEN, secret);
    }
    match tokens.expires_at {
        Some(end) => connection.with_secret(expires_at::NAME, expires_at::to_secret(end)),
        None => connection.without_secret(expires_at::NAME),
    }
}
