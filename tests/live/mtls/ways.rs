//! The client certificate together with another credential, for WebSockets, through proxies, and with transports of the
//! host application.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;
use tower_passthrough::auth::{Bearer, Mtls};
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::{EgressProxy, TransportError};
use tower_passthrough::{Integrations, MemoryStore, PassthroughService, Transport, Upstream};

use super::{HTTP1, HTTP2, gateway, setup};
use testkit::binding::Binding;
use testkit::caller::{Caller, get, raw_call};
use testkit::gateway::{Origin as _, Setup};
use testkit::identities::{Authority, subject};
use testkit::mtls_vendor::{MtlsVendor, Terms};
use testkit::wait::within;

fn both() -> (Mtls, Bearer) {
    (Mtls, Bearer)
}

#[tokio::test]
async fn a_bearer_token_is_sent_with_the_certificate() {
    for alpn in [HTTP1, HTTP2] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), alpn)).await;
        let connection = authority
            .certify("own")
            .connection()
            .with_secret("token", "t");
        let gateway = Setup::new(&vendor)
            .connection(connection)
            .upstream(|upstream| upstream.auth(both()));
        let gateway = gateway.start().await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(answer.text(), "own /x Bearer t: ");
    }
}

#[tokio::test]
async fn k7_a_scheme_that_binds_connections_works_with_a_certificate() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let own = authority.certify("own").connection();
    let gateway = Setup::new(&vendor)
        .connection(own.clone().with_secret("user", "ann"))
        .also("d", own.with_secret("user", "bob"))
        .upstream(|upstream| upstream.auth((Mtls, Binding)));
    let gateway = gateway.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for id in ["c", "d", "c", "d"] {
        let answer = caller.call(get(&format!("/p/{id}/x"))).await;
        assert_eq!(answer.text(), "own /x : ");
    }
    assert_eq!(vendor.connections().await, 2);
}

#[tokio::test]
async fn a_websocket_presents_the_certificate_too() {
    let authority = Authority::new();
    let tls = Terms::new(authority.verifier(true), &["h2", "http/1.1"]).acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!(
        "https://vendor.test:{}",
        listener.local_addr().unwrap().port()
    );
    let gateway = setup(&*origin).connection(authority.certify("own").connection());
    let gateway = gateway.also("d", authority.certify("other").connection());
    let gateway = gateway.start().await;
    for (id, name) in [("c", "own"), ("d", "other")] {
        let mut caller = Caller::connect(gateway.address).await;
        // The example of RFC 6455.
        let asked = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let asked = format!("GET /p/{id}/live HTTP/1.1\r\nHost: app.test\r\n{asked}\r\n");
        caller.write(asked).await;
        let served = async {
            let (socket, _) = listener.accept().await.unwrap();
            let mut stream = tls.accept(socket).await.unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
            let shown = subject(&session.peer_certificates().unwrap()[0]);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                          Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            stream.write_all(agreed.as_bytes()).await.unwrap();
            stream.write_all(shown.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            stream
        };
        let _stream = within("a handshake at the vendor", Box::pin(served)).await;
        assert_eq!(caller.head().await.status(), 101);
        while caller.wire.buffered() != name.as_bytes() {
            assert!(within("the vendor's bytes", caller.wire.fill()).await);
        }
    }
}

/// The proxy's TLS asks for a certificate as well, and gets none.
#[tokio::test]
async fn an_egress_proxy_never_gets_the_certificate() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let to = vendor.origin().replace("https://vendor.test", "127.0.0.1");
    let mut terms = Terms::new(authority.verifier(false), HTTP1);
    terms.name = "proxy.test";
    let tls = terms.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://proxy.test:{}",
        listener.local_addr().unwrap().port()
    );
    let proxy = EgressProxy::parse(&url).unwrap();
    let gateway = setup(&vendor)
        .connection(authority.certify("own").connection())
        .name("proxy.test", [127, 0, 0, 1])
        .transport(move |transport| transport.egress_proxy(proxy));
    let gateway = gateway.start().await;
    let proxied = async {
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = tls.accept(socket).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().is_some();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"CONNECT "));
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut onward = TcpStream::connect(&to).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut stream, &mut onward).await });
        shown
    };
    let calls = async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), proxied) };
    let (answer, was_shown) = within("a call through the proxy", Box::pin(calls)).await;
    assert_eq!(answer.text(), "own /x : ");
    assert!(!was_shown);
}

/// Records the certificates that it should present.
#[derive(Clone, Default)]
struct Custom {
    presents: bool,
    shown: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Transport for Custom {
    async fn send(
        &self,
        _: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let identity = to.client_identity().expect("an identity");
        assert_eq!(to.isolation_key(), Some(identity.isolation_key()));
        assert_eq!(
            format!("{identity:?} {:?}", to.isolation_key()),
            "ClientIdentity Some(IsolationKey)"
        );
        let certificate = identity.certificate().expose().to_vec();
        self.shown.lock().unwrap().push(certificate);
        Ok(Response::new(UpstreamBody::new(String::new())))
    }

    fn presents_client_certificates(&self) -> bool {
        self.presents
    }
}

#[tokio::test]
async fn a_transport_without_client_certificates_sends_nothing() {
    let own = Authority::new().certify("own");
    for presents in [false, true] {
        let transport = Custom {
            presents,
            ..Custom::default()
        };
        let upstream = Upstream::new("https://vendor.test").unwrap().auth(Mtls);
        let service = PassthroughService::builder(
            MemoryStore::from_iter([("c", own.connection())]),
            Integrations::new().with("vendor", upstream),
        )
        .dangerous()
        .allow_all()
        .transport(Arc::new(transport.clone()))
        .build();
        let request = Request::get("/c/x").body(String::new()).unwrap();
        let Ok(response) = service.oneshot(request).await;
        let shown = std::mem::take(&mut *transport.shown.lock().unwrap());
        match presents {
            true => {
                assert_eq!(response.status(), 200);
                assert_eq!(shown, [own.certificate.as_bytes()]);
            }
            false => {
                assert_eq!(response.status(), 502);
                assert_eq!(
                    response.headers()["passthrough-error"],
                    "upstream-unreachable"
                );
                assert!(shown.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_grpc_call_presents_the_certificate_too() {
    let authority = Authority::new();
    let terms = Terms::new(authority.verifier(true), &["h2", "http/1.1"]);
    let vendor = MtlsVendor::start(&terms).await;
    let gateway = gateway(&vendor, authority.certify("own").connection()).await;
    let mut caller = testkit::h2_caller::H2Caller::connect(gateway.address).await;
    let request = testkit::h2_caller::request("POST", "/p/c/pkg.Service/Call")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let answer = caller.call(request.body(()).unwrap()).await;
    assert_eq!(answer.body, b"own /pkg.Service/Call : ");
}
