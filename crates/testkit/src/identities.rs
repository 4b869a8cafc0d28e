//! Client certificates, and the authority by which vendors recognise client certificates.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use tower_passthrough::Connection;

/// An authority that certifies clients.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A client certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a root certificate"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certifies an identity with that common name.
    pub fn certify(&self, name: &str) -> Identity {
        self.certify_key(name, &KeyPair::generate().expect("a key"), |_| {})
    }

    /// Certifies an identity with that common name and that key, after `change` has adjusted the
    /// parameters.
    pub fn certify_key(
        &self,
        name: &str,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let certificate = params.signed_by(key, &self.0).expect("a certificate");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Returns the verifier of clients for a server. `demands` means that the server refuses a
    /// client without a certificate.
    pub fn verifier(&self, demands: bool) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a root");
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = match demands {
            true => verifier,
            false => verifier.allow_unauthenticated(),
        };
        verifier.build().expect("a verifier")
    }
}

impl Identity {
    /// Returns a connection to `vendor` with this identity.
    pub fn connection(&self) -> Connection {
        Connection::new("vendor")
            .with_secret("certificate", self.certificate.as_str())
            .with_secret("private_key", self.key.as_str())
    }
}

/// Returns the common name of a certificate's subject: the last common name in the certificate
/// (RFC 5280 §4.1).
pub fn subject(certificate: &CertificateDer<'_>) -> String {
    /// The attribute's type, 2.5.4.3.
    const COMMON_NAME: [u8; 5] = [6, 3, 0x55, 4, 3];
    let der = certificate.as_ref();
    let at = der.windows(5).rposition(|window| window == COMMON_NAME);
    let at = at.expect("a common name") + COMMON_NAME.len();
    let length = usize::from(der[at + 1]);
    String::from_utf8_lossy(&der[at + 2..at + 2 + length]).into_owned()
}
