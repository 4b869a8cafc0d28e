//! Doors in front of vendors. A door makes its vendor appear to die, to be away for a while, or to stall.
//!
//! A door passes bytes on. While the door is shut, its port refuses connections, and no other process can take the
//! port, because a socket that doesn't listen holds the port.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use testkit::load::place::Place;
use testkit::load::vendors::Vendors;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// The door accepts connections, and passes no bytes on.
    Stalled,
    /// The vendor has died: the door resets its connections, and refuses new connections.
    Shut,
}

struct Door {
    place: Place,
    port: u16,
    state: watch::Sender<State>,
}

/// The doors, until the value is dropped.
pub(crate) struct Doors {
    all: Vec<Door>,
    _tasks: JoinSet<()>,
}

impl Doors {
    /// The vendors whose calls may break off. All other vendors have no outages.
    const PLACES: [Place; 5] = [
        Place::Sealed,
        Place::Broken,
        Place::Torn,
        Place::Erratic,
        Place::Wild,
    ];

    pub(crate) async fn start(vendors: &Vendors) -> Self {
        let mut all = Vec::new();
        let mut tasks = JoinSet::new();
        for place in Self::PLACES {
            let keeper = socket(0);
            let address = keeper.local_addr().expect("a bound socket");
            let listener = listen(address.port());
            let (_, port) = split(&vendors.origin(place));
            let (state, changes) = watch::channel(State::Open);
            tasks.spawn(async move {
                let _keeper = keeper;
                keep(listener, SocketAddr::from(([127, 0, 0, 1], port)), changes).await;
            });
            all.push(Door {
                place,
                port: address.port(),
                state,
            });
        }
        Self { all, _tasks: tasks }
    }

    /// Returns whether that vendor has a door.
    pub(crate) fn lead_to(place: Place) -> bool {
        Self::PLACES.contains(&place)
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn set(&self, number: usize, state: State) {
        self.all[number].state.send_replace(state);
    }

    pub(crate) fn open_all(&self) {
        for door in &self.all {
            door.state.send_replace(State::Open);
        }
    }

    /// Returns the origin at which the gateway finds that vendor: the vendor's door, if the vendor has a door.
    pub(crate) fn origin(&self, vendors: &Vendors, place: Place) -> String {
        let origin = vendors.origin(place);
        match self.all.iter().find(|door| door.place == place) {
            Some(door) => format!("{}:{}", split(&origin).0, door.port),
            None => origin,
        }
    }
}

/// Returns the text before an origin's port, and the port.
fn split(origin: &str) -> (&str, u16) {
    let (before, port) = origin.rsplit_once(':').expect("a port");
    (before, port.parse().expect("a port"))
}

/// Returns a socket that is bound to a port to which other sockets of these tests may be bound as well.
fn socket(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket option");
    socket.set_reuseport(true).expect("a socket option");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.bind(address).expect("a port to bind to");
    socket
}

fn listen(port: u16) -> TcpListener {
    socket(port).listen(1024).expect("a listener")
}

async fn keep(mut listener: TcpListener, vendor: SocketAddr, mut state: watch::Receiver<State>) {
    let port = listener.local_addr().expect("a bound socket").port();
    loop {
        let mut passing = JoinSet::new();
        let mut shut = state.clone();
        let mut shut = std::pin::pin!(shut.wait_for(|state| *state == State::Shut));
        loop {
            tokio::select! {
                _ = &mut shut => break,
                Some(_) = passing.join_next() => {}
                accepted = listener.accept() => if let Ok((gateway, _)) = accepted {
                    passing.spawn(pass(gateway, vendor, state.clone()));
                },
            }
        }
        drop(listener);
        while passing.join_next().await.is_some() {}
        if state.wait_for(|state| *state != State::Shut).await.is_err() {
            return;
        }
        listener = listen(port);
    }
}

async fn pass(mut gateway: TcpStream, vendor: SocketAddr, state: watch::Receiver<State>) {
    let Ok(mut vendor) = TcpStream::connect(vendor).await else {
        return;
    };
    let _ = (gateway.set_nodelay(true), vendor.set_nodelay(true));
    let mut shut = state.clone();
    let ended = {
        let (from_gateway, to_gateway) = gateway.split();
        let (from_vendor, to_vendor) = vendor.split();
        let both = async {
            tokio::try_join!(
                pump(from_gateway, to_vendor, state.clone()),
                pump(from_vendor, to_gateway, state.clone()),
            )
        };
        tokio::select! {
            ended = both => ended.is_ok(),
            _ = shut.wait_for(|state| *state == State::Shut) => false,
        }
    };
    if !ended {
        // A cut must not look like an end, because an answer may end with its connection.
        let _ = (gateway.set_zero_linger(), vendor.set_zero_linger());
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        let _ = state.wait_for(|state| *state != State::Stalled).await;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
