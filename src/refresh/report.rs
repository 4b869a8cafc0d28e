//! What the host hears of each refresh.

use std::error::Error;
use std::time::Duration;

use crate::connection::ConnectionKey;

/// How a refresh went, for logs, metrics, and to tell a connection's owner. It holds no secret.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RefreshReport<'a> {
    pub(super) id: &'a ConnectionKey,
    pub(super) integration: &'a str,
    pub(super) outcome: RefreshOutcome,
    pub(super) duration: Duration,
    pub(super) error: Option<&'a (dyn Error + 'static)>,
}

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// New tokens came, and are stored.
    Refreshed,
    /// Somebody else was faster, and what they stored is used.
    Superseded,
    /// New tokens came, and the store doesn't take them for now: it's tried further, and they aren't
    /// used until it does. If the process ends before, a rotated refresh token is lost.
    Unstored,
    /// It may work again: the source or the store failed.
    Failed,
    /// The connection's owner must authorize it anew. It's told once, and remembered.
    Revoked,
}

impl RefreshOutcome {
    /// A name for logs and metrics.
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
    /// The connection's id.
    #[must_use]
    pub const fn connection_key(&self) -> &'a ConnectionKey {
        self.id
    }

    /// The name of its integration.
    #[must_use]
    pub const fn integration(&self) -> &'a str {
        self.integration
    }

    /// What became of it.
    #[must_use]
    pub const fn outcome(&self) -> RefreshOutcome {
        self.outcome
    }

    /// How long it has taken, waits for other processes and for the store included.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// Why, if it failed: what the source or the store said.
    #[must_use]
    pub const fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        self.error
    }
}
