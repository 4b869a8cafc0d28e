//! TLS to the server by rustls. Certificates are always verified.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{RedisError, RedisStoreError};

/// Makes TLS connections. The certificate's name is the host of the URL.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts the certificates of the PEM texts, or the bundled roots of Mozilla if there are none.
    pub(crate) fn new(roots: &[Vec<u8>]) -> Result<Self, RedisStoreError> {
        let mut store = RootCertStore::empty();
        for pem in roots {
            let before = store.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| RedisStoreError::InvalidRoots)?;
                let added = store.add(certificate);
                added.map_err(|_| RedisStoreError::InvalidRoots)?;
            }
            if store.len() == before {
                return Err(RedisStoreError::InvalidRoots);
            }
        }
        if roots.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let provider = rustls::crypto::CryptoProvider::get_default().cloned();
        let provider =
            provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let unsupported = "the process's cryptography supports neither TLS 1.2 nor TLS 1.3";
        let config = config.map_err(|_| RedisStoreError::Unsupported(unsupported))?;
        let config = config.with_root_certificates(store).with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, RedisError> {
        let connector = TlsConnector::from(Arc::clone(&self.0));
        Ok(connector.connect(name, stream).await?)
    }
}
