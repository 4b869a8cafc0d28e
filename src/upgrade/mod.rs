//! WebSockets (RFC 6455), which switch from HTTP to another protocol (RFC 9110 §7.8): counts, drains and aborts their tunnels.
//!
//! The handshake is a call like any other, and the bytes after the handshake are forwarded between caller and upstream without being
//! parsed. A tunnel outlives its call, so a host application that stops should drain the tunnels with an [`UpgradeTracker`]:
//!
//! ```
//! use std::time::Duration;
//! use tower_passthrough::{Integrations, MemoryStore, PassthroughService};
//! use tower_passthrough::upgrade::UpgradeTracker;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let upgrades = UpgradeTracker::new();
//! let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
//!     .authorize_fn(|id, _| id == "acme")
//!     .caller_credentials([])
//!     .upgrade_tracker(upgrades.clone())
//!     .build();
//!
//! // The listener is closed, and the calls have ended.
//! let aborted = upgrades.drain(Duration::from_secs(10)).await;
//! assert_eq!(aborted, 0);
//! # }
//! ```

mod handshake;
mod origins;
mod relay;
mod tracker;

pub use self::origins::OriginError;
pub use self::tracker::UpgradeTracker;

pub(crate) use self::handshake::{Claim, Handshake};
pub(crate) use self::origins::Origins;
pub(crate) use self::relay::{Check, Tunnel};

use http::StatusCode;
use http::response::Parts;

use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;

/// Returns the handshake if the upstream has agreed to it. If the upstream switches protocols although the request didn't require it, or to
/// another protocol, returns an error, because the caller can't use such a response.
pub(crate) fn accept<'a>(
    handshake: Option<&'a mut Handshake>,
    head: &mut Parts,
) -> Result<Option<&'a mut Handshake>, Error> {
    let verdict = match handshake {
        Some(handshake) => match handshake.accept(head) {
            Ok(accepted) => Ok(accepted.then_some(handshake)),
            Err(NotAsked) => Err(NotAsked),
        },
        None if head.status == StatusCode::SWITCHING_PROTOCOLS => Err(NotAsked),
        None => Ok(None),
    };
    verdict.map_err(|_| TransportError::from(TransportErrorKind::UpgradeFailed).into())
}

/// The upstream has switched to a protocol that wasn't requested, or its response has no equivalent for an HTTP/2 caller.
pub(crate) struct NotAsked;
