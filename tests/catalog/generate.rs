//! `src/catalog/data.rs` is generated from the source, and is kept up to date by a test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::source::{Alternative, ClientAuth, Entry, Scheme, Source, root, source};

#[test]
fn the_generated_data_is_up_to_date() {
    let file = root().join("src/catalog/data.rs");
    let generated = formatted(&generate(&source()));
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        std::fs::write(&file, generated).unwrap();
        return;
    }
    let present = std::fs::read_to_string(&file).unwrap();
    assert!(
        present == generated,
        "src/catalog/data.rs isn't up to date; run `UPDATE_CATALOG=1 cargo test --test catalog --features catalog`"
    );
}

pub(crate) fn formatted(code: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = rustfmt.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, code.as_bytes()).unwrap();
    drop(input);
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn generate(source: &Source) -> String {
    let mut code = String::from(
        "//! The facts of the entries, generated from `catalog/integrations.toml` by `tests/catalog`. Don't edit this file.\n\n\
         use super::facts::{AlternativeFacts, Confidence, Facts, FieldFacts, OAuth2Facts, Pkce, Rotation, SchemeFacts, TokenEndpointAuth, VariableFacts};\n\n\
         /// The date of the facts.\n",
    );
    let count = source.entry.len();
    writeln!(code, "pub(super) const DATE: &str = {:?};\n", source.date).unwrap();
    let mut aliases = BTreeMap::new();
    for (index, entry) in source.entry.values().enumerate() {
        aliases.extend(entry.aliases.iter().map(|alias| (alias, index)));
    }
    writeln!(
        code,
        "/// The former names of entries, sorted, with the indexes of the entries.\n\
         pub(super) static ALIASES: [(&str, usize); {}] = {:?};\n",
        aliases.len(),
        Vec::from_iter(aliases),
    )
    .unwrap();
    writeln!(
        code,
        "/// The entries, sorted by name.\npub(super) static ENTRIES: [Facts; {count}] = ["
    )
    .unwrap();
    for (name, entry) in &source.entry {
        code.push_str(&facts(name, entry));
        code.push_str(",\n");
    }
    code.push_str("];\n");
    code
}

/// Returns a structure with the members that aren't the default, followed by the default.
pub(crate) fn structure(name: &str, members: &[(&str, Option<String>)], rest: &str) -> String {
    let mut code = format!("{name} {{");
    for (member, value) in members {
        if let Some(value) = value {
            write!(code, "{member}: {value},").unwrap();
        }
    }
    write!(code, "{rest} }}").unwrap();
    code
}

fn facts(name: &str, entry: &Entry) -> String {
    let base_url_confidence = entry.base_url_confidence.unwrap_or(entry.confidence);
    let variables = entry.variables.iter().map(|(name, variable)| {
        format!(
            "VariableFacts {{ name: {name:?}, description: {:?}, pattern: {}, default: {:?} }}",
            variable.description,
            raw(&variable.pattern),
            variable.default,
        )
    });
    let fields = entry.fields.iter().map(|field| {
        format!(
            "FieldFacts {{ name: {:?}, title: {:?}, is_secret: {:?} }}",
            field.name, field.title, field.secret
        )
    });
    structure(
        "Facts",
        &[
            ("name", Some(format!("{name:?}"))),
            (
                "aliases",
                list(entry.aliases.iter().map(|alias| format!("{alias:?}"))),
            ),
            ("title", Some(format!("{:?}", entry.title))),
            ("category", Some(format!("{:?}", entry.category))),
            ("base_url", Some(format!("{:?}", entry.base_url))),
            ("variables", list(variables)),
            (
                "has_variable_host",
                entry.variable_host.then(|| "true".into()),
            ),
            (
                "domains",
                list(entry.domains.iter().map(|domain| format!("{domain:?}"))),
            ),
            ("headers", pairs(&entry.headers)),
            ("auth", list(entry.auth.iter().map(alternative))),
            ("needs", Some(format!("{:?}", needs(entry)))),
            ("fields", list(fields)),
            ("oauth2", oauth2(entry)),
            ("verify", option(entry.verify.as_deref())),
            ("verify_ok", option(entry.verify_ok.as_deref())),
            (
                "rate_limit_headers",
                list(
                    entry
                        .rate_limit_headers
                        .iter()
                        .map(|name| format!("{name:?}")),
                ),
            ),
            ("docs", Some(format!("{:?}", entry.docs))),
            (
                "confidence",
                Some(format!("Confidence::{:?}", entry.confidence)),
            ),
            (
                "base_url_confidence",
                Some(format!("Confidence::{base_url_confidence:?}")),
            ),
            ("checked", Some(format!("{:?}", entry.checked))),
            (
                "sources",
                list(entry.sources.iter().map(|source| format!("{source:?}"))),
            ),
            ("note", option(entry.note.as_deref())),
        ],
        "..Facts::EMPTY",
    )
}

fn alternative(alternative: &Alternative) -> String {
    let scheme = match &alternative.scheme {
        Scheme::None => "SchemeFacts::None".into(),
        Scheme::Bearer { value } => format!("SchemeFacts::Bearer({value:?})"),
        Scheme::Basic { username, password } => {
            format!("SchemeFacts::Basic {{ username: {username:?}, password: {password:?} }}")
        }
        Scheme::Header { header, value } => {
            format!("SchemeFacts::Header {{ name: {header:?}, value: {value:?} }}")
        }
        Scheme::Query { query, value } => {
            format!("SchemeFacts::Query {{ name: {query:?}, value: {value:?} }}")
        }
        Scheme::OAuth2 { header, value } => {
            format!("SchemeFacts::OAuth2 {{ header: {header:?}, value: {value:?} }}")
        }
        Scheme::SigV4 { service, region } => {
            format!("SchemeFacts::SigV4 {{ service: {service:?}, region: {region:?} }}")
        }
        Scheme::OAuth1 {
            signature_method,
            realm,
        } => format!(
            "SchemeFacts::OAuth1 {{ signature_method: {signature_method:?}, realm: {realm:?} }}"
        ),
    };
    let new = format!("AlternativeFacts::new({scheme})");
    let certificate = alternative.client_certificate.then(|| "true".into());
    let further = [
        ("also_headers", pairs(&alternative.also_headers)),
        ("also_query", pairs(&alternative.also_query)),
        ("has_client_certificate", certificate),
    ];
    match further.iter().all(|(_, value)| value.is_none()) {
        true => new,
        false => structure("AlternativeFacts", &further, &format!("..{new}")),
    }
}

fn oauth2(entry: &Entry) -> Option<String> {
    let oauth2 = entry.oauth2.as_ref()?;
    let auth = oauth2.client_auth.map(|auth| match auth {
        ClientAuth::Basic => "TokenEndpointAuth::Basic".into(),
        ClientAuth::Body => "TokenEndpointAuth::Body".into(),
    });
    let members = [
        ("authorize_url", option(oauth2.authorize_url.as_deref())),
        ("token_url", option(oauth2.token_url.as_deref())),
        ("refresh_url", option(oauth2.refresh_url.as_deref())),
        ("authorize_params", pairs(&oauth2.authorize_params)),
        ("token_params", pairs(&oauth2.token_params)),
        (
            "scope_separator",
            oauth2
                .scope_separator
                .as_ref()
                .map(|text| format!("{text:?}")),
        ),
        ("client_auth", auth),
        ("is_client_credentials", oauth2.grant.map(|_| "true".into())),
        (
            "rotation",
            oauth2.rotation.map(|it| format!("Rotation::{it:?}")),
        ),
        (
            "dead_errors",
            list(oauth2.dead_errors.iter().map(|code| format!("{code:?}"))),
        ),
        (
            "scopes",
            list(oauth2.scopes.iter().map(|scope| format!("{scope:?}"))),
        ),
        ("pkce", oauth2.pkce.map(|it| format!("Pkce::{it:?}"))),
    ];
    let code = structure("OAuth2Facts", &members, "..OAuth2Facts::EMPTY");
    Some(format!("Some({code})"))
}

/// Returns the text for a connection that has the secrets of no alternative.
fn needs(entry: &Entry) -> String {
    let mut needs = String::new();
    for alternative in &entry.auth {
        let names = alternative.names();
        let secrets: Vec<_> = names
            .iter()
            .filter(|name| !entry.variables.contains_key(**name))
            .map(|name| format!("`{name}`"))
            .collect();
        let Some((last, before)) = secrets.split_last() else {
            continue;
        };
        if !needs.is_empty() {
            needs.push_str(", or ");
        }
        if !before.is_empty() {
            write!(needs, "{} and ", before.join(", ")).unwrap();
        }
        needs.push_str(last);
    }
    format!("secrets of the connection are missing: its owner must set {needs}")
}

fn raw(text: &str) -> String {
    match text.contains('\\') {
        true => format!("r\"{text}\""),
        false => format!("{text:?}"),
    }
}

pub(crate) fn option(text: Option<&str>) -> Option<String> {
    Some(format!("Some({:?})", text?))
}

pub(crate) fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then(|| format!("&[{}]", items.join(", ")))
}

pub(crate) fn pairs(pairs: &BTreeMap<String, String>) -> Option<String> {
    list(pairs.iter().map(|pair| format!("{pair:?}")))
}
