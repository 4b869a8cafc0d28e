//! The protocol on which TLS agrees.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use testkit::caller::{get, raw_call};
use testkit::certificates;
use testkit::gateway::Setup;
use testkit::wait::within;

#[tokio::test]
async fn http1_only_offers_only_http1_to_vendors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = certificates::acceptor("vendor.test", &["h2", "http/1.1"]);
    for (http1_only, agreed) in [(false, "h2"), (true, "http/1.1")] {
        let gateway = Setup::new(&*format!("https://vendor.test:{port}"))
            .transport(move |transport| transport.http1_only(http1_only))
            .start()
            .await;
        let serve = async {
            let (socket, _) = listener.accept().await.unwrap();
            let mut stream = tls.accept(socket).await.unwrap();
            let protocol = stream.get_ref().1.alpn_protocol().unwrap().to_vec();
            if protocol == b"http/1.1" {
                let mut seen = [0; 1024];
                assert!(stream.read(&mut seen).await.unwrap() > 0);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                stream.flush().await.unwrap();
            }
            String::from_utf8(protocol).unwrap()
        };
        let both = async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) };
        let (response, protocol) = within("a handshake", Box::pin(both)).await;
        assert_eq!(protocol, agreed);
        assert_eq!(response.status() == 200, http1_only);
    }
}
