//! How a credential is put on a request: one file per scheme, chosen by data at run time.
//!
//! A scheme is put on last and wins (FORWARDING H1): the fields that it names are taken off the
//! caller's request first, also where they're spelled with `_`, given twice, or sent as trailers.
//!
//! ```
//! use tower_passthrough::{Upstream, auth};
//!
//! let upstream = Upstream::new("https://api.vendor.test")?
//!     .auth(auth::Header::new("authorization", "Token token={api_key}")?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod access_token;
pub(crate) mod basic;
mod bearer;
#[cfg(any(feature = "hmac", feature = "sigv4"))]
mod calendar;
mod coder;
mod header;
#[cfg(feature = "hmac")]
mod hmac;
#[cfg(feature = "rustls")]
mod identity;
#[cfg(feature = "rustls")]
mod mtls;
mod none;
#[cfg(feature = "oauth1")]
mod oauth1;
mod query;
mod several;
#[cfg(any(feature = "oauth1", feature = "hmac"))]
mod signing;
#[cfg(feature = "sigv4")]
mod sigv4;
mod target;

pub use self::access_token::AccessToken;
pub use self::basic::Basic;
pub use self::bearer::Bearer;
pub use self::coder::{BrokenPayload, PayloadCoder};
pub use self::header::Header;
#[cfg(feature = "hmac")]
#[cfg_attr(docsrs, doc(cfg(feature = "hmac")))]
pub use self::hmac::{Hmac, HmacHash, KeyEncoding, SignatureEncoding};
#[cfg(feature = "rustls")]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub use self::mtls::Mtls;
pub use self::none::NoAuth;
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub use self::oauth1::{OAuth1, RsaSha1Signer};
pub use self::query::Query;
pub use self::several::Several;
#[cfg(feature = "sigv4")]
#[cfg_attr(docsrs, doc(cfg(feature = "sigv4")))]
pub use self::sigv4::SigV4;

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use crate::connection::{Connection, Credential, Recipe};
use crate::error::{Error, ErrorCode};
#[cfg(feature = "rustls")]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub use crate::policy::ClientIdentity;
use crate::policy::Destination;
use crate::secret::{InvalidSecret, Secret};

/// A way to authenticate a request. Synchronous and pure: it reads neither clock nor network.
///
/// ```
/// use http::{HeaderName, request::Parts};
/// use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme};
///
/// /// `x-signature: KEY` in a field of its own.
/// #[derive(Debug)]
/// struct Signature([HeaderName; 1]);
///
/// impl AuthScheme for Signature {
///     fn fields(&self) -> &[HeaderName] {
///         &self.0
///     }
///
///     fn secrets(&self) -> Vec<&str> {
///         vec!["key"]
///     }
///
///     fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
///         let value = cx.secret("key")?.to_header_value("")?;
///         let [name] = &self.0;
///         request.headers.insert(name, value);
///         Ok(())
///     }
/// }
/// ```
pub trait AuthScheme: fmt::Debug + Send + Sync + 'static {
    /// The fields that [`apply`](Self::apply) sets. The caller's are taken off before, out of
    /// headers and trailers.
    fn fields(&self) -> &[HeaderName] {
        &[]
    }

    /// The query parameters that [`apply`](Self::apply) sets, decoded.
    fn parameters(&self) -> &[Box<str>] {
        &[]
    }

    /// The names of the secrets that it reads, so that a configuration can be checked before a call
    /// needs them.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What of the payload it needs to see. The head is the caller's, as it came.
    fn payload(&self, request: &Parts) -> PayloadUse {
        let _ = request;
        PayloadUse::Ignored
    }

    /// Whether what it sends authenticates the network connection, and not the request alone, as
    /// NTLM and Negotiate do (RFC 4559 §6). Then that connection serves nobody else (FORWARDING
    /// K7).
    fn binds_connection(&self) -> bool {
        false
    }

    /// The client certificate to present to the vendor's TLS, if there is to be one
    /// ([`Mtls`]). Network connections on which it's presented are its own.
    ///
    /// # Errors
    ///
    /// As those of [`apply`](Self::apply).
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    fn identity(&self, connection: &Connection) -> Result<Option<ClientIdentity>, AuthError> {
        let _ = connection;
        Ok(None)
    }

    /// Whether [`apply`](Self::apply) will find what it needs of the connection. It's asked before a
    /// payload is read for the scheme, as the caller may hold it back until somebody asks for it
    /// (FORWARDING H18). By default each of the [secrets](Self::secrets) must be there.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    fn ready(&self, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let names = self.secrets();
        names.iter().try_for_each(|name| cx.secret(name).map(drop))
    }

    /// Puts the credential on. The URI is absolute; its query is the one that is sent.
    ///
    /// # Errors
    ///
    /// [`AuthError`] if a secret is missing or can't be sent. The call is then answered with
    /// `reauthorize`, and nothing is sent.
    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError>;

    /// What changes the payload while it streams, if this request's is to be changed. It's asked
    /// after [`apply`](Self::apply); the length that is sent is then that of what comes out.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    fn coder(
        &self,
        request: &Parts,
        cx: &AuthContext<'_>,
    ) -> Result<Option<Box<dyn PayloadCoder>>, AuthError> {
        let _ = (request, cx);
        Ok(None)
    }
}

/// What of a request's payload a scheme needs before the head is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadUse {
    /// Nothing: the body streams.
    Ignored,
    /// All of it, up to `limit` bytes; a larger one is answered with `body-too-large`.
    Bytes {
        /// The most that is kept in memory.
        limit: usize,
    },
}

/// What a scheme may look at beside the request.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct AuthContext<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) destination: &'a Destination,
    pub(crate) payload: Option<&'a Bytes>,
    pub(crate) length: Option<u64>,
    pub(crate) now: SystemTime,
}

impl<'a> AuthContext<'a> {
    /// The connection's secrets.
    #[must_use]
    pub fn credential(&self) -> &'a Credential {
        self.connection.credential()
    }

    /// The secret of that name.
    ///
    /// # Errors
    ///
    /// [`AuthError::Missing`] if the connection has none.
    pub fn secret(&self, name: &str) -> Result<&'a Secret, AuthError> {
        self.credential().get(name).ok_or(AuthError::Missing)
    }

    /// The value that `make` makes of the connection's secrets by that recipe, or made for a call
    /// before.
    pub(crate) fn prepared(
        &self,
        recipe: &Recipe,
        make: impl FnOnce() -> Result<HeaderValue, AuthError>,
    ) -> Result<HeaderValue, AuthError> {
        self.connection.prepared(recipe, make)
    }

    /// Where the request goes.
    #[must_use]
    pub fn destination(&self) -> &'a Destination {
        self.destination
    }

    /// The payload, if [`AuthScheme::payload`] asked for it.
    #[must_use]
    pub fn payload(&self) -> Option<&'a Bytes> {
        self.payload
    }

    /// How many bytes the payload has, if that's known before it has come.
    #[must_use]
    pub fn payload_length(&self) -> Option<u64> {
        self.length
    }

    /// The time to sign with.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }
}

// By hand: a derived one would print the payload.
impl fmt::Debug for AuthContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthContext")
            .field("connection", self.connection)
            .field("destination", self.destination)
            .finish_non_exhaustive()
    }
}

/// Why a credential couldn't be put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The connection has no secret of the name that the scheme reads.
    Missing,
    /// A secret holds bytes that can't be sent in its place.
    Unsendable,
    /// With the secret, the target would be longer than 65,534 bytes.
    TooLong,
    /// A secret is no key of the kind that the scheme signs with.
    Unusable,
    /// The scheme sends its secrets as they are, and the vendor isn't reached over TLS.
    InClear,
    /// The caller's body holds parameters that are the scheme's own.
    Ambiguous,
    /// The operating system has no random numbers.
    NoRandomness,
    /// The request is such that it can't be signed. What is wrong with it is told to the caller.
    Unsignable(&'static str),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "a secret of the connection is missing",
            Self::Unsendable => "a secret of the connection can't be sent",
            Self::TooLong => "the target is too long with its key",
            Self::Unusable => "a secret of the connection is no key to sign with",
            Self::InClear => "the secrets would be sent in clear",
            Self::Ambiguous => "the body holds parameters of the scheme's own",
            Self::NoRandomness => "there are no random numbers",
            Self::Unsignable(detail) => detail,
        })
    }
}

impl std::error::Error for AuthError {}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let detail = match error {
            AuthError::TooLong => {
                return Self::bad_address("the target is longer than 65,534 bytes with its key");
            }
            AuthError::Unsignable(detail) => return Self::bad_address(detail),
            AuthError::Missing => {
                "a secret of the connection is missing: its owner must set it anew"
            }
            AuthError::Unsendable => {
                "a secret of the connection can't be sent: its owner must set it anew"
            }
            AuthError::Unusable => {
                "a secret of the connection is no key: its owner must set it anew"
            }
            AuthError::InClear => {
                let detail = "the vendor's authentication may go over TLS alone";
                return Self::new(ErrorCode::DestinationRefused, detail).with_source(error);
            }
            AuthError::Ambiguous => {
                let detail = "the body holds parameters of the vendor's authentication";
                return Self::new(ErrorCode::BadAddress, detail).with_source(error);
            }
            AuthError::NoRandomness => {
                let detail = "the call can't be signed now";
                return Self::new(ErrorCode::Overloaded, detail).with_source(error);
            }
        };
        Self::reauthorize(detail).with_source(error)
    }
}

impl From<InvalidSecret> for AuthError {
    fn from(_: InvalidSecret) -> Self {
        Self::Unsendable
    }
}

/// The name or the template of a scheme can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemeError(&'static str);

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SchemeError {}
