//! `catalog list` and `catalog show NAME`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use tower_passthrough::catalog::{AuthKind, Entry, OAuth2, Pkce, Rotation, TokenEndpointAuth};

use super::list::escaped;
use super::{Failure, ended};
use crate::cli::Catalog;
use crate::config::{Declared, Listed, Origin};

/// Prints facts of the integrations.
pub(crate) fn main(command: &Catalog, declared: &Declared) -> std::process::ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match command {
        Catalog::List => list(declared, &mut out),
        Catalog::Show { name } => show(name, declared, &mut out),
    };
    let flushed = out.flush().map_err(Failure::from);
    ended(done.and(flushed))
}

fn list(declared: &Declared, out: &mut impl Write) -> Result<(), Failure> {
    for listed in declared.listed() {
        let kinds = match listed.kinds() {
            kinds if kinds.is_empty() => "none".to_owned(),
            kinds => kinds.join(","),
        };
        let confidence = listed.confidence.as_deref();
        let columns = [
            &listed.name,
            &listed.title,
            listed.category.as_deref().unwrap_or("-"),
            &kinds,
            confidence.unwrap_or("-"),
        ];
        writeln!(out, "{}", columns.map(escaped).join("\t"))?;
    }
    Ok(())
}

fn show(name: &str, declared: &Declared, out: &mut impl Write) -> Result<(), Failure> {
    let Some(listed) = declared.facts(name) else {
        return Err(Failure::Usage(declared.unknown(name)));
    };
    Ok(out.write_all(description(&listed).as_bytes())?)
}

/// The text of `catalog show`: a line for each fact.
struct Page(String);

impl Page {
    /// The width of the column of names.
    const WIDTH: usize = 14;

    fn line(&mut self, name: &str, value: &str) {
        let width = Self::WIDTH;
        let _ = writeln!(self.0, "{name:width$}{}", printable(value));
    }

    fn lines(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        for (index, value) in values.into_iter().enumerate() {
            self.line(if index == 0 { name } else { "" }, &value);
        }
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }
}

fn description(listed: &Listed) -> String {
    let mut page = Page(String::new());
    page.line("name", &listed.name);
    page.line("title", &listed.title);
    page.optional("category", listed.category.as_deref());
    page.line(
        "from",
        match (listed.origin, listed.entry) {
            (Origin::Config, None) => "the config file",
            (Origin::Config, Some(_)) => "the config file, which extends the bundled catalog",
            (Origin::File, None) => "a file of the catalog",
            (Origin::File, Some(_)) => "a file of the catalog, which extends the bundled catalog",
            (Origin::Bundled, _) => "the bundled catalog",
        },
    );
    page.line("base URL", &listed.base_url);
    if listed.entry.is_some_and(Entry::has_variable_host) {
        page.line(
            "",
            "a variable decides the host: only the owner of a connection may choose its value",
        );
    }
    page.lines(
        "variables",
        listed.variables.iter().map(|variable| {
            let mut text = variable.name.clone();
            if let Some(description) = &variable.description {
                let _ = write!(text, ": {description}");
            }
            if let Some(pattern) = &variable.pattern {
                let _ = write!(text, "; pattern {pattern}");
            }
            if let Some(default) = &variable.default {
                let _ = write!(text, "; default {default:?}");
            }
            text
        }),
    );
    page.lines("domains", listed.domains.iter().cloned());
    page.lines("headers", listed.headers.iter().cloned());
    page.lines(
        "auth",
        listed.auth.iter().map(|auth| {
            let secrets = auth.secrets.iter().map(|group| group.join(" or "));
            match secrets.collect::<Vec<_>>().as_slice() {
                [] => auth.kind.clone(),
                secrets => format!("{}, with the secrets {}", auth.kind, secrets.join(", ")),
            }
        }),
    );
    if listed.auth.is_empty() {
        page.line("auth", "none");
    }
    let entry = listed.entry;
    let fields = entry.into_iter().flat_map(Entry::fields);
    page.lines(
        "fields",
        fields.map(|field| format!("{}: {}", field.name(), field.title())),
    );
    if let Some(oauth2) = entry.and_then(Entry::oauth2) {
        oauth2_facts(&mut page, oauth2);
    }
    page.optional("verify", listed.verify.as_deref());
    let limits = entry.map_or(&[][..], Entry::rate_limit_headers);
    if !limits.is_empty() {
        page.line("rate limits", &limits.join(", "));
    }
    page.optional("docs", listed.docs.as_deref());
    let checked = listed.checked.as_deref();
    let checked = checked.map(|date| format!(", {date}")).unwrap_or_default();
    if let Some(confidence) = &listed.confidence {
        page.line("confidence", &format!("{confidence}{checked}"));
    }
    page.optional("note", listed.note.as_deref());
    page.0.push('\n');
    page.0.push_str(&example(listed));
    page.0
}

fn oauth2_facts(page: &mut Page, oauth2: OAuth2) {
    page.optional("authorize URL", oauth2.authorize_url());
    page.optional("token URL", oauth2.token_url());
    if oauth2.refresh_url() != oauth2.token_url() {
        page.optional("refresh URL", oauth2.refresh_url());
    }
    if oauth2.is_client_credentials() {
        page.line("grant", "client_credentials");
    }
    let client = match oauth2.client_auth() {
        TokenEndpointAuth::Basic => "basic",
        TokenEndpointAuth::Body => "body",
        _ => "unknown",
    };
    page.line("client auth", client);
    if !oauth2.scopes().is_empty() {
        page.line("scopes", &oauth2.scopes().join(oauth2.scope_separator()));
    }
    let rotation = match oauth2.rotation() {
        Rotation::Rotating => "a refresh may replace the refresh token",
        Rotation::Static => "refresh tokens stay valid after a refresh",
        Rotation::None => "there are no refresh tokens",
        _ => "unknown",
    };
    page.line("rotation", rotation);
    let pkce = match oauth2.pkce() {
        Pkce::Supported => "supported",
        Pkce::Unsupported => "unsupported",
        _ => "unknown",
    };
    page.line("PKCE", pkce);
}

/// Returns a connection for the config file. Further ways to authenticate are comments.
fn example(listed: &Listed) -> String {
    let name = match is_bare(&listed.name) {
        true => listed.name.clone(),
        false => format!("{:?}", listed.name),
    };
    let mut text = format!(
        "[connection.{name}]\nintegration = {:?}\n",
        printable(&listed.name)
    );
    let variables = listed.variables.iter();
    let needed = variables.filter(|variable| variable.default.is_none());
    let needed: Vec<_> = needed
        .map(|variable| format!("{} = \"...\"", key(&variable.name)))
        .collect();
    if !needed.is_empty() {
        let _ = writeln!(text, "variables = {{ {} }}", needed.join(", "));
    }
    let is_fetched = listed
        .entry
        .and_then(Entry::oauth2)
        .map(OAuth2::is_client_credentials);
    for (index, auth) in listed.auth.iter().enumerate() {
        let first = auth.secrets.iter().filter_map(|group| group.first());
        let mut secrets: Vec<&str> = first.map(String::as_str).collect();
        if auth.kind == AuthKind::OAuth2.name() {
            match is_fetched {
                Some(true) => secrets = vec!["client_id", "client_secret"],
                Some(false) => secrets.extend(["refresh_token", "client_id", "client_secret"]),
                None => {}
            }
        }
        // A template may contain the client's id as well, and TOML refuses a name that is there twice.
        let mut found = BTreeSet::new();
        secrets.retain(|name| found.insert(*name));
        if secrets.is_empty() {
            continue;
        }
        let secrets: Vec<_> = secrets
            .iter()
            .map(|name| format!("{} = \"...\"", key(name)))
            .collect();
        let start = if index == 0 { "" } else { "# or: " };
        let _ = writeln!(text, "{start}secret = {{ {} }}", secrets.join(", "));
    }
    text
}

/// Returns the key in TOML.
fn key(name: &str) -> String {
    match is_bare(name) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}

fn is_bare(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.bytes().all(plain)
}

/// Escapes characters that aren't printable. Other characters, such as the backslashes of a pattern, stay.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => printable.push(char),
            _ => printable.extend(char.escape_debug()),
        }
    }
    printable
}
