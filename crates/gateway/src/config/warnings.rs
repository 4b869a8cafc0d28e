//! Warnings about settings that work, but that are dangerous or have no effect.
//!
//! `--check` prints them, and the log contains them at the start and after each change of the config.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::Connection;
use tower_passthrough::policy::NetworkPolicy;

use super::Config;
use super::catalog::Table;
use super::file::{File, Network};
use super::integration::{Declared, is_http};
use super::value::Text;
use crate::callers::Callers;
use crate::listen::Listen;

/// The time for which a model may be silent: before the head of its response, and between two events.
const SILENCE: Duration = Duration::from_secs(5 * 60);

/// The hosts of vendors whose models think before they answer. A name that begins with a dot is a suffix.
const MODELS: [&str; 16] = [
    "api.openai.com",
    ".openai.azure.com",
    ".services.ai.azure.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "aiplatform.googleapis.com",
    "-aiplatform.googleapis.com",
    "api.mistral.ai",
    "api.cohere.com",
    "api.groq.com",
    "api.x.ai",
    "api.deepseek.com",
    "api.perplexity.ai",
    "api.together.xyz",
    "openrouter.ai",
    "api.fireworks.ai",
];

/// Returns the warnings about the settings of the server and of the integrations.
pub(super) fn of_settings(file: &File, tables: &[Table<'_>], listen: &Listen) -> Vec<String> {
    let mut warnings = Vec::new();
    if file.tls.is_none() && !listen.is_local() {
        warnings.push(format!(
            "callers' keys are sent without TLS to {listen}, and everybody on the way can read them: add [tls], or listen on \
             127.0.0.1 or a Unix socket behind a proxy that has TLS"
        ));
    }
    if file.socket_mode.is_some() && !listen.is_unix() {
        warnings.push("socket_mode has no effect, because `listen` isn't a Unix socket".to_owned());
    }
    let limits = &file.limits;
    if limits.in_flight.is_none()
        && limits.in_flight_per_connection.is_none()
        && limits.rate_per_connection.is_none()
    {
        warnings.push(
            "there is no limit for calls, so one caller can use all memory and all of an upstream's quota: set \
             limits.in_flight, limits.in_flight_per_connection or limits.rate_per_connection; limits.in_flight = 0 says that \
             none is intended"
                .to_owned(),
        );
    }
    let is_shared = limits
        .rate_per_connection
        .as_ref()
        .and_then(|rate| rate.get_ref().shared.as_ref());
    if limits.redis.is_some() && !is_shared.is_some_and(|shared| *shared.get_ref()) {
        warnings.push(
            "limits.redis has no effect, because limits.rate_per_connection hasn't `shared = true`"
                .to_owned(),
        );
    }
    let has_replicas = limits
        .rate_per_connection
        .as_ref()
        .is_some_and(|rate| rate.get_ref().replicas.is_some());
    if is_shared.is_some_and(|shared| *shared.get_ref()) && !has_replicas {
        warnings.push(
            "limits.rate_per_connection has `shared = true` without `replicas`, so each replica allows the whole rate while the \
             Redis server is away: set `replicas` to the number of replicas"
                .to_owned(),
        );
    }
    network(file, tables, &mut warnings);
    timeouts(file, tables, &mut warnings);
    warnings
}

fn network(file: &File, tables: &[Table<'_>], warnings: &mut Vec<String>) {
    let network = &file.network;
    let policy = super::network::policy(network);
    let mut has_plaintext = false;
    for table in tables.iter().filter(|table| !table.is_replaced) {
        let name = &table.name;
        let base_url = table.integration.get_ref().base_url.as_ref();
        let is_plain = base_url.is_some_and(|url| is_http(url.get_ref()));
        if base_url.is_some_and(|url| is_refused(url.get_ref(), network, &policy)) {
            warnings.push(format!(
                "integration {name:?}: base_url leads to an address that isn't public, so each call is refused: list its block in \
                 network.allow"
            ));
        }
        let mut token_urls = Vec::new();
        if let Some(auth) = table.merged.auth.table() {
            strings(auth, "token_url", &mut token_urls);
        }
        for (is_plain, key) in [
            (is_plain, "base_url"),
            (token_urls.iter().any(|url| is_http(url)), "auth.token_url"),
        ] {
            if is_plain {
                has_plaintext = true;
                warnings.push(format!(
                    "integration {name:?}: {key} has http://, so requests and their credentials are sent without TLS, in plaintext"
                ));
            }
        }
    }
    if network.plaintext && !has_plaintext {
        warnings.push(
            "network.plaintext has no effect, because no integration has a URL with http://: remove it"
                .to_owned(),
        );
    }
    for block in &network.allow {
        let block = block.0;
        let metadata = [
            IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
        ];
        if block.prefix_len() == 0 {
            warnings.push(format!(
                "network.allow contains {block}, which permits all addresses: callers may reach every server of the private \
                 network and the credentials of a cloud's metadata service; list only the blocks of your upstreams"
            ));
        } else if metadata.iter().any(|address| block.contains(address)) {
            warnings.push(format!(
                "network.allow contains {block}, in which a cloud's metadata service has its address: callers may read \
                 the credentials of this machine"
            ));
        }
    }
    let proxy = network.egress_proxy.as_ref();
    if proxy.is_some_and(|proxy| proxy.get_ref().remote_dns == Some(true)) {
        warnings.push(
            "network.egress_proxy.remote_dns is true, so only the proxy checks the addresses of names: it must refuse private \
             addresses"
                .to_owned(),
        );
    }
    if network.http1_only && network.http2_prior_knowledge {
        warnings.push(
            "network.http2_prior_knowledge has no effect, because network.http1_only is true"
                .to_owned(),
        );
    }
}

/// Returns `true` if the guard of addresses refuses each call of the base URL. Names are only looked up in `network.resolve`.
fn is_refused(base_url: &str, network: &Network, policy: &NetworkPolicy) -> bool {
    let (_, rest) = base_url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    let refuses = |address| policy.check(SocketAddr::new(address, 443)).is_err();
    if let Ok(address) = host.parse() {
        return refuses(address);
    }
    let mut resolved = network.resolve.iter();
    if let Some((_, address)) = resolved.find(|(name, _)| name.get_ref().eq_ignore_ascii_case(host))
    {
        return refuses(address.0);
    }
    // The addresses of names that a proxy looks up aren't checked.
    let is_remote = network.egress_proxy.is_some();
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    host.eq_ignore_ascii_case("localhost") && !is_remote && loopback.into_iter().all(refuses)
}

type Timeout = Option<Spanned<Text<Duration>>>;

fn timeouts(file: &File, tables: &[Table<'_>], warnings: &mut Vec<String>) {
    let get = |timeout: &Timeout| timeout.as_ref().map(|timeout| timeout.get_ref().0);
    let global = &file.timeouts;
    too_short(
        "timeouts",
        get(&global.idle),
        get(&global.stream_idle),
        warnings,
    );
    never_reached(
        "timeouts",
        get(&global.response_head),
        get(&global.total),
        warnings,
    );
    for table in tables.iter().filter(|table| !table.is_replaced) {
        let (name, integration) = (&table.name, table.integration.get_ref());
        let own = &integration.timeouts;
        let place = format!("integration {name:?}: timeouts");
        too_short(&place, get(&own.idle), get(&own.stream_idle), warnings);
        never_reached(&place, get(&own.response_head), get(&own.total), warnings);
        let head = get(&own.response_head).or(get(&global.response_head));
        let head = head.unwrap_or(Config::RESPONSE_HEAD_TIMEOUT);
        let base_url = integration.base_url.as_ref();
        if head < SILENCE && base_url.is_some_and(|url| is_model(url.get_ref())) {
            warnings.push(format!(
                "{place}.response_head is {}, but a model may think for minutes before it answers: set \
                 timeouts = {{ response_head = \"10m\", idle = \"10m\" }}",
                humantime::format_duration(head)
            ));
        }
    }
}

/// Warns of event streams that are cut while a model thinks.
fn too_short(
    place: &str,
    idle: Option<Duration>,
    stream_idle: Option<Duration>,
    warnings: &mut Vec<String>,
) {
    let (key, time) = match (stream_idle, idle) {
        (Some(time), _) => ("stream_idle", time),
        (None, Some(time)) => ("idle", time),
        (None, None) => return,
    };
    if time < SILENCE {
        warnings.push(format!(
            "{place}.{key} is {}: an event stream or a WebSocket that is silent for that long is cut, but an LLM may be silent \
             for minutes; set {table}.stream_idle, such as \"10m\"",
            humantime::format_duration(time),
            table = place.rsplit(' ').next().unwrap_or(place),
        ));
    }
}

fn never_reached(
    place: &str,
    head: Option<Duration>,
    total: Option<Duration>,
    warnings: &mut Vec<String>,
) {
    if let (Some(head), Some(total)) = (head, total) {
        if total <= head {
            warnings.push(format!(
                "{place}.response_head has no effect, because {place}.total isn't longer",
            ));
        }
    }
}

fn is_model(base_url: &str) -> bool {
    let (_, rest) = base_url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    let bedrock = host.starts_with("bedrock-runtime.") && host.ends_with(".amazonaws.com");
    bedrock
        || MODELS
            .iter()
            .any(|model| match model.starts_with(['.', '-']) {
                true => host.ends_with(model),
                false => host == *model,
            })
}

/// Returns the warnings about connections, integrations and callers that have no use. `connections` are those of the file.
pub(super) fn of_use(
    declared: &Declared,
    tables: &[Table<'_>],
    connections: &[(String, Connection)],
    callers: &Callers,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (id, connection) in connections {
        warnings.extend(of_connection(id, connection, declared));
        if !callers.may_use(id) {
            warnings.push(format!("connection {id:?}: no [[caller]] may use it"));
        }
    }
    let used: BTreeSet<_> = connections
        .iter()
        .map(|(_, connection)| connection.integration())
        .collect();
    let extended = |name: &str| {
        let mut tables = tables.iter().filter(|table| table.name != name);
        tables.any(|table| {
            let extends = table.integration.get_ref().extends.as_ref();
            extends.is_some_and(|extends| extends.get_ref() == name)
        })
    };
    for table in tables.iter().filter(|table| table.is_of_config()) {
        let name = &table.name;
        if !used.contains(name.as_str()) && !extended(name) {
            warnings.push(format!("integration {name:?}: no connection uses it"));
        }
    }
    let ids = || connections.iter().map(|(id, _)| id.as_str());
    for (caller, pattern) in callers.without_use(ids) {
        warnings.push(format!(
            "caller {caller:?}: {pattern:?} in its `connections` matches no connection"
        ));
    }
    warnings
}

/// Returns the warnings about the secrets of a connection. They don't contain values.
pub(crate) fn of_connection(id: &str, connection: &Connection, declared: &Declared) -> Vec<String> {
    let refreshes = declared.refreshes();
    unread(id, connection, declared)
        .into_iter()
        .chain(mistyped(id, connection, declared))
        .chain(refreshes.lacks_endpoint(id, connection))
        .chain(refreshes.lacks_client(id, connection))
        .collect()
}

/// Returns a warning if secrets of the connection are never read. It names the secrets, and doesn't contain their values.
fn unread(id: &str, connection: &Connection, declared: &Declared) -> Option<String> {
    let integration = connection.integration();
    let unread: Vec<_> = connection
        .credential()
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !declared.reads(integration, name))
        .collect();
    if unread.is_empty() {
        return None;
    }
    let mut names = String::new();
    for name in &unread {
        let separator = if names.is_empty() { "" } else { ", " };
        let _ = write!(names, "{separator}{name:?}");
    }
    let what = match declared.has_scheme(integration) {
        true => {
            format!("the `auth` of integration {integration:?} doesn't read the secrets {names}")
        }
        false => format!(
            "integration {integration:?} has no `auth`, so calls carry no credential, and the secrets {names} are never read"
        ),
    };
    Some(format!("connection {id:?}: {what}"))
}

/// Returns the warnings of default header fields that `auth` replaces.
pub(super) fn of_headers(declared: &Declared, tables: &[Table<'_>]) -> Vec<String> {
    let mut warnings = Vec::new();
    for table in tables.iter().filter(|table| table.is_of_config()) {
        let name = &table.name;
        for field in table.integration.get_ref().headers.keys() {
            if declared.sets_field(name, field.get_ref()) {
                warnings.push(format!(
                    "integration {name:?}: headers.{} has no effect, because `auth` sets this field",
                    field.get_ref().escape_debug()
                ));
            }
        }
    }
    warnings
}

/// Returns a warning for each secret whose text isn't the secret alone.
fn mistyped(id: &str, connection: &Connection, declared: &Declared) -> Vec<String> {
    let integration = connection.integration();
    let mut warnings = Vec::new();
    for (name, secret) in connection.credential().iter() {
        let secret = secret.expose();
        let is_sent_as_bearer = declared.adds_bearer(integration, name);
        let name = name.escape_debug();
        if is_placeholder(secret) {
            warnings.push(format!(
                "connection {id:?}: secret.{name} is a placeholder such as \"${{NAME}}\", which nothing replaces: write {{ env = \"NAME\" }}"
            ));
        }
        let start = secret.get(..BEARER.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(BEARER) && is_sent_as_bearer {
            warnings.push(format!(
                "connection {id:?}: secret.{name} begins with \"Bearer \", which the `auth` of integration {integration:?} adds as well: \
                 write the token alone"
            ));
        }
        if secret.iter().any(u8::is_ascii_control) && is_sent_as_bearer {
            warnings.push(format!(
                "connection {id:?}: secret.{name} contains a line break or another control character, so a header field can't carry it \
                 and each call fails: remove the character"
            ));
        }
    }
    warnings
}

const BEARER: &[u8] = b"bearer ";

/// Returns `true` for `${NAME}` and `$NAME`, with which other programs name an environment variable. The name of the second form must
/// have a `_`, because a password may begin with a dollar sign.
fn is_placeholder(text: &[u8]) -> bool {
    let is_upper = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let name = text.strip_prefix(b"$").unwrap_or_default();
    is_braced_placeholder(text) || (name.contains(&b'_') && name.iter().all(is_upper))
}

/// Returns `true` for `${NAME}`.
pub(super) fn is_braced_placeholder(text: &[u8]) -> bool {
    let name = text.strip_prefix(b"${");
    let name = name.and_then(|name| name.strip_suffix(b"}"));
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.is_some_and(|name| !name.is_empty() && name.iter().all(is_of_name))
}

/// Collects the strings with that key in a value.
pub(super) fn strings(value: &Spanned<DeValue<'_>>, key: &str, found: &mut Vec<String>) {
    match value.get_ref() {
        DeValue::Array(values) => {
            for value in values.iter() {
                strings(value, key, found);
            }
        }
        DeValue::Table(table) => {
            for (name, value) in table {
                match value.get_ref() {
                    DeValue::String(text) if name.get_ref() == key => found.push(text.to_string()),
                    _ => strings(value, key, found),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_variable_is_a_placeholder() {
        for text in ["${ACME_TOKEN}", "${token}", "$ACME_TOKEN"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in [
            "", "$", "${}", "$ACME", "$a_b", "$A_B!", "${A-B}", "x${A}", "${A}x",
        ] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_host_tells_if_a_model_answers() {
        for url in [
            "https://api.openai.com/v1",
            "https://API.anthropic.com",
            "https://eu1.openai.azure.com/openai",
            "https://europe-west1-aiplatform.googleapis.com:443/v1",
            "https://bedrock-runtime.eu-central-1.amazonaws.com",
        ] {
            assert!(is_model(url), "{url}");
        }
        for url in [
            "https://api.vendor.com/api.openai.com",
            "https://api.openai.com.evil.test",
            "https://s3.amazonaws.com",
            "",
        ] {
            assert!(!is_model(url), "{url}");
        }
    }
}
