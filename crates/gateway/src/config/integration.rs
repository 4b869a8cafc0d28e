//! `[integration.*]`: the settings for the calls to an upstream.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::Connection;
use tower_passthrough::catalog::{self, AuthKind, Catalog, Entry};
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::upstream::{BaseUrlError, BaseUrlTemplate};
use tower_passthrough::{Integrations, Upstream};

use super::Folder;
use super::auth::Tokens;
use super::auth::{self, Authentication, Needs, Surroundings, has_own_id, may_rotate};
use super::catalog::{Auth, ByFile, Sources, Table, names_of};
use super::file::{CallerKey, Integration};
use super::listed::Listed;
use super::problem::{Problem, Problems};
use super::settings;
use super::value::Variable;
use crate::keys::KeyPlaces;
use crate::nearest;

/// The integrations of a config file and its catalog, and the secrets and variables that their connections need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) integrations: Integrations,
    /// The integrations of the config file, and of the files of the catalog.
    known: BTreeMap<String, Known>,
    /// The token endpoints, by integration.
    pub(crate) tokens: BTreeMap<String, Tokens>,
    /// The places of callers' keys that any integration names.
    pub(crate) key_places: KeyPlaces,
    /// The bundled catalog, for integrations that aren't in `known`.
    pub(crate) catalog: Option<Catalog>,
}

/// The data about an integration of a file.
#[derive(Clone, Debug)]
struct Known {
    needs: Needs,
    names: Names,
    /// The entry whose alternatives the integration accepts, and the client's secrets that the file sets.
    alternatives: Option<(Entry, ClientSecrets)>,
    /// `true` if the entry's token endpoint isn't used, because the integration has another host.
    has_other_host: bool,
    facts: Listed,
}

/// The kinds and the names of secrets in an `auth` table. Other texts aren't kept, because they may be secrets of the host.
#[derive(Clone, Debug, Default)]
struct Names {
    kinds: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

impl Names {
    /// Adds the names in a value of `auth`. `key` is the key of the value.
    fn add(&mut self, value: &DeValue<'_>, key: Option<&str>) {
        match (key, value) {
            (Some("kind"), DeValue::String(kind)) => {
                self.kinds.insert(kind.to_string());
            }
            (Some(key), DeValue::String(name)) if NAMING.contains(&key) => {
                self.secrets.insert(name.to_string());
            }
            // A value of these keys is a secret, or the place of a secret.
            (Some("client_secret" | "private_key"), _) => {}
            // Only a whole value is a name. Braces in another value are a part of a secret.
            (Some("parameters"), DeValue::Table(parameters)) => {
                for (_, value) in parameters {
                    let text = value.get_ref().as_str();
                    let name = text.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
                    if let Some(name) = name.filter(|name| !name.contains(['{', '}'])) {
                        self.add_name(name);
                    }
                }
            }
            (_, DeValue::String(text)) => {
                let mut rest: &str = text;
                while let Some((_, opened)) = rest.split_once('{') {
                    let Some((name, after)) = opened.split_once('}') else {
                        break;
                    };
                    self.add_name(name);
                    rest = after;
                }
            }
            (key, DeValue::Array(values)) => {
                for value in values.iter() {
                    self.add(value.get_ref(), key);
                }
            }
            (_, DeValue::Table(table)) => {
                let kind = table.get("kind").and_then(|kind| kind.get_ref().as_str());
                for (key, value) in table {
                    let key = match (&**key.get_ref(), kind) {
                        // The parameters of a signature are templates, and contain no secret.
                        ("parameters", Some("hmac")) => "templates",
                        (key, _) => key,
                    };
                    self.add(value.get_ref(), Some(key));
                }
            }
            _ => {}
        }
    }

    fn add_name(&mut self, name: &str) {
        let name = name.strip_suffix('?').unwrap_or(name);
        self.secrets.insert(name.to_owned());
    }
}

/// The keys of `auth` whose values are names of secrets.
const NAMING: [&str; 7] = [
    "secret",
    "username",
    "password",
    "key",
    "key_id",
    "private_key_secret",
    "keep",
];

/// The secrets of the client that the connections needn't have.
#[derive(Clone, Copy, Debug, Default)]
struct ClientSecrets {
    has_id: bool,
    has_secret: bool,
    /// `true` if there is a secret, and not only a client authentication that needs none.
    has_value: bool,
}

/// An integration that a connection names.
enum Found<'a> {
    Known(&'a Upstream<BaseUrlTemplate>, &'a Known),
    /// An entry of the bundled catalog.
    Bundled(Entry),
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

    /// Returns the bundled catalog.
    pub(crate) fn bundled() -> Self {
        Self {
            integrations: Integrations::new().or_catalog(Catalog::bundled()),
            catalog: Some(Catalog::bundled()),
            ..Self::default()
        }
    }

    /// Converts the integrations of the file and its catalog.
    pub(super) fn read(
        tables: &[Table<'_>],
        sources: &Sources,
        plaintext: bool,
        folder: Folder<'_>,
        problems: &mut Problems,
    ) -> Self {
        let mut declared = Self {
            catalog: sources.bundled,
            ..Self::default()
        };
        let mut integrations = Integrations::new();
        let mut of_files = ByFile::new(sources);
        for table in tables {
            // If a base has problems, they aren't reported again for the tables that extend it.
            if table.is_of_config() && table.merged.extends.is_some() && !of_files.is_empty() {
                continue;
            }
            let (folder, problems) = match table.merged.file {
                Some(file) => (Folder::of(file), of_files.of(file)),
                None => (folder, &mut *problems),
            };
            let places = match table.is_replaced {
                true => &mut KeyPlaces::default(),
                false => &mut declared.key_places,
            };
            let read = upstream(table, plaintext, folder, places, problems);
            let Some((upstream, auth)) = read else {
                continue;
            };
            let facts = Listed::of_table(table, &auth.needs);
            if let Some(verify) = &table.integration.get_ref().verify {
                problems.ok(verify_path(verify, &facts));
            }
            if let Some(path) = &table.integration.get_ref().verify_ok {
                if path.get_ref().split('.').any(str::is_empty) {
                    let what = "expected the path of a value in the JSON answer, such as \"ok\" or \"user.id\"";
                    problems.push(Problem::at(path, what));
                } else if table.integration.get_ref().verify.is_none() {
                    let what = "this key needs `verify` in the same table";
                    problems.push(Problem::at(path, what));
                }
            }
            if table.is_replaced {
                continue;
            }
            let name = &table.name;
            integrations = integrations.with(name.as_str(), upstream);
            let mut names = Names::default();
            if let Some(auth) = table.merged.auth.table() {
                names.add(auth.get_ref(), None);
            }
            let known = Known {
                needs: auth.needs,
                names,
                alternatives: alternatives(&table.merged.auth),
                has_other_host: table.merged.has_other_host
                    && matches!(&table.merged.auth, Auth::Entry(entry) if entry.oauth2().is_some()),
                facts,
            };
            declared.known.insert(name.clone(), known);
            if let Some(tokens) = auth.tokens {
                declared.tokens.insert(name.clone(), tokens);
            }
        }
        of_files.add_to(problems);
        declared.integrations = match sources.bundled {
            Some(catalog) => integrations.or_catalog(catalog),
            None => integrations,
        };
        declared
    }

    fn find(&self, name: &str) -> Option<Found<'_>> {
        if let Some(known) = self.known.get(name) {
            return Some(Found::Known(self.integrations.get(name)?, known));
        }
        Some(Found::Bundled(self.catalog?.get(name)?))
    }

    /// Returns the entry whose alternatives the connections of the integration choose.
    fn entry(&self, integration: &str) -> Option<(Entry, ClientSecrets)> {
        match self.find(integration)? {
            Found::Known(_, known) => known.alternatives,
            Found::Bundled(entry) => Some((entry, ClientSecrets::default())),
        }
    }

    /// Returns `true` if there is an integration with that name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the reason why there is no integration with that name, and similar names.
    pub(crate) fn unknown(&self, name: &str) -> String {
        let names = self.known.keys().map(String::as_str);
        let hint = nearest::hint(name, names.chain(names_of(self.catalog)));
        match self.catalog {
            Some(_) => format!(
                "neither the config file nor the catalog has an integration with this name{hint}"
            ),
            None => format!(
                "the config file has no integration with this name, and `catalog` doesn't contain \"bundled\"{hint}"
            ),
        }
    }

    /// Returns the facts about an integration.
    pub(crate) fn facts(&self, name: &str) -> Option<Listed> {
        match self.find(name)? {
            Found::Known(_, known) => Some(known.facts.clone()),
            Found::Bundled(entry) => Some(Listed::of_entry(entry)),
        }
    }

    /// Returns the facts about all integrations, sorted by name: those of the config file, of the files of the catalog, and of the
    /// bundled catalog.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        let known = self.known.values().map(|known| known.facts.clone());
        let bundled = self.catalog.iter().flat_map(Catalog::iter);
        let bundled = bundled.filter(|entry| !self.known.contains_key(entry.name()));
        let mut listed: Vec<_> = known.chain(bundled.map(Listed::of_entry)).collect();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        listed
    }

    /// Returns a warning for each integration whose refresh tokens may have been replaced by the
    /// next start.
    pub(super) fn kept_in_memory(&self, connections: &[(String, Connection)]) -> Vec<String> {
        let refreshes = self.refreshes();
        let rotating: BTreeSet<_> = connections
            .iter()
            .map(|(_, connection)| connection)
            .filter(|connection| {
                refreshes.may_rotate(connection) && refreshes.has_client(connection)
            })
            .map(Connection::integration)
            .collect();
        rotating
            .into_iter()
            .map(|name| {
                format!(
                    "integration {name:?}: refreshed tokens are only kept in memory, and are lost at a restart; use [store] kind = \"sqlite\" to keep them"
                )
            })
            .collect()
    }

    /// Returns the rules by which tokens are refreshed.
    pub(crate) fn refreshes(&self) -> Refreshes {
        let known = self.known.iter().map(|(name, known)| {
            let tokens = self.tokens.get(name);
            let needs_id = known.alternatives.is_some_and(|(_, client)| !client.has_id);
            let needs_secret = known
                .alternatives
                .is_some_and(|(_, client)| !client.has_secret);
            let rule = Rule {
                has_endpoint: tokens.is_some(),
                may_rotate: tokens.is_some_and(|tokens| tokens.may_rotate),
                needs_id,
                needs_secret,
                has_other_host: known.has_other_host,
            };
            (name.clone(), rule)
        });
        Refreshes {
            known: known.collect(),
            catalog: self.catalog,
        }
    }

    /// Returns `true` if the integration's tokens may be refreshed.
    pub(super) fn has_tokens(&self, integration: &str) -> bool {
        match self.find(integration) {
            Some(Found::Known(..)) => self.tokens.contains_key(integration),
            Some(Found::Bundled(entry)) => entry.oauth2().is_some(),
            None => false,
        }
    }

    /// Returns `true` if the integration's `auth` may read the secret of that name.
    pub(super) fn reads(&self, integration: &str, secret: &str) -> bool {
        let Some(found) = self.find(integration) else {
            return true;
        };
        let optional = |kinds: &dyn Fn(&str) -> bool| {
            OPTIONAL
                .iter()
                .any(|(kind, names)| names.contains(&secret) && kinds(kind))
        };
        if let Some((entry, _)) = self.entry(integration) {
            let has_kind = |kind: &str| entry.auth().any(|auth| auth.kind().name() == kind);
            let mut alternatives = entry.auth();
            return alternatives
                .any(|auth| auth.secrets().contains(&secret) || accepts(auth, secret))
                || entry.fields().any(|field| field.name() == secret)
                || optional(&has_kind);
        }
        let Found::Known(upstream, known) = found else {
            return true;
        };
        let mut required = upstream.requirements().secrets().iter();
        let names = &known.names;
        required.any(|name| &**name == secret)
            || names.secrets.contains(secret)
            || optional(&|kind| names.kinds.contains(kind))
    }

    /// Returns `true` if the integration's `auth` sends the secret of that name as `Bearer SECRET`.
    pub(super) fn adds_bearer(&self, integration: &str, secret: &str) -> bool {
        let kind = match secret {
            "token" => "bearer",
            "access_token" => "oauth2",
            _ => return false,
        };
        match (self.entry(integration), self.find(integration)) {
            // An entry may write an access token in another form.
            (Some((entry, _)), _) => {
                kind == "bearer" && entry.auth().any(|auth| auth.kind().name() == kind)
            }
            (None, Some(Found::Known(_, known))) => {
                known.names.kinds.len() == 1 && known.names.kinds.contains(kind)
            }
            _ => false,
        }
    }

    /// Returns `true` if the integration's `auth` always sets the field of that name.
    pub(super) fn sets_field(&self, integration: &str, name: &str) -> bool {
        let Some(Found::Known(upstream, known)) = self.find(integration) else {
            return false;
        };
        let mut fields = upstream.requirements().fields().iter();
        // SigV4 sets some of its fields only for some connections.
        known.alternatives.is_none()
            && !known.names.kinds.contains("sigv4")
            && fields.any(|field| field.as_str().eq_ignore_ascii_case(name))
    }

    /// Returns `true` if the integration adds a credential to its calls.
    pub(super) fn has_scheme(&self, integration: &str) -> bool {
        match self.find(integration) {
            Some(Found::Known(_, known)) => {
                known.alternatives.is_some() || known.names.kinds.iter().any(|kind| kind != "none")
            }
            Some(Found::Bundled(_)) => true,
            None => false,
        }
    }

    /// Returns the variables and secrets that the integration needs and the connection lacks.
    ///
    /// # Errors
    ///
    /// If the integration doesn't exist.
    pub(super) fn lacks(&self, connection: &Connection) -> Result<Vec<String>, String> {
        let name = connection.integration();
        let mut faults = Vec::new();
        match self.find(name).ok_or_else(|| self.unknown(name))? {
            Found::Bundled(entry) => {
                let missing = entry.missing(connection);
                faults.extend(missing.map(|missing| missing.to_string()));
            }
            Found::Known(upstream, known) => {
                if let Err(error) = upstream.expand(connection.variables()) {
                    faults.push(error.to_string());
                }
                let has = |name: &str| connection.credential().get(name).is_some();
                for missing in known.needs.missing(has) {
                    faults.push(format!(
                        "missing key {missing}, which the integration's `auth` needs"
                    ));
                }
                if let Some((entry, client)) = known.alternatives {
                    faults.extend(lacks_alternatives(entry, client, connection));
                }
            }
        }
        Ok(faults)
    }

    /// Returns the secrets that the integration's scheme always reads.
    pub(super) fn required_secrets(&self, integration: &str) -> &[Box<str>] {
        let upstream = self.integrations.get(integration);
        upstream.map_or(&[], |upstream| upstream.requirements().secrets())
    }

    /// Returns `true` if an alternative of the integration's entry sends a client certificate.
    pub(super) fn has_client_certificate(&self, integration: &str) -> bool {
        let mut alternatives = self
            .entry(integration)
            .into_iter()
            .flat_map(|(entry, _)| entry.auth());
        alternatives.any(catalog::Alternative::has_client_certificate)
    }

    pub(super) fn is_known(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }
}

/// Returns `true` if the alternative accepts a secret under a common name: `api_key` or `token` for a single secret, `username` and
/// `password` for `basic`.
fn accepts(auth: catalog::Alternative, secret: &str) -> bool {
    match auth.kind() {
        AuthKind::Basic => matches!(secret, "username" | "password"),
        AuthKind::Bearer | AuthKind::Header | AuthKind::Query => {
            auth.secrets().len() == 1 && matches!(secret, "api_key" | "token")
        }
        _ => false,
    }
}

/// Returns the entry whose alternatives are accepted, and the client's secrets that the file sets.
fn alternatives(auth: &Auth<'_>) -> Option<(Entry, ClientSecrets)> {
    match auth {
        Auth::Entry(entry) => Some((*entry, ClientSecrets::default())),
        Auth::Client(entry, table) => {
            let table = table.get_ref().as_table();
            let has = |key: &str| table.is_some_and(|table| table.contains_key(key));
            let client = ClientSecrets {
                has_id: has("client_id"),
                // These kinds of client authentication need no client secret.
                has_secret: has("client_secret")
                    || table
                        .and_then(|table| table.get("client_auth")?.get_ref().as_str())
                        .is_some_and(|auth| matches!(auth, "none" | "private_key_jwt")),
                has_value: has("client_secret"),
            };
            Some((*entry, client))
        }
        Auth::None | Auth::Table(_) => None,
    }
}

/// Returns the secrets that the connection lacks for each of the entry's alternatives.
fn lacks_alternatives(
    entry: Entry,
    client: ClientSecrets,
    connection: &Connection,
) -> Option<String> {
    // The file sets the client, so that a connection doesn't lack it. An alternative that sends the client itself gets it as
    // `auth::HostClient` says.
    let mut with_client = connection.clone();
    let is_sent = |name: &str| entry.auth().any(|auth| auth.secrets().contains(&name));
    let uses_host = client.has_id && !has_own_id(connection.credential(), connection.variables());
    let id = match is_sent("client_id") {
        true => uses_host,
        false => client.has_id,
    };
    let secret = match is_sent("client_secret") {
        true => uses_host && client.has_value,
        false => client.has_secret,
    };
    for (is_set, name) in [(id, "client_id"), (secret, "client_secret")] {
        if is_set && connection.credential().get(name).is_none() {
            with_client = with_client.with_secret(name, "set");
        }
    }
    let missing = entry.missing(&with_client)?;
    let alternatives = missing.alternatives().iter().map(|names| {
        let names = names.iter().map(|name| format!("`secret.{name}`"));
        names.collect::<Vec<_>>().join(" and ")
    });
    let alternatives: Vec<_> = alternatives.collect();
    (!alternatives.is_empty()).then(|| {
        format!(
            "missing secrets: the integration needs {}",
            alternatives.join(", or ")
        )
    })
}

/// The rules by which the tokens of connections are refreshed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refreshes {
    known: BTreeMap<String, Rule>,
    catalog: Option<Catalog>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rule {
    has_endpoint: bool,
    /// `true` if a refresh may replace the refresh token.
    may_rotate: bool,
    /// `true` if the connection must have the client's id, or its secret.
    needs_id: bool,
    needs_secret: bool,
    /// `true` if the endpoint of the extended entry isn't used, because it belongs to another host.
    has_other_host: bool,
}

impl Refreshes {
    fn rule(&self, integration: &str) -> Rule {
        if let Some(rule) = self.known.get(integration) {
            return *rule;
        }
        let entry = self.catalog.and_then(|catalog| catalog.get(integration));
        Rule {
            has_endpoint: entry.and_then(Entry::oauth2).is_some(),
            may_rotate: entry.is_some_and(may_rotate),
            needs_id: true,
            needs_secret: true,
            has_other_host: false,
        }
    }

    /// Returns `true` if the integration has a token endpoint, and the connection has the client's credentials that the file lacks. An
    /// integration of a file never uses the token endpoint of the bundled entry of the same name, unless it extends that entry.
    pub(crate) fn allow(&self, connection: &Connection) -> bool {
        self.rule(connection.integration()).has_endpoint && self.has_client(connection)
    }

    /// Returns `true` if a refresh may replace the connection's refresh token.
    pub(crate) fn may_rotate(&self, connection: &Connection) -> bool {
        let has_token = connection.credential().get("refresh_token").is_some();
        has_token && self.rule(connection.integration()).may_rotate
    }

    fn has_client(&self, connection: &Connection) -> bool {
        let rule = self.rule(connection.integration());
        let has = |name: &str| connection.credential().get(name).is_some();
        (!rule.needs_id || has("client_id")) && (!rule.needs_secret || has("client_secret"))
    }

    /// Returns the warning for a connection whose tokens can't be refreshed because the integration has another host than its base.
    pub(super) fn lacks_endpoint(&self, id: &str, connection: &Connection) -> Option<String> {
        let integration = connection.integration();
        let rule = self.rule(integration);
        let has = |name: &str| connection.credential().get(name).is_some();
        let can_fetch = has("refresh_token") || (has("client_id") && has("client_secret"));
        (can_fetch && rule.has_other_host && !rule.has_endpoint).then(|| {
            format!(
                "connection {id:?}: its tokens can't be refreshed, because `base_url` of integration {integration:?} has another host \
                 than the integration that it extends, whose token endpoint isn't taken over: set auth = {{ kind = \"oauth2\", \
                 token_url = \"...\" }} with the token endpoint of that host"
            )
        })
    }

    /// Returns the warning for a connection whose tokens can't be refreshed because the client's credentials are missing.
    pub(super) fn lacks_client(&self, id: &str, connection: &Connection) -> Option<String> {
        let integration = connection.integration();
        let has_token = connection.credential().get("refresh_token").is_some();
        let has_endpoint = self.rule(integration).has_endpoint;
        (has_token && has_endpoint && !self.has_client(connection)).then(|| {
            format!(
                "connection {id:?}: its tokens can't be refreshed, because the client's credentials are missing: set the secrets \
                 `client_id` and `client_secret`, or [integration.{integration}] with extends = {integration:?} and auth = \
                 {{ kind = \"oauth2\", client_id = \"...\", client_secret = {{ env = \"...\" }} }}"
            )
        })
    }
}

/// Checks the path of the call that verifies connections.
fn verify_path(path: &Spanned<String>, facts: &Listed) -> Result<(), Problem> {
    let text = path.get_ref();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\');
    let segments = text.split(['/', '?']);
    let mut segments = segments.map(|segment| segment.replace("%2e", ".").replace("%2E", "."));
    if !text.starts_with('/')
        || !text.bytes().all(is_plain)
        || segments.any(|segment| matches!(&*segment, "." | ".."))
    {
        let what = "expected a path such as \"/users/me\", which may have a query";
        return Err(Problem::at(path, what));
    }
    let mut rest = text.as_str();
    while let Some((_, opened)) = rest.split_once('{') {
        let (name, after) = opened.split_once('}').unwrap_or((opened, ""));
        if !facts.has_variable(name) {
            let what = "the path contains a variable that `variables` doesn't declare";
            return Err(Problem::at(path, what));
        }
        rest = after;
    }
    Ok(())
}

fn upstream(
    table: &Table<'_>,
    plaintext: bool,
    folder: Folder<'_>,
    places: &mut KeyPlaces,
    problems: &mut Problems,
) -> Option<(Upstream<BaseUrlTemplate>, Authentication)> {
    let integration = table.integration.get_ref();
    let Some(base) = &integration.base_url else {
        // A base always has a base URL, or its own problem was reported.
        let what = match integration.extends {
            None => "missing key `base_url`",
            Some(_) => "missing key `base_url`, which the extended integration lacks as well",
        };
        problems.push(Problem::at(&table.integration, what));
        return None;
    };
    let extends = table.merged.extends.as_ref();
    let base_url = base_url(integration, base, extends, plaintext);
    let around = Surroundings {
        folder,
        base_url: base.get_ref(),
        variables: &integration.variables,
        plaintext,
    };
    let at = extends.cloned().unwrap_or_default();
    let auth = match &table.merged.auth {
        Auth::None => auth::read(None, around, problems),
        Auth::Table(auth) => problems
            .ok(table.merged.has_endpoint())
            .and_then(|()| auth::read(Some(auth), around, problems)),
        Auth::Entry(entry) => {
            let has_endpoint = !table.merged.has_other_host;
            auth::of_entry(*entry, None, has_endpoint, around, &at, problems)
        }
        Auth::Client(entry, client) => {
            auth::of_entry(*entry, Some(client), true, around, &at, problems)
        }
    };
    let fixed = integration.domains.iter();
    let fixed = fixed.filter(|domain| !is_template(domain));
    let domains = domains(fixed, problems);
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
///
/// Variables that were taken over from another integration may belong to its other URLs.
fn base_url(
    integration: &Integration,
    base_url: &Spanned<String>,
    extends: Option<&Range<usize>>,
    plaintext: bool,
) -> Result<Upstream<BaseUrlTemplate>, Problem> {
    let mut upstream = url(base_url, plaintext)?;
    for route in &integration.routes {
        url(&route.base_url, plaintext)?;
        upstream = upstream
            .route(route.path.get_ref(), route.base_url.get_ref())
            .map_err(|error| Problem::at(&route.path, error.to_string()))?;
    }
    let domains = integration
        .domains
        .iter()
        .filter(|domain| is_template(domain));
    for domain in domains.clone() {
        upstream = upstream
            .domain_template(domain.get_ref())
            .map_err(|error| {
                let expected = "expected \"host\" or \"host:port\", with {variables} in the host";
                Problem::at(domain, format!("{error}, {expected}"))
            })?;
    }
    let routes = integration.routes.iter().map(|route| &route.base_url);
    let templates = [base_url].into_iter().chain(routes).chain(domains);
    for (name, variable) in &integration.variables {
        let is_used = || {
            let name = format!("{{{name}}}");
            templates
                .clone()
                .any(|template| template.get_ref().contains(&name))
        };
        if Some(&variable.span()) == extends && !is_used() {
            continue;
        }
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
    upstream.check_patterns().map_err(|error| {
        let mut templates = templates.clone();
        let place = templates.find(|template| is_template(template));
        Problem::at(place.unwrap_or(base_url), lacks_pattern(&error))
    })?;
    Ok(upstream)
}

/// Returns the text of the error of a variable that needs a pattern.
pub(super) fn lacks_pattern(error: &BaseUrlError) -> String {
    format!("{error}; set it in `variables`")
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

fn is_template(domain: &Spanned<String>) -> bool {
    domain.get_ref().contains('{')
}

pub(super) fn domains<'a>(
    patterns: impl IntoIterator<Item = &'a Spanned<String>>,
    problems: &mut Problems,
) -> DomainPolicy {
    patterns
        .into_iter()
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::File;
    use super::super::network::TransportKey;
    use super::super::{ConfigError, Folder, Purpose, build, read, shape};

    /// `Debug` of a config contains no secret of the file.
    #[test]
    fn a_config_keeps_no_secret_of_the_file_as_text() -> Result<(), ConfigError> {
        let config = r#"
            anyone = true
            [integration.own]
            base_url = "https://a.test"
            auth = { kind = "oauth2", token_url = "https://a.test/t", client_id = "own", client_secret = "c4nary-{client}", parameters = { one = "c4nary-one{x}", two = "{tenant?}" } }
            [integration.many]
            base_url = "https://a.test"
            auth = [
                { kind = "header", name = "x-key", value = "c4nary-fixed {api_key} {who}" },
                { kind = "hmac", key = "signing", message = "c4nary-message {path}", parameters = { sig = "{signature}" } },
            ]
            [connection.a]
            integration = "own"
            secret = { refresh_token = "c4nary-r", tenant = "c4nary-t" }
            [connection.b]
            integration = "many"
            secret = { api_key = "c4nary-k", signing = "c4nary-s", who = "c4nary-w", other = "c4nary-o" }
        "#;
        let loaded = read(Path::new("test.toml"), config.into(), |tree| {
            let file = shape::<File>(tree)?;
            let key = TransportKey::new(tree);
            let folder = Folder::of(Path::new("test.toml"));
            build(file, tree.get_ref(), folder, None, Purpose::Serve, key)
        });
        let loaded = loaded?;
        let shown = format!("{loaded:?}");
        assert!(!shown.contains("c4nary"), "{shown}");
        // The names are still known, so that only a secret without use is warned of.
        let warnings: Vec<_> = loaded
            .warnings
            .iter()
            .filter(|warning| warning.contains("doesn't read the secrets"))
            .collect();
        assert!(
            matches!(warnings.as_slice(), [warning] if warning.ends_with("secrets \"other\"")),
            "{warnings:?}"
        );
        Ok(())
    }
}
