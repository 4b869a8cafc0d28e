//! Errors of schemes.

use std::fmt;

use crate::error::{Error, ErrorCode};
#[cfg(feature = "rustls")]
use crate::identity::InvalidIdentity;
use crate::secret::InvalidSecret;

/// The error of a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The connection has no secret of that name. The name is for the host application's log; callers don't
    /// see it.
    MissingSecret(Box<str>),
    /// The connection has no variable of that name. The name is for the host application's log; callers
    /// don't see it.
    MissingVariable(Box<str>),
    /// A secret or a variable contains bytes that can't be sent in its place.
    InvalidHeaderValue,
    /// With the secret, path and query would be longer than 65,534 bytes.
    TooLong,
    /// A secret isn't a valid key of the kind that the scheme signs with.
    InvalidKey,
    /// The scheme sends its secrets in clear text, and the upstream isn't called over TLS.
    PlaintextRefused,
    /// The caller's body contains parameters that the scheme sets.
    Ambiguous,
    /// The operating system can't provide random numbers.
    NoRandomness,
    /// The request can't be signed. The caller sees the text, which must describe the problem with the
    /// request.
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
            AuthError::Ambiguous => {
                let detail =
                    "the body contains parameters of the upstream's authentication; remove them";
                return Self::new(ErrorCode::BadAddress, detail).with_source(error);
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

/// The error of a scheme whose settings aren't valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemeError(pub(super) &'static str);

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SchemeError {}
