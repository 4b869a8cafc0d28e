//! Why a token request can't be made of what integration and connection say.

use std::fmt;

use super::parameter::Missing;
use super::signing::SigningKeyError;
use crate::upstream::BaseUrlError;

/// It names names alone: no value of a secret, a variable or a parameter.
#[derive(Clone, Debug)]
pub(super) enum Unready {
    Unknown,
    Url(BaseUrlError),
    Missing(Box<str>),
    Key(SigningKeyError),
    Unsendable,
    NoRandomness,
}

impl Unready {
    /// Whether the connection's owner can mend it. A key of the client's own was looked at before;
    /// who the client is, the host says as a rule.
    pub(super) fn is_owners(&self) -> bool {
        match self {
            Self::Missing(name) => !matches!(&**name, "client_id" | "client_secret"),
            Self::Url(_) | Self::Key(_) | Self::Unsendable => true,
            Self::Unknown | Self::NoRandomness => false,
        }
    }
}

impl From<BaseUrlError> for Unready {
    fn from(error: BaseUrlError) -> Self {
        Self::Url(error)
    }
}

impl From<Missing> for Unready {
    fn from(Missing(name): Missing) -> Self {
        Self::Missing(name)
    }
}

impl From<SigningKeyError> for Unready {
    fn from(error: SigningKeyError) -> Self {
        Self::Key(error)
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the integration has no token endpoint"),
            Self::Url(error) => write!(f, "the token URL can't be used: {error}"),
            Self::Missing(name) => write!(f, "`{}` is missing", name.escape_debug()),
            Self::Key(error) => error.fmt(f),
            Self::Unsendable => f.write_str("a secret or a parameter can't be sent"),
            Self::NoRandomness => f.write_str("the system has no random numbers"),
        }
    }
}
