//! The connections that a vendor has seen.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::wait::within;

#[derive(Debug, Default)]
struct Seen {
    /// The peers of all accepted connections, in order.
    peers: Vec<SocketAddr>,
    /// The numbers of the connections that the gateway has closed.
    closed: Vec<usize>,
    /// Connections that tests opened to look at the queue; the gateway didn't make these
    /// connections.
    probes: Vec<SocketAddr>,
}

/// Counts that a vendor and its tasks share.
#[derive(Clone, Debug, Default)]
pub struct Counts(watch::Sender<Seen>);

impl Counts {
    /// Records an accepted connection, and gives the connection a number.
    pub fn accepted(&self, peer: SocketAddr) -> usize {
        let mut number = 0;
        self.0.send_modify(|seen| {
            number = seen.peers.len();
            seen.peers.push(peer);
        });
        number
    }

    pub fn closed(&self, number: usize) {
        self.0.send_modify(|seen| seen.closed.push(number));
    }

    /// Waits until the gateway has closed connection `number`.
    pub async fn wait_closed(&self, number: usize) {
        let mut seen = self.0.subscribe();
        let closed = seen.wait_for(|seen| seen.closed.contains(&number));
        within("the gateway to close its connection", closed)
            .await
            .expect("`self` holds the sender");
    }

    /// Waits until the gateway has closed `number` connections.
    pub async fn wait_so_many_closed(&self, number: usize) {
        let mut seen = self.0.subscribe();
        let closed = seen.wait_for(|seen| seen.closed.len() >= number);
        within("the gateway to close its connections", closed)
            .await
            .expect("`self` holds the sender");
    }

    /// Returns the number of connections that the gateway has closed by now; a probe counts too.
    pub fn closed_by_now(&self) -> usize {
        self.0.borrow().closed.len()
    }

    /// Waits until no connection of the gateway is open.
    pub async fn wait_all_closed(&self) {
        let mut seen = self.0.subscribe();
        let closed = seen.wait_for(|seen| seen.closed.len() == seen.peers.len());
        within("the gateway to close all connections", closed)
            .await
            .expect("`self` holds the sender");
    }

    /// Returns the number of connections that the gateway made. A connection that the gateway began
    /// before the call is counted: the listener's queue is in order, and the call waits for a probe
    /// at the queue's end.
    pub async fn connections(&self, listener: SocketAddr) -> usize {
        let probe = within("the vendor's listener", TcpStream::connect(listener))
            .await
            .expect("a vendor that listens");
        let own = probe.local_addr().expect("a connected socket");
        self.0.send_modify(|seen| seen.probes.push(own));
        let mut seen = self.0.subscribe();
        let seen = within(
            "the vendor to accept",
            seen.wait_for(|seen| seen.peers.contains(&own)),
        )
        .await
        .expect("`self` holds the sender");
        seen.peers
            .iter()
            .filter(|peer| !seen.probes.contains(peer))
            .count()
    }
}
