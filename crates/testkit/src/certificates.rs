//! The certificate authority of a test run.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

static AUTHORITY: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a root certificate")
});

/// The root certificate that a gateway must trust, in PEM.
pub fn root_pem() -> String {
    AUTHORITY.pem()
}

/// A server's certificate for `name`, and its key.
pub fn certificate(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .expect("a name")
        .signed_by(&key, &*AUTHORITY)
        .expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in PKCS #8");
    (certificate.der().clone(), key)
}

/// Returns a server's certificate for `name`, and its key, both in PEM.
pub fn certificate_pem(name: &str) -> (String, String) {
    certificate_pem_for(&[name])
}

/// Returns a server's certificate for these names, and its key, both in PEM.
pub fn certificate_pem_for(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let owned: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(owned).expect("names");
    // OpenSSL reads a certificate whose subject is its issuer's as signed by itself.
    let subject = names.first().copied().unwrap_or_default();
    params.distinguished_name.push(DnType::CommonName, subject);
    let certificate = params.signed_by(&key, &*AUTHORITY).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

/// A TLS acceptor with a certificate for `name`, which offers these protocols by ALPN.
pub fn acceptor(name: &str, alpn: &[&str]) -> TlsAcceptor {
    let (certificate, key) = certificate(name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
