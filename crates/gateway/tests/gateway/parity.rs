//! Each option of the library has a key in the config file, and `gateway.toml` lists the key.

use std::collections::BTreeSet;

use testkit::process::binary::check;

/// The public API, as `cargo run -p public-api-snapshot -- --write` writes it.
const API: [&str; 4] = [
    include_str!("../../../../tests/api/tower-passthrough.txt"),
    include_str!("../../../../tests/api/tower-passthrough-postgres.txt"),
    include_str!("../../../../tests/api/tower-passthrough-redis.txt"),
    include_str!("../../../../tests/api/tower-passthrough-sqlite.txt"),
];

/// The setters of the library, and the key of each. A key is written with its table, and without the names that the user chooses:
/// `integration.auth.oauth2.scopes` is `scopes` in `auth` with `kind = "oauth2"`.
const KEYS: &[(&str, &str)] = &[
    ("PassthroughBuilder::authorize", "caller.api_key"),
    ("PassthroughBuilder::address_by", "address_by"),
    ("Addressing::extension", "address_by"),
    ("Addressing::header", "address_by"),
    ("Addressing::host", "host_pattern"),
    ("Addressing::without_path", "address_by"),
    ("PassthroughBuilder::public_url", "public_url"),
    ("PassthroughBuilder::foreign_locations", "foreign_locations"),
    ("PassthroughBuilder::reauthorize_link", "reauthorize_url"),
    ("PassthroughBuilder::dangerous", "anyone"),
    (
        "PassthroughBuilder::buffered_bodies_limit",
        "limits.buffered_bodies",
    ),
    ("PassthroughBuilder::circuit", "circuit.failures"),
    ("PassthroughBuilder::idle_timeout", "timeouts.idle"),
    ("PassthroughBuilder::in_flight_limit", "limits.in_flight"),
    (
        "PassthroughBuilder::in_flight_per_connection_key",
        "limits.in_flight_per_connection",
    ),
    ("PassthroughBuilder::pass_forwarded", "pass_forwarded"),
    ("PassthroughBuilder::pass_request_header", "pass_headers"),
    (
        "PassthroughBuilder::pass_server_instructions",
        "pass_server_instructions",
    ),
    ("PassthroughBuilder::path_encoding", "path_encoding"),
    ("PassthroughBuilder::prefix", "mount"),
    (
        "PassthroughBuilder::rate_per_connection_key",
        "limits.rate_per_connection",
    ),
    (
        "PassthroughBuilder::shared_rate_per_connection_key",
        "limits.rate_per_connection",
    ),
    ("SharedRateLimit::replicas", "limits.rate_per_connection"),
    ("Rate::share_of", "limits.rate_per_connection"),
    ("RedisRatesBuilder::password", "limits.redis"),
    ("RedisRatesBuilder::password_file", "limits.redis"),
    ("RedisRatesBuilder::prefix", "limits.redis"),
    ("RedisRatesBuilder::root_pem", "limits.redis"),
    (
        "PassthroughBuilder::reject_double_encoded_dots",
        "reject_double_encoded_dots",
    ),
    ("PassthroughBuilder::replay_limit", "limits.replay"),
    (
        "PassthroughBuilder::request_body_limit",
        "limits.request_body",
    ),
    (
        "PassthroughBuilder::response_head_timeout",
        "timeouts.response_head",
    ),
    ("PassthroughBuilder::response_headers", "response_headers"),
    ("PassthroughBuilder::retry", "retry.attempts"),
    ("PassthroughBuilder::rewrite_links", "rewrite_links"),
    (
        "PassthroughBuilder::stream_idle_timeout",
        "timeouts.stream_idle",
    ),
    ("PassthroughBuilder::strip_request_header", "strip_headers"),
    ("PassthroughBuilder::total_timeout", "timeouts.total"),
    ("PassthroughBuilder::trace_context", "observe.trace_context"),
    (
        "PassthroughBuilder::upgrade_grace",
        "timeouts.upgrade_grace",
    ),
    ("PassthroughBuilder::via", "via"),
    ("PassthroughBuilder::websocket_origin", "websocket_origins"),
    ("CircuitPolicy::failures", "circuit.failures"),
    ("CircuitPolicy::open_for", "circuit.open"),
    ("RetryPolicy::max_wait", "retry.max_wait"),
    ("Rate::burst", "limits.rate_per_connection"),
    ("HttpTransportBuilder::connect_timeout", "timeouts.connect"),
    ("HttpTransportBuilder::dns_cache", "network.dns_cache"),
    ("HttpTransportBuilder::egress_proxy", "network.egress_proxy"),
    ("HttpTransportBuilder::http1_only", "network.http1_only"),
    (
        "HttpTransportBuilder::http2_max_connections_per_host",
        "pool.http2_max_connections_per_host",
    ),
    (
        "HttpTransportBuilder::http2_max_streams_per_connection_key",
        "pool.http2_max_streams_per_connection",
    ),
    (
        "HttpTransportBuilder::http2_prior_knowledge",
        "network.http2_prior_knowledge",
    ),
    ("HttpTransportBuilder::isolate_connection_keys", "isolate"),
    (
        "HttpTransportBuilder::max_handshakes_per_host",
        "pool.max_handshakes_per_host",
    ),
    (
        "HttpTransportBuilder::max_waiting_per_host",
        "pool.max_waiting_per_host",
    ),
    ("HttpTransportBuilder::native_roots", "network.native_roots"),
    ("HttpTransportBuilder::network", "network.allow"),
    ("HttpTransportBuilder::pool_idle_timeout", "pool.idle"),
    ("HttpTransportBuilder::pool_max_idle", "pool.max_idle"),
    (
        "HttpTransportBuilder::pool_max_idle_per_host",
        "pool.max_idle_per_host",
    ),
    ("HttpTransportBuilder::resolve", "network.resolve"),
    ("HttpTransportBuilder::root_pem", "network.extra_roots"),
    ("HttpTransportBuilder::title_case_headers", "title_case"),
    ("EgressProxy::basic", "network.egress_proxy.user"),
    ("EgressProxy::remote_dns", "network.egress_proxy.remote_dns"),
    ("NetworkPolicy::allow", "network.allow"),
    ("DangerousNetworkPolicy::any_address", "network.allow"),
    ("DangerousNetworkPolicy::plaintext", "network.plaintext"),
    ("Upstream::auth", "integration.auth"),
    ("Upstream::route", "integration.routes"),
    ("Upstream::subdomains", "integration.subdomains"),
    ("Upstream::strip_request_header", "integration.caller_key"),
    ("Upstream::strip_query_parameter", "integration.caller_key"),
    ("Upstream::refresh_on", "integration.auth.oauth2.refresh_on"),
    ("Upstream::domain_override", "integration.domain_override"),
    ("Upstream::domains", "integration.domains"),
    ("Upstream::domain_template", "integration.domains"),
    ("Upstream::header", "integration.headers"),
    ("Upstream::http_protocol", "integration.http"),
    ("Upstream::idle_timeout", "integration.timeouts.idle"),
    ("Upstream::isolate_connection_keys", "integration.isolate"),
    ("Upstream::path_encoding", "integration.path_encoding"),
    ("Upstream::query", "integration.query"),
    (
        "Upstream::response_head_timeout",
        "integration.timeouts.response_head",
    ),
    ("Upstream::response_headers", "integration.response_headers"),
    ("Upstream::rewrite_links", "integration.rewrite_links"),
    ("Upstream::scrub_links", "integration.scrub_links"),
    (
        "Upstream::stream_idle_timeout",
        "integration.timeouts.stream_idle",
    ),
    ("Upstream::title_case_headers", "integration.title_case"),
    ("Upstream::total_timeout", "integration.timeouts.total"),
    ("Upstream::variable", "integration.variables"),
    ("Upstream::variable_default", "integration.variables"),
    ("DomainPolicy::allow", "integration.domains"),
    ("DomainPolicy::allow_address", "integration.domains"),
    ("Scope::methods", "caller.methods"),
    ("Scope::paths", "caller.paths"),
    ("Scope::websockets", "caller.websockets"),
    ("Connection::with_secret", "connection.secret"),
    ("Connection::with_variable", "connection.variables"),
    (
        "RefreshingStore::exchange_timeout",
        "refresh.exchange_timeout",
    ),
    ("RefreshingStore::lease", "refresh.lease"),
    (
        "RefreshingStore::skew_for",
        "integration.auth.oauth2.refresh_before",
    ),
    ("RefreshingStore::skew", "refresh.skew"),
    ("RefreshingStore::timeout", "refresh.timeout"),
    ("OAuth2TokenSource::timeout", "refresh.exchange_timeout"),
    ("OAuth2TokenSource::with", "integration.auth"),
    ("OAuth2TokenSource::or_catalog", "catalog"),
    (
        "TokenEndpoint::access_token_at",
        "integration.auth.oauth2.access_token_path",
    ),
    (
        "TokenEndpoint::client_auth",
        "integration.auth.oauth2.client_auth",
    ),
    (
        "TokenEndpoint::client_id",
        "integration.auth.oauth2.client_id",
    ),
    (
        "TokenEndpoint::client_secret",
        "integration.auth.oauth2.client_secret",
    ),
    (
        "TokenEndpoint::default_lifetime",
        "integration.auth.oauth2.default_lifetime",
    ),
    (
        "TokenEndpoint::expiry_at",
        "integration.auth.oauth2.expiry_path",
    ),
    (
        "TokenEndpoint::passing_errors",
        "integration.auth.oauth2.passing_errors",
    ),
    ("TokenEndpoint::grant", "integration.auth.oauth2.grant"),
    ("TokenEndpoint::header", "integration.auth.oauth2.headers"),
    ("TokenEndpoint::json", "integration.auth.oauth2.json"),
    ("TokenEndpoint::keep", "integration.auth.oauth2.keep"),
    (
        "TokenEndpoint::lifetime_at",
        "integration.auth.oauth2.lifetime_path",
    ),
    (
        "TokenEndpoint::parameter",
        "integration.auth.oauth2.parameters",
    ),
    (
        "TokenEndpoint::refresh_token_at",
        "integration.auth.oauth2.refresh_token_path",
    ),
    (
        "TokenEndpoint::revoked_errors",
        "integration.auth.oauth2.dead_errors",
    ),
    ("TokenEndpoint::scopes", "integration.auth.oauth2.scopes"),
    ("TokenEndpoint::variable", "integration.variables"),
    ("TokenEndpoint::variable_default", "integration.variables"),
    (
        "TokenParameter::optional",
        "integration.auth.oauth2.parameters",
    ),
    ("Assertion::audience", "integration.auth.oauth2.audience"),
    ("Assertion::claim", "integration.auth.oauth2.claims"),
    (
        "Assertion::header_parameter",
        "integration.auth.oauth2.jwt_header",
    ),
    ("Assertion::issuer", "integration.auth.oauth2.issuer"),
    ("Assertion::key", "integration.auth.oauth2.private_key"),
    ("Assertion::key_id", "integration.auth.oauth2.key_id"),
    (
        "Assertion::key_of",
        "integration.auth.oauth2.private_key_secret",
    ),
    (
        "Assertion::lifetime",
        "integration.auth.oauth2.jwt_lifetime",
    ),
    (
        "Assertion::scope_claim",
        "integration.auth.oauth2.scope_claim",
    ),
    ("Assertion::subject", "integration.auth.oauth2.subject"),
    (
        "SigV4::max_chunk_size",
        "integration.auth.sigv4.max_chunk_size",
    ),
    ("SigV4::presigned", "integration.auth.sigv4.presigned"),
    ("SigV4::signed_payload", "integration.auth.sigv4.payload"),
    ("SigV4::streaming", "integration.auth.sigv4.payload"),
    ("OAuth1::body_hash", "integration.auth.oauth1.body_hash"),
    ("OAuth1::body_limit", "integration.auth.oauth1.body_limit"),
    ("OAuth1::in_query", "integration.auth.oauth1.in_query"),
    ("OAuth1::realm", "integration.auth.oauth1.realm"),
    ("OAuth1::two_legged", "integration.auth.oauth1.two_legged"),
    (
        "OAuth1::without_version",
        "integration.auth.oauth1.without_version",
    ),
    ("Hmac::body_limit", "integration.auth.hmac.body_limit"),
    ("Hmac::encoding", "integration.auth.hmac.encoding"),
    ("Hmac::header", "integration.auth.hmac.headers"),
    ("Hmac::key", "integration.auth.hmac.key"),
    ("Hmac::key_id", "integration.auth.hmac.key_id"),
    ("Hmac::parameter", "integration.auth.hmac.parameters"),
    ("PostgresStoreBuilder::cache_bytes", "store.cache"),
    ("PostgresStoreBuilder::cache_entries", "store.cache_entries"),
    ("PostgresStoreBuilder::connections", "store.connections"),
    ("PostgresStoreBuilder::migrations", "store.migrations"),
    ("PostgresStoreBuilder::outage_grace", "store.outage_grace"),
    ("PostgresStoreBuilder::password", "store.password"),
    ("PostgresStoreBuilder::password_file", "store.password"),
    ("PostgresStoreBuilder::root_pem", "store.roots"),
    ("PostgresStoreBuilder::schema", "store.schema"),
    ("PostgresStoreBuilder::staleness", "store.staleness"),
    (
        "PostgresStoreBuilder::statement_timeout",
        "store.statement_timeout",
    ),
    ("RedisStoreBuilder::cache_bytes", "store.cache"),
    ("RedisStoreBuilder::cache_entries", "store.cache_entries"),
    ("RedisStoreBuilder::durability", "store.durability"),
    ("RedisStoreBuilder::outage_grace", "store.outage_grace"),
    ("RedisStoreBuilder::password", "store.password"),
    ("RedisStoreBuilder::password_file", "store.password"),
    ("RedisStoreBuilder::prefix", "store.prefix"),
    ("RedisStoreBuilder::replicas", "store.replicas"),
    ("RedisStoreBuilder::root_pem", "store.roots"),
    ("RedisStoreBuilder::staleness", "store.staleness"),
    ("Integration::title", "integration.title"),
    ("Integration::docs", "integration.docs"),
    ("Integration::verify", "integration.verify"),
    ("SqliteStoreBuilder::cache_bytes", "store.cache"),
    ("SqliteStoreBuilder::cache_entries", "store.cache_entries"),
    ("SqliteStoreBuilder::staleness", "store.staleness"),
    ("Keys::and_base64", "store.keys"),
];

/// The setters without a key, and the reason of each.
const WITHOUT_KEY: &[(&str, &str)] = &[
    (
        "PassthroughBuilder::observe",
        "the gateway has its own observer, for log and metrics",
    ),
    (
        "PassthroughBuilder::observe_fn",
        "the gateway has its own observer, for log and metrics",
    ),
    (
        "PassthroughBuilder::original_uri",
        "the gateway's router decides it",
    ),
    (
        "PassthroughBuilder::share_limits_with",
        "the gateway calls it for a reload",
    ),
    (
        "PassthroughBuilder::transport",
        "a program's own transport is code",
    ),
    (
        "PassthroughBuilder::upgrade_tracker",
        "the gateway has one, for its stop",
    ),
    (
        "PassthroughBuilder::caller_credentials",
        "the gateway knows the fields of its API keys; `strip_headers` removes others",
    ),
    (
        "HttpTransportBuilder::resolver",
        "a program's own resolver is code",
    ),
    (
        "HttpTransportBuilder::tls_config",
        "a value of rustls; `extra_roots` and `native_roots` have keys",
    ),
    (
        "NetworkPolicy::dangerous",
        "it leads to the settings that have keys",
    ),
    (
        "NetworkPolicy::listener",
        "the gateway knows its own listeners",
    ),
    (
        "DangerousNetworkPolicy::loopback",
        "`allow` and `plaintext` say the same",
    ),
    (
        "RefreshingStore::on_refresh",
        "the gateway has its own, for log and metrics",
    ),
    (
        "PostgresStoreBuilder::dangerous",
        "it leads to settings that the gateway doesn't have: a connection in clear text, and commits that can be lost",
    ),
    (
        "RedisStoreBuilder::dangerous",
        "it leads to a setting that the gateway doesn't have, a connection in clear text, and to `durability = \"none\"`",
    ),
    (
        "RedisStoreBuilder::timeout",
        "a script takes less than a millisecond, so 5 s suit each server",
    ),
    (
        "RedisRatesBuilder::dangerous",
        "it leads to a setting that the gateway doesn't have, a connection in clear text",
    ),
    (
        "RedisRatesBuilder::timeout",
        "a call waits for 250 ms at most, so 200 ms suit each server",
    ),
    ("Query::secret", "the secret is always `api_key`"),
    (
        "Connection::without_secret",
        "a secret that isn't in the file isn't set",
    ),
];

/// The types whose methods return the type, but which aren't settings.
const NO_SETTINGS: [&str; 26] = [
    "AccessLog",
    "Applied",
    "AuthContext",
    "AuthRequest",
    "CachedConnection",
    // The gateway's stores have their own settings for the cache.
    "ConnectionCacheBuilder",
    "ConnectionKey",
    "Dispatch",
    // The gateway makes it of its config.
    "Document",
    "Error",
    "FakeUpstream",
    "Grant",
    "GrantUpdate",
    "Integrations",
    "IsolationKey",
    "PayloadUse",
    "RefreshReport",
    "Requirements",
    "Result",
    "Sdk",
    "Secret",
    "ServiceTransport",
    "StoredConnection",
    "Suite",
    "Tokens",
    "TransportError",
];

/// Removes the generic arguments: `Upstream<B>::auth` becomes `Upstream::auth`.
fn without_generics(path: &str) -> String {
    let mut depth = 0;
    path.chars()
        .filter(|char| {
            depth += i32::from(*char == '<');
            let is_outside = depth == 0;
            depth -= i32::from(*char == '>');
            is_outside
        })
        .collect()
}

/// Returns the methods that take a value and return a value of the same type: `Upstream::auth`.
fn setters() -> BTreeSet<String> {
    let setter = |line: &str| {
        let rest = line.strip_prefix("pub ")?;
        let rest = rest.strip_prefix("const ").unwrap_or(rest);
        let rest = rest.strip_prefix("fn ")?;
        let (path, rest) = [("(self)"), ("(self,")]
            .iter()
            .find_map(|start| rest.split_once(start))?;
        let path = without_generics(path);
        let (_, returned) = rest
            .rsplit_once(" -> ")
            .or_else(|| line.rsplit_once(" -> "))?;
        let mut names = path.rsplit("::");
        let (method, owner) = (names.next()?, names.next()?);
        let returned = without_generics(returned).replace("core::result::Result", returned);
        let is_setter = returned.contains("Self") || returned.contains(owner);
        // `dangerous()` leads to settings, and a setter of such settings back.
        let is_policy = owner == "DangerousNetworkPolicy" || method == "dangerous";
        (is_setter || is_policy).then(|| format!("{owner}::{method}"))
    };
    API.iter()
        .flat_map(|api| api.lines().filter_map(setter))
        .collect()
}

/// Returns the keys of a table, as the gateway lists them in an error about an unknown key. `before` is the text before the key.
fn keys_of(before: &str, after: &str) -> BTreeSet<String> {
    let ended = check(format!("{before}unknown_key = 1{after}"));
    let (_, list) = ended
        .stderr
        .split_once("unknown key `unknown_key`, ")
        .unwrap_or_else(|| panic!("{before}: {ended:?}"));
    let line = list.lines().next().unwrap_or_default();
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns the keys of the table to which the key belongs.
fn siblings(key: &str) -> BTreeSet<String> {
    let integration = "[integration.v]\nbase_url = \"https://vendor.test\"\n";
    match key.rsplit_once('.').map_or("", |(table, _)| table) {
        "" => keys_of("", ""),
        "integration" => keys_of(integration, "\n"),
        "connection" => keys_of("[connection.c]\nintegration = \"v\"\n", "\n"),
        "caller" => keys_of("[[caller]]\n", "\n"),
        "integration.timeouts" => keys_of(&format!("{integration}timeouts = {{ "), " }\n"),
        "network.egress_proxy" => keys_of("[network]\negress_proxy = { ", " }\n"),
        table => match table.strip_prefix("integration.auth.") {
            Some(kind) => {
                let needed = match kind {
                    "oauth2" => "token_url = \"https://vendor.test/token\", ",
                    _ => "",
                };
                keys_of(
                    &format!("{integration}auth = {{ kind = \"{kind}\", {needed}"),
                    " }\n",
                )
            }
            None => keys_of(&format!("[{table}]\n"), "\n"),
        },
    }
}

/// Returns the part of `gateway.toml` that belongs to the table. The headings of some tables are in comments.
fn section(text: &str, table: &str) -> String {
    let heading = match table {
        "integration" | "connection" => format!("[{table}.acme]"),
        "caller" => "[[caller]]".to_owned(),
        table => format!("[{table}]"),
    };
    let without_comment = |line: &&str| line.strip_prefix("# ").unwrap_or(line).to_owned();
    let is_heading = |line: &&str| without_comment(line).starts_with('[');
    let mut lines = text.lines();
    if !table.is_empty() {
        let found = lines.find(|line| without_comment(line).starts_with(&heading));
        assert!(found.is_some(), "gateway.toml has no {heading}");
    }
    let own = lines.take_while(|line| !is_heading(line));
    own.map(|line| format!("{line}\n")).collect()
}

/// A new setter needs a key, or a reason why it has none.
#[test]
fn each_setter_of_the_library_has_a_key() {
    let setters = setters();
    assert!(
        setters.len() > 120,
        "only {} setters were found",
        setters.len()
    );
    let known = KEYS.iter().chain(WITHOUT_KEY).map(|(setter, _)| *setter);
    let known: BTreeSet<_> = known.collect();
    let unknown: Vec<_> = setters
        .iter()
        .filter(|setter| {
            let owner = setter.split("::").next().unwrap_or_default();
            !known.contains(setter.as_str()) && !NO_SETTINGS.contains(&owner)
        })
        .collect();
    assert!(
        unknown.is_empty(),
        "these setters of the library need a key in the gateway, or a reason in WITHOUT_KEY: {unknown:?}"
    );
    let gone: Vec<_> = known
        .iter()
        .filter(|setter| !setters.contains(**setter))
        .collect();
    assert!(
        gone.is_empty(),
        "these setters don't exist any more: {gone:?}"
    );
}

#[test]
fn each_key_of_a_setter_exists_and_is_in_the_example() {
    let example = include_str!("../../gateway.toml");
    let mut missing = Vec::new();
    for (setter, key) in KEYS {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let siblings = siblings(key);
        assert!(
            siblings.contains(name),
            "{setter}: {key} isn't one of {siblings:?}"
        );
        let place = match table.split_once('.') {
            Some((first, _)) => first,
            None => table,
        };
        let section = section(example, place);
        let mentions = [format!("{name} = "), format!("{name}=")];
        if !mentions.iter().any(|mention| section.contains(mention)) {
            missing.push((setter, key));
        }
    }
    assert!(
        missing.is_empty(),
        "gateway.toml doesn't mention these keys in their tables: {missing:?}"
    );
}

/// All keys of the tables are in the example, also those that no setter of the library has.
#[test]
fn each_key_is_in_the_example() {
    let example = include_str!("../../gateway.toml");
    let tables = [
        "timeouts.x",
        "limits.x",
        "retry.x",
        "circuit.x",
        "observe.x",
        "operator.x",
        "pool.x",
        "refresh.x",
        "network.x",
        "store.x",
        "caller.x",
        "connection.x",
        "integration.x",
        "tls.x",
        "x",
    ];
    for table in tables {
        let place = table.rsplit_once('.').map_or("", |(table, _)| table);
        for key in siblings(table) {
            if place.is_empty() && siblings_are_tables(&key) {
                continue;
            }
            assert!(
                section(example, place).contains(&format!("{key} = "))
                    || example.contains(&format!("`{key}`")),
                "gateway.toml doesn't mention {key} in [{place}]"
            );
        }
    }
}

/// Returns `true` for a key at the top whose value is a table with a heading of its own.
fn siblings_are_tables(key: &str) -> bool {
    let example = include_str!("../../gateway.toml");
    [
        format!("[{key}]"),
        format!("[[{key}]]"),
        format!("[{key}.acme]"),
    ]
    .iter()
    .any(|heading| example.contains(heading))
}
