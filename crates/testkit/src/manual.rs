//! A vendor whose every byte a test writes by hand, in plaintext or over TLS.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificates;
use super::gateway::Origin;
use super::head::Head;
use super::io::Io;
use super::vendor::{Received, request_framing};
use super::wait::within;
use super::wire::Wire;

/// A vendor that listens; the test accepts.
pub struct ManualVendor {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl ManualVendor {
    pub async fn bind() -> Self {
        Self::with(None).await
    }

    /// Binds over TLS, with these protocols offered by ALPN.
    pub async fn bind_tls(alpn: &[&str]) -> Self {
        Self::with(Some(certificates::acceptor("vendor.test", alpn))).await
    }

    /// Binds over TLS, with a certificate for another name.
    pub async fn bind_tls_as(name: &str) -> Self {
        Self::with(Some(certificates::acceptor(name, &["http/1.1"]))).await
    }

    async fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        Self {
            listener,
            address,
            tls,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the gateway's next connection.
    pub async fn accept(&self) -> VendorConnection {
        self.accept_unshaken().await.shake().await
    }

    /// Returns the gateway's next connection, before its TLS handshake.
    pub async fn accept_unshaken(&self) -> Unshaken {
        let (socket, _) = within("a connection at the vendor", self.listener.accept())
            .await
            .expect("a listener");
        let _ = socket.set_nodelay(true);
        Unshaken {
            socket,
            tls: self.tls.clone(),
        }
    }

    /// Fails if the gateway has made a connection that the test didn't accept: the listener's queue
    /// is in order, and a probe at the queue's end must be the next connection in the queue.
    pub async fn no_other(&self) {
        let probe = within("the vendor's listener", TcpStream::connect(self.address))
            .await
            .expect("a vendor that listens");
        let (_, peer) = within("a connection at the vendor", self.listener.accept())
            .await
            .expect("a listener");
        let own = probe.local_addr().expect("a connected socket");
        assert_eq!(peer, own, "the gateway made another connection");
    }

    /// Accepts the gateway's next connection, whose handshake fails.
    pub async fn accept_and_fail(&self) {
        let (socket, _) = within("a connection at the vendor", self.listener.accept())
            .await
            .expect("a listener");
        let tls = self.tls.as_ref().expect("a TLS vendor");
        let shaken = within("a TLS handshake", tls.accept(socket)).await;
        assert!(shaken.is_err(), "the handshake succeeded");
    }
}

impl Origin for ManualVendor {
    fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://vendor.test:{}", self.address.port())
    }
}

/// A connection from the gateway whose TLS handshake hasn't begun.
pub struct Unshaken {
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
}

impl Unshaken {
    pub async fn shake(self) -> VendorConnection {
        let io = match &self.tls {
            None => Io::Plain(self.socket),
            Some(tls) => Io::Tls(Box::new(
                within("a TLS handshake", tls.accept(self.socket))
                    .await
                    .expect("a TLS client"),
            )),
        };
        VendorConnection {
            wire: Wire::new(io),
        }
    }
}

/// A connection from the gateway.
pub struct VendorConnection {
    pub wire: Wire,
}

impl VendorConnection {
    /// Returns the next request's head; the request's body stays unread.
    pub async fn head(&mut self) -> Head {
        within("a head at the vendor", self.wire.head())
            .await
            .expect("the gateway closed before a whole head")
    }

    /// Returns the next request, with its body.
    pub async fn request(&mut self) -> Received {
        let head = self.head().await;
        let body = within("a body", self.wire.body(request_framing(&head))).await;
        Received {
            head,
            body,
            connection: 0,
        }
    }

    /// Returns the body after a head that was read alone.
    pub async fn body(&mut self, head: &Head) -> super::wire::Body {
        within("a body", self.wire.body(request_framing(head))).await
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.write(bytes.as_ref()).await;
    }

    /// Waits until the gateway closes.
    pub async fn closed(&mut self) {
        self.wire.closed().await;
    }

    pub fn reset(self) {
        self.wire.reset();
    }
}
