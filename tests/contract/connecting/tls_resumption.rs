//! A second connection to a vendor resumes the TLS session of the first connection.

use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use testkit::caller::{get, raw_call};
use testkit::certificates;
use testkit::gateway::{Gateway, Setup};
use testkit::wait::within;

struct TlsVendor {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl TlsVendor {
    async fn bind() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            tls: certificates::acceptor("vendor.test", &["http/1.1"]),
        }
    }

    async fn gateway(&self) -> Gateway {
        let port = self.listener.local_addr().unwrap().port();
        Setup::new(&*format!("https://vendor.test:{port}"))
            .start()
            .await
    }

    /// Makes a call whose connection is closed after the answer, and returns the kind of the handshake.
    async fn called_by(&self, gateway: &Gateway) -> HandshakeKind {
        let serve = async {
            let (socket, _) = self.listener.accept().await.unwrap();
            let mut stream = self.tls.accept(socket).await.unwrap();
            let mut seen = [0; 1024];
            assert!(stream.read(&mut seen).await.unwrap() > 0);
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            stream.get_ref().1.handshake_kind().unwrap()
        };
        let both = async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) };
        let (response, kind) = within("a call over TLS", Box::pin(both)).await;
        assert_eq!(response.status(), 200);
        kind
    }
}

#[tokio::test]
async fn a_second_connection_resumes_the_session() {
    let vendor = TlsVendor::bind().await;
    let gateway = vendor.gateway().await;
    assert_eq!(vendor.called_by(&gateway).await, HandshakeKind::Full);
    assert_eq!(vendor.called_by(&gateway).await, HandshakeKind::Resumed);
    assert_eq!(vendor.called_by(&gateway).await, HandshakeKind::Resumed);
}

#[tokio::test]
async fn t12_another_transport_never_resumes_the_session() {
    let vendor = TlsVendor::bind().await;
    let (one, other) = (vendor.gateway().await, vendor.gateway().await);
    assert_eq!(vendor.called_by(&one).await, HandshakeKind::Full);
    assert_eq!(vendor.called_by(&other).await, HandshakeKind::Full);
    assert_eq!(vendor.called_by(&one).await, HandshakeKind::Resumed);
}
