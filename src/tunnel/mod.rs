//! What leaves HTTP: WebSockets (RFC 6455), whose handshake is a call like any other, and whose
//! bytes then pass between caller and vendor unread (FORWARDING §6).
//!
//! [`handshake`] tells which requests are one, and what the answers must be; [`relay`] moves the
//! bytes; [`Tunnels`] is how a host app counts, drains and cuts what outlives its calls.
//!
//! ```
//! use std::time::Duration;
//! use tower_passthrough::Tunnels;
//!
//! # async fn stop(tunnels: Tunnels) {
//! // The listener is closed, and the calls have ended.
//! tunnels.drain(Duration::from_secs(10)).await;
//! # }
//! ```

mod handshake;
mod relay;
mod tunnels;

pub(crate) use self::handshake::Handshake;
pub(crate) use self::handshake::{Claim, Sides};
pub(crate) use self::relay::{Check, Tunnel};
pub use self::tunnels::Tunnels;

use http::StatusCode;
use http::response::Parts;

use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;

/// The handshake, if the vendor has agreed to it. One that switches protocols unasked, or to others,
/// has answered nothing that could be handed back (FORWARDING U3).
pub(crate) fn agreed<'a>(
    handshake: Option<&'a mut Handshake>,
    head: &mut Parts,
) -> Result<Option<&'a mut Handshake>, Error> {
    let verdict = match handshake {
        Some(handshake) => match handshake.is_agreed_to(head) {
            Ok(is_agreed) => Ok(is_agreed.then_some(handshake)),
            Err(Unasked) => Err(Unasked),
        },
        None if head.status == StatusCode::SWITCHING_PROTOCOLS => Err(Unasked),
        None => Ok(None),
    };
    verdict.map_err(|_| TransportError::from(TransportErrorKind::UpgradeFailed).into())
}

/// The vendor has switched to what it wasn't asked for, or its answer can't be put before an
/// HTTP/2 caller.
pub(crate) struct Unasked;
