//! The vendors, each on its own port in this process.

mod book;
mod h2;
mod raw;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use self::book::Book;
use crate::certificates;
use crate::io::Io;
use crate::load::place::{Place, Protocol};

/// The connections and calls that are open at one vendor.
#[derive(Debug, Default)]
pub struct Open {
    connections: AtomicUsize,
    calls: AtomicUsize,
    accepted: AtomicUsize,
}

/// Adds one to a counter until the value is dropped.
struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    fn one(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One vendor.
#[derive(Debug)]
pub struct Vendor {
    place: Place,
    address: SocketAddr,
    open: Open,
    book: Arc<Book>,
}

/// All vendors, until the value is dropped.
pub struct Vendors {
    all: Vec<Arc<Vendor>>,
    _tasks: JoinSet<()>,
}

impl Vendors {
    pub async fn start(book: &Arc<Book>) -> Self {
        let mut all = Vec::new();
        let mut tasks = JoinSet::new();
        for place in Place::ALL {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let vendor = Arc::new(Vendor {
                place,
                address: listener.local_addr().expect("a bound socket"),
                open: Open::default(),
                book: Arc::clone(book),
            });
            all.push(Arc::clone(&vendor));
            tasks.spawn(accept(listener, vendor));
        }
        Self { all, _tasks: tasks }
    }

    /// Returns the origin at which the gateway finds that vendor.
    pub fn origin(&self, place: Place) -> String {
        let mut all = self.all.iter();
        let vendor = all.find(|vendor| vendor.place == place);
        let port = vendor.expect("each place").address.port();
        let scheme = match place.protocol() {
            Protocol::Plain => "http",
            Protocol::Tls | Protocol::Http2 => "https",
        };
        format!("{scheme}://{}.test:{port}", place.name())
    }

    /// Returns the number of open connections at each vendor.
    pub fn connections(&self) -> Vec<(Place, usize)> {
        let count = |vendor: &Arc<Vendor>| vendor.open.connections.load(Ordering::Relaxed);
        let all = self.all.iter();
        all.map(|vendor| (vendor.place, count(vendor))).collect()
    }

    /// Returns the number of connections that the vendors accepted.
    pub fn accepted(&self) -> usize {
        let all = self.all.iter();
        all.map(|vendor| vendor.open.accepted.load(Ordering::Relaxed))
            .sum()
    }

    /// Returns the number of calls in progress.
    pub fn calls(&self) -> usize {
        let all = self.all.iter();
        all.map(|vendor| vendor.open.calls.load(Ordering::Relaxed))
            .sum()
    }
}

async fn accept(listener: TcpListener, vendor: Arc<Vendor>) {
    let name = format!("{}.test", vendor.place.name());
    let tls = match vendor.place.protocol() {
        Protocol::Plain => None,
        Protocol::Tls => Some(certificates::acceptor(&name, &["http/1.1"])),
        Protocol::Http2 => Some(certificates::acceptor(&name, &["h2"])),
    };
    let mut connections = JoinSet::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted.expect("room for a socket").0,
            Some(ended) = connections.join_next() => {
                let _: () = ended.expect("a vendor that doesn't panic");
                continue;
            }
        };
        vendor.open.accepted.fetch_add(1, Ordering::Relaxed);
        let (vendor, tls) = (Arc::clone(&vendor), tls.clone());
        connections.spawn(async move {
            let _open = Held::one(&vendor.open.connections);
            if let Some(io) = secured(socket, tls).await {
                match vendor.place.protocol() {
                    Protocol::Http2 => h2::serve(io, &vendor).await,
                    Protocol::Plain | Protocol::Tls => raw::serve(io, &vendor).await,
                }
            }
        });
    }
}

/// Performs the TLS handshake. `None` means that the gateway broke the handshake off, which the
/// gateway may do when its caller leaves.
async fn secured(socket: TcpStream, tls: Option<tokio_rustls::TlsAcceptor>) -> Option<Io> {
    let _ = socket.set_nodelay(true);
    Some(match tls {
        None => Io::Plain(socket),
        Some(tls) => Io::Tls(Box::new(tls.accept(socket).await.ok()?)),
    })
}
