//! `[network]`: the addresses that may be dialled, and the trust anchors.

use std::fs;
use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};
use tower_passthrough::HttpTransport;
use tower_passthrough::client::{EgressProxy, HttpTransportBuilder};
use tower_passthrough::policy::NetworkPolicy;

use super::Folder;
use super::file::{self, File, Network, Pool};
use super::problem::{Problem, Problems};
use super::value::Count;
use super::{secret, settings};

/// Tables and keys that don't affect the transport. All other keys count as if they do. If a key is
/// missing from this list, the only consequence is that connections to upstreams are opened again.
const NO_MATTER: [&str; 22] = [
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
    "log",
    "socket_mode",
    "via",
    "pass_forwarded",
    "reject_double_encoded_dots",
    "rewrite_links",
    "strip_headers",
    "pass_headers",
    "refresh",
    "observe",
];

/// The settings of a transport. If they are equal, the transport and its connections can be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TransportKey {
    settings: Table,
    /// The digests of `extra_roots` and of the egress proxy with its credentials.
    roots: Vec<[u8; 32]>,
}

impl TransportKey {
    pub(super) fn new(tree: &Spanned<DeTable<'_>>) -> Self {
        let mut tree = tree.clone();
        // Removed before the settings are copied, because they contain secrets.
        for key in NO_MATTER {
            tree.get_mut().remove(key);
        }
        // Its digest is compared instead.
        if let Some(DeValue::Table(network)) =
            tree.get_mut().get_mut("network").map(Spanned::get_mut)
        {
            network.remove("egress_proxy");
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
    file: &File,
    connect_timeout: Duration,
    folder: Folder<'_>,
    key: &mut TransportKey,
    problems: &mut Problems,
) -> HttpTransportBuilder {
    let network = &file.network;
    let mut transport = HttpTransport::builder()
        .connect_timeout(connect_timeout)
        .http1_only(network.http1_only)
        .http2_prior_knowledge(network.http2_prior_knowledge)
        .title_case_headers(file.title_case)
        .isolate_connection_keys(file.isolate);
    transport = pool(&file.pool, transport, problems);
    if let Some(cache) = &network.dns_cache {
        transport = transport.dns_cache(cache.found.0, cache.failed.0);
    }
    if let Some(proxy) = &network.egress_proxy {
        if let Some((proxy, digest)) = problems.ok(egress_proxy(proxy, folder)) {
            key.roots.push(digest);
            transport = transport.egress_proxy(proxy);
        }
    }
    if let Some(native) = network
        .native_roots
        .as_ref()
        .filter(|native| *native.get_ref())
    {
        let with_roots = transport.clone().native_roots();
        let with_roots = with_roots.map_err(|error| Problem::at(native, error.to_string()));
        transport = problems.ok(with_roots).unwrap_or(transport);
    }
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

/// Sets the limits of the pool.
fn pool(
    pool: &Pool,
    mut transport: HttpTransportBuilder,
    problems: &mut Problems,
) -> HttpTransportBuilder {
    type Set = fn(HttpTransportBuilder, usize) -> HttpTransportBuilder;
    let limits: [(Option<Count>, Set); 6] = [
        (pool.max_idle, HttpTransportBuilder::pool_max_idle),
        (
            pool.max_idle_per_host,
            HttpTransportBuilder::pool_max_idle_per_host,
        ),
        (
            pool.max_handshakes_per_host,
            HttpTransportBuilder::max_handshakes_per_host,
        ),
        (
            pool.max_waiting_per_host,
            HttpTransportBuilder::max_waiting_per_host,
        ),
        (
            pool.http2_max_connections_per_host,
            HttpTransportBuilder::http2_max_connections_per_host,
        ),
        (
            pool.http2_max_streams_per_connection,
            HttpTransportBuilder::http2_max_streams_per_connection_key,
        ),
    ];
    for (limit, set) in limits {
        if let Some(Count(limit)) = limit {
            transport = set(transport, usize::try_from(limit).unwrap_or(usize::MAX));
        }
    }
    match settings::set_timeout(pool.idle.as_ref(), problems) {
        Some(idle) => transport.pool_idle_timeout(idle),
        None => transport,
    }
}

/// Returns the proxy, and a digest of its address and its credentials.
fn egress_proxy(
    place: &Spanned<file::EgressProxy>,
    folder: Folder<'_>,
) -> Result<(EgressProxy, [u8; 32]), Problem> {
    let table = place.get_ref();
    let url = secret::read(&table.url, folder)?;
    let mut digest = Sha256::new();
    digest.update(url.expose());
    let text = std::str::from_utf8(url.expose()).unwrap_or_default();
    let mut proxy =
        EgressProxy::parse(text).map_err(|error| Problem::at(&table.url, error.to_string()))?;
    match (&table.user, &table.password) {
        (Some(user), Some(password)) => {
            let secret = secret::read(password, folder)?;
            digest.update([0]);
            digest.update(user.get_ref());
            digest.update([0]);
            digest.update(secret.expose());
            proxy = proxy
                .basic(user.get_ref(), secret)
                .map_err(|error| Problem::at(user, error.to_string()))?;
        }
        (None, None) => {}
        _ => {
            return Err(Problem::at(
                place,
                "expected both `user` and `password`, or neither",
            ));
        }
    }
    if let Some(remote) = table.remote_dns {
        proxy = proxy.remote_dns(remote);
    }
    Ok((proxy, digest.finalize().into()))
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
