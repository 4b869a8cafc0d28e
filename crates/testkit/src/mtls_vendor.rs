//! A vendor that asks for client certificates, and that answers each call with the identity of its
//! client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::server::danger::ClientCertVerifier;
use rustls::{HandshakeKind, ServerConfig, SupportedProtocolVersion};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificates;
use super::counts::Counts;
use super::gateway::Origin;
use super::identities::subject;

/// The TLS settings of a vendor.
#[derive(Clone)]
pub struct Terms {
    pub verifier: Arc<dyn ClientCertVerifier>,
    pub alpn: Vec<&'static str>,
    /// The name in the certificate that the vendor shows.
    pub name: &'static str,
    pub versions: Vec<&'static SupportedProtocolVersion>,
}

impl Terms {
    pub fn new(verifier: Arc<dyn ClientCertVerifier>, alpn: &[&'static str]) -> Self {
        Self {
            verifier,
            alpn: alpn.to_vec(),
            name: "vendor.test",
            versions: rustls::ALL_VERSIONS.to_vec(),
        }
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = certificates::certificate(self.name);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .expect("versions")
            .with_client_cert_verifier(Arc::clone(&self.verifier))
            .with_single_cert(vec![certificate], key)
            .expect("a certificate and its key");
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A handshake that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Shaken {
    /// The subject of the client's certificate; `nobody` means that the client showed no
    /// certificate.
    pub subject: String,
    pub kind: HandshakeKind,
}

type Log = Arc<Mutex<Vec<Shaken>>>;

/// Answers each call with `SUBJECT TARGET AUTHORIZATION: BODY`, until the vendor is dropped. A
/// target that holds `/close` ends the connection.
pub struct MtlsVendor {
    address: SocketAddr,
    counts: Counts,
    shaken: Log,
    _tasks: JoinSet<()>,
}

impl MtlsVendor {
    pub async fn start(terms: &Terms) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (counts, shaken) = (Counts::default(), Log::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            terms.acceptor(),
            counts.clone(),
            Arc::clone(&shaken),
        ));
        Self {
            address,
            counts,
            shaken,
            _tasks: tasks,
        }
    }

    /// Returns the number of connections that the gateway has made, with or without a successful
    /// handshake.
    pub async fn connections(&self) -> usize {
        self.counts.connections(self.address).await
    }

    /// Waits until the gateway holds no connection any more.
    pub async fn all_closed(&self) {
        self.counts.wait_all_closed().await;
    }

    /// Returns the handshakes that have succeeded so far, in order.
    pub fn shaken(&self) -> Vec<Shaken> {
        self.shaken.lock().expect("no panic").clone()
    }
}

impl Origin for MtlsVendor {
    fn origin(&self) -> String {
        format!("https://vendor.test:{}", self.address.port())
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, counts: Counts, log: Log) {
    let mut connections = JoinSet::new();
    while let Ok((socket, peer)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let number = counts.accepted(peer);
        let (tls, counts, log) = (tls.clone(), counts.clone(), Arc::clone(&log));
        connections.spawn(async move {
            serve(tls, socket, &log).await;
            counts.closed(number);
        });
    }
}

async fn serve(tls: TlsAcceptor, socket: TcpStream, log: &Log) {
    let stream = match tls.accept(socket).into_fallible().await {
        Ok(stream) => stream,
        Err((_, mut socket)) => {
            // The vendor reads the bytes that the gateway wrote, because a reset would lose the
            // alert.
            let _ = socket.read_to_end(&mut Vec::new()).await;
            return;
        }
    };
    let session = stream.get_ref().1;
    let shown = session.peer_certificates().and_then(<[_]>::first);
    let subject = shown.map_or_else(|| "nobody".to_owned(), subject);
    let kind = session.handshake_kind().expect("a finished handshake");
    log.lock().expect("no panic").push(Shaken {
        subject: subject.clone(),
        kind,
    });
    let answer = service_fn(|request| answer(subject.clone(), request));
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    subject: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.uri().path().to_owned();
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map_or("", |value| value.to_str().unwrap_or("?"));
    let head = format!("{subject} {target} {authorization}: ");
    let body = request.into_body().collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let text = [head.as_bytes(), &body].concat();
    let mut response = Response::new(Full::from(text));
    if target.contains("/close") {
        let close = http::HeaderValue::from_static("close");
        response.headers_mut().insert("connection", close);
    }
    Ok(response)
}
