//! Errors of token requests, for the host application's logs.

use std::fmt;

use http::StatusCode;

use super::signing::SigningKeyError;
use crate::client::{TransportError, TransportErrorKind};
use crate::upstream::BaseUrlError;

/// The error of a token endpoint that returned no tokens.
///
/// It is the source of a [`TokenError::Failed`](crate::refresh::TokenError::Failed) of
/// [`OAuth2TokenSource`](super::OAuth2TokenSource). It contains the integration's name and, from the endpoint's
/// response, the status and an error code that is registered for OAuth 2.0. It contains no other part of the response,
/// which may repeat the request, and no URL.
///
/// ```
/// use tower_passthrough::oauth2::TokenEndpointError;
/// use tower_passthrough::refresh::TokenError;
///
/// fn is_misconfigured(error: &TokenError) -> bool {
///     let TokenError::Failed { source, .. } = error else { return false };
///     let cause = source.downcast_ref::<TokenEndpointError>();
///     cause.and_then(TokenEndpointError::code) == Some("invalid_client")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TokenEndpointError {
    integration: Box<str>,
    kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// No request could be built.
    NotBuilt(RequestBuildError),
    Transport(TransportErrorKind),
    TimedOut,
    Answered {
        status: StatusCode,
        code: Option<&'static str>,
        fault: Fault,
    },
}

/// The problem of a response that contains no tokens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Refused,
    /// The grant was refused, but isn't revoked.
    Passing,
    NoToken,
    Unreadable,
    TooLarge,
    /// The content has a coding that isn't undone.
    UnknownCoding,
    BrokenOff,
}

impl TokenEndpointError {
    pub(super) fn new(integration: &str, kind: Kind) -> Self {
        Self {
            integration: integration.into(),
            kind,
        }
    }

    /// Returns the name of the integration.
    #[must_use]
    pub fn integration(&self) -> &str {
        &self.integration
    }

    /// Returns the status of the endpoint's response, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            Kind::Answered { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Returns the error code in the response, if it's a code of RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2, or OpenID
    /// Connect Core 1.0 §3.1.2.6.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Answered { code, .. } => code,
            _ => None,
        }
    }
}

impl fmt::Display for TokenEndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.integration.escape_debug();
        match &self.kind {
            Kind::NotBuilt(why) => write!(f, "the token request to `{name}` can't be made: {why}"),
            Kind::Transport(kind) => {
                let why = TransportError::from(*kind);
                write!(f, "the token endpoint of `{name}` can't be reached: {why}")
            }
            Kind::TimedOut => write!(f, "the token endpoint of `{name}` didn't respond in time"),
            Kind::Answered {
                status,
                code,
                fault,
            } => {
                let status = status.as_u16();
                write!(f, "the token endpoint of `{name}` responded with {status}")?;
                match (code, fault) {
                    (Some(code), Fault::Passing) => {
                        write!(f, ", {code}, which doesn't end the grant")
                    }
                    (Some(code), _) => write!(f, ", {code}"),
                    (None, Fault::Refused | Fault::Passing) => Ok(()),
                    (None, Fault::NoToken) => f.write_str(" without an access token"),
                    (None, Fault::Unreadable) => {
                        f.write_str(" with a body that is neither JSON nor a form")
                    }
                    (None, Fault::TooLarge) => f.write_str(" with more than 256 KiB"),
                    (None, Fault::UnknownCoding) => {
                        f.write_str(" with a content coding other than gzip and deflate")
                    }
                    (None, Fault::BrokenOff) => f.write_str(", and broke off"),
                }
            }
        }
    }
}

impl std::error::Error for TokenEndpointError {}

/// The error of a token request that can't be built from the integration and the connection.
///
/// It contains only names, and never the value of a secret, a variable or a parameter.
#[derive(Clone, Debug)]
pub(super) enum RequestBuildError {
    UnknownIntegration,
    Url(BaseUrlError),
    Missing(Box<str>),
    Key(SigningKeyError),
    Unsendable,
    NoRandomness,
}

impl RequestBuildError {
    /// Returns `true` if the connection's owner can repair it. A client's key was already checked when it was set, and
    /// the client's id and secret are usually set by the host application.
    pub(super) fn is_fixable_by_owner(&self) -> bool {
        match self {
            Self::Missing(name) => !matches!(&**name, "client_id" | "client_secret"),
            Self::Url(_) | Self::Key(_) | Self::Unsendable => true,
            Self::UnknownIntegration | Self::NoRandomness => false,
        }
    }
}

impl From<BaseUrlError> for RequestBuildError {
    fn from(error: BaseUrlError) -> Self {
        Self::Url(error)
    }
}

impl From<Missing> for RequestBuildError {
    fn from(Missing(name): Missing) -> Self {
        Self::Missing(name)
    }
}

impl From<SigningKeyError> for RequestBuildError {
    fn from(error: SigningKeyError) -> Self {
        Self::Key(error)
    }
}

impl fmt::Display for RequestBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIntegration => f.write_str("the integration has no token endpoint"),
            Self::Url(error) => write!(f, "the token URL isn't valid: {error}"),
            Self::Missing(name) => write!(f, "`{}` is missing", name.escape_debug()),
            Self::Key(error) => error.fmt(f),
            Self::Unsendable => f.write_str("a secret or a parameter can't be sent"),
            Self::NoRandomness => f.write_str("the operating system returned no random bytes"),
        }
    }
}

/// The name of a secret or a variable that a connection lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing(pub(super) Box<str>);
