//! `[integration.*]`: the settings for the calls to an upstream.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tower_passthrough::Connection;
use tower_passthrough::openapi;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::upstream::{BaseUrlError, BaseUrlTemplate};
use tower_passthrough::{Integrations, Upstream};

use super::Folder;
use super::auth::Tokens;
use super::auth::{self, Authentication, Needs, Surroundings};
use super::file::{CallerKey, Integration};
use super::problem::{Problem, Problems};
use super::settings;
use super::value::Variable;
use super::warnings::{auth_of, strings};
use crate::keys::KeyPlaces;

/// The integrations of a file, and the secrets and variables that their connections need.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) integrations: Integrations,
    needs: BTreeMap<String, Needs>,
    /// The strings in the `auth` tables, which may name secrets, by integration.
    auth: BTreeMap<String, Vec<String>>,
    /// The token endpoints, by integration.
    pub(crate) tokens: BTreeMap<String, Tokens>,
    /// The facts for people and clients, by integration.
    listed: BTreeMap<String, openapi::Integration>,
    /// The places of callers' keys that any integration names.
    pub(crate) key_places: KeyPlaces,
}

/// The secrets that a kind of `auth` reads if a connection has them.
const OPTIONAL: [(&str, &[&str]); 2] = [
    (
        "oauth2",
        &[
            "access_token",
            "refresh_token",
            "expires_at",
            "client_id",
            "client_secret",
            "private_key",
        ],
    ),
    ("sigv4", &["session_token"]),
];

/// The variables of an integration's URLs.
pub(super) type Variables = BTreeMap<String, Spanned<Variable>>;

impl Declared {
    /// Returns integrations whose connections aren't checked, because the host application knows
    /// their secrets.
    pub(crate) fn of(integrations: Integrations) -> Self {
        Self {
            integrations,
            ..Self::default()
        }
    }

    /// Reads the integrations of the file. `tree` contains the `auth` tables, which [`Integration`]
    /// doesn't contain because their keys depend on the kind.
    pub(super) fn read(
        integrations: &BTreeMap<String, Spanned<Integration>>,
        tree: &DeTable<'_>,
        plaintext: bool,
        folder: Folder<'_>,
        problems: &mut Problems,
    ) -> Self {
        let mut declared = Self::default();
        let mut table = Integrations::new();
        for (name, integration) in integrations {
            let auth = auth_of(tree, name);
            let places = &mut declared.key_places;
            let read = upstream(integration, auth, plaintext, folder, places, problems);
            let described = describe(name, integration.get_ref(), problems);
            declared.listed.insert(name.clone(), described);
            if let Some((upstream, auth)) = read {
                table = table.with(name.as_str(), upstream);
                declared.needs.insert(name.clone(), auth.needs);
                let texts = declared.auth.entry(name.clone()).or_default();
                if let Some(table) = auth_of(tree, name) {
                    strings(table, None, texts);
                }
                if let Some(tokens) = auth.tokens {
                    declared.tokens.insert(name.clone(), tokens);
                }
            }
        }
        declared.integrations = table;
        declared
    }

    /// Returns a warning for each integration whose refresh tokens may have been replaced by the
    /// next start.
    pub(super) fn kept_in_memory(&self, connections: &[(String, Connection)]) -> Vec<String> {
        let may_rotate = |name: &str| {
            let mut connections = connections.iter().map(|(_, connection)| connection);
            connections.any(|connection| {
                let has_token = connection.credential().get("refresh_token").is_some();
                connection.integration() == name && has_token
            })
        };
        let tokens = self.tokens.iter();
        let rotating = tokens.filter(|(name, tokens)| tokens.may_rotate && may_rotate(name));
        rotating
            .map(|(name, _)| {
                format!(
                    "integration {name:?}: refreshed tokens are only kept in memory, and are lost at a restart; use [store] kind = \"sqlite\" to keep them"
                )
            })
            .collect()
    }

    /// Returns `true` if the integration's `auth` may read the secret of that name.
    pub(super) fn reads(&self, integration: &str, secret: &str) -> bool {
        let Some(upstream) = self.integrations.get(integration) else {
            return true;
        };
        let mut required = upstream.requirements().secrets().iter();
        let texts = self.auth.get(integration).map_or(&[][..], Vec::as_slice);
        let templates = [format!("{{{secret}}}"), format!("{{{secret}?}}")];
        required.any(|name| &**name == secret)
            || texts.iter().any(|text| {
                text == secret || templates.iter().any(|template| text.contains(template))
            })
            || OPTIONAL.iter().any(|(kind, names)| {
                names.contains(&secret) && texts.iter().any(|text| text == kind)
            })
    }

    /// Returns `true` if the integration adds a credential to its calls.
    pub(super) fn has_scheme(&self, integration: &str) -> bool {
        let texts = self.auth.get(integration);
        texts.is_some_and(|texts| texts.iter().any(|text| text != "none"))
    }

    /// Returns the integrations with their facts for people and clients, in the order of their names.
    pub(crate) fn listed(&self) -> impl Iterator<Item = openapi::Integration> {
        self.listed.values().cloned()
    }

    pub(crate) fn get(&self, name: &str) -> Option<(&Upstream<BaseUrlTemplate>, &Needs)> {
        Some((self.integrations.get(name)?, self.needs.get(name)?))
    }
}

fn describe(
    name: &str,
    integration: &Integration,
    problems: &mut Problems,
) -> openapi::Integration {
    let base_url = integration.base_url.get_ref().as_str();
    let mut described = openapi::Integration::new(name, base_url);
    if let Some(title) = &integration.title {
        described = described.title(title.as_str());
    }
    if let Some(docs) = &integration.docs {
        described = described.docs(docs.as_str());
    }
    if let Some(verify) = &integration.verify {
        let set = described.clone().verify(verify.get_ref());
        let set = set.map_err(|error| Problem::at(verify, error.to_string()));
        described = problems.ok(set).unwrap_or(described);
    }
    described
}

fn upstream(
    place: &Spanned<Integration>,
    auth: Option<&Spanned<DeValue<'_>>>,
    plaintext: bool,
    folder: Folder<'_>,
    places: &mut KeyPlaces,
    problems: &mut Problems,
) -> Option<(Upstream<BaseUrlTemplate>, Authentication)> {
    let integration = place.get_ref();
    let base_url = base_url(integration, plaintext);
    let around = Surroundings {
        folder,
        base_url: integration.base_url.get_ref(),
        variables: &integration.variables,
        plaintext,
    };
    let auth = auth::read(auth, around, problems);
    let domains = domains(&integration.domains, problems);
    let upstream = problems.ok(base_url)?;
    let auth = auth?;
    let mut upstream = upstream.auth(Arc::clone(&auth.scheme)).domains(domains);
    if let Some(domain_override) = &integration.domain_override {
        upstream = upstream.domain_override(domain_override.0);
    }
    for (name, value) in &integration.headers {
        if let Some((name, value)) = problems.ok(header(name, value)) {
            upstream = upstream.header(name, value);
        }
    }
    if let Some(query) = query(&integration.query, problems) {
        let place = integration.query.keys().next();
        let set = upstream.clone().query(&query);
        match (set, place) {
            (Ok(set), _) => upstream = set,
            (Err(error), Some(place)) => problems.push(Problem::at(place, error.to_string())),
            (Err(_), None) => {}
        }
    }
    if let Some(encoding) = &integration.path_encoding {
        upstream = upstream.path_encoding(encoding.0);
    }
    if let Some(scrub) = integration.scrub_links {
        upstream = upstream.scrub_links(scrub);
    }
    for caller_key in integration.caller_key.iter().flat_map(|keys| &keys.0) {
        upstream = strip_key(upstream, caller_key, places, problems);
    }
    upstream = upstream.subdomains(integration.subdomains);
    if let Some(tokens) = &auth.tokens {
        if let Some(statuses) = &tokens.refresh_on {
            upstream = upstream.refresh_on(statuses.iter().copied());
        }
    }
    if let Some(isolate) = integration.isolate {
        upstream = upstream.isolate_connection_keys(isolate);
    }
    if let Some(policy) = &integration.response_headers {
        upstream = upstream.response_headers(policy.0);
    }
    if let Some(rewrite) = integration.rewrite_links {
        upstream = upstream.rewrite_links(rewrite);
    }
    if let Some(protocol) = &integration.http {
        upstream = upstream.http_protocol(protocol.0);
    }
    if let Some(title_case) = integration.title_case {
        upstream = upstream.title_case_headers(title_case);
    }
    let timeouts = &integration.timeouts;
    if let Some(timeout) = settings::set_timeout(timeouts.response_head.as_ref(), problems) {
        upstream = upstream.response_head_timeout(timeout);
    }
    if let Some(timeout) = settings::set_timeout(timeouts.idle.as_ref(), problems) {
        upstream = upstream.idle_timeout(timeout);
    }
    if let Some(timeout) = settings::set_timeout(timeouts.stream_idle.as_ref(), problems) {
        upstream = upstream.stream_idle_timeout(timeout);
    }
    if let Some(timeout) = settings::set_timeout(timeouts.total.as_ref(), problems) {
        upstream = upstream.total_timeout(timeout);
    }
    Some((upstream, auth))
}

/// Removes a caller's key from the calls of the integration, and notes where the key is.
fn strip_key(
    mut upstream: Upstream<BaseUrlTemplate>,
    caller_key: &CallerKey,
    places: &mut KeyPlaces,
    problems: &mut Problems,
) -> Upstream<BaseUrlTemplate> {
    // The names are in an answer, and JSON would escape other characters.
    let fits = |name: &&Spanned<String>| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]:$".contains(&byte);
        let name = name.get_ref();
        !name.is_empty() && name.bytes().all(plain) && name != "__domain"
    };
    for name in [&caller_key.query, &caller_key.form].into_iter().flatten() {
        if !fits(&name) {
            problems.push(Problem::at(
                name,
                "expected a name of letters, digits and `-._~[]:$` that isn't `__domain`",
            ));
        }
    }
    if let Some(name) = &caller_key.query {
        places.add_parameter(name.get_ref());
        upstream = upstream.strip_query_parameter(name.get_ref().as_str());
    }
    if let Some(name) = &caller_key.form {
        places.add_field(name.get_ref());
    }
    if let Some(name) = &caller_key.header {
        match HeaderName::from_bytes(name.get_ref().as_bytes()) {
            Ok(field) if FRAMING.contains(&field.as_str()) || field == "cookie" => {
                problems.push(Problem::at(name, "this field can't contain a caller's key"));
            }
            Ok(field) => {
                places.add_header(field.clone());
                upstream = upstream.strip_request_header(field);
            }
            Err(_) => problems.push(Problem::at(name, "expected the name of a header field")),
        }
    }
    upstream
}

/// Returns the default query, in the order of the names, or `None` if there is none.
fn query(
    parameters: &BTreeMap<Spanned<String>, Spanned<String>>,
    problems: &mut Problems,
) -> Option<String> {
    if parameters.is_empty() {
        return None;
    }
    for name in parameters.keys() {
        if matches!(name.get_ref().as_str(), "" | "__domain") {
            problems.push(Problem::at(
                name,
                "expected the name of a parameter that isn't empty and isn't `__domain`",
            ));
        }
    }
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.get_ref(), value.get_ref()));
    Some(
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish(),
    )
}

/// Returns the base URL with the patterns of its variables.
fn base_url(
    integration: &Integration,
    plaintext: bool,
) -> Result<Upstream<BaseUrlTemplate>, Problem> {
    let mut upstream = url(&integration.base_url, plaintext)?;
    for route in &integration.routes {
        url(&route.base_url, plaintext)?;
        upstream = upstream
            .route(route.path.get_ref(), route.base_url.get_ref())
            .map_err(|error| Problem::at(&route.path, error.to_string()))?;
    }
    for (name, variable) in &integration.variables {
        let set = |upstream: Upstream<BaseUrlTemplate>| {
            let table = &variable.get_ref().0;
            let upstream = match &table.pattern {
                Some(pattern) => upstream.variable(name, pattern)?,
                None => upstream,
            };
            match &table.default {
                Some(default) => upstream.variable_default(name, default),
                None => Ok(upstream),
            }
        };
        upstream = set(upstream)
            .map_err(|error: BaseUrlError| Problem::at(variable, error.to_string()))?;
    }
    Ok(upstream)
}

fn url(place: &Spanned<String>, plaintext: bool) -> Result<Upstream<BaseUrlTemplate>, Problem> {
    let url = place.get_ref();
    let upstream = Upstream::template(url).map_err(|error| {
        let expected = "expected a URL such as \"https://api.vendor.com/v2\"";
        Problem::at(place, format!("{error}, {expected}"))
    })?;
    if is_http(url) && !plaintext {
        return Err(Problem::at(
            place,
            "expected https://, as `network.plaintext` isn't set",
        ));
    }
    Ok(upstream)
}

pub(super) fn is_http(url: &str) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

pub(super) fn domains(patterns: &[Spanned<String>], problems: &mut Problems) -> DomainPolicy {
    patterns
        .iter()
        .fold(DomainPolicy::none(), |policy, pattern| {
            if let Some((address, port)) = literal_address(pattern.get_ref()) {
                return policy.allow_address(address, port);
            }
            let allowed = policy.clone().allow(pattern.get_ref());
            let allowed = allowed.map_err(|error| {
                Problem::at(
                    pattern,
                    format!("{error}, expected \"host\", \"host:port\" or \"*.suffix\""),
                )
            });
            problems.ok(allowed).unwrap_or(policy)
        })
}

/// Parses an address in its usual form, with or without a port. Other forms (`127.1`) are passed to
/// the policy, which refuses them.
fn literal_address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (
            host,
            Some(port.parse().ok().filter(|&port: &u16| port > 0)?),
        ),
        _ => (text, None),
    };
    let address: IpAddr = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inside) => inside.parse::<Ipv6Addr>().ok()?.into(),
        None => host.parse::<std::net::Ipv4Addr>().ok()?.into(),
    };
    Some((address, port))
}

/// The fields that frame or route a message. Only the transport may set them.
const FRAMING: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn header(
    name: &Spanned<String>,
    value: &Spanned<String>,
) -> Result<(HeaderName, HeaderValue), Problem> {
    let text = HeaderName::from_bytes(name.get_ref().as_bytes());
    let text = text.map_err(|_| Problem::at(name, "expected the name of a header field"))?;
    if FRAMING.contains(&text.as_str()) {
        return Err(Problem::at(
            name,
            "this field controls framing or routing, so it can't be a default field",
        ));
    }
    let value = HeaderValue::from_str(value.get_ref()).map_err(|_| {
        Problem::at(
            value,
            "expected the value of a header field, without control characters",
        )
    })?;
    Ok((text, value))
}
