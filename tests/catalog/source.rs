//! The source of the catalog: `catalog/integrations.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) date: String,
    pub(crate) entry: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    pub(crate) title: String,
    pub(crate) category: String,
    pub(crate) base_url: String,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    #[serde(default)]
    pub(crate) variable_host: bool,
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) auth: Vec<Alternative>,
    #[serde(default)]
    pub(crate) fields: Vec<Field>,
    pub(crate) oauth2: Option<OAuth2>,
    pub(crate) verify: Option<String>,
    pub(crate) verify_ok: Option<String>,
    #[serde(default)]
    pub(crate) rate_limit_headers: Vec<String>,
    pub(crate) docs: String,
    pub(crate) confidence: Confidence,
    pub(crate) base_url_confidence: Option<Confidence>,
    pub(crate) checked: String,
    pub(crate) sources: Vec<String>,
    pub(crate) note: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) description: String,
    pub(crate) pattern: String,
    pub(crate) default: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) secret: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AlternativeKeys")]
pub(crate) struct Alternative {
    pub(crate) scheme: Scheme,
    pub(crate) also_headers: BTreeMap<String, String>,
    pub(crate) also_query: BTreeMap<String, String>,
    pub(crate) client_certificate: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Scheme {
    None,
    Bearer {
        value: String,
    },
    Basic {
        username: String,
        password: String,
    },
    Header {
        header: String,
        value: String,
    },
    Query {
        query: String,
        value: String,
    },
    OAuth2 {
        header: String,
        value: String,
    },
    SigV4 {
        service: String,
        region: String,
    },
    OAuth1 {
        signature_method: String,
        realm: Option<String>,
    },
}

/// The keys of all kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlternativeKeys {
    kind: String,
    header: Option<String>,
    query: Option<String>,
    value: Option<String>,
    username: Option<String>,
    password: Option<String>,
    service: Option<String>,
    region: Option<String>,
    signature_method: Option<String>,
    realm: Option<String>,
    #[serde(default)]
    also_headers: BTreeMap<String, String>,
    #[serde(default)]
    also_query: BTreeMap<String, String>,
    #[serde(default)]
    client_certificate: bool,
}

impl TryFrom<AlternativeKeys> for Alternative {
    type Error = String;

    fn try_from(mut keys: AlternativeKeys) -> Result<Self, String> {
        let kind = std::mem::take(&mut keys.kind);
        let need = |key: &mut Option<String>, name: &str| {
            key.take()
                .ok_or_else(|| format!("`{kind}` needs the key `{name}`"))
        };
        let scheme = match &*kind {
            "none" => Scheme::None,
            "bearer" => Scheme::Bearer {
                value: keys.value.take().unwrap_or_else(|| "{token}".into()),
            },
            "basic" => Scheme::Basic {
                username: need(&mut keys.username, "username")?,
                password: need(&mut keys.password, "password")?,
            },
            "header" => Scheme::Header {
                header: need(&mut keys.header, "header")?,
                value: need(&mut keys.value, "value")?,
            },
            "query" => Scheme::Query {
                query: need(&mut keys.query, "query")?,
                value: need(&mut keys.value, "value")?,
            },
            "oauth2" => Scheme::OAuth2 {
                header: keys.header.take().unwrap_or_else(|| "Authorization".into()),
                value: keys
                    .value
                    .take()
                    .unwrap_or_else(|| "Bearer {access_token}".into()),
            },
            "sigv4" => Scheme::SigV4 {
                service: need(&mut keys.service, "service")?,
                region: need(&mut keys.region, "region")?,
            },
            "oauth1" => Scheme::OAuth1 {
                signature_method: need(&mut keys.signature_method, "signature_method")?,
                realm: keys.realm.take(),
            },
            _ => return Err(format!("there is no kind `{kind}`")),
        };
        let rest = [
            keys.header,
            keys.query,
            keys.value,
            keys.username,
            keys.password,
            keys.service,
            keys.region,
            keys.signature_method,
            keys.realm,
        ];
        if rest.iter().any(Option::is_some) {
            return Err(format!("`{kind}` has a key of another kind"));
        }
        Ok(Self {
            scheme,
            also_headers: keys.also_headers,
            also_query: keys.also_query,
            client_certificate: keys.client_certificate,
        })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    pub(crate) authorize_url: Option<String>,
    pub(crate) token_url: Option<String>,
    pub(crate) refresh_url: Option<String>,
    #[serde(default)]
    pub(crate) authorize_params: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) token_params: BTreeMap<String, String>,
    pub(crate) scope_separator: Option<String>,
    pub(crate) client_auth: Option<ClientAuth>,
    pub(crate) grant: Option<Grant>,
    pub(crate) rotation: Option<Rotation>,
    /// Error codes of the token endpoint that mean `invalid_grant`.
    #[serde(default)]
    pub(crate) dead_errors: Vec<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    pub(crate) pkce: Option<Pkce>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confidence {
    Unverified,
    Documented,
    Checked,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientAuth {
    Basic,
    Body,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    ClientCredentials,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rotation {
    Rotating,
    Static,
    None,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pkce {
    Supported,
    Unsupported,
    Unknown,
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn text() -> String {
    std::fs::read_to_string(root().join("catalog/integrations.toml")).unwrap()
}

pub(crate) fn source() -> Source {
    toml::from_str(&text()).unwrap_or_else(|error| panic!("{}", error.message()))
}

/// Returns the names in a template.
pub(crate) fn names(template: &str) -> Vec<&str> {
    let opened = template.split('{').skip(1);
    opened
        .filter_map(|part| Some(part.split_once('}')?.0))
        .collect()
}

impl Alternative {
    /// Returns the templates of all values.
    pub(crate) fn templates(&self) -> Vec<&str> {
        let mut all: Vec<&str> = match &self.scheme {
            Scheme::None => vec![],
            Scheme::Bearer { value }
            | Scheme::Header { value, .. }
            | Scheme::Query { value, .. }
            | Scheme::OAuth2 { value, .. } => vec![value],
            Scheme::Basic { username, password } => vec![username, password],
            Scheme::SigV4 { region, .. } => vec![region],
            Scheme::OAuth1 { realm, .. } => realm.iter().map(|realm| &**realm).collect(),
        };
        all.extend(self.also_headers.values().map(|value| &**value));
        all.extend(self.also_query.values().map(|value| &**value));
        all
    }

    /// Returns the names of the secrets and variables that the scheme reads, each once.
    pub(crate) fn names(&self) -> Vec<&str> {
        let fixed: &[&str] = match &self.scheme {
            Scheme::SigV4 { .. } => &["access_key_id", "secret_access_key"],
            Scheme::OAuth1 { .. } => &["consumer_key", "consumer_secret", "token", "token_secret"],
            _ => &[],
        };
        let certificate: &[&str] = match self.client_certificate {
            true => &["certificate", "private_key"],
            false => &[],
        };
        let mut found = Vec::new();
        let templates = self.templates().into_iter().flat_map(names);
        for name in fixed
            .iter()
            .copied()
            .chain(templates)
            .chain(certificate.iter().copied())
        {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }
}
