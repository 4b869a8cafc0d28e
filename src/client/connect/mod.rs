//! From an origin to a connection: names are resolved, each address is judged, and what was judged
//! is what is dialled (SECURITY N1, N9).

mod cache;
mod connector;
mod dial;
mod egress;
#[cfg(feature = "rustls")]
mod identified;
mod line;
mod names;
mod peer;
mod refusal;
mod stream;
mod system;
#[cfg(feature = "rustls")]
mod tls;
mod wire;

pub use self::egress::EgressProxy;
pub use self::names::Resolve;

pub(in crate::client) use self::connector::Connector;
pub(in crate::client) use self::egress::Egress;
#[cfg(feature = "rustls")]
pub(in crate::client) use self::identified::Identified;
pub(in crate::client) use self::names::Names;
pub(in crate::client) use self::peer::Peer;
pub(in crate::client) use self::refusal::refuses_client;
pub(in crate::client) use self::stream::Stream;
#[cfg(feature = "native-roots")]
pub(in crate::client) use self::tls::add_native;
#[cfg(feature = "rustls")]
pub(in crate::client) use self::tls::{
    add_pem, bundled_roots, config as tls_config, connector as tls_connector,
};
pub(in crate::client) use self::wire::WireState;
