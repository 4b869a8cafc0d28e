//! An integration, as the page shows it.

use std::fmt::Write as _;

use serde::Serialize;
use tower_passthrough::catalog::{self, Catalog, Confidence};

use crate::config::{Listed, ListedAuth, Origin};

/// An integration of the config file or of the catalog. It contains no secrets and no ids of connections.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Entry {
    /// `true` if the integration is in the config file.
    own: bool,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) base_url: String,
    variables: Vec<Variable>,
    /// The authentication. A connection has the secrets of one of these alternatives.
    pub(super) auth: Vec<Alternative>,
    /// The vendor's names of what the secrets and variables contain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) docs: String,
    /// The confidence in the facts. Empty for an integration of the config file.
    #[serde(skip_serializing_if = "str::is_empty")]
    confidence: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    base_url_confidence: &'static str,
    /// The date of the facts.
    #[serde(skip_serializing_if = "String::is_empty")]
    checked: String,
    /// The path and query of a call that changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sdks: Vec<Sdk>,
    /// `true` if a variable may name any host.
    #[serde(skip_serializing_if = "is_false")]
    any_host: bool,
    /// The connection's table in `gateway.toml`.
    toml: String,
}

/// One way of authentication.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Alternative {
    pub(super) kind: String,
    pub(super) secrets: Vec<String>,
}

impl Alternative {
    /// Of secrets that may take each other's place, the first is shown.
    fn of(auth: &ListedAuth) -> Self {
        let secrets = auth.secrets.iter().filter_map(|any| any.first());
        Self {
            kind: auth.kind.replace('+', " + "),
            secrets: secrets.cloned().collect(),
        }
    }
}

/// A variable of the integration's URLs.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pattern: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) default: String,
}

/// A value that the vendor gives to its customers.
#[derive(Clone, Debug, Serialize)]
struct Field {
    name: String,
    title: String,
}

/// The address and the key in the code for SDKs. The script replaces them.
const GATEWAY_PATH: &str = "https://gateway.invalid/connection";
const GATEWAY_HOST: &str = "connection.gateway.invalid";
const GATEWAY_KEY: &str = "GATEWAY_KEY";

/// A vendor's SDK.
#[derive(Clone, Debug, Serialize)]
struct Sdk {
    title: &'static str,
    about: String,
    /// The code for a gateway whose paths name connections.
    path: Option<String>,
    /// The code for a gateway whose hosts name connections.
    host: Option<String>,
    key: &'static str,
    pitfalls: &'static [&'static str],
    /// The base URL that the SDK needs, if it isn't the entry's.
    base_url: Option<&'static str>,
}

impl Sdk {
    fn new(sdk: catalog::Sdk, integration: &str) -> Self {
        let tested = match sdk.tested_version() {
            Some(version) => format!("tested with {version}"),
            None => format!("read in {}, not run", sdk.version_seen()),
        };
        Self {
            title: sdk.title(),
            about: format!("{} · {} · {tested}", sdk.language().name(), sdk.package()),
            path: sdk.snippet_by_path(GATEWAY_PATH, GATEWAY_KEY).ok(),
            host: sdk.snippet_by_host(GATEWAY_HOST, GATEWAY_KEY).ok(),
            key: sdk.key(),
            pitfalls: sdk.pitfalls(),
            base_url: sdk.base_url(integration),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Returns the word for a confidence in the data of the page.
fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Checked => "checked",
        Confidence::Documented => "documented",
        // Confidence in a kind of facts that this program doesn't know yet is none.
        _ => "unverified",
    }
}

impl Entry {
    /// Returns an integration of the bundled catalog.
    fn of_catalog(entry: catalog::Entry) -> Self {
        let variables = entry.variables().map(|variable| Variable {
            name: variable.name().to_owned(),
            description: variable.description().to_owned(),
            pattern: variable.pattern().to_owned(),
            default: variable.default().unwrap_or_default().to_owned(),
        });
        let variables: Vec<_> = variables.collect();
        let auth = entry.auth().map(|way| Alternative {
            kind: way.kind().name().to_owned(),
            secrets: way.secrets().into_iter().map(str::to_owned).collect(),
        });
        let auth: Vec<_> = auth.collect();
        let fields = entry.fields().map(|field| Field {
            name: field.name().to_owned(),
            title: field.title().to_owned(),
        });
        let scopes = entry.oauth2().map(|oauth2| oauth2.scopes());
        let scopes = scopes.into_iter().flatten();
        Self {
            own: false,
            toml: toml(entry.name(), &variables, &auth),
            name: entry.name().to_owned(),
            title: entry.title().to_owned(),
            category: entry.category().to_owned(),
            base_url: entry.base_url().to_owned(),
            variables,
            auth,
            fields: fields.collect(),
            scopes: scopes.map(|scope| (*scope).to_owned()).collect(),
            docs: entry.docs().to_owned(),
            confidence: word(entry.confidence()),
            base_url_confidence: word(entry.base_url_confidence()),
            checked: entry.checked().to_owned(),
            verify: entry.verify().map(str::to_owned),
            note: entry.note().map(str::to_owned),
            any_host: entry.has_variable_host(),
            sdks: entry
                .sdks()
                .map(|sdk| Sdk::new(sdk, entry.name()))
                .collect(),
        }
    }

    /// Returns an integration.
    pub(crate) fn of(listed: &Listed) -> Self {
        match (listed.origin, listed.entry) {
            (Origin::Bundled, Some(entry)) => Self::of_catalog(entry),
            _ => Self::of_file(listed),
        }
    }

    /// Returns an integration of the config file, or of a file of the catalog.
    ///
    /// It has the facts that don't depend on the file (documentation, SDKs) of the bundled entry that it extends, or whose name it has.
    fn of_file(listed: &Listed) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let variables = listed.variables.iter().map(|variable| Variable {
            name: variable.name.clone(),
            description: text(&variable.description),
            pattern: text(&variable.pattern),
            default: text(&variable.default),
        });
        let variables: Vec<_> = variables.collect();
        let mut auth: Vec<_> = listed.auth.iter().map(Alternative::of).collect();
        if auth.is_empty() {
            auth.push(Alternative {
                kind: "none".to_owned(),
                secrets: Vec::new(),
            });
        }
        let bundled = (listed.entry).or_else(|| Catalog::bundled().get(&listed.name));
        let facts = bundled.map(Self::of_catalog).unwrap_or_default();
        let or = |own: &Option<String>, bundled: String| own.clone().unwrap_or(bundled);
        let has_title = listed.title != listed.name || facts.title.is_empty();
        let category = match facts.category.is_empty() {
            true => "custom".to_owned(),
            false => facts.category,
        };
        let is_extension = listed.entry.is_some();
        Self {
            own: true,
            toml: toml(&listed.name, &variables, &auth),
            name: listed.name.clone(),
            title: match has_title {
                true => listed.title.clone(),
                false => facts.title,
            },
            category: or(&listed.category, category),
            base_url: listed.base_url.clone(),
            variables,
            auth,
            docs: or(&listed.docs, facts.docs),
            verify: listed.verify.clone().or(facts.verify),
            note: listed.note.clone().or(facts.note),
            sdks: facts.sdks,
            fields: facts.fields.into_iter().filter(|_| is_extension).collect(),
            scopes: facts.scopes.into_iter().filter(|_| is_extension).collect(),
            ..Self::default()
        }
    }

    /// Returns the title without its case, for the order of the list.
    pub(crate) fn sort_key(&self) -> String {
        self.title.to_lowercase()
    }

    pub(crate) fn is_own(&self) -> bool {
        self.own
    }

    /// Returns the word of the table's last column.
    pub(super) fn facts(&self) -> &'static str {
        match self.confidence {
            "" => "configured",
            "documented" => "third party",
            other => other,
        }
    }
}

/// Returns the table of a connection, whose secrets are read from the environment.
fn toml(name: &str, variables: &[Variable], auth: &[Alternative]) -> String {
    let mut toml = format!(
        "[connection.{}]\nintegration = {}\n",
        key(&format!("my-{name}")),
        string(name)
    );
    if !variables.is_empty() {
        let set = variables.iter().map(|variable| {
            let value = match variable.default.is_empty() {
                true => variable.name.to_uppercase(),
                false => variable.default.clone(),
            };
            format!("{} = {}", key(&variable.name), string(&value))
        });
        let set: Vec<_> = set.collect();
        let _ = writeln!(toml, "variables = {{ {} }}", set.join(", "));
    }
    let with_secrets = auth.iter().filter(|way| !way.secrets.is_empty());
    for (index, way) in with_secrets.enumerate() {
        let set = way.secrets.iter().map(|secret| {
            let variable = format!("{name}_{secret}").to_uppercase();
            let plain = |char: char| {
                if char.is_ascii_alphanumeric() {
                    char
                } else {
                    '_'
                }
            };
            let variable: String = variable.chars().map(plain).collect();
            format!("{} = {{ env = \"{variable}\" }}", key(secret))
        });
        let set: Vec<_> = set.collect();
        let comment = if index == 0 { "" } else { "# or: " };
        let _ = writeln!(toml, "{comment}secret = {{ {} }}", set.join(", "));
        if way.kind == "oauth2" {
            toml.push_str(
                "# for refreshes also: refresh_token, expires_at, client_id, client_secret\n",
            );
        }
    }
    toml
}

/// Returns the text as a key of TOML.
fn key(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => string(text),
    }
}

/// Returns the text as a string of TOML.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_connection_is_toml_whatever_the_names_are() {
        for name in [
            "hubspot",
            "a.b",
            "quote\"s",
            "back\\slash",
            "line\nbreak",
            "ünï",
            "\u{85}\u{7f}",
        ] {
            let variables = vec![Variable {
                name: "re\"gion".to_owned(),
                ..Variable::default()
            }];
            let auth = vec![
                Alternative {
                    kind: "bearer".to_owned(),
                    secrets: vec!["token".to_owned()],
                },
                Alternative {
                    kind: "basic".to_owned(),
                    secrets: vec!["user".to_owned(), "pass.word".to_owned()],
                },
            ];
            let text = toml(name, &variables, &auth);
            let table: toml::Table = text.parse().unwrap_or_default();
            let connection = table
                .get("connection")
                .and_then(|table| table.get(format!("my-{name}")));
            let text_at = |keys: &[&str]| {
                let mut values = keys.iter();
                let found = values.try_fold(connection?, |value, key| value.get(*key));
                found?.as_str()
            };
            assert_eq!(text_at(&["integration"]), Some(name), "{text}");
            let variable = text_at(&["variables", "re\"gion"]);
            assert_eq!(variable, Some("RE\"GION"), "{text}");
            assert!(text_at(&["secret", "token", "env"]).is_some(), "{text}");
        }
    }
}
