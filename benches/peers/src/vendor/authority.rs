//! A certificate authority of the run's own, and the vendor's certificate.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::BoxError;

/// What the vendor serves TLS with. The authority's certificate is written to that file.
pub fn server(authority: &Path) -> Result<Arc<ServerConfig>, BoxError> {
    let mut params = CertificateParams::default();
    // OpenSSL takes a certificate for its own issuer if the names are the same.
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
    // The scenario is HTTP/1.1 for all.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
