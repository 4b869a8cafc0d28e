//! What must be true of each entry, as far as it can be seen without a network.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use regex_lite::Regex;
use tower_passthrough::catalog::Catalog;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::{Connection, Upstream};

use crate::source::{Confidence, Entry, Scheme, Source, Variable, names, root, source};

/// Hosts of OAuth 2.0 under another registrable domain than the API and its documentation, and the reasons.
const FOREIGN_OAUTH_HOSTS: [(&str, &str); 9] = [
    ("login.microsoftonline.com", "Microsoft's accounts"),
    ("oauth2.googleapis.com", "Google's accounts"),
    (
        "launchpad.37signals.com",
        "the former name of Basecamp's vendor",
    ),
    ("www.sageone.com", "the former name of Sage Accounting"),
    (
        "{accounts_host}",
        "the pattern allows only Zoho's accounts servers",
    ),
    ("{app_host}", "the pattern allows only Smartsheet's domains"),
    (
        "{authorization_host}",
        "the pattern allows only Workday's domains",
    ),
    (
        "{seller_central}",
        "the pattern allows only Amazon's Seller Central",
    ),
    ("{org}", "the pattern allows only Okta's domains"),
];

/// Lists of providers by third parties.
const PROVIDER_LISTS: [&str; 3] = ["NangoHQ/", "amp-labs/", "nango.dev"];

/// Values that no pattern may accept.
const HOSTILE: [&str; 18] = [
    "",
    "evil.test/",
    "a@b",
    "a@evil.test",
    "x.evil.test#",
    "x.evil.test?",
    "..",
    "../x",
    "a/../b",
    "%2e%2e",
    "a\\b",
    "a:443",
    "a b",
    "a\n",
    "\u{661}\u{662}",
    "\u{e9}",
    "a\u{3002}b",
    "{x}",
];

#[test]
fn each_entry_builds() {
    let source = source();
    assert_eq!(Catalog::bundled().iter().len(), source.entry.len());
    for entry in Catalog::bundled().iter() {
        if let Err(error) = entry.upstream() {
            panic!("{error}: {:?}", std::error::Error::source(&error));
        }
        #[cfg(feature = "oauth2")]
        assert_eq!(
            entry.token_endpoint().is_some(),
            entry
                .oauth2()
                .is_some_and(|oauth2| oauth2.token_url().is_some()),
            "{entry:?}"
        );
    }
}

#[test]
fn each_entry_is_found_by_its_name_and_its_former_names() {
    let source = source();
    let catalog = Catalog::bundled();
    assert_eq!(catalog.date(), source.date);
    let all = catalog.iter().map(|entry| entry.name());
    assert!(all.eq(source.entry.keys().map(String::as_str)));
    for (name, entry) in &source.entry {
        for name in entry.aliases.iter().chain([name]) {
            let found = catalog.get(name).map(|found| found.title());
            assert_eq!(found, Some(&*entry.title), "{name}");
        }
    }
    for name in ["", "HubSpot", "hubspot ", "zzz"] {
        assert!(catalog.get(name).is_none(), "{name}");
    }
}

/// A name that was published once stays valid, so that connections don't lose their integration.
#[test]
fn no_name_was_removed() {
    let file = root().join("tests/catalog/names.txt");
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        let old = std::fs::read_to_string(&file).unwrap_or_default();
        let mut all: Vec<_> = old.lines().map(str::to_owned).collect();
        all.extend(source().entry.into_keys());
        all.sort_unstable();
        all.dedup();
        std::fs::write(&file, all.join("\n") + "\n").unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap();
    for name in published.lines() {
        assert!(
            Catalog::bundled().get(name).is_some(),
            "`{name}` was removed; add it to the aliases of its successor"
        );
    }
    for entry in Catalog::bundled().iter() {
        assert!(
            published.lines().any(|name| name == entry.name()),
            "tests/catalog/names.txt lacks `{}`; run with UPDATE_CATALOG=1",
            entry.name()
        );
    }
}

#[test]
fn the_bundled_entries_have_no_faults() {
    let source = source();
    let faults = faults(&source);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (host, reason) in FOREIGN_OAUTH_HOSTS {
        let oauth2 = source
            .entry
            .values()
            .filter_map(|entry| entry.oauth2.as_ref());
        let mut urls = oauth2
            .flat_map(|it| [&it.authorize_url, &it.token_url])
            .flatten();
        assert!(
            urls.any(|url| host_of(url) == host),
            "`{host}` ({reason}) isn't used"
        );
    }
}

/// Returns the faults of all entries, each as `name: fault`.
fn faults(source: &Source) -> Vec<String> {
    let mut all = Vec::new();
    if !is_date(&source.date) {
        all.push("the date of the catalog isn't valid".into());
    }
    let slug = Regex::new("^[a-z0-9]+(-[a-z0-9]+)*$").unwrap();
    for (name, entry) in &source.entry {
        let mut found = Vec::new();
        for name in entry.aliases.iter().chain([name]) {
            if !slug.is_match(name) {
                found.push(format!("the name `{name}` isn't lowercase with hyphens"));
            }
        }
        for alias in &entry.aliases {
            if source.entry.contains_key(alias) {
                found.push(format!("the alias `{alias}` is an entry"));
            }
        }
        if !is_date(&entry.checked) || entry.checked > source.date {
            found.push("`checked` isn't a date, or is after the date of the catalog".into());
        }
        found.extend(faults_of_urls(entry));
        found.extend(faults_of_variables(entry));
        found.extend(faults_of_secrets(entry));
        found.extend(faults_of_headers(entry));
        found.extend(faults_of_confidence(entry));
        if let Err(error) = upstream(entry) {
            found.push(error);
        }
        all.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    all
}

fn is_date(text: &str) -> bool {
    let date = Regex::new("^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$").unwrap();
    date.is_match(text)
}

fn faults_of_urls(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    let mut urls = vec![&entry.base_url, &entry.docs];
    let oauth2 = entry.oauth2.iter();
    let oauth2: Vec<_> = oauth2
        .flat_map(|it| [&it.authorize_url, &it.token_url, &it.refresh_url])
        .flatten()
        .collect();
    urls.extend(&oauth2);
    for url in urls {
        if !url.starts_with("https://") {
            found.push(format!("`{url}` isn't an https URL"));
        }
    }
    let own: Vec<_> = [&entry.base_url, &entry.docs]
        .into_iter()
        .map(|url| domain_of(url))
        .chain(entry.domains.iter().map(|host| domain_of(host)))
        .collect();
    for url in oauth2 {
        let host = host_of(url);
        let is_foreign = FOREIGN_OAUTH_HOSTS.iter().any(|(known, _)| *known == host);
        if !own.contains(&domain_of(url)) && !is_foreign {
            found.push(format!("`{host}` isn't under a domain of the entry"));
        }
    }
    if let Some(path) = &entry.verify_ok {
        if entry.verify.is_none() {
            found.push("`verify_ok` needs `verify`".to_owned());
        }
        if path.split('.').any(str::is_empty) {
            found.push(format!("`{path}` isn't the path of a value"));
        }
    }
    if let Some(verify) = &entry.verify {
        let path = verify.split('?').next().unwrap_or_default();
        let lower = path.to_ascii_lowercase();
        let leaves = lower.split('/').any(|part| {
            part.replace("%2e", ".").trim_matches('.').is_empty() && part.contains(['.', '%'])
        });
        if !path.starts_with('/') || path.contains("//") || path.contains("://") || leaves {
            found.push(format!("`{verify}` isn't a path below the base URL"));
        }
        let is_visible = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`[]|".contains(&byte);
        if !verify.bytes().all(is_visible) {
            found.push(format!(
                "`{verify}` contains characters that a URL can't contain"
            ));
        }
        // A secret in a URL would be logged.
        let secret = |name: &&str| entry.fields.iter().any(|it| it.name == **name && it.secret);
        if let Some(name) = names(verify).iter().find(|name| secret(name)) {
            found.push(format!("`verify` contains the secret `{name}`"));
        }
    }
    found
}

/// Returns the host of a URL or the host itself, with variables.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', ':']).next().unwrap_or_default()
}

/// Returns the registrable domain of a URL. Variables are taken as labels.
fn domain_of(url: &str) -> String {
    let host = host_of(url).replace(['{', '}', '_'], "");
    let host = host.trim_start_matches("*.");
    psl::domain_str(host).unwrap_or(host).to_owned()
}

fn faults_of_variables(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    let oauth2 = entry.oauth2.iter();
    let used: Vec<&str> = [&entry.base_url]
        .into_iter()
        .chain(&entry.domains)
        .chain(&entry.verify)
        .chain(oauth2.clone().flat_map(|it| &it.authorize_url))
        .chain(oauth2.clone().flat_map(|it| &it.token_url))
        .chain(oauth2.clone().flat_map(|it| &it.refresh_url))
        .chain(oauth2.flat_map(|it| &it.scopes))
        .flat_map(|template| names(template))
        .collect();
    let in_auth: Vec<_> = entry.auth.iter().flat_map(|it| it.names()).collect();
    let is_field = |name: &str| entry.fields.iter().any(|field| field.name == name);
    for name in &used {
        if !entry.variables.contains_key(*name) && !is_field(name) {
            found.push(format!("the variable `{name}` isn't declared"));
        }
    }
    for (name, variable) in &entry.variables {
        if !used.contains(&&**name) && !in_auth.contains(&&**name) {
            found.push(format!("the variable `{name}` isn't used"));
        }
        found.extend(faults_of_pattern(entry, name, variable));
    }
    let is_open = entry.variables.values().any(|variable| {
        let pattern = Regex::new(&variable.pattern);
        names(host_of(&entry.base_url)).len() == 1
            && host_of(&entry.base_url).ends_with('}')
            && pattern.is_ok_and(|pattern| pattern.is_match("shop.example"))
    });
    if is_open != entry.variable_host {
        found.push("`variable_host` doesn't agree with the pattern of the host's variable".into());
    }
    found
}

fn faults_of_pattern(entry: &Entry, name: &str, variable: &Variable) -> Vec<String> {
    let mut found = Vec::new();
    let pattern = &*variable.pattern;
    if !pattern.is_ascii() {
        found.push(format!("the pattern of `{name}` isn't ASCII"));
    }
    if !pattern.starts_with('^') || !pattern.ends_with('$') || has_open_alternative(pattern) {
        found.push(format!("the pattern of `{name}` isn't anchored"));
    }
    let Ok(regex) = Regex::new(pattern) else {
        found.push(format!(
            "the pattern of `{name}` isn't a regular expression"
        ));
        return found;
    };
    let default = variable.default.iter().map(String::as_str);
    for value in HOSTILE {
        if regex.is_match(value) {
            found.push(format!("the pattern of `{name}` accepts {value:?}"));
        }
    }
    // The hosts that a variable for a whole host may name, unless the entry declares it.
    if !entry.variable_host && regex.is_match("evil.test") && name != "tenant" {
        found.push(format!("the pattern of `{name}` accepts any host"));
    }
    let accepts_upper = ["A", "ABC", "AAAAAAAAAA", "123-ABC-456"]
        .iter()
        .any(|text| regex.is_match(text));
    if accepts_upper && !pattern.contains("A-Z") {
        found.push(format!("the pattern of `{name}` accepts uppercase letters"));
    }
    for value in default {
        if !regex.is_match(value) {
            found.push(format!("the default of `{name}` doesn't match its pattern"));
        }
    }
    found
}

/// Returns `true` if the pattern has alternatives outside of a group, so that `^` or `$` belong to only one of them.
fn has_open_alternative(pattern: &str) -> bool {
    let (mut depth, mut in_class, mut escaped) = (0_i32, false, false);
    for char in pattern.chars() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth -= 1,
            '|' if !in_class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

fn faults_of_secrets(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    if entry.auth.is_empty() {
        found.push("it has no authentication".into());
    }
    let name_shape = Regex::new("^[a-z][a-z0-9_]*$").unwrap();
    for alternative in &entry.auth {
        for template in alternative.templates() {
            if template.replace(['{', '}'], "").len() + 2 * names(template).len() != template.len()
            {
                found.push(format!("the template `{template}` has an unpaired brace"));
            }
        }
        for name in alternative.names() {
            if !name_shape.is_match(name) {
                found.push(format!("the name `{name}` isn't valid"));
            }
        }
        let has_no_secret = alternative
            .names()
            .iter()
            .all(|it| entry.variables.contains_key(*it));
        if has_no_secret && !matches!(alternative.scheme, Scheme::None) {
            found.push("an alternative sends no secret".into());
        }
        if let Scheme::OAuth2 { value, .. } = &alternative.scheme {
            if names(value) != ["access_token"] {
                found.push("the token of OAuth 2.0 isn't `access_token`".into());
            }
        }
        if let Scheme::OAuth1 {
            signature_method, ..
        } = &alternative.scheme
        {
            if !["HMAC-SHA1", "HMAC-SHA256"].contains(&&**signature_method) {
                found.push(format!("the method `{signature_method}` isn't supported"));
            }
        }
    }
    let is_client = entry.oauth2.as_ref().is_some_and(|it| it.grant.is_some());
    for field in &entry.fields {
        let is_read = |name: &str| {
            entry.auth.iter().any(|alternative| {
                let optional = matches!(alternative.scheme, Scheme::SigV4 { .. });
                alternative.names().contains(&name) || (optional && name == "session_token")
            })
        };
        let name = &*field.name;
        let is_clients = is_client && ["client_id", "client_secret"].contains(&name);
        if !is_read(name) && !is_clients && !entry.variables.contains_key(name) {
            found.push(format!("no scheme reads the field `{name}`"));
        }
        if field.secret && entry.variables.contains_key(name) {
            found.push(format!("the field `{name}` is secret and a variable"));
        }
    }
    let keyed = |it: &&crate::source::Alternative| !matches!(it.scheme, Scheme::OAuth2 { .. });
    let entered = |it: crate::source::Alternative| {
        it.names().iter().all(|name| {
            entry.variables.contains_key(*name)
                || entry.fields.iter().any(|field| field.name == **name)
        })
    };
    let mut keyed_alternatives = entry.auth.iter().filter(keyed).cloned().peekable();
    if keyed_alternatives.peek().is_some() && !keyed_alternatives.any(entered) {
        found.push("the fields don't suffice for any alternative".into());
    }
    let has_oauth2 = entry
        .auth
        .iter()
        .any(|it| matches!(it.scheme, Scheme::OAuth2 { .. }));
    if entry.oauth2.is_some() && !has_oauth2 {
        found.push("it has URLs of OAuth 2.0, but no such alternative".into());
    }
    found
}

fn faults_of_headers(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    let credentials = [
        "authorization",
        "cookie",
        "proxy-authorization",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
    ];
    for (name, value) in &entry.headers {
        let is_valid =
            HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
        if !is_valid
            || value.contains(['{', '}'])
            || credentials.contains(&&*name.to_ascii_lowercase())
        {
            found.push(format!("the default field `{name}` isn't valid"));
        }
    }
    for name in &entry.rate_limit_headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            found.push(format!("`{name}` isn't a field name"));
        }
    }
    found
}

fn faults_of_confidence(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    let is_list = |source: &String| PROVIDER_LISTS.iter().any(|list| source.contains(list));
    if entry.confidence == Confidence::Checked && entry.sources.iter().all(is_list) {
        found.push("it's `checked`, and no source is the vendor's".into());
    }
    if entry.confidence != Confidence::Unverified && entry.sources.is_empty() {
        found.push("it has no source".into());
    }
    if entry.base_url_confidence == Some(entry.confidence)
        || (entry.base_url_confidence == Some(Confidence::Checked))
    {
        found.push("`base_url_confidence` isn't lower than `confidence`".into());
    }
    found
}

/// Builds the upstream from the source, as the library does from the generated data.
fn upstream(entry: &Entry) -> Result<(), String> {
    let mut upstream =
        Upstream::template(&entry.base_url).map_err(|error| format!("base_url: {error}"))?;
    let mut policy = DomainPolicy::none();
    for domain in &entry.domains {
        if domain.contains('{') {
            upstream = upstream
                .domain_template(domain)
                .map_err(|error| format!("{domain}: {error}"))?;
        } else {
            policy = policy
                .allow(domain)
                .map_err(|error| format!("{domain}: {error}"))?;
        }
    }
    let mut all = names(&entry.base_url);
    all.extend(entry.domains.iter().flat_map(|domain| names(domain)));
    for name in all {
        if let Some(variable) = entry.variables.get(name) {
            let set = upstream.variable(name, &variable.pattern);
            upstream = set.map_err(|error| format!("{name}: {error}"))?;
        }
    }
    // No hostile value completes a URL, whatever the pattern is.
    for value in HOSTILE {
        let mut connection = Connection::new("x");
        for name in names(&entry.base_url) {
            connection = connection.with_variable(name, value);
        }
        let is_fixed = names(&entry.base_url).is_empty();
        if !is_fixed && upstream.expand(connection.variables()).is_ok() {
            return Err(format!("the value {value:?} completes the base URL"));
        }
    }
    Ok(())
}

/// Values of which each variable accepts at least one.
const SAMPLES: [&str; 27] = [
    "acme",
    "eu",
    "na",
    "com",
    "nl",
    "crm4",
    "us6",
    "12345",
    "ABCDEFGHIJ",
    "123-ABC-456",
    "1234567_SB1",
    "eu-central-1",
    "datadoghq.eu",
    "fra-01.braze.eu",
    "acme.okta.com",
    "shop.example",
    "api.gong.io",
    "www.wrike.com",
    "api.smartsheet.eu",
    "app.smartsheet.eu",
    "accounts.zoho.eu",
    "content.zohoapis.eu",
    "impl.workday.com",
    "wd2-impl-services1.workday.com",
    "sellercentral.amazon.com",
    "organizations",
    "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
];

/// Returns a connection that has a value for each variable of the entry.
fn completed(entry: tower_passthrough::catalog::Entry) -> Connection {
    entry
        .variables()
        .fold(Connection::new(entry.name()), |connection, variable| {
            let pattern = Regex::new(variable.pattern()).unwrap();
            let value = SAMPLES.iter().find(|value| pattern.is_match(value));
            let value = value.unwrap_or_else(|| panic!("no sample for `{}`", variable.name()));
            connection.with_variable(variable.name(), *value)
        })
}

#[test]
fn each_entry_is_completed_by_variables() {
    for entry in Catalog::bundled().iter() {
        let connection = completed(entry);
        let upstream = entry.upstream().unwrap().expand(connection.variables());
        assert!(upstream.is_ok(), "{entry:?}: {upstream:?}");
        let missing = entry.missing(&connection).unwrap();
        assert!(missing.variables().is_empty() && missing.invalid_variables().is_empty());
    }
}

#[test]
fn d10_no_host_of_the_catalog_spans_tenants() {
    for entry in Catalog::bundled().iter() {
        for domain in entry.domains() {
            let is_wide = domain.contains('*') && domain.contains('{');
            let policy = DomainPolicy::none().allow(domain);
            assert!(
                !is_wide && (domain.contains('{') || policy.is_ok()),
                "{entry:?}: {domain}"
            );
        }
        // A variable in front of a suffix can't reach over the suffix.
        let variables = entry
            .variables()
            .fold(Connection::new("x"), |connection, variable| {
                connection.with_variable(variable.name(), "evil.test/")
            });
        let upstream = entry.upstream().unwrap();
        let has_variables = !names(entry.base_url()).is_empty();
        assert!(
            !has_variables || upstream.expand(variables.variables()).is_err(),
            "{entry:?}"
        );
    }
    let mut source = sample();
    let acme = source.entry.get_mut("acme").unwrap();
    acme.domains = vec!["*.my.salesforce.com".into()];
    assert_eq!(faults(&source).len(), 1);
}

/// An entry without faults, which the mutations change.
fn sample() -> Source {
    let text = r#"
        date = "2026-11-29"
        [entry.acme]
        title = "Acme"
        category = "crm"
        base_url = "https://{account}.acme.com/api"
        variables = { account = { description = "account", pattern = "^[a-z0-9-]+$" } }
        domains = ["files.acme.com", "{account}.uploads.acme.com"]
        headers = { Acme-Version = "2026-01-01" }
        auth = [{ kind = "oauth2" }, { kind = "basic", username = "{email}/token", password = "{api_token}" }]
        fields = [{ name = "email", title = "E-mail", secret = false }, { name = "api_token", title = "API token", secret = true }]
        verify = "/me"
        docs = "https://developer.acme.com/"
        confidence = "checked"
        checked = "2026-11-29"
        sources = ["https://developer.acme.com/auth"]
        oauth2 = { authorize_url = "https://login.acme.com/authorize", token_url = "https://{account}.acme.com/token" }
    "#;
    toml::from_str(text).unwrap_or_else(|error| panic!("{}", error.message()))
}

#[test]
fn wrong_entries_are_found() {
    assert_eq!(faults(&sample()), Vec::<String>::new());
    type Change = fn(&mut Entry);
    let changes: [(&str, Change); 33] = [
        ("isn't an https URL", |it| {
            it.base_url = "http://{account}.acme.com/api".into()
        }),
        ("isn't an https URL", |it| {
            oauth2(it).token_url = Some("http://acme.com/token".into())
        }),
        ("isn't under a domain of the entry", |it| {
            oauth2(it).token_url = Some("https://acme.evil.com/token".into())
        }),
        ("`region` isn't declared", |it| {
            it.base_url = "https://{account}.{region}.acme.com".into()
        }),
        ("`region` isn't declared", |it| {
            it.domains.push("{region}.acme.com".into())
        }),
        ("`account` isn't used", |it| {
            it.base_url = "https://acme.com".into();
            it.domains.clear();
            oauth2(it).token_url = None;
        }),
        ("isn't anchored", |it| pattern(it, "[a-z0-9-]+")),
        ("isn't anchored", |it| pattern(it, "^a|b$")),
        ("accepts any host", |it| pattern(it, "^[a-z.]+$")),
        ("accepts \"evil.test/\"", |it| pattern(it, "^.+$")),
        ("accepts \"a@b\"", |it| pattern(it, "^[a-z@]+$")),
        ("accepts \"..\"", |it| pattern(it, "^[a-z.]+$")),
        ("accepts \"\u{661}\u{662}\"", |it| pattern(it, "^[^a-z]+$")),
        ("accepts uppercase letters", |it| {
            pattern(it, "^(?i)[a-z]+$")
        }),
        ("isn't ASCII", |it| pattern(it, "^[a-z\u{e9}]+$")),
        ("isn't a regular expression", |it| pattern(it, "^([a-z]+$")),
        ("other customers of the vendor", |it| {
            it.domains.push("*.my.salesforce.com".into())
        }),
        ("public suffix", |it| it.domains.push("*.co.uk".into())),
        ("isn't a host", |it| {
            it.domains.push("*.{account}.acme.com".into())
        }),
        ("isn't a host", |it| {
            it.domains.push("{account}.acme.com/x".into())
        }),
        ("isn't a path below the base URL", |it| {
            it.verify = Some("me".into())
        }),
        ("isn't a path below the base URL", |it| {
            it.verify = Some("/../me".into())
        }),
        ("isn't a path below the base URL", |it| {
            it.verify = Some("/%2e%2E/me".into())
        }),
        ("contains the secret", |it| {
            it.verify = Some("/keys/{api_token}".into())
        }),
        ("isn't the path of a value", |it| {
            it.verify_ok = Some("user..id".into())
        }),
        ("`verify_ok` needs `verify`", |it| {
            (it.verify, it.verify_ok) = (None, Some("ok".into()))
        }),
        ("default field `Host` isn't valid", |it| {
            header(it, "Host", "x")
        }),
        ("default field `X-A` isn't valid", |it| {
            header(it, "X-A", "a\nb")
        }),
        ("no scheme reads the field `pin`", |it| {
            it.fields[0].name = "pin".into()
        }),
        ("no source is the vendor's", |it| {
            it.sources = vec!["NangoHQ/nango:packages/providers/providers.yaml".into()]
        }),
        ("isn't lower than `confidence`", |it| {
            it.base_url_confidence = Some(Confidence::Checked)
        }),
        ("`checked` isn't a date", |it| {
            it.checked = "2027-01-01".into()
        }),
        ("`checked` isn't a date", |it| {
            it.checked = "2026-13-01".into()
        }),
    ];
    for (fault, change) in changes {
        let mut source = sample();
        change(source.entry.get_mut("acme").unwrap());
        let found = faults(&source);
        assert!(
            found.iter().any(|it| it.contains(fault)),
            "{fault}: {found:?}"
        );
    }
    let mut source = sample();
    let acme = source.entry.remove("acme").unwrap();
    source.entry = BTreeMap::from([("Acme_CRM".into(), acme)]);
    assert!(faults(&source)[0].contains("isn't lowercase with hyphens"));
}

fn oauth2(entry: &mut Entry) -> &mut crate::source::OAuth2 {
    entry.oauth2.as_mut().unwrap()
}

fn pattern(entry: &mut Entry, pattern: &str) {
    entry.variables.get_mut("account").unwrap().pattern = pattern.into();
}

fn header(entry: &mut Entry, name: &str, value: &str) {
    entry.headers.insert(name.into(), value.into());
}
