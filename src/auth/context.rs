//! The context in which a scheme runs.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;

use super::AuthError;
use crate::connection::{CacheKey, Connection, Credential, Variables};
use crate::policy::Destination;
use crate::secret::Secret;

/// The context of a scheme besides the request: the connection's secrets and variables, the destination, the time, and the
/// payload if the scheme needs it.
///
/// ```
/// use std::time::SystemTime;
/// use http::Request;
/// use tower_passthrough::auth::{AuthContext, AuthRequest, AuthScheme, Bearer};
/// use tower_passthrough::{Connection, Upstream};
///
/// // A scheme's unit test:
/// let connection = Connection::new("crm").with_secret("token", "s3cr3t");
/// let upstream = Upstream::new("https://api.crm.test")?;
/// let destination = upstream.destination();
/// let cx = AuthContext::new(&connection, &destination, SystemTime::UNIX_EPOCH);
///
/// let (mut head, ()) = Request::get("https://api.crm.test/users").body(())?.into_parts();
/// let _ = Bearer.apply(&mut AuthRequest::new(&mut head), &cx)?;
/// assert_eq!(head.headers["authorization"], "Bearer s3cr3t");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct AuthContext<'a> {
    connection: &'a Connection,
    destination: &'a Destination,
    payload: Option<&'a Bytes>,
    length: Option<u64>,
    now: SystemTime,
}

impl<'a> AuthContext<'a> {
    /// Returns the context of a call of `connection` to `destination` at the time `now`, without a payload.
    #[must_use]
    pub const fn new(
        connection: &'a Connection,
        destination: &'a Destination,
        now: SystemTime,
    ) -> Self {
        Self {
            connection,
            destination,
            payload: None,
            length: None,
            now,
        }
    }

    /// Sets the payload, for a scheme that needs it. Default: none.
    #[must_use]
    pub const fn with_payload(mut self, payload: &'a Bytes) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Sets the length of the payload, in bytes. Default: unknown.
    #[must_use]
    pub const fn with_payload_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// Returns the connection's secrets.
    #[must_use]
    pub fn credential(&self) -> &'a Credential {
        self.connection.credential()
    }

    /// Returns the secret with that name.
    ///
    /// # Errors
    ///
    /// [`AuthError::MissingSecret`] if the connection has no such secret.
    pub fn secret(&self, name: &str) -> Result<&'a Secret, AuthError> {
        let secret = self.credential().get(name);
        secret.ok_or_else(|| AuthError::MissingSecret(name.into()))
    }

    /// Returns the connection's variables.
    #[must_use]
    pub fn variables(&self) -> &'a Variables {
        self.connection.variables()
    }

    /// Returns the variable with that name.
    ///
    /// # Errors
    ///
    /// [`AuthError::MissingVariable`] if the connection has no such variable.
    pub fn variable(&self, name: &str) -> Result<&'a str, AuthError> {
        let value = self.variables().get(name);
        value.ok_or_else(|| AuthError::MissingVariable(name.into()))
    }

    /// Returns the header value that `make` builds from the connection's secrets.
    ///
    /// The value is cached with the connection until its credential changes, and returned for the same key.
    ///
    /// # Errors
    ///
    /// The errors of `make`.
    pub fn cached_header(
        &self,
        key: &CacheKey,
        make: impl FnOnce() -> Result<HeaderValue, AuthError>,
    ) -> Result<HeaderValue, AuthError> {
        self.connection.cached_header(key, make)
    }

    #[cfg(feature = "rustls")]
    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// Returns the destination of the request.
    #[must_use]
    pub fn destination(&self) -> &'a Destination {
        self.destination
    }

    /// Returns the payload, if [`AuthScheme::payload`](super::AuthScheme::payload) has requested the payload.
    #[must_use]
    pub fn payload(&self) -> Option<&'a Bytes> {
        self.payload
    }

    /// Returns the length of the payload in bytes, if it is known before the payload has been read.
    #[must_use]
    pub fn payload_length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the time to use in signatures.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }
}

// Implemented by hand, because a derived implementation would print the payload.
impl fmt::Debug for AuthContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthContext")
            .field("connection", self.connection)
            .field("destination", self.destination)
            .finish_non_exhaustive()
    }
}
