//! `[tls]`: the certificate for callers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, ServerConfig};
use serde::Deserialize;
use toml::Spanned;
use tower_passthrough::Secret;

use super::Folder;
use super::problem::{Problem, Problems};
use super::secret;
use super::value::SecretSource;

/// In this table, a string is the path of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Table {
    certificate: Spanned<SecretSource>,
    private_key: Spanned<SecretSource>,
}

impl Table {
    /// Returns the problem of a certificate for a Unix socket.
    pub(super) fn on_unix(&self) -> Problem {
        Problem::at(
            &self.certificate,
            "`listen` is a Unix socket, which has no TLS; remove [tls], or set an address in `listen`",
        )
    }
}

/// Returns the settings for callers, who are offered HTTP/2 and HTTP/1.1.
pub(super) fn server(
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Arc<ServerConfig>> {
    let chain = problems.ok(chain(&table.certificate, folder));
    let key = problems.ok(key(&table.private_key, folder));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| match (chain, key) {
            (Some(chain), Some(key)) => builder.with_single_cert(chain, key).map(Some),
            _ => Ok(None),
        });
    // The errors are texts of rustls, and contain nothing of the key.
    let config = config.map_err(|error| match error {
        Error::InconsistentKeys(_) => Problem::at(
            &table.private_key,
            "the private key doesn't belong to the certificate, which must be the first of its file",
        ),
        error => Problem::at(
            &table.certificate,
            format!("the certificate can't be used: {error}"),
        ),
    });
    let mut config = problems.ok(config)??;
    config.alpn_protocols = [&b"h2"[..], b"http/1.1"].map(<[u8]>::to_vec).to_vec();
    Some(Arc::new(config))
}

fn chain(
    source: &Spanned<SecretSource>,
    folder: Folder<'_>,
) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let pem = pem(source, folder)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    chain.ok_or_else(|| Problem::at(source, "expected certificates in PEM"))
}

fn key(
    source: &Spanned<SecretSource>,
    folder: Folder<'_>,
) -> Result<PrivateKeyDer<'static>, Problem> {
    let pem = pem(source, folder)?;
    PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|_| {
        Problem::at(
            source,
            "expected a private key in PEM, without a passphrase",
        )
    })
}

fn pem(source: &Spanned<SecretSource>, folder: Folder<'_>) -> Result<Secret, Problem> {
    let SecretSource::Literal(path) = source.get_ref() else {
        return secret::read(source, folder);
    };
    let path = std::str::from_utf8(path.expose()).unwrap_or_default();
    if path.contains("-----BEGIN") {
        return Err(Problem::at(source, "expected the path of a file in PEM"));
    }
    // The path isn't shown, because the user may have entered the secret in its place.
    match fs::read(folder.file(Path::new(path))) {
        Ok(pem) => Ok(Secret::from(pem)),
        Err(error) => Err(Problem::at(
            source,
            format!("the file can't be read: {}", error.kind()),
        )),
    }
}
