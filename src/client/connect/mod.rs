//! Opens network connections to origins. Names are resolved, the network policy checks each address,
//! and only permitted addresses are dialled.

mod cache;
mod connector;
mod dial;
mod egress;
#[cfg(feature = "rustls")]
mod identity;
mod names;
mod refusal;
mod stream;
mod system;
#[cfg(feature = "rustls")]
mod tls;

pub use self::egress::EgressProxy;
pub use self::names::Resolve;

pub(super) use self::connector::Connector;
pub(super) use self::egress::Egress;
#[cfg(feature = "rustls")]
pub(super) use self::identity::IdentityTls;
pub(super) use self::names::Names;
pub(super) use self::refusal::is_certificate_refusal;
pub(super) use self::stream::{Peer, Stream, WireState};
#[cfg(feature = "rustls")]
pub(super) use self::tls::{Roots, config as tls_config, connector as tls_connector};
