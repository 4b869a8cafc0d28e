//! Reads a TOML file, and builds the parts of the server from it.
//!
//! This takes three steps. The errors of all steps contain the position in the file. The crate toml parses
//! the text. Serde reads the [structure](mod@file) from the parsed text. The modules with the names
//! of the file's tables convert that into the library's types. The last step continues after an
//! error, so that a single run shows all problems.

mod addressing;
mod auth;
mod caller;
mod catalog;
mod choice;
mod connection;
mod file;
mod import;
mod integration;
mod limits;
mod links;
mod listed;
mod network;
mod page;
mod problem;
mod program;
mod resilience;
mod secret;
mod settings;
mod store;
mod tls;
mod value;
mod warnings;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use rustls::ServerConfig;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeTable;
use tower_passthrough::Secret;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::client::HttpTransportBuilder;
use tower_passthrough::observe::TraceContext;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::resilience::{CircuitPolicy, RetryPolicy};
use tower_passthrough::service::{ForeignLocations, ResponseHeaderPolicy};
use zeroize::Zeroizing;

use self::catalog::Sources;
pub(crate) use self::connection::faults;
use self::file::File;
pub(crate) use self::import::{connections, secrets};
pub(crate) use self::integration::{Declared, Refreshes};
#[cfg(feature = "redis")]
pub(crate) use self::limits::RatesServer;
pub(crate) use self::limits::{Limits, RatesSource};
pub(crate) use self::links::ReauthorizeUrl;
pub(crate) use self::listed::{Listed, ListedAuth, Origin};
pub(crate) use self::network::TransportKey;
pub(crate) use self::problem::ConfigError;
use self::problem::{Problem, Problems};
use self::program::Programs;
pub(crate) use self::program::end_all as end_programs;
#[cfg(feature = "postgres")]
pub(crate) use self::store::Migrations;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) use self::store::Password;
#[cfg(feature = "postgres")]
pub(crate) use self::store::Postgres;
#[cfg(feature = "redis")]
pub(crate) use self::store::{Durability, Redis};
pub(crate) use self::store::{Sqlite, Store};
use self::value::Text;
pub(crate) use self::warnings::of_connection;
use crate::addressing::Ways;
use crate::callers::Callers;
use crate::listen::{Listen, Mode};
use crate::log::LogFormat;
use crate::page::{Entry, Settings};
use crate::peers::PeerLimits;

/// The parts of a server.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: Listen,
    /// The permissions of the file of a Unix socket.
    pub(crate) socket_mode: Mode,
    pub(crate) log: LogFormat,
    /// `true` if the log contains a line for each call.
    pub(crate) access_log: bool,
    /// `true` if the log contains the paths of calls.
    pub(crate) log_paths: bool,
    /// The certificate for callers. `None` if they use HTTP without TLS.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// The address for operators, who need no key. `None` if `listen` also serves them.
    pub(crate) operator: Option<Listen>,
    /// `true` if the gateway shows its page and its descriptions.
    pub(crate) page: bool,
    pub(crate) mount: String,
    pub(crate) ways: Ways,
    /// The hosts that name connections.
    pub(crate) host_pattern: Option<String>,
    /// The integrations that the page shows.
    pub(crate) entries: Vec<Entry>,
    /// The settings that the page shows.
    pub(crate) page_settings: Settings,
    /// The maximum time that a stop takes.
    pub(crate) shutdown: Duration,
    pub(crate) callers: Callers,
    pub(crate) store: Store,
    pub(crate) declared: Declared,
    /// The server's own listener isn't included yet, because it isn't bound yet.
    pub(crate) network: NetworkPolicy,
    /// The network policy isn't set yet.
    pub(crate) transport: HttpTransportBuilder,
    pub(crate) transport_key: TransportKey,
    pub(crate) path_encoding: PathEncoding,
    pub(crate) response_headers: ResponseHeaderPolicy,
    pub(crate) rewrite_links: bool,
    /// The URL at which callers reach the gateway. It has been checked.
    pub(crate) public_url: Option<String>,
    pub(crate) foreign_locations: ForeignLocations,
    pub(crate) reauthorize_url: Option<ReauthorizeUrl>,
    /// `true` if the links of an integration may be rewritten.
    pub(crate) may_rewrite_links: bool,
    /// Fields of callers that are removed, in addition to the library's.
    pub(crate) strip_headers: Vec<HeaderName>,
    /// Fields that name the caller, and that are forwarded nevertheless.
    pub(crate) pass_headers: Vec<HeaderName>,
    pub(crate) pass_server_instructions: bool,
    /// The origins whose pages may open WebSockets. Each has been checked.
    pub(crate) websocket_origins: Vec<String>,
    /// `None` for no limit.
    pub(crate) total_timeout: Option<Duration>,
    /// `None` for the library's default.
    pub(crate) upgrade_grace: Option<Duration>,
    pub(crate) response_head_timeout: Duration,
    /// `None` for the library's default.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) stream_idle_timeout: Option<Duration>,
    pub(crate) via: Option<String>,
    pub(crate) pass_forwarded: bool,
    pub(crate) reject_double_encoded_dots: bool,
    pub(crate) refresh: RefreshTimes,
    /// `None` for no limit.
    pub(crate) request_body_limit: Option<u64>,
    pub(crate) trace_context: TraceContext,
    pub(crate) limits: Limits,
    /// The limits of callers' connections.
    pub(crate) peers: PeerLimits,
    pub(crate) retry: RetryPolicy,
    /// `None` if there is no circuit breaker.
    pub(crate) circuit: Option<CircuitPolicy>,
}

impl Config {
    pub(crate) const LISTEN: Listen = Listen::Address(SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        8080,
    ));
    pub(crate) const MOUNT: &str = "/passthrough";
    pub(crate) const SHUTDOWN: Duration = Duration::from_secs(10);
    pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    pub(crate) const RESPONSE_HEAD_TIMEOUT: Duration = Duration::from_secs(60);
    /// Longer than the 60 s for which many proxies keep a connection: a connection that is closed while a proxy sends a
    /// call fails that call.
    pub(crate) const CALLER_IDLE: Duration = Duration::from_secs(75);
    pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
}

/// The settings of refreshes. `None` for the library's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RefreshTimes {
    /// `true` if refresh tokens that a refresh may replace aren't used, because the store can't keep the new tokens.
    pub(crate) spares_rotating: bool,
    pub(crate) skew: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) exchange_timeout: Option<Duration>,
    pub(crate) lease: Option<Duration>,
}

/// A config, with the warnings about it and the address to listen on.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) summary: String,
    /// Settings that work, but that may not be intended.
    pub(crate) warnings: Vec<String>,
    /// The address in the file, even if the command line sets another address.
    pub(crate) listen: Listen,
}

/// The purpose for which a config file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The gateway serves callers, so the file must say who may call.
    Serve,
    /// A command only needs the integrations and the store.
    Command,
}

/// Reads a config file. `listen` replaces the address in the file.
pub(crate) fn load(
    path: &Path,
    listen: Option<Listen>,
    purpose: Purpose,
) -> Result<Loaded, ConfigError> {
    let bytes = fs::read(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    read(path, bytes, |tree| {
        let file = shape::<File>(tree)?;
        let key = TransportKey::new(tree);
        let folder = Folder::of(path);
        let programs = Programs::run(tree.get_ref(), folder.path);
        let folder = folder.with(&programs);
        build(file, tree.get_ref(), folder, listen, purpose, key)
    })
}

/// Parses a text, and converts it. `path` is the name of the text in errors.
fn read<T>(
    path: &Path,
    bytes: Vec<u8>,
    make: impl FnOnce(&Spanned<DeTable<'_>>) -> Result<T, Vec<Problem>>,
) -> Result<T, ConfigError> {
    // The text may contain secrets, so it's wiped after it has been read.
    let bytes = Zeroizing::new(bytes);
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let readable = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let readable = std::str::from_utf8(readable).unwrap_or_default();
            let problem = Problem::at_byte(readable.len(), "the file isn't UTF-8; expected TOML");
            return Err(ConfigError::broken(path, readable, &problem));
        }
    };
    // The parser continues after an error, but the later errors are mostly consequences of the
    // first error.
    let (tree, errors) = DeTable::parse_recoverable(text);
    let first = errors
        .iter()
        .map(Problem::of_syntax)
        .min_by_key(Problem::start);
    if let Some(problem) = first {
        return Err(ConfigError::broken(path, text, &problem));
    }
    make(&tree).map_err(|problems| ConfigError::new(path, text, tree.get_ref(), problems))
}

fn shape<T: DeserializeOwned>(tree: &Spanned<DeTable<'_>>) -> Result<T, Vec<Problem>> {
    let read = T::deserialize(toml::de::Deserializer::from(tree.clone()));
    read.map_err(|error| vec![Problem::of_shape(&error)])
}

/// The folder of the file, in which its relative paths begin, and the output of the programs that the file names.
#[derive(Clone, Copy, Debug)]
struct Folder<'a> {
    path: &'a Path,
    /// `None` if the file's programs aren't run.
    programs: Option<&'a Programs>,
}

impl<'a> Folder<'a> {
    /// Returns the folder of a file whose programs aren't run.
    fn of(file: &'a Path) -> Self {
        Self {
            path: file.parent().unwrap_or(Path::new("")),
            programs: None,
        }
    }

    fn with(self, programs: &'a Programs) -> Self {
        Self {
            programs: Some(programs),
            ..self
        }
    }

    fn file(self, path: &Path) -> PathBuf {
        self.path.join(path)
    }

    /// Returns the output of a program.
    fn printed(self, command: &[String]) -> Result<Secret, String> {
        match self.programs {
            Some(programs) => programs.printed(command),
            None => Programs::default().printed(command),
        }
    }
}

fn build(
    file: File,
    tree: &DeTable<'_>,
    folder: Folder<'_>,
    listen: Option<Listen>,
    purpose: Purpose,
    mut transport_key: TransportKey,
) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let count =
        |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let connections = match file.store.kind_elsewhere() {
        None => count(file.connection.len(), "connection"),
        Some(kind) => format!("connections in {kind}"),
    };
    let summary = [
        count(file.integration.len(), "integration"),
        connections,
        count(file.caller.len(), "caller"),
    ]
    .join(", ");
    let below = |listen: Text<Listen>| listen.0.below(folder.path);
    let file_listen = file.listen.clone().map_or(Config::LISTEN, below);
    let listen = listen.unwrap_or_else(|| file_listen.clone());
    let sources = Sources::read(file.catalog.as_ref(), folder, &mut problems);
    let resolved = sources.resolve(tree, &mut problems);
    let tables = resolved.read(&mut problems);
    let mut warnings = warnings::of_settings(&file, &tables, &listen);
    if let Some(kind) = file.store.kind_elsewhere() {
        if !file.connection.is_empty() {
            warnings.push(format!(
                "connections are stored in {kind}, so the [connection.*] tables of this file ({}) aren't served; `connections import` imports them",
                file.connection.len()
            ));
        }
    }

    let mount = settings::mount(file.mount.as_ref(), &mut problems);
    let ways = addressing::ways(&file, &mount, &mut problems);
    let has_page = page::page(&file, &mount, &ways, &mut problems);
    warnings.extend(page::warnings(&file, &tables, &ways));
    let response_head_timeout = settings::timeout(
        file.timeouts.response_head.as_ref(),
        Config::RESPONSE_HEAD_TIMEOUT,
        &mut problems,
    );
    let idle_timeout = settings::set_timeout(file.timeouts.idle.as_ref(), &mut problems);
    let stream_idle = file.timeouts.stream_idle.as_ref();
    let stream_idle_timeout = settings::set_timeout(stream_idle, &mut problems);
    let via = settings::via(file.via.as_ref(), &mut problems);
    let refresh = RefreshTimes {
        spares_rotating: false,
        skew: file.refresh.skew.as_ref().map(|skew| skew.0),
        timeout: settings::set_timeout(file.refresh.timeout.as_ref(), &mut problems),
        exchange_timeout: settings::set_timeout(
            file.refresh.exchange_timeout.as_ref(),
            &mut problems,
        ),
        lease: settings::set_timeout(file.refresh.lease.as_ref(), &mut problems),
    };
    if let Some(total) = &file.timeouts.total {
        settings::timeout(Some(total), Duration::ZERO, &mut problems);
    }
    let public_url = links::public_url(file.public_url.as_ref(), &mut problems);
    let reauthorize_url = links::reauthorize_url(file.reauthorize_url.as_ref(), &mut problems);
    let strip_headers = settings::headers(&file.strip_headers, &mut problems);
    let pass_headers = settings::headers(&file.pass_headers, &mut problems);
    let websocket_origins = settings::origins(&file.websocket_origins, &mut problems);
    let connect_timeout = settings::timeout(
        file.timeouts.connect.as_ref(),
        Config::CONNECT_TIMEOUT,
        &mut problems,
    );
    let retry = resilience::retry(&file.retry, &mut problems);
    let circuit = resilience::circuit(&file.circuit, &mut problems);
    let plaintext = file.network.plaintext;
    let transport = network::transport(
        &file,
        connect_timeout,
        folder,
        &mut transport_key,
        &mut problems,
    );
    let declared = Declared::read(&tables, &sources, plaintext, folder, &mut problems);
    let entries = match has_page {
        true => page::entries(&declared),
        false => Vec::new(),
    };
    let mut integrations = tables.iter().map(|table| table.integration.get_ref());
    let may_rewrite_links = file.rewrite_links
        || integrations.any(|integration| integration.rewrite_links == Some(true));
    let foreign_locations = links::foreign_locations(file.foreign_locations, &mut problems);
    let is_file = file.store.is_file();
    let has_redis = file.store.is_redis();
    let store = store::read(file.store, folder, &mut problems);
    let in_file = if is_file {
        let at_fault = |name: &str| {
            let is_read = tables.iter().any(|table| table.name == name);
            resolved.is_at_fault(name) || (is_read && !declared.is_known(name))
        };
        connection::all(file.connection, &declared, at_fault, folder, &mut problems)
    } else {
        Vec::new()
    };
    warnings.extend(declared.kept_in_memory(&in_file));
    let caller_idle = settings::timeout(
        file.timeouts.caller_idle.as_ref(),
        Config::CALLER_IDLE,
        &mut problems,
    );
    let stalled = idle_timeout.unwrap_or(Config::IDLE_TIMEOUT);
    let peers = limits::peers(&file.limits, caller_idle, stalled, &mut warnings);
    let limits = Limits::read(&file.limits, has_redis, folder, &mut problems);
    if purpose == Purpose::Serve {
        caller::required(&file.caller, file.anyone.as_ref(), &mut problems);
    }
    let callers = caller::all(file.caller, file.anyone.as_ref(), folder, &mut problems);

    warnings.extend(warnings::of_headers(&declared, &tables));
    if is_file {
        let unused = warnings::of_use(&declared, &tables, &in_file, &callers);
        warnings.extend(unused);
    }
    if let Callers::Anyone(_) = callers {
        warnings.push(
            "callers need no key: everybody who reaches the listener may use each connection"
                .to_owned(),
        );
    }

    let tls = file.tls.as_ref();
    let tls = tls.and_then(|table| tls::server(table, folder, &mut problems));
    if let Some(table) = file.tls.as_ref().filter(|_| listen.is_unix()) {
        problems.push(table.on_unix());
    }
    let operator = file.operator.listen.map(below);
    if let Some(address) = operator.as_ref().filter(|address| !address.is_local()) {
        warnings.push(format!(
            "operators need no key: everybody who reaches {address} may read the metrics"
        ));
    }

    let needs_key = !matches!(callers, Callers::Anyone(_));
    let host_pattern = file.host_pattern.as_ref().map(|pattern| pattern.get_ref());
    let page_settings = Settings::new(&mount, &ways, host_pattern.map(String::as_str), needs_key);
    problems.none()?;
    let config = Config {
        listen,
        socket_mode: file
            .socket_mode
            .map_or(Mode::default(), |mode| mode.get_ref().0),
        log: file.log.map_or(LogFormat::Text, |log| log.0),
        access_log: file.observe.access_log.unwrap_or(true),
        log_paths: file.observe.paths,
        tls,
        operator,
        page: has_page,
        mount,
        ways,
        host_pattern: file.host_pattern.map(Spanned::into_inner),
        entries,
        page_settings,
        shutdown: file
            .shutdown
            .map_or(Config::SHUTDOWN, |shutdown| shutdown.0),
        callers,
        store: store.unwrap_or(Store::File(in_file)),
        declared,
        network: network::policy(&file.network),
        transport,
        transport_key,
        path_encoding: file
            .path_encoding
            .map_or(PathEncoding::Auto, |encoding| encoding.0),
        response_headers: file
            .response_headers
            .map_or(ResponseHeaderPolicy::All, |policy| policy.0),
        rewrite_links: file.rewrite_links,
        public_url,
        foreign_locations,
        reauthorize_url,
        may_rewrite_links,
        strip_headers,
        pass_headers,
        pass_server_instructions: file.pass_server_instructions,
        websocket_origins,
        total_timeout: file.timeouts.total.map(|total| total.get_ref().0),
        upgrade_grace: file.timeouts.upgrade_grace.map(|grace| grace.0),
        response_head_timeout,
        idle_timeout,
        stream_idle_timeout,
        via,
        pass_forwarded: file.pass_forwarded,
        reject_double_encoded_dots: file.reject_double_encoded_dots,
        refresh,
        request_body_limit: file
            .limits
            .request_body
            .map(|size| size.0)
            .filter(|&bytes| bytes > 0),
        trace_context: file
            .observe
            .trace_context
            .map_or(TraceContext::Pass, |context| context.0),
        limits,
        peers,
        retry,
        circuit,
    };
    Ok(Loaded {
        config,
        summary,
        warnings,
        listen: file_listen,
    })
}
