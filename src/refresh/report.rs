//! Reports of refreshes to the host application.

use std::error::Error;
use std::time::Duration;

use crate::connection::ConnectionKey;

/// The report of a refresh, for logs, metrics and notices to a connection's owner. It contains no secret.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RefreshReport<'a> {
    pub(super) id: &'a ConnectionKey,
    pub(super) integration: &'a str,
    pub(super) outcome: RefreshOutcome,
    pub(super) duration: Duration,
    pub(super) error: Option<&'a (dyn Error + 'static)>,
}

/// The outcome of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// New tokens were fetched and stored.
    Refreshed,
    /// Another process was faster, and the tokens that it stored are used.
    Superseded,
    /// New tokens were fetched, but the store failed. Storing is tried again, and the tokens aren't used before it
    /// succeeds. If the process ends before that, a rotated refresh token is lost.
    Unstored,
    /// The source or the store failed. A later refresh may succeed.
    Failed,
    /// The grant is revoked, and the connection's owner must authorize it again. The outcome is reported once, and the
    /// state is stored.
    Revoked,
}

impl RefreshOutcome {
    /// Returns the outcome's name, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refreshed => "renewed",
            Self::Superseded => "superseded",
            Self::Unstored => "unstored",
            Self::Failed => "failed",
            Self::Revoked => "dead",
        }
    }
}

impl<'a> RefreshReport<'a> {
    /// Returns the connection's key.
    #[must_use]
    pub const fn connection_key(&self) -> &'a ConnectionKey {
        self.id
    }

    /// Returns the name of the integration.
    #[must_use]
    pub const fn integration(&self) -> &'a str {
        self.integration
    }

    /// Returns the outcome.
    #[must_use]
    pub const fn outcome(&self) -> RefreshOutcome {
        self.outcome
    }

    /// Returns the duration, including waits for other processes and for the store.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the error of the source or the store, if the source or the store failed.
    #[must_use]
    pub const fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        self.error
    }
}
