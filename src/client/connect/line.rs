//! What a [`Wire`](super::wire::Wire) runs over.

use tokio::net::TcpStream;

/// A TCP connection to the vendor.
pub(super) type Line = TcpStream;
