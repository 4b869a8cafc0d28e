//! The vendor to which every proxy forwards. The vendor sends prepared bytes and uses as little
//! processor time as possible, so that the benchmark measures the proxy.

pub mod answer;
mod authority;
mod http2;
mod plain;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;

use crate::BoxError;

/// The three vendors. The vendors run on the processors of the thread that starts them, until the
/// program ends.
#[derive(Debug)]
pub struct Vendors {
    /// HTTP/1.1.
    pub plain: SocketAddr,
    /// HTTP/1.1 over TLS.
    pub tls: SocketAddr,
    /// The file with the authority that signed the certificate of `tls`.
    pub authority: PathBuf,
    /// HTTP/2 with prior knowledge.
    pub http2: SocketAddr,
}

impl Vendors {
    pub fn start(scratch: &Path) -> Result<Self, BoxError> {
        let authority = scratch.join("authority.pem");
        let config = authority::server(&authority)?;
        Ok(Self {
            plain: on_a_thread(plain::serve)?,
            tls: on_a_thread(move |listener| tls::serve(listener, config))?,
            authority,
            http2: on_a_thread(http2::serve)?,
        })
    }
}

fn on_a_thread<F>(serve: F) -> io::Result<SocketAddr>
where
    F: FnOnce(TcpListener) -> io::Result<()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        if let Err(error) = serve(listener) {
            eprintln!("a vendor stopped: {error}");
        }
    });
    Ok(address)
}
