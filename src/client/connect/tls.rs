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
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::error::{HttpTransportError, TransportError, TransportErrorKind};
use crate::identity::crypto_provider;
use crate::policy::Host;

/// The certificates that are trusted.
#[derive(Clone)]
pub(crate) struct Roots {
    store: RootCertStore,
    /// The certificates that the host application has added. Each is trusted as the certificate of an upstream as well.
    pinned: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Returns the bundled roots of Mozilla.
    pub(crate) fn bundled() -> Self {
        Self {
            store: webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            pinned: Vec::new(),
        }
    }

    /// Adds the certificates of a PEM file.
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), HttpTransportError> {
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|_| HttpTransportError::new("the file isn't PEM"))?;
            self.store.add(certificate.clone()).map_err(|_| {
                HttpTransportError::new(
                    "the file contains a certificate that can't be a trust anchor",
                )
            })?;
            self.pinned.push(certificate);
            added += 1;
        }
        if added == 0 {
            return Err(HttpTransportError::new("the file contains no certificate"));
        }
        Ok(())
    }

    /// Adds the operating system's roots.
    #[cfg(feature = "native-roots")]
    pub(crate) fn add_native(&mut self) -> Result<(), HttpTransportError> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.store.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(HttpTransportError::new(
                "the operating system has no trust roots that can be read",
            ));
        }
        Ok(())
    }
}

/// Returns a TLS configuration with these roots, and with its own session store.
pub(crate) fn config(roots: Roots) -> Result<ClientConfig, HttpTransportError> {
    let provider = crypto_provider().ok_or_else(|| {
        HttpTransportError::new(
            "rustls has no crypto provider: install a default provider, or enable the feature `rustls-ring`",
        )
    })?;
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| {
            HttpTransportError::new(
                "the default provider of rustls supports neither TLS 1.2 nor TLS 1.3",
            )
        })?;
    if roots.pinned.is_empty() {
        return Ok(config
            .with_root_certificates(roots.store)
            .with_no_client_auth());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.store), provider);
    let usual = verifier
        .build()
        .map_err(|_| HttpTransportError::new("the trusted certificates can't be used"))?;
    let pinned = roots.pinned;
    let verifier = Arc::new(PinnedVerifier { usual, pinned });
    // The verifier isn't weaker: it only accepts certificates that the host application has named byte for byte.
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(config.with_no_client_auth())
}

/// Verifies certificates in the usual way, and also accepts a pinned certificate that is marked as an authority.
///
/// `openssl req -x509` makes such certificates (`CA:TRUE`), and webpki refuses an authority as the certificate of a server.
#[derive(Debug)]
struct PinnedVerifier {
    usual: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = &self.usual;
        let verified =
            usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let error = match verified {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        // webpki has checked the dates before it reports this error, and hasn't checked the name.
        if !is_authority(&error) || !self.pinned.contains(end_entity) {
            return Err(error);
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let usual = &self.usual;
        usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let usual = &self.usual;
        usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Returns `true` if the certificate of a server is marked as an authority.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        // rustls has no variant for this error of webpki.
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}

/// The advice for a certificate that isn't trusted, for the logs of the host application.
#[derive(Debug)]
struct Untrusted(std::io::Error);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "if the upstream has a private authority or a self-signed certificate, trust the certificate of the authority, or exactly the \
             upstream's certificate, by `HttpTransportBuilder::root_pem` (in passthrough-gateway: `[network] extra_roots`)",
        )
    }
}

impl std::error::Error for Untrusted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
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
        let is_untrusted = cause.is_some_and(|cause| {
            let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
            *cause == unknown || is_authority(cause)
        });
        match is_untrusted {
            true => TransportError::new(kind, Untrusted(error)),
            false => TransportError::new(kind, error),
        }
    })
}
