//! The vendor: what every proxy forwards to. It answers canned bytes, as cheaply as it can, so that
//! what is measured is the proxy.

pub mod answer;
pub mod plain;

use std::io;
use std::net::SocketAddr;

/// A vendor that answers until the program ends.
pub struct Vendor {
    pub address: SocketAddr,
}

impl Vendor {
    /// HTTP/1.1 without TLS.
    pub fn plain() -> io::Result<Self> {
        let address = plain::start()?;
        Ok(Self { address })
    }
}
