//! `[network]`: the addresses that may be dialled, and the trust anchors.

use std::fs;
use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::de::DeTable;
use toml::{Spanned, Table};
use tower_passthrough::HttpTransport;
use tower_passthrough::client::HttpTransportBuilder;
use tower_passthrough::policy::NetworkPolicy;

use super::Folder;
use super::file::Network;
use super::problem::{Problem, Problems};

/// Tables and keys that don't affect the transport. All other keys count as if they do. If a key is
/// missing from this list, the only consequence is that connections to upstreams are opened again.
const NO_MATTER: [&str; 12] = [
    "anyone",
    "listen",
    "mount",
    "operator",
    "path_encoding",
    "response_headers",
    "shutdown",
    "caller",
    "integration",
    "connection",
    "store",
    "tls",
];

/// The settings of a transport. If they are equal, the transport and its connections can be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TransportKey {
    settings: Table,
    /// The digests of `extra_roots`.
    roots: Vec<[u8; 32]>,
}

impl TransportKey {
    pub(super) fn new(tree: &Spanned<DeTable<'_>>) -> Self {
        let mut tree = tree.clone();
        // Removed before the settings are copied, because they contain secrets.
        for key in NO_MATTER {
            tree.get_mut().remove(key);
        }
        let settings = Table::deserialize(toml::de::Deserializer::from(tree));
        let settings = settings.unwrap_or_default();
        Self {
            settings,
            roots: Vec::new(),
        }
    }
}

pub(super) fn policy(network: &Network) -> NetworkPolicy {
    let blocks = network.allow.iter().map(|block| block.0);
    let policy = blocks.fold(NetworkPolicy::new(), NetworkPolicy::allow);
    if network.plaintext {
        policy.dangerous().plaintext()
    } else {
        policy
    }
}

pub(super) fn transport(
    network: &Network,
    connect_timeout: Duration,
    folder: Folder<'_>,
    key: &mut TransportKey,
    problems: &mut Problems,
) -> HttpTransportBuilder {
    let mut transport = HttpTransport::builder().connect_timeout(connect_timeout);
    for (name, address) in &network.resolve {
        if problems.ok(host_name(name)).is_some() {
            transport = transport.resolve(name.get_ref(), address.0);
        }
    }
    for path in &network.extra_roots {
        let pem = fs::read(folder.file(path.get_ref()));
        let pem =
            pem.map_err(|error| Problem::at(path, format!("the file can't be read: {error}")));
        let Some(pem) = problems.ok(pem) else {
            continue;
        };
        key.roots.push(Sha256::digest(&pem).into());
        let with_root = transport.clone().root_pem(&pem);
        let with_root = with_root
            .map_err(|error| Problem::at(path, format!("expected certificates in PEM: {error}")));
        transport = problems.ok(with_root).unwrap_or(transport);
    }
    transport
}

/// Checks that the name has only letters, digits, hyphens and dots, because that is the form in
/// which names are compared.
fn host_name(name: &Spanned<String>) -> Result<(), Problem> {
    let text = name.get_ref();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    if text.split('.').all(label) {
        Ok(())
    } else {
        Err(Problem::at(
            name,
            "expected a host name in lower case without a port, such as \"vendor.test\"",
        ))
    }
}
