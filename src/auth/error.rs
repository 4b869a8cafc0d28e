//! Errors of schemes.

use std::fmt;

use crate::error::{Error, ErrorCode};
#[cfg(feature = "rustls")]
use crate::identity::InvalidIdentity;
use crate::secret::InvalidSecret;

/// The error of a scheme that can't add a credential to a request. The request isn't sent.
///
/// The response to the caller depends on the variant. The error itself is the source of the response's
/// [`Error`], for the host application's logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The connection has no secret of that name. Its owner must add the secret to the connection. The name is for the
    /// host application's logs; callers don't see it. The response is `reauthorize`.
    MissingSecret(Box<str>),
    /// The connection has no variable of that name. Its owner must add the variable to the connection. The name is for
    /// the host application's logs; callers don't see it. The response is `reauthorize`.
    MissingVariable(Box<str>),
    /// The connection has the secrets of none of the alternatives that the scheme chooses from. The text names the secrets, and callers see
    /// it. The connection's owner must add the secrets to the connection. The response is `reauthorize`.
    NoAlternative(&'static str),
    /// The connection's scheme needs a feature of this crate that the host application hasn't switched on. The text names the feature. The
    /// response is `store-unavailable`.
    FeatureDisabled(&'static str),
    /// A secret or a variable contains bytes that can't be sent in its place, such as a line break at the end. Its
    /// owner must store the value without these bytes. The response is `reauthorize`.
    InvalidHeaderValue,
    /// With the secret, path and query would be longer than 65,534 bytes. The caller must send a shorter path or query.
    /// The response is `bad-address`.
    TooLong,
    /// A secret isn't a valid key of the kind that the scheme signs with. Its owner must store a valid key. The
    /// response is `reauthorize`.
    InvalidKey,
    /// The scheme sends its secrets in clear text, and the upstream isn't called over TLS. The host application must
    /// use a base URL with `https://`, or another scheme. The response is `destination-refused`.
    PlaintextRefused,
    /// The scheme authenticates the network connection (`Negotiate`, `NTLM`), and doesn't declare it. Call
    /// [`Requirements::binds_connection`](super::Requirements::binds_connection) in the scheme. The response is
    /// `store-unavailable`.
    UnboundConnection,
    /// The caller's body contains parameters that the scheme sets. The caller must remove these parameters. The
    /// response is `bad-address`.
    Ambiguous,
    /// The operating system can't provide random numbers, which the scheme needs for a nonce. The caller may try again
    /// later. The response is `overloaded`.
    NoRandomness,
    /// The scheme can't sign this request. The text must describe the problem with the request, because the caller sees
    /// it. The response is `bad-address`.
    CannotSign(&'static str),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingSecret(name) => write!(
                f,
                "the connection lacks the secret `{}`",
                name.escape_debug()
            ),
            Self::MissingVariable(name) => write!(
                f,
                "the connection lacks the variable `{}`",
                name.escape_debug()
            ),
            Self::NoAlternative(detail) => f.write_str(detail),
            Self::FeatureDisabled(feature) => write!(
                f,
                "the connection's authentication needs the feature `{feature}` of tower-passthrough"
            ),
            Self::InvalidHeaderValue => f.write_str(
                "a secret or a variable of the connection contains bytes that can't be sent",
            ),
            Self::TooLong => {
                f.write_str("path and query are too long with the key that the scheme adds")
            }
            Self::InvalidKey => {
                f.write_str("a secret of the connection isn't a valid key to sign with")
            }
            Self::PlaintextRefused => f.write_str("the secrets would be sent without TLS"),
            Self::UnboundConnection => f.write_str(
                "the scheme authenticates the network connection without `Requirements::binds_connection`",
            ),
            Self::Ambiguous => f.write_str("the body contains parameters that the scheme sets"),
            Self::NoRandomness => f.write_str("the operating system returned no random bytes"),
            Self::CannotSign(detail) => f.write_str(detail),
        }
    }
}

impl std::error::Error for AuthError {}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let detail = match error {
            AuthError::TooLong => {
                return Self::bad_address("the target is longer than 65,534 bytes with its key");
            }
            AuthError::CannotSign(detail) => return Self::bad_address(detail),
            AuthError::MissingSecret(_) => {
                "a secret of the connection is missing: its owner must set it again"
            }
            AuthError::MissingVariable(_) => {
                "a variable of the connection is missing: its owner must set it again"
            }
            AuthError::NoAlternative(detail) => detail,
            AuthError::InvalidHeaderValue => {
                "a secret of the connection can't be sent: its owner must set it again"
            }
            AuthError::InvalidKey => {
                "a secret of the connection isn't a valid key: its owner must set it again"
            }
            AuthError::PlaintextRefused => {
                let detail = "the upstream's authentication is only allowed over TLS";
                return Self::new(ErrorCode::DestinationRefused, detail).with_source(error);
            }
            AuthError::UnboundConnection | AuthError::FeatureDisabled(_) => {
                let detail = "the integration's authentication isn't set up correctly by the host application";
                return Self::new(ErrorCode::StoreUnavailable, detail)
                    .with_source(error)
                    .with_lasting_cause();
            }
            AuthError::Ambiguous => {
                let detail =
                    "the body contains parameters of the upstream's authentication; remove them";
                return Self::bad_body(detail).with_source(error);
            }
            AuthError::NoRandomness => {
                let detail = "the call can't be signed now; try again later";
                return Self::new(ErrorCode::Overloaded, detail).with_source(error);
            }
        };
        Self::reauthorize(detail).with_source(error)
    }
}

impl From<InvalidSecret> for AuthError {
    fn from(_: InvalidSecret) -> Self {
        Self::InvalidHeaderValue
    }
}

#[cfg(feature = "rustls")]
impl From<InvalidIdentity> for AuthError {
    fn from(_: InvalidIdentity) -> Self {
        Self::InvalidHeaderValue
    }
}

/// The error of a scheme that isn't set up correctly: a name or a template isn't valid. It's returned when the scheme
/// is created, so it's a mistake in the configuration. The text describes the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemeError(pub(super) &'static str);

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SchemeError {}
