//! Why a token endpoint gave no tokens, for the host's logs.

use std::fmt;

use http::StatusCode;

use super::unready::Unready;
use crate::client::{TransportError, TransportErrorKind};

/// Why there are no tokens: the cause in a [`TokenError::Failed`](crate::refresh::TokenError::Failed) of
/// [`OAuth2TokenSource`](super::OAuth2TokenSource).
///
/// It holds the integration's name, and of the endpoint's answer its status and an error code that
/// is registered for OAuth 2.0. Other words of the answer, and URLs, are nowhere in it (SECURITY L8).
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
    /// There is nothing to ask with.
    Unready(Unready),
    Transport(TransportErrorKind),
    TimedOut,
    Answered {
        status: StatusCode,
        code: Option<&'static str>,
        fault: Fault,
    },
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Refused,
    NoToken,
    Unreadable,
    TooLarge,
    BrokenOff,
}

impl TokenEndpointError {
    pub(super) fn new(integration: &str, kind: Kind) -> Self {
        Self {
            integration: integration.into(),
            kind,
        }
    }

    /// The name of the integration.
    #[must_use]
    pub fn integration(&self) -> &str {
        &self.integration
    }

    /// The status that the endpoint answered with, if it did.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            Kind::Answered { status, .. } => Some(status),
            _ => None,
        }
    }

    /// The error code of its answer, if it's one of RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2, or
    /// OpenID Connect Core 1.0 §3.1.2.6.
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
            Kind::Unready(why) => write!(f, "no tokens can be asked for of `{name}`: {why}"),
            Kind::Transport(kind) => {
                let why = TransportError::from(*kind);
                write!(f, "the token endpoint of `{name}` can't be reached: {why}")
            }
            Kind::TimedOut => write!(f, "the token endpoint of `{name}` didn't answer in time"),
            Kind::Answered {
                status,
                code,
                fault,
            } => {
                let status = status.as_u16();
                write!(f, "the token endpoint of `{name}` answered {status}")?;
                match (code, fault) {
                    (Some(code), _) => write!(f, ", {code}"),
                    (None, Fault::Refused) => Ok(()),
                    (None, Fault::NoToken) => f.write_str(" without an access token"),
                    (None, Fault::Unreadable) => f.write_str(" with what is no JSON and no form"),
                    (None, Fault::TooLarge) => f.write_str(" with more than 256 KiB"),
                    (None, Fault::BrokenOff) => f.write_str(", and broke off"),
                }
            }
        }
    }
}

impl std::error::Error for TokenEndpointError {}
