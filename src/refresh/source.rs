//! Where access tokens come from: a token endpoint, or a vendor's own login call.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::error::BoxError;
use crate::secret::Secret;

/// Obtains new tokens for a connection.
///
/// It does the asking alone. That one does it at a time, that what it brings is stored before it's
/// used, and when it's time to ask, is the duty of whoever calls it.
pub trait TokenSource: Send + Sync + 'static {
    /// Whether new tokens for that connection can be had here. If not, it's used as it's stored, and
    /// a vendor's 401 goes back.
    fn supports(&self, connection: &Connection) -> bool;

    /// New tokens in place of those that the connection has.
    ///
    /// # Errors
    ///
    /// [`TokenError::Revoked`] if only the connection's owner can help, [`TokenError::Failed`] if it
    /// may work again.
    ///
    /// # Cancel safety
    ///
    /// It's called in a task that nobody drops, save by ending the runtime.
    fn fetch(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> impl Future<Output = Result<Tokens, TokenError>> + Send;
}

/// What a [`TokenSource`] brings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// The new access token: the secret `access_token`.
    pub access_token: Secret,
    /// The new refresh token: the secret `refresh_token`. `None`: the old one stays.
    pub refresh_token: Option<Secret>,
    /// When the access token ends: the secret `expires_at`. `None`: nobody knows, so it's renewed
    /// only after a 401.
    pub expires_at: Option<SystemTime>,
    /// Other secrets that came along, by name.
    pub others: Vec<(Box<str>, Secret)>,
}

impl Tokens {
    /// An access token alone.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: None,
            expires_at: None,
            others: Vec::new(),
        }
    }
}

/// Why there are no new tokens.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// Only the connection's owner can help (`invalid_grant`, RFC 6749 §5.2).
    Revoked,
    /// The connection lacks what only its owner can give, and nothing was asked: a variable is
    /// missing, a key is none. It isn't remembered for long.
    Incomplete {
        /// What it lacks, for the host's logs. No value of a secret or a variable.
        source: BoxError,
    },
    /// It may work again.
    Failed {
        /// How long the endpoint asks to be left alone.
        retry_after: Option<Duration>,
        /// Why, for the host's logs: nothing of the endpoint's answer but its status and an error
        /// code of RFC 6749's (SECURITY L8).
        source: BoxError,
    },
}

impl TokenError {
    /// It may work again. Named, so that no `?` makes it of an error that shows an answer.
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
            Self::Revoked | Self::Incomplete { .. } => "the connection must be authorized anew",
            Self::Failed { .. } => "no tokens can be had for now",
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

impl<T: TokenSource> TokenSource for Arc<T> {
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

/// The first of the two that serves the connection.
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
