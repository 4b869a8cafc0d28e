//! A certificate authority made for each run, and the vendor's certificate.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::BoxError;

/// Returns the vendor's TLS config, and writes the certificate of the authority to the file
/// `authority`.
pub fn server(authority: &Path) -> Result<Arc<ServerConfig>, BoxError> {
    let mut params = CertificateParams::default();
    // The authority has a distinct name, because OpenSSL takes a certificate for self-signed if its subject
    // and its issuer have the same name.
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of the peers");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    fs::write(authority, issuer.pem())?;

    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec!["vendor.test".to_owned()])?;
    let certificate = params.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    // The TLS scenario uses HTTP/1.1 with every peer.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
