//! What a [`Wire`](super::wire::Wire) runs over.

use tokio::net::TcpStream;

use super::stream::Stream;

/// A connection to the vendor, or a tunnel through an egress proxy, which TLS may lead to.
pub(super) type Line = Stream<TcpStream>;
