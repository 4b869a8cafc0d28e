//! Calls that fail before a byte of the request is sent.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use tokio::net::{TcpListener, TcpSocket};
use tower_passthrough::client::Resolve;

use super::{Caller, Failure, SHORT, fail, setup};
use testkit::caller::get;
use testkit::gateway::{Origin, bind};
use testkit::manual::ManualVendor;

/// A resolver that knows no name.
struct NoNames;

impl Resolve for NoNames {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move { Err(io::Error::other(format!("no answer for {name}"))) })
    }
}

/// Returns an address that refuses connections while the socket is held.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

pub(super) async fn all(caller: Caller) -> Vec<Failure> {
    let mut failures = Vec::new();

    let origin = "https://nowhere.test:54321";
    let nameless = (origin, setup(origin).transport(|t| t.resolver(NoNames)));
    let expected = (502, "upstream-unreachable", "dns_error", false);
    failures.push(
        fail(
            "a name without an address",
            expected,
            nameless,
            caller(get("/p/c/x")),
        )
        .await,
    );

    let (_held, address) = refusing();
    let origin = format!("http://vendor.test:{}", address.port());
    let expected = (502, "upstream-unreachable", "connection_refused", false);
    failures.push(
        fail(
            "a refused connection",
            expected,
            (&origin, setup(&origin)),
            caller(get("/p/c/x")),
        )
        .await,
    );

    // The kernel accepts the connection, and no server does the handshake.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://vendor.test:{}", mute.local_addr().unwrap().port());
    let hasty = (
        origin.as_str(),
        setup(&origin).transport(|t| t.connect_timeout(SHORT)),
    );
    let expected = (504, "upstream-timeout", "connection_timeout", false);
    failures.push(
        fail(
            "a handshake that hangs",
            expected,
            hasty,
            caller(get("/p/c/x")),
        )
        .await,
    );

    let plain = ManualVendor::bind().await;
    let origin = format!("https://vendor.test:{}", plain.address().port());
    let expected = (502, "upstream-unreachable", "tls_protocol_error", false);
    let answering = async {
        let mut connection = plain.accept().await;
        connection.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        connection.closed().await;
    };
    let calling = fail(
        "a vendor without TLS",
        expected,
        (&origin, setup(&origin)),
        caller(get("/p/c/x")),
    );
    failures.push(tokio::join!(calling, answering).0);

    let other = ManualVendor::bind_tls_as("other.test").await;
    let origin = other.origin();
    let expected = (502, "upstream-unreachable", "tls_certificate_error", false);
    let calling = fail(
        "another's certificate",
        expected,
        (&origin, setup(&origin)),
        caller(get("/p/c/x")),
    );
    failures.push(tokio::join!(calling, other.accept_and_fail()).0);

    let origin = "http://private.test:54321";
    let guarded = (origin, setup(origin).name("private.test", [10, 0, 0, 1]));
    let expected = (
        403,
        "destination-refused",
        "destination_ip_prohibited",
        false,
    );
    failures.push(
        fail(
            "a private address",
            expected,
            guarded,
            caller(get("/p/c/x")),
        )
        .await,
    );

    let listener = bind().await;
    let origin = format!(
        "http://vendor.test:{}",
        listener.local_addr().unwrap().port()
    );
    let looping = (origin.as_str(), setup(&origin).listener(listener));
    let expected = (403, "destination-refused", "proxy_loop_detected", false);
    failures.push(
        fail(
            "the gateway's own address",
            expected,
            looping,
            caller(get("/p/c/x")),
        )
        .await,
    );
    failures
}
