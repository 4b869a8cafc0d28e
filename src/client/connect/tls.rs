//! TLS to upstreams: the trusted roots, and the handshake.
//!
//! Certificates are always verified, and verification can't be switched off. To reach an upstream
//! with a private certificate authority, the host application adds the root of that authority. TLS
//! 1.2 and TLS 1.3 are supported. Early data isn't used, and `SSLKEYLOGFILE` is ignored.
//!
//! Each configuration has its own session store, in memory. So a resumed session has been verified
//! before, for the same name and with the same roots. Each client certificate needs its own
//! configuration, because a resumed session authenticates as the identity that began the session.

use std::error::Error as _;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::error::{HttpTransportError, TransportError, TransportErrorKind};
use crate::identity::crypto_provider;
use crate::policy::Host;

/// Returns the bundled roots of Mozilla.
pub(crate) fn bundled_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// Adds the certificates of a PEM file.
pub(crate) fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), HttpTransportError> {
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| HttpTransportError::new("the file isn't PEM"))?;
        roots.add(certificate).map_err(|_| {
            HttpTransportError::new("the file contains a certificate that can't be a trust anchor")
        })?;
        added += 1;
    }
    if added == 0 {
        return Err(HttpTransportError::new("the file contains no certificate"));
    }
    Ok(())
}

/// Adds the operating system's roots.
#[cfg(feature = "native-roots")]
pub(crate) fn add_native(roots: &mut RootCertStore) -> Result<(), HttpTransportError> {
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(HttpTransportError::new(
            "the operating system has no trust roots that can be read",
        ));
    }
    Ok(())
}

/// Returns a TLS configuration with these roots, and with its own session store.
pub(crate) fn config(roots: RootCertStore) -> Result<ClientConfig, HttpTransportError> {
    let provider = crypto_provider().ok_or_else(|| {
        HttpTransportError::new(
            "rustls has no crypto provider: install a default provider, or enable the feature `rustls-ring`",
        )
    })?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| {
            HttpTransportError::new(
                "the default provider of rustls supports neither TLS 1.2 nor TLS 1.3",
            )
        })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Returns a connector that offers these protocols by ALPN.
pub(crate) fn connector(mut config: ClientConfig, alpn: Vec<Vec<u8>>) -> TlsConnector {
    config.alpn_protocols = alpn;
    config.enable_early_data = false;
    TlsConnector::from(Arc::new(config))
}

/// Performs a [`handshake`] that offers only HTTP/1.1. If the upstream refuses HTTP/1.1, the error is
/// `Unsent`, because other calls can still reach the upstream over HTTP/2.
pub(super) async fn handshake_for_http1<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    host: &Host,
    stream: S,
) -> Result<TlsStream<S>, TransportError> {
    let refused = |error: &TransportError| {
        let io = error
            .source()
            .and_then(|source| source.downcast_ref::<std::io::Error>());
        let cause = io.and_then(|io| io.get_ref()?.downcast_ref::<rustls::Error>());
        let refusal = rustls::AlertDescription::NoApplicationProtocol;
        matches!(cause, Some(rustls::Error::AlertReceived(alert)) if *alert == refusal)
    };
    let shaken = handshake(&for_http1(connector), host, stream).await;
    shaken.map_err(|error| match refused(&error) {
        true => TransportError::new(TransportErrorKind::Unsent, error),
        false => error,
    })
}

/// Returns the same configuration, but with only HTTP/1.1 offered. Both configurations share the
/// session store, which is safe because they verify certificates in the same way.
fn for_http1(connector: &TlsConnector) -> TlsConnector {
    let mut config = ClientConfig::clone(connector.config());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// Performs the handshake, and verifies that the certificate is valid for `host`.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    host: &Host,
    stream: S,
) -> Result<TlsStream<S>, TransportError> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(&**name).map(|name| name.to_owned()),
        Host::Ip(address) => Ok(ServerName::from(*address)),
    };
    let name = name.map_err(|error| TransportError::new(TransportErrorKind::TlsProtocol, error))?;
    connector.connect(name, stream).await.map_err(|error| {
        let cause = error
            .get_ref()
            .and_then(|cause| cause.downcast_ref::<rustls::Error>());
        let kind = match cause {
            Some(rustls::Error::InvalidCertificate(_)) => TransportErrorKind::TlsCertificate,
            Some(_) => TransportErrorKind::TlsProtocol,
            None => TransportErrorKind::ConnectionFailed,
        };
        TransportError::new(kind, error)
    })
}
