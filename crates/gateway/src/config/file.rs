//! The structure of the file, as serde reads it. The other modules in this folder check the values.
//!
//! Values that can be wrong in other ways than their type are [`Spanned`], so that an error can
//! report their position.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::observe::TraceContext;
use tower_passthrough::service::ResponseHeaderPolicy;
use tower_passthrough::upstream::{DomainOverride, HttpProtocol};

use super::choice::{Confidence, Date};
use super::value::{Count, OneOrMany, RatesServer, SecretSource, Size, Text, Variable};
use super::{links, store, tls};
use crate::addressing::Way;
use crate::listen::{Listen, Mode};
use crate::log::LogFormat;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct File {
    pub(super) listen: Option<Text<Listen>>,
    pub(super) anyone: Option<Spanned<bool>>,
    pub(super) page: Option<Spanned<bool>>,
    pub(super) mount: Option<Spanned<String>>,
    pub(super) address_by: Option<Spanned<Vec<Text<Way>>>>,
    pub(super) host_pattern: Option<Spanned<String>>,
    pub(super) path_encoding: Option<Text<PathEncoding>>,
    pub(super) response_headers: Option<Text<ResponseHeaderPolicy>>,
    #[serde(default)]
    pub(super) rewrite_links: bool,
    pub(super) public_url: Option<Spanned<String>>,
    pub(super) foreign_locations: Option<links::ForeignLocations>,
    pub(super) reauthorize_url: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) strip_headers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) pass_headers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) pass_server_instructions: bool,
    #[serde(default)]
    pub(super) websocket_origins: Vec<Spanned<String>>,
    pub(super) shutdown: Option<Text<Duration>>,
    pub(super) log: Option<Text<LogFormat>>,
    pub(super) socket_mode: Option<Spanned<Text<Mode>>>,
    pub(super) via: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) pass_forwarded: bool,
    #[serde(default)]
    pub(super) reject_double_encoded_dots: bool,
    #[serde(default)]
    pub(super) title_case: bool,
    #[serde(default)]
    pub(super) isolate: bool,
    #[serde(default)]
    pub(super) pool: Pool,
    #[serde(default)]
    pub(super) refresh: Refresh,
    #[serde(default)]
    pub(super) network: Network,
    #[serde(default)]
    pub(super) timeouts: Timeouts,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) retry: Retry,
    #[serde(default)]
    pub(super) observe: Observe,
    #[serde(default)]
    pub(super) circuit: Circuit,
    pub(super) tls: Option<tls::Table>,
    #[serde(default)]
    pub(super) operator: Operator,
    #[serde(default)]
    pub(super) caller: Vec<Spanned<Caller>>,
    pub(super) catalog: Option<Spanned<Vec<Spanned<PathBuf>>>>,
    #[serde(default)]
    pub(super) integration: BTreeMap<String, Spanned<Integration>>,
    #[serde(default)]
    pub(super) connection: BTreeMap<Spanned<String>, Spanned<Connection>>,
    #[serde(default)]
    pub(super) store: store::Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Network {
    pub(super) allow: Vec<Text<IpNet>>,
    pub(super) plaintext: bool,
    pub(super) resolve: BTreeMap<Spanned<String>, Text<IpAddr>>,
    pub(super) extra_roots: Vec<Spanned<PathBuf>>,
    pub(super) native_roots: Option<Spanned<bool>>,
    pub(super) egress_proxy: Option<Spanned<EgressProxy>>,
    pub(super) dns_cache: Option<DnsCache>,
    pub(super) http1_only: bool,
    pub(super) http2_prior_knowledge: bool,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { url = \"http://proxy.example:3128\" }"
)]
pub(super) struct EgressProxy {
    pub(super) url: Spanned<SecretSource>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password: Option<Spanned<SecretSource>>,
    pub(super) remote_dns: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { found = \"5s\", failed = \"1s\" }"
)]
pub(super) struct DnsCache {
    pub(super) found: Text<Duration>,
    pub(super) failed: Text<Duration>,
}

/// The limits of the pool of connections to upstreams.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Pool {
    pub(super) idle: Option<Spanned<Text<Duration>>>,
    pub(super) max_idle: Option<Count>,
    pub(super) max_idle_per_host: Option<Count>,
    pub(super) max_handshakes_per_host: Option<Count>,
    pub(super) max_waiting_per_host: Option<Count>,
    pub(super) http2_max_connections_per_host: Option<Count>,
    pub(super) http2_max_streams_per_connection: Option<Count>,
}

/// The times of refreshes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Refresh {
    pub(super) skew: Option<Text<Duration>>,
    pub(super) timeout: Option<Spanned<Text<Duration>>>,
    pub(super) exchange_timeout: Option<Spanned<Text<Duration>>>,
    pub(super) lease: Option<Spanned<Text<Duration>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Timeouts {
    pub(super) connect: Option<Spanned<Text<Duration>>>,
    pub(super) response_head: Option<Spanned<Text<Duration>>>,
    pub(super) idle: Option<Spanned<Text<Duration>>>,
    pub(super) stream_idle: Option<Spanned<Text<Duration>>>,
    pub(super) total: Option<Spanned<Text<Duration>>>,
    pub(super) upgrade_grace: Option<Text<Duration>>,
    pub(super) caller_idle: Option<Spanned<Text<Duration>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Limits {
    pub(super) request_body: Option<Size>,
    pub(super) replay: Option<Size>,
    pub(super) buffered_bodies: Option<Size>,
    pub(super) in_flight: Option<Count>,
    pub(super) in_flight_per_connection: Option<Count>,
    pub(super) rate_per_connection: Option<Spanned<Rate>>,
    pub(super) redis: Option<Spanned<RatesServer>>,
    pub(super) connections: Option<Count>,
    pub(super) connections_per_address: Option<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { per_second = 10, burst = 20 }"
)]
pub(super) struct Rate {
    pub(super) per_second: Option<Spanned<Count>>,
    pub(super) per_minute: Option<Spanned<Count>>,
    pub(super) burst: Option<Spanned<Count>>,
    pub(super) shared: Option<Spanned<bool>>,
    pub(super) replicas: Option<Spanned<Count>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Retry {
    pub(super) attempts: Option<Spanned<Count>>,
    pub(super) max_wait: Option<Text<Duration>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Circuit {
    pub(super) failures: Option<Spanned<Count>>,
    pub(super) open: Option<Spanned<Text<Duration>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Observe {
    pub(super) trace_context: Option<Text<TraceContext>>,
    pub(super) access_log: Option<bool>,
    pub(super) paths: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Operator {
    pub(super) listen: Option<Text<Listen>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Caller {
    pub(super) name: Option<Spanned<String>>,
    pub(super) api_key: Spanned<SecretSource>,
    pub(super) connections: Vec<String>,
    pub(super) methods: Option<Spanned<Vec<Text<Method>>>>,
    pub(super) websockets: Option<bool>,
    pub(super) paths: Option<Spanned<Vec<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Integration {
    pub(super) extends: Option<Spanned<String>>,
    /// Only optional with `extends`.
    pub(super) base_url: Option<Spanned<String>>,
    pub(super) verify: Option<Spanned<String>>,
    pub(super) verify_ok: Option<Spanned<String>>,
    pub(super) title: Option<String>,
    pub(super) category: Option<String>,
    pub(super) docs: Option<String>,
    pub(super) note: Option<String>,
    pub(super) confidence: Option<Text<Confidence>>,
    pub(super) checked: Option<Text<Date>>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Spanned<Variable>>,
    #[serde(default)]
    pub(super) domains: Vec<Spanned<String>>,
    pub(super) domain_override: Option<Text<DomainOverride>>,
    #[serde(default)]
    pub(super) headers: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) query: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) path_encoding: Option<Text<PathEncoding>>,
    pub(super) scrub_links: Option<bool>,
    pub(super) isolate: Option<bool>,
    pub(super) response_headers: Option<Text<ResponseHeaderPolicy>>,
    pub(super) rewrite_links: Option<bool>,
    pub(super) http: Option<Text<HttpProtocol>>,
    pub(super) title_case: Option<bool>,
    #[serde(default)]
    pub(super) routes: Vec<Route>,
    pub(super) caller_key: Option<OneOrMany<CallerKey>>,
    #[serde(default)]
    pub(super) subdomains: bool,
    #[serde(default)]
    pub(super) timeouts: CallTimeouts,
    /// The keys depend on the kind, so [`auth`](super::auth) reads this table.
    #[serde(rename = "auth")]
    pub(super) _auth: Option<IgnoredAny>,
}

/// A file of the catalog.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct CatalogFile {
    #[serde(default, rename = "integration")]
    pub(super) _integration: BTreeMap<String, Spanned<Integration>>,
}

/// The time limits of the calls of an integration.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table such as { response_head = \"10m\", idle = \"10m\" }"
)]
pub(super) struct CallTimeouts {
    pub(super) response_head: Option<Spanned<Text<Duration>>>,
    pub(super) idle: Option<Spanned<Text<Duration>>>,
    pub(super) stream_idle: Option<Spanned<Text<Duration>>>,
    pub(super) total: Option<Spanned<Text<Duration>>>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { path = \"/v1/files\", base_url = \"https://files.vendor.com\" }"
)]
pub(super) struct Route {
    pub(super) path: Spanned<String>,
    pub(super) base_url: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { query = \"key\" }, { header = \"x-goog-api-key\" } or { form = \"token\" }"
)]
pub(super) struct CallerKey {
    pub(super) query: Option<Spanned<String>>,
    pub(super) header: Option<Spanned<String>>,
    pub(super) form: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Connection {
    pub(super) integration: Spanned<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) secret: BTreeMap<String, Spanned<SecretSource>>,
}
