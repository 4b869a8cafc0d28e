//! WebSockets (RFC 6455), which switch from HTTP to another protocol (RFC 9110 §7.8). The handshake is a call like any other, and
//! the bytes after the handshake are forwarded between caller and upstream without being parsed.
//!
//! With an [`UpgradeTracker`], a host application counts, drains and aborts the tunnels, which outlive their calls:
//!
//! ```
//! use std::time::Duration;
//! use tower_passthrough::upgrade::UpgradeTracker;
//!
//! # async fn stop(upgrades: UpgradeTracker) {
//! // The listener is closed, and the calls have ended.
//! upgrades.drain(Duration::from_secs(10)).await;
//! # }
//! ```

mod handshake;
mod relay;
mod tracker;

pub use self::tracker::UpgradeTracker;

pub(crate) use self::handshake::{Claim, Handshake};
pub(crate) use self::relay::{Check, Tunnel};

use http::StatusCode;
use http::response::Parts;

use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;

/// Returns the handshake if the upstream has agreed to it. If the upstream switches protocols without being asked, or to another
/// protocol, returns an error, because the caller can't use such a response.
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

/// The upstream has switched to a protocol that it wasn't asked for, or its response has no equivalent for an HTTP/2 caller.
pub(crate) struct NotAsked;
