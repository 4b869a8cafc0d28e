//! hyper-util's legacy client, on which three of the peers are built.

use std::convert::Infallible;
use std::fs;
use std::future::{Ready, ready};
use std::iter::{Once, once};
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};

use http_body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tower::Service;

use super::Served;
use crate::BoxError;

/// Returns a client that keeps as many idle connections as there are callers.
pub fn client<C, B>(told: &Served, connector: C) -> Client<C, B>
where
    C: Connect + Clone,
    B: Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(64)
        .http2_only(told.http2)
        .build(connector)
}

/// Returns a connector for plain sockets.
pub fn plain() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

/// Returns a TLS connector that trusts a single authority, and connects to the vendor's address for
/// any name.
pub fn tls(
    told: &Served,
    authority: &Path,
) -> Result<HttpsConnector<HttpConnector<Fixed>>, BoxError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(authority)?)?)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connector = HttpConnector::new_with_resolver(Fixed(told.vendor));
    connector.set_nodelay(true);
    connector.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(connector))
}

/// A resolver that replaces DNS, and returns the same address for any name.
#[derive(Clone, Copy)]
pub struct Fixed(SocketAddr);

impl Service<Name> for Fixed {
    type Response = Once<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(once(self.0)))
    }
}
