//! Certificates and versions of TLS.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use testkit::caller::{RawResponse, get, raw_call};
use testkit::certificates;
use testkit::gateway::{Gateway, Setup};
use testkit::manual::ManualVendor;
use testkit::wait::within;

/// The TLS of a server, with a certificate that `change` adjusts.
struct Identity {
    root: String,
    /// The server's certificate.
    own: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    fn new(
        change: impl FnOnce(&mut CertificateParams),
        signed: bool,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec!["vendor.test".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = match signed {
            true => params.signed_by(&key, &authority),
            false => params.self_signed(&key),
        };
        let certificate = certificate.unwrap();
        let own = certificate.pem();
        let certificate: CertificateDer<'static> = certificate.der().clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self {
            root: authority.pem(),
            own,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Returns the answer of a gateway, which trusts the authority if `trusted` is `true`, for a call to a server with
    /// that identity.
    async fn call(self, trusted: bool, host: &str) -> (RawResponse, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let Self { root, acceptor, .. } = self;
        let gateway = Setup::new(&*format!("https://{host}:{port}"))
            .transport(move |transport| match trusted {
                true => transport.root_pem(root.as_bytes()).unwrap(),
                false => transport,
            })
            .start()
            .await;
        let serve = async {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(socket).await else {
                return false;
            };
            let mut seen = [0; 1024];
            if !matches!(stream.read(&mut seen).await, Ok(1..)) {
                return false;
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await
                .unwrap();
            stream.flush().await.unwrap();
            true
        };
        let both = async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) };
        within("a handshake and its answer", Box::pin(both)).await
    }
}

/// Returns the TLS of a server whose certificate is its own root, as `openssl req -x509` makes it, and the certificate.
fn own_root(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let authority = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(params);
    };
    let identity = Identity::new(authority, false, BOTH);
    Identity {
        root: identity.own.clone(),
        ..identity
    }
}

#[tokio::test]
async fn v1_a_pinned_certificate_that_is_its_own_root_is_trusted() {
    let (response, was_asked) = own_root(|_| {}).call(true, "vendor.test").await;
    assert_eq!((response.status(), was_asked), (200, true));
}

#[tokio::test]
async fn v1_a_pinned_certificate_is_checked_for_dates_name_and_bytes() {
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    refused_certificate(&own_root(expired).call(true, "vendor.test").await);
    refused_certificate(&own_root(|_| {}).call(true, "eu.vendor.test").await);
    refused_certificate(&own_root(|_| {}).call(false, "vendor.test").await);
    // The pinned certificate has the same names and another key.
    let pinned = own_root(|_| {}).root;
    let other = Identity {
        root: pinned,
        ..own_root(|_| {})
    };
    refused_certificate(&other.call(true, "vendor.test").await);
    // An authority that issued a certificate for an authority isn't a pin.
    let issued = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    let issued = Identity::new(issued, true, BOTH);
    refused_certificate(&issued.call(true, "vendor.test").await);
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS12, &rustls::version::TLS13];

/// Checks that the call failed because of the certificate, and that no byte of a request was sent.
fn refused_certificate((response, was_asked): &(RawResponse, bool)) {
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-unreachable"))
    );
    assert_eq!(
        response.head.value("proxy-status"),
        Some("passthrough; error=tls_certificate_error")
    );
    assert!(response.text().contains("\"sent\":false"));
    assert!(!was_asked, "a request was sent");
}

#[tokio::test]
async fn v1_certificates_are_verified() {
    let expired = Identity::new(
        |params| params.not_after = date_time_ymd(2001, 1, 1),
        true,
        BOTH,
    );
    refused_certificate(&expired.call(true, "vendor.test").await);
    let future = Identity::new(
        |params| params.not_before = date_time_ymd(2999, 1, 1),
        true,
        BOTH,
    );
    refused_certificate(&future.call(true, "vendor.test").await);
    let self_signed = Identity::new(|_| {}, false, BOTH);
    refused_certificate(&self_signed.call(true, "vendor.test").await);
    let unknown = Identity::new(|_| {}, true, BOTH);
    refused_certificate(&unknown.call(false, "vendor.test").await);
    let wrong_name = Identity::new(|_| {}, true, BOTH);
    refused_certificate(&wrong_name.call(true, "eu.vendor.test").await);
    // The certificate has a name and no address.
    let address = Identity::new(|_| {}, true, BOTH);
    refused_certificate(&address.call(true, "127.0.0.1").await);
}

#[tokio::test]
async fn v1_valid_certificates_are_accepted_over_tls_1_2_and_1_3() {
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let (response, was_asked) = Identity::new(|_| {}, true, versions)
            .call(true, "vendor.test")
            .await;
        assert_eq!((response.status(), was_asked), (200, true));
    }
}

#[tokio::test]
async fn v1_older_versions_of_tls_are_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gateway = Setup::new(&*format!("https://vendor.test:{port}"))
        .start()
        .await;
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 5];
        socket.read_exact(&mut hello).await.unwrap();
        hello.resize(usize::from(u16::from_be_bytes([hello[3], hello[4]])), 0);
        socket.read_exact(&mut hello).await.unwrap();
        // A ServerHello of TLS 1.1 (RFC 4346 §7.4.1.3), with ECDHE-RSA-AES128-SHA.
        let mut body = vec![3, 2];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x13, 0]);
        let mut record = vec![
            22,
            3,
            2,
            0,
            u8::try_from(body.len() + 4).unwrap(),
            2,
            0,
            0,
            u8::try_from(body.len()).unwrap(),
        ];
        record.extend(body);
        socket.write_all(&record).await.unwrap();
        let mut alert = Vec::new();
        let _ = socket.read_to_end(&mut alert).await;
        alert
    };
    let both = async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) };
    let (response, alert) = within("a failed handshake", Box::pin(both)).await;
    assert_eq!(response.error(), Some("upstream-unreachable"));
    assert_eq!(
        response.head.value("proxy-status"),
        Some("passthrough; error=tls_protocol_error")
    );
    // A fatal alert, and no message after a handshake.
    assert_eq!((alert.first(), alert.len()), (Some(&21), 7), "{alert:?}");
}

/// The test kit's authority is trusted, so the failures above are due to the certificates.
#[tokio::test]
async fn v1_the_authority_of_the_test_kit_is_trusted() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    assert!(certificates::root_pem().contains("BEGIN CERTIFICATE"));
    let gateway = Gateway::to(&vendor).await;
    let serve = async {
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await;
        connection
    };
    let (response, _connection) =
        Box::pin(async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) }).await;
    assert_eq!(response.status(), 200);
}
