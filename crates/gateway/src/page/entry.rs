//! An integration, as the page shows it.

use std::fmt::Write as _;

use serde::Serialize;

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
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) docs: String,
    /// The connection's table in `gateway.toml`.
    toml: String,
}

/// One way of authentication.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Alternative {
    pub(crate) kind: String,
    pub(crate) secrets: Vec<String>,
}

/// A variable of the integration's URLs.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Variable {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) pattern: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) default: String,
}

impl Entry {
    /// Returns an integration of the config file.
    pub(crate) fn configured(
        name: &str,
        base_url: &str,
        variables: Vec<Variable>,
        auth: Alternative,
    ) -> Self {
        let auth = vec![auth];
        Self {
            own: true,
            toml: toml(name, &variables, &auth),
            name: name.to_owned(),
            title: name.to_owned(),
            category: "your config".to_owned(),
            base_url: base_url.to_owned(),
            variables,
            auth,
            docs: String::new(),
        }
    }

    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// Returns the word of the table's last column.
    pub(super) fn facts(&self) -> &'static str {
        "configured"
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
            let table: toml::Table = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            let connections = table.get("connection").and_then(|table| table.as_table());
            let connection = connections.and_then(|table| table.get(&format!("my-{name}")));
            let connection = connection.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                connection.get("integration").and_then(|name| name.as_str()),
                Some(name)
            );
            let value = connection
                .get("variables")
                .and_then(|table| table.get("re\"gion"));
            assert_eq!(value.and_then(|value| value.as_str()), Some("RE\"GION"));
            let secret = connection
                .get("secret")
                .and_then(|table| table.get("token"));
            assert!(
                secret.is_some_and(|secret| secret.get("env").is_some()),
                "{text}"
            );
        }
    }
}
