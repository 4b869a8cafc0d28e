//! The peers: the kind of each peer, the command that starts the peer, and the protocols that the
//! peer lacks.

mod config;
mod debian;
mod gateway;
mod go;
mod own;
mod pingora;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BoxError;

/// The protocol to the vendor. With `Http2`, callers use the same protocol to the proxy.
#[derive(Clone, Debug)]
pub enum Wire {
    Plain,
    /// TLS to the vendor, with a certificate signed by the authority in this file.
    Tls(PathBuf),
    /// HTTP/2 with prior knowledge on both sides.
    Http2,
}

/// The parameters with which a proxy is started.
#[derive(Clone, Debug)]
pub struct Setup {
    pub listen: SocketAddr,
    pub vendor: SocketAddr,
    pub wire: Wire,
    pub workers: usize,
    /// The directory for configs and logs.
    pub scratch: PathBuf,
}

/// A proxy to compare.
#[derive(Debug)]
pub struct Peer {
    /// The name on the command line.
    pub id: &'static str,
    /// The name in tables.
    pub label: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A proxy that this program serves in a separate process. The field is the name of the package
    /// that the proxy is built on.
    Own(&'static str),
    Gateway,
    Nginx,
    Haproxy {
        tcp: bool,
    },
    Pingora,
    Go,
}

/// All peers, in the order of the tables.
pub const ALL: &[Peer] = &[
    Peer::new(
        "hyper",
        "tower-passthrough on hyper",
        Kind::Own("tower-passthrough"),
    ),
    Peer::new(
        "axum",
        "tower-passthrough in axum",
        Kind::Own("tower-passthrough"),
    ),
    Peer::new(
        "gateway",
        "tower-passthrough, gateway example",
        Kind::Gateway,
    ),
    Peer::new("floor", "epoll loop (passes on bytes)", Kind::Own("mio")),
    Peer::new(
        "haproxy-tcp",
        "haproxy, TCP (passes on bytes)",
        Kind::Haproxy { tcp: true },
    ),
    Peer::new(
        "haproxy-http",
        "haproxy, HTTP",
        Kind::Haproxy { tcp: false },
    ),
    Peer::new("nginx", "nginx", Kind::Nginx),
    Peer::new(
        "legacy",
        "hyper with hyper-util's legacy client",
        Kind::Own("hyper-util"),
    ),
    Peer::new("tower-proxy", "tower-proxy", Kind::Own("tower-proxy")),
    Peer::new(
        "axum-reverse-proxy",
        "axum-reverse-proxy",
        Kind::Own("axum-reverse-proxy"),
    ),
    Peer::new("pingora", "pingora", Kind::Pingora),
    Peer::new("go", "Go's httputil.ReverseProxy", Kind::Go),
];

impl Peer {
    const fn new(id: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { id, label, kind }
    }

    /// Returns `true` if the peer is a mount of this crate.
    pub fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Own("tower-passthrough") | Kind::Gateway)
    }

    /// Returns `true` if the peer adds the vendor's credential. A peer that only passes on bytes
    /// doesn't.
    pub fn injects(&self) -> bool {
        !matches!(self.kind, Kind::Haproxy { tcp: true } | Kind::Own("mio"))
    }

    /// Returns `true` if the peer's stderr is a log of calls that can't be switched off. Such a log
    /// is discarded.
    pub fn logs_calls(&self) -> bool {
        matches!(self.kind, Kind::Gateway)
    }

    /// Builds the peer if necessary, and returns its version. An error is the reason for which the
    /// peer is left out.
    pub fn prepare(&self, scratch: &Path) -> Result<String, String> {
        match self.kind {
            Kind::Own(package) => Ok(own::version(package)),
            Kind::Gateway => gateway::build().map(|()| own::version("tower-passthrough")),
            Kind::Nginx => config::version("nginx", "-v"),
            Kind::Haproxy { .. } => config::version("haproxy", "-v"),
            Kind::Pingora => pingora::build().map(|()| own::version("pingora")),
            Kind::Go => {
                let version = config::version("go", "version")?;
                go::build(scratch).map(|()| version)
            }
        }
    }

    /// Returns the reason for which the peer can't be measured with this protocol, or `None` if the
    /// peer can be measured.
    pub fn lacks(&self, wire: &Wire) -> Option<&'static str> {
        match (wire, self.kind) {
            (Wire::Tls(_), Kind::Own("mio")) => Some("it passes on bytes as they are"),
            (Wire::Http2, Kind::Own("mio")) => Some("it reads HTTP/1.1 heads"),
            (Wire::Http2, Kind::Gateway) => {
                Some("its config has no HTTP/2 with prior knowledge; the plain mount stands for it")
            }
            (Wire::Http2, Kind::Nginx) => Some("nginx speaks no HTTP/2 to its upstreams"),
            (Wire::Http2, Kind::Go) => {
                Some("this standard library speaks HTTP/2 over TLS alone (Go 1.24 has more)")
            }
            _ => None,
        }
    }

    /// Returns the command that starts the peer.
    pub fn command(&self, setup: &Setup) -> Result<Command, BoxError> {
        match self.kind {
            Kind::Own(_) => own::command(self.id, setup),
            Kind::Gateway => gateway::command(setup),
            Kind::Nginx => debian::nginx(setup),
            Kind::Haproxy { tcp } => debian::haproxy(tcp, setup),
            Kind::Pingora => pingora::command(setup),
            Kind::Go => go::command(setup),
        }
    }
}
