//! TLS to the server by rustls. Certificates are always verified.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Encrypted;

use crate::error::PostgresStoreError;

/// The protocol's name (ALPN), which servers require if TLS begins without PostgreSQL's request for it (`sslnegotiation=direct`).
const ALPN: &[u8] = b"postgresql";

/// Makes TLS connections. The certificate's name is the host of the URL.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts the certificates of the PEM texts, or the bundled roots of Mozilla if there are none.
    pub(crate) fn new(roots: &[Vec<u8>]) -> Result<Self, PostgresStoreError> {
        let invalid = PostgresStoreError::InvalidRoots;
        let mut store = RootCertStore::empty();
        for pem in roots {
            let before = store.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| PostgresStoreError::InvalidRoots)?;
                let added = store.add(certificate);
                added.map_err(|_| PostgresStoreError::InvalidRoots)?;
            }
            if store.len() == before {
                return Err(invalid);
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
        let config = config.map_err(|_| PostgresStoreError::Unsupported(unsupported))?;
        let mut config = config.with_root_certificates(store).with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = Connect;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Connect, Self::Error> {
        // Unix sockets have no name. TLS isn't used for them, but the connector is made nevertheless.
        let name = match domain {
            "" => None,
            name => Some(ServerName::try_from(name)?.to_owned()),
        };
        Ok(Connect {
            config: Arc::clone(&self.0),
            name,
        })
    }
}

pub(crate) struct Connect {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connect {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = self.name.ok_or(io::ErrorKind::InvalidInput)?;
            let connector = TlsConnector::from(self.config);
            Ok(Stream(connector.connect(name, stream).await?))
        })
    }
}

/// An encrypted connection.
pub(crate) struct Stream<S>(Encrypted<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    // The certificate is verified by its name and root, so it isn't also bound to the password (RFC 5929 §4).
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
