//! The facts about integrations for display: `catalog list`, `catalog show`, and the pages that list the integrations.

use std::collections::BTreeMap;

use tower_passthrough::Connection;
use tower_passthrough::catalog::{Confidence, Entry};

use super::auth::Needs;
use super::catalog::{Auth, Table};
use super::warnings::strings;

/// The place that an integration is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The config file.
    Config,
    /// A file of the catalog.
    File,
    Bundled,
}

/// The facts about an integration. They contain no secret.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// The vendor's name for the product. Default: the name.
    pub(crate) title: String,
    pub(crate) category: Option<String>,
    /// The base URL, which may contain `{variables}`.
    pub(crate) base_url: String,
    pub(crate) variables: Vec<ListedVariable>,
    pub(crate) domains: Vec<String>,
    /// The names of the default fields. Values are only shown for a bundled entry.
    pub(crate) headers: Vec<String>,
    pub(crate) auth: Vec<ListedAuth>,
    pub(crate) docs: Option<String>,
    /// The path of a call that shows whether a credential is valid.
    pub(crate) verify: Option<String>,
    /// The path of a value in the JSON answer to that call, which is neither null nor false if the credential is valid.
    pub(crate) verify_ok: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) confidence: Option<String>,
    /// The date on which the facts were last checked.
    pub(crate) checked: Option<String>,
    pub(crate) origin: Origin,
    /// The bundled entry that the integration is, or that it extends.
    pub(crate) entry: Option<Entry>,
}

/// A variable of the base URL.
#[derive(Clone, Debug)]
pub(crate) struct ListedVariable {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) pattern: Option<String>,
    pub(crate) default: Option<String>,
}

/// A way in which an integration accepts credentials.
#[derive(Clone, Debug)]
pub(crate) struct ListedAuth {
    /// The kind, or several kinds that are used together: `bearer`, `oauth2+header`.
    pub(crate) kind: String,
    /// The secrets that a connection needs. The names in a group are alternatives.
    pub(crate) secrets: Vec<Vec<String>>,
}

impl Listed {
    /// Returns the kinds of authentication, each once, in the order of preference.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let mut kinds = Vec::new();
        for auth in &self.auth {
            if !kinds.contains(&&*auth.kind) {
                kinds.push(&*auth.kind);
            }
        }
        kinds
    }

    /// Returns the path of the call that verifies a connection, with the values of its variables percent-encoded.
    ///
    /// # Errors
    ///
    /// The name of a variable that the connection lacks.
    pub(crate) fn verify_path(&self, connection: &Connection) -> Option<Result<String, String>> {
        let mut path = String::new();
        let mut rest = self.verify.as_deref()?;
        while let Some((before, (name, after))) = rest
            .split_once('{')
            .and_then(|(before, opened)| Some((before, opened.split_once('}')?)))
        {
            path.push_str(before);
            let Some(value) = self.value(connection, name) else {
                return Some(Err(name.to_owned()));
            };
            for byte in value {
                match byte {
                    byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                        path.push(char::from(byte));
                    }
                    byte => path.push_str(&format!("%{byte:02X}")),
                }
            }
            rest = after;
        }
        path.push_str(rest);
        Some(Ok(path))
    }

    /// Returns the value of a variable: of the connection, of its public secrets, or the default.
    fn value(&self, connection: &Connection, name: &str) -> Option<Vec<u8>> {
        if let Some(value) = connection.variables().get(name) {
            return Some(value.as_bytes().to_vec());
        }
        let mut fields = self.entry.into_iter().flat_map(Entry::fields);
        if fields.any(|field| field.name() == name && !field.is_secret()) {
            if let Some(value) = connection.credential().get(name) {
                return Some(value.expose().to_vec());
            }
        }
        let mut variables = self.variables.iter();
        let default = variables
            .find(|variable| variable.name == name)?
            .default
            .as_ref();
        default.map(|default| default.clone().into_bytes())
    }

    /// Returns `true` if a path of [`verify`](Self::verify) may contain the variable.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        let mut fields = self.entry.into_iter().flat_map(Entry::fields);
        self.variables.iter().any(|variable| variable.name == name)
            || fields.any(|field| field.name() == name && !field.is_secret())
    }

    pub(super) fn of_entry(entry: Entry) -> Self {
        let owned = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let variables = entry.variables().map(|variable| ListedVariable {
            name: variable.name().to_owned(),
            description: owned(variable.description()),
            pattern: owned(variable.pattern()),
            default: variable.default().map(str::to_owned),
        });
        let headers = entry.headers().iter();
        Self {
            name: entry.name().to_owned(),
            title: entry.title().to_owned(),
            category: owned(entry.category()),
            base_url: entry.base_url().to_owned(),
            variables: variables.collect(),
            domains: entry
                .domains()
                .iter()
                .map(|&domain| domain.to_owned())
                .collect(),
            headers: headers
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
            auth: of_alternatives(entry),
            docs: owned(entry.docs()),
            verify: entry.verify().map(str::to_owned),
            verify_ok: entry.verify_ok().map(str::to_owned),
            note: entry.note().map(str::to_owned),
            confidence: Some(confidence(entry.confidence()).to_owned()),
            checked: owned(entry.checked()),
            origin: Origin::Bundled,
            entry: Some(entry),
        }
    }

    /// Returns the facts of a table. `needs` are the secrets that its `auth` needs.
    pub(super) fn of_table(table: &Table<'_>, needs: &Needs) -> Self {
        let integration = table.integration.get_ref();
        let entry = table.merged.entry;
        let descriptions: BTreeMap<_, _> = entry
            .into_iter()
            .flat_map(Entry::variables)
            .map(|variable| (variable.name(), variable.description()))
            .collect();
        let variables = integration.variables.iter().map(|(name, variable)| {
            let variable = &variable.get_ref().0;
            ListedVariable {
                name: name.clone(),
                description: descriptions.get(&**name).map(|&text| text.to_owned()),
                pattern: variable.pattern.clone(),
                default: variable.default.clone(),
            }
        });
        let base_url = integration.base_url.as_ref();
        let headers = integration.headers.keys();
        let domains = integration.domains.iter();
        Self {
            name: table.name.clone(),
            title: integration
                .title
                .clone()
                .unwrap_or_else(|| table.name.clone()),
            category: integration.category.clone(),
            base_url: base_url.map_or_else(String::new, |url| url.get_ref().clone()),
            variables: variables.collect(),
            domains: domains.map(|domain| domain.get_ref().clone()).collect(),
            headers: headers.map(|name| name.get_ref().clone()).collect(),
            auth: match &table.merged.auth {
                Auth::None => Vec::new(),
                Auth::Entry(entry) | Auth::Client(entry, _) => of_alternatives(*entry),
                Auth::Table(auth) => {
                    let mut kinds = Vec::new();
                    strings(auth, "kind", &mut kinds);
                    vec![ListedAuth {
                        kind: kinds.join("+"),
                        secrets: needs.groups().to_vec(),
                    }]
                }
            },
            docs: integration.docs.clone(),
            verify: integration
                .verify
                .as_ref()
                .map(|path| path.get_ref().clone()),
            verify_ok: verify_ok(table).map(str::to_owned),
            note: integration.note.clone(),
            confidence: integration.confidence.as_ref().map(|text| text.0.0.clone()),
            checked: integration.checked.as_ref().map(|date| date.0.0.clone()),
            origin: match table.is_of_config() {
                true => Origin::Config,
                false => Origin::File,
            },
            entry,
        }
    }
}

fn of_alternatives(entry: Entry) -> Vec<ListedAuth> {
    let alternatives = entry.auth().map(|alternative| {
        let secrets = alternative.secrets().into_iter();
        ListedAuth {
            kind: alternative.kind().name().to_owned(),
            secrets: secrets.map(|name| vec![name.to_owned()]).collect(),
        }
    });
    alternatives.collect()
}

/// Returns the word for the evidence.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Checked => "checked",
        Confidence::Documented => "documented",
        _ => "unverified",
    }
}

/// Returns `verify_ok` of a table. The value that was taken over from another integration belongs to the answer of its `verify`.
fn verify_ok<'t>(table: &'t Table<'_>) -> Option<&'t str> {
    let integration = table.integration.get_ref();
    let (verify, verify_ok) = (
        integration.verify.as_ref()?,
        integration.verify_ok.as_ref()?,
    );
    let is_taken_over = |path: &toml::Spanned<String>| {
        let extends = table.merged.extends.as_ref();
        extends.is_some_and(|extends| *extends == path.span())
    };
    (is_taken_over(verify) || !is_taken_over(verify_ok)).then(|| verify_ok.get_ref().as_str())
}
