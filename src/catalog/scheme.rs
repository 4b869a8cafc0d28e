//! The scheme of an entry, which chooses among the entry's alternatives by the secrets of a connection.

use std::fmt;

use http::HeaderName;
use http::header::AUTHORIZATION;
use http::request::Parts;
use zeroize::Zeroizing;

use super::facts::{AlternativeFacts, Facts, SchemeFacts};
use super::template::{Piece, names, pieces};
use super::{Entry, Missing};
#[cfg(feature = "rustls")]
use crate::auth::Mtls;
#[cfg(feature = "oauth1")]
use crate::auth::OAuth1;
#[cfg(feature = "sigv4")]
use crate::auth::SigV4;
use crate::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, CacheKey, PayloadUse, Requirements,
    encode_basic, insert_parameter, remove_parameter,
};
use crate::connection::{Connection, Credential, Variables};
use crate::error::BoxError;
use crate::secret::{Secret, sensitive};
use crate::upstream::matches_pattern;

const USERNAME: &str = "username";
const PASSWORD: &str = "password";

/// The names under which each alternative that needs a single secret accepts that secret.
const COMMON_NAMES: [&str; 2] = ["api_key", "token"];

/// Returns the names in all templates of an alternative, each once, and those of the fixed secrets of its scheme.
fn all_names(facts: &'static AlternativeFacts) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut add = |name| {
        if !found.contains(&name) {
            found.push(name);
        }
    };
    match facts.scheme {
        SchemeFacts::None => {}
        SchemeFacts::Bearer(value)
        | SchemeFacts::Header { value, .. }
        | SchemeFacts::Query { value, .. }
        | SchemeFacts::OAuth2 { value, .. } => names(value).for_each(&mut add),
        SchemeFacts::Basic { username, password } => {
            names(username).chain(names(password)).for_each(&mut add);
        }
        SchemeFacts::SigV4 { region, .. } => {
            ["access_key_id", "secret_access_key"]
                .into_iter()
                .chain(names(region))
                .for_each(&mut add);
        }
        SchemeFacts::OAuth1 { realm, .. } => {
            ["consumer_key", "consumer_secret", "token", "token_secret"]
                .into_iter()
                .chain(realm.into_iter().flat_map(names))
                .for_each(&mut add);
        }
    }
    let also = facts.also_headers.iter().chain(facts.also_query);
    also.flat_map(|(_, value)| names(value)).for_each(&mut add);
    if facts.has_client_certificate {
        ["certificate", "private_key"]
            .into_iter()
            .for_each(&mut add);
    }
    found
}

/// Returns the names of the secrets that an alternative needs.
pub(super) fn secrets_of(
    entry: &'static Facts,
    facts: &'static AlternativeFacts,
) -> Vec<&'static str> {
    let mut found = all_names(facts);
    found.retain(|name| !is_variable(entry, name));
    found
}

fn is_variable(entry: &Facts, name: &str) -> bool {
    entry.variables.iter().any(|variable| variable.name == name)
}

/// Returns `true` if the value may be a variable of the connection.
fn is_public(entry: &Facts, name: &str) -> bool {
    let mut fields = entry.fields.iter();
    is_variable(entry, name) || fields.any(|field| field.name == name && !field.is_secret)
}

/// Secrets that an alternative sends if a connection has them, and that count in the choice.
fn optional_secrets(scheme: SchemeFacts) -> &'static [&'static str] {
    match scheme {
        SchemeFacts::OAuth2 { .. } => &["refresh_token"],
        SchemeFacts::SigV4 { .. } => &["session_token"],
        _ => &[],
    }
}

/// The names of an alternative, and under which names a connection may have them.
struct Names {
    entry: &'static Facts,
    scheme: SchemeFacts,
    own: Vec<&'static str>,
    /// The single secret of a field, a parameter or a bearer token, and the other names that are accepted for it.
    other_names: Option<(&'static str, Vec<&'static str>)>,
}

/// The names under which a connection has the secrets of an alternative.
#[derive(Clone, Copy)]
enum Reading {
    Own,
    /// The secret of the first name has the second name.
    Renamed(&'static str, &'static str),
    /// `Basic` with `username` and `password`, which are sent unchanged.
    Verbatim,
}

impl Names {
    fn new(entry: &'static Facts, facts: &'static AlternativeFacts) -> Self {
        let own = all_names(facts);
        let is_claimed = |name: &str| {
            let mut others = entry.auth.iter();
            others.any(|other| !std::ptr::eq(other, facts) && all_names(other).contains(&name))
        };
        let secrets = secrets_of(entry, facts);
        let can_be_renamed = matches!(
            facts.scheme,
            SchemeFacts::Bearer(_) | SchemeFacts::Header { .. } | SchemeFacts::Query { .. }
        );
        let other_names = match secrets[..] {
            [secret] if can_be_renamed => {
                let mut keys = entry.fields.iter().filter(|field| field.is_secret);
                let field = match (keys.next(), keys.next()) {
                    (Some(field), None) => Some(field.name),
                    _ => None,
                };
                let others = COMMON_NAMES.into_iter().chain(field);
                let others = others.filter(|name| {
                    *name != secret && !is_claimed(name) && !is_variable(entry, name)
                });
                Some((secret, others.collect()))
            }
            _ => None,
        };
        Self {
            entry,
            scheme: facts.scheme,
            own,
            other_names,
        }
    }

    /// Returns `true` if the connection has the value of that name.
    fn has(&self, credential: &Credential, variables: &Variables, name: &str) -> bool {
        credential.get(name).is_some()
            || (is_public(self.entry, name)
                && value_of_variable(self.entry, variables, name).is_some())
    }

    /// Returns how a connection's secrets are read, and the number of its secrets that are used. `None` if secrets are missing.
    fn read(&self, credential: &Credential, variables: &Variables) -> Option<(Reading, usize)> {
        let has = |name: &str| self.has(credential, variables, name);
        let optional = optional_secrets(self.scheme).iter();
        let optional = optional.filter(|name| credential.get(name).is_some());
        if self.own.iter().all(|name| has(name)) {
            let secrets = self
                .own
                .iter()
                .filter(|name| !is_variable(self.entry, name));
            return Some((Reading::Own, secrets.count() + optional.count()));
        }
        if let Some((secret, others)) = &self.other_names {
            let mut needed = self.own.iter().filter(|name| *name != secret);
            let other = others.iter().find(|name| credential.get(name).is_some());
            if let (true, Some(other)) = (needed.all(|name| has(name)), other) {
                return Some((Reading::Renamed(secret, other), 1));
            }
        }
        let is_basic = matches!(self.scheme, SchemeFacts::Basic { .. });
        let has_pair = || {
            [USERNAME, PASSWORD]
                .iter()
                .all(|name| credential.get(name).is_some())
        };
        (is_basic && has_pair()).then_some((Reading::Verbatim, 2))
    }
}

/// Returns the value of a variable, or its default.
fn value_of_variable<'a>(entry: &Facts, variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(name).or_else(|| {
        let mut declared = entry.variables.iter();
        declared.find(|variable| variable.name == name)?.default
    })
}

/// A scheme of an alternative, which is ready to be applied.
struct Ready {
    names: Names,
    scheme: Scheme,
    also_headers: Vec<(HeaderName, &'static str, CacheKey)>,
    also_query: &'static [(&'static str, &'static str)],
    has_client_certificate: bool,
}

enum Scheme {
    None,
    Header {
        name: HeaderName,
        /// The text in front of the template.
        prefix: &'static str,
        value: &'static str,
        key: CacheKey,
    },
    Basic {
        username: &'static str,
        password: &'static str,
        key: CacheKey,
    },
    Query {
        name: &'static str,
        value: &'static str,
    },
    #[cfg(feature = "sigv4")]
    SigV4(SigV4),
    #[cfg(feature = "oauth1")]
    OAuth1 {
        scheme: OAuth1,
        realm: Option<&'static str>,
    },
    #[cfg(not(all(feature = "sigv4", feature = "oauth1")))]
    Disabled(&'static str),
}

impl Scheme {
    fn new(facts: SchemeFacts) -> Result<Self, BoxError> {
        Ok(match facts {
            SchemeFacts::None => Self::None,
            SchemeFacts::Bearer(value) => Self::Header {
                name: AUTHORIZATION,
                prefix: "Bearer ",
                value,
                key: CacheKey::unique(),
            },
            SchemeFacts::Header { name, value }
            | SchemeFacts::OAuth2 {
                header: name,
                value,
            } => Self::Header {
                name: name.parse()?,
                prefix: "",
                value,
                key: CacheKey::unique(),
            },
            SchemeFacts::Basic { username, password } => Self::Basic {
                username,
                password,
                key: CacheKey::unique(),
            },
            SchemeFacts::Query { name, value } => Self::Query { name, value },
            #[cfg(feature = "sigv4")]
            SchemeFacts::SigV4 { service, region } => Self::SigV4(SigV4::new(service, region)?),
            #[cfg(not(feature = "sigv4"))]
            SchemeFacts::SigV4 { .. } => Self::Disabled("sigv4"),
            #[cfg(feature = "oauth1")]
            SchemeFacts::OAuth1 {
                signature_method,
                realm,
            } => Self::OAuth1 {
                scheme: match signature_method {
                    "HMAC-SHA1" => OAuth1::hmac_sha1(),
                    "HMAC-SHA256" => OAuth1::hmac_sha256(),
                    _ => return Err("the signature method isn't supported".into()),
                },
                realm,
            },
            #[cfg(not(feature = "oauth1"))]
            SchemeFacts::OAuth1 { .. } => Self::Disabled("oauth1"),
        })
    }

    fn requirements(&self) -> Requirements {
        match self {
            Self::None => Requirements::new(),
            Self::Header { name, .. } => Requirements::new().field(name.clone()),
            Self::Basic { .. } => Requirements::new().field(AUTHORIZATION),
            Self::Query { name, .. } => Requirements::new().parameter(*name),
            #[cfg(feature = "sigv4")]
            Self::SigV4(scheme) => scheme.requirements(),
            #[cfg(feature = "oauth1")]
            Self::OAuth1 { scheme, .. } => scheme.requirements(),
            #[cfg(not(all(feature = "sigv4", feature = "oauth1")))]
            Self::Disabled(_) => Requirements::new().field(AUTHORIZATION),
        }
    }
}

/// The [`AuthScheme`] of an entry.
pub(super) struct CatalogAuth {
    facts: &'static Facts,
    alternatives: Vec<Ready>,
    /// The names of the query parameters of all alternatives.
    parameters: Vec<Box<str>>,
}

impl CatalogAuth {
    pub(super) fn new(entry: Entry) -> Result<Self, BoxError> {
        let facts = entry.facts();
        let ready = |alternative: &'static AlternativeFacts| {
            let also_headers = alternative
                .also_headers
                .iter()
                .map(|(name, value)| Ok((name.parse()?, *value, CacheKey::unique())));
            Ok(Ready {
                names: Names::new(facts, alternative),
                scheme: Scheme::new(alternative.scheme)?,
                also_headers: also_headers.collect::<Result<_, BoxError>>()?,
                also_query: alternative.also_query,
                has_client_certificate: alternative.has_client_certificate,
            })
        };
        let alternatives = facts.auth.iter().map(ready);
        let mut scheme = Self {
            facts,
            alternatives: alternatives.collect::<Result<_, BoxError>>()?,
            parameters: Vec::new(),
        };
        scheme.parameters = scheme.requirements().parameters().to_vec();
        Ok(scheme)
    }

    /// Returns the alternative whose secrets the connection has. Of several, it's the alternative with the most secrets, and among equals the
    /// first.
    fn choose(&self, cx: &AuthContext<'_>) -> Result<Chosen<'_>, AuthError> {
        let mut chosen: Option<(usize, Chosen<'_>)> = None;
        for ready in &self.alternatives {
            let read = ready.names.read(cx.credential(), cx.variables());
            let Some((reading, secrets)) = read else {
                continue;
            };
            if chosen.as_ref().is_none_or(|(most, _)| secrets > *most) {
                chosen = Some((secrets, Chosen { ready, reading }));
            }
        }
        let chosen = chosen.map(|(_, chosen)| chosen);
        chosen.ok_or(AuthError::NoAlternative(self.facts.needs))
    }
}

/// An alternative, with the names under which the connection has its secrets.
struct Chosen<'a> {
    ready: &'a Ready,
    reading: Reading,
}

impl Chosen<'_> {
    /// Returns the value of a name in a template.
    fn value<'c>(&self, cx: &AuthContext<'c>, name: &'static str) -> Result<&'c [u8], AuthError> {
        let name = match self.reading {
            Reading::Renamed(own, other) if own == name => other,
            _ => name,
        };
        if let Some(secret) = cx.credential().get(name) {
            return Ok(secret.expose());
        }
        let entry = self.ready.names.entry;
        let variable = match is_public(entry, name) {
            true => value_of_variable(entry, cx.variables(), name),
            false => None,
        };
        let variable = variable.map(str::as_bytes);
        variable.ok_or_else(|| AuthError::MissingSecret(name.into()))
    }

    /// Returns `prefix` and the text of a template. It's allocated at its final size, so that no copy of a secret is left behind.
    fn text(
        &self,
        cx: &AuthContext<'_>,
        prefix: &str,
        template: &'static str,
    ) -> Result<Vec<u8>, AuthError> {
        let mut length = prefix.len();
        for piece in pieces(template) {
            length += match piece {
                Piece::Text(text) => text.len(),
                Piece::Name(name) => self.value(cx, name)?.len(),
            };
        }
        let mut text = Vec::with_capacity(length);
        text.extend_from_slice(prefix.as_bytes());
        for piece in pieces(template) {
            text.extend_from_slice(match piece {
                Piece::Text(text) => text.as_bytes(),
                Piece::Name(name) => self.value(cx, name)?,
            });
        }
        Ok(text)
    }

    fn basic(
        &self,
        cx: &AuthContext<'_>,
        username: &'static str,
        password: &'static str,
    ) -> Result<http::HeaderValue, AuthError> {
        let pair = match self.reading {
            Reading::Verbatim => [cx.secret(USERNAME)?.clone(), cx.secret(PASSWORD)?.clone()],
            Reading::Own | Reading::Renamed(..) => [
                Secret::from(self.text(cx, "", username)?),
                Secret::from(self.text(cx, "", password)?),
            ],
        };
        let [username, password] = &pair;
        let value = encode_basic(b"Basic ", username, password, b"");
        Ok(sensitive(value.ok_or(AuthError::InvalidHeaderValue)?)?)
    }

    #[cfg(feature = "oauth1")]
    fn realm(&self, cx: &AuthContext<'_>, template: &'static str) -> Result<String, AuthError> {
        let realm = self.text(cx, "", template)?;
        String::from_utf8(realm).map_err(|_| AuthError::InvalidHeaderValue)
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        match &self.ready.scheme {
            #[cfg(feature = "sigv4")]
            Scheme::SigV4(scheme) => scheme.payload(request, cx),
            #[cfg(feature = "oauth1")]
            Scheme::OAuth1 { scheme, .. } => scheme.payload(request, cx),
            #[cfg(not(all(feature = "sigv4", feature = "oauth1")))]
            Scheme::Disabled(feature) => Err(AuthError::FeatureDisabled(feature)),
            _ => {
                let _ = (request, cx);
                Ok(PayloadUse::Ignored)
            }
        }
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        // The further credentials are first, so that a signature covers them.
        for (name, template, key) in &self.ready.also_headers {
            let make = || Ok(sensitive(self.text(cx, "", template)?)?);
            request.insert_header(name.clone(), cx.cached_header(key, make)?);
        }
        for (name, template) in self.ready.also_query {
            let value = Zeroizing::new(self.text(cx, "", template)?);
            insert_parameter(request, name, &value)?;
        }
        let applied = match self.ready.has_client_certificate {
            false => Applied::default(),
            #[cfg(feature = "rustls")]
            true => Mtls.apply(request, cx)?,
            #[cfg(not(feature = "rustls"))]
            true => return Err(AuthError::FeatureDisabled("rustls")),
        };
        match &self.ready.scheme {
            Scheme::None => {}
            Scheme::Header {
                name,
                prefix,
                value,
                key,
            } => {
                let make = || Ok(sensitive(self.text(cx, prefix, value)?)?);
                request.insert_header(name.clone(), cx.cached_header(key, make)?);
            }
            Scheme::Basic {
                username,
                password,
                key,
            } => {
                let value = cx.cached_header(key, || self.basic(cx, username, password))?;
                request.insert_header(AUTHORIZATION, value);
            }
            Scheme::Query { name, value } => {
                let value = Zeroizing::new(self.text(cx, "", value)?);
                insert_parameter(request, name, &value)?;
            }
            #[cfg(feature = "sigv4")]
            Scheme::SigV4(scheme) => return Ok(applied.and(scheme.apply(request, cx)?)),
            #[cfg(feature = "oauth1")]
            Scheme::OAuth1 { scheme, realm } => {
                let signed = match realm {
                    None => scheme.apply(request, cx)?,
                    Some(template) => {
                        let realm = self.realm(cx, template)?;
                        let scheme = scheme.clone().realm(&realm);
                        let scheme = scheme.map_err(|_| AuthError::InvalidHeaderValue)?;
                        scheme.apply(request, cx)?
                    }
                };
                return Ok(applied.and(signed));
            }
            #[cfg(not(all(feature = "sigv4", feature = "oauth1")))]
            Scheme::Disabled(feature) => return Err(AuthError::FeatureDisabled(feature)),
        }
        Ok(applied)
    }
}

impl AuthScheme for CatalogAuth {
    fn requirements(&self) -> Requirements {
        let mut all = Requirements::new();
        for ready in &self.alternatives {
            let of = ready.scheme.requirements();
            // The secrets are checked when an alternative is chosen, so only the fields and the parameters are taken over.
            let fields = of.fields().iter().cloned();
            let fields = fields.chain(ready.also_headers.iter().map(|(name, ..)| name.clone()));
            for field in fields {
                if !all.fields().contains(&field) {
                    all = all.field(field);
                }
            }
            let parameters = of.parameters().iter().cloned();
            let also = ready.also_query.iter().map(|(name, _)| Box::from(*name));
            for parameter in parameters.chain(also) {
                if !all.parameters().contains(&parameter) {
                    all = all.parameter(parameter);
                }
            }
        }
        all
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        self.choose(cx)?.payload(request, cx)
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let chosen = self.choose(cx)?;
        // The alternatives that weren't chosen set nothing, so a caller's key would be sent as well, and the upstream could prefer it.
        for name in &self.parameters {
            remove_parameter(request, name)?;
        }
        chosen.apply(request, cx)
    }
}

impl fmt::Debug for CatalogAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CatalogAuth")
            .field(&self.facts.name)
            .finish()
    }
}

/// Returns the secrets and variables that the connection lacks.
pub(super) fn missing(entry: Entry, connection: &Connection) -> Option<Missing> {
    let facts = entry.facts();
    let (credential, variables) = (connection.credential(), connection.variables());
    let mut missing = Missing {
        variables: Vec::new(),
        invalid_variables: Vec::new(),
        alternatives: Vec::new(),
    };
    let can_fetch = can_fetch_token(facts, credential);
    let is_complete = facts.auth.iter().any(|alternative| {
        let names = Names::new(facts, alternative);
        names.read(credential, variables).is_some()
            || (can_fetch
                && matches!(alternative.scheme, SchemeFacts::OAuth2 { .. })
                && names
                    .own
                    .iter()
                    .all(|name| *name == "access_token" || names.has(credential, variables, name)))
    });
    if !is_complete {
        let alternatives = facts.auth.iter();
        let alternatives = alternatives.map(|alternative| secrets_of(facts, alternative));
        missing.alternatives = alternatives.collect();
    }
    for variable in facts.variables {
        let is_needed = super::entry::has_name(facts.base_url, variable)
            || (can_fetch
                && facts.oauth2.as_ref().is_some_and(|oauth2| {
                    let url = oauth2.refresh_url.or(oauth2.token_url);
                    url.is_some_and(|url| super::entry::has_name(url, variable))
                }));
        match variables.get(variable.name) {
            Some(value) if !matches_pattern(variable.pattern, value) => {
                missing.invalid_variables.push(variable.name);
            }
            None if is_needed && variable.default.is_none() => {
                missing.variables.push(variable.name);
            }
            _ => {}
        }
    }
    let is_empty = missing.variables.is_empty()
        && missing.invalid_variables.is_empty()
        && missing.alternatives.is_empty();
    (!is_empty).then_some(missing)
}

/// Returns `true` if the secrets suffice to fetch an access token.
fn can_fetch_token(facts: &Facts, credential: &Credential) -> bool {
    facts.oauth2.as_ref().is_some_and(|oauth2| {
        let has = |name| credential.get(name).is_some();
        match oauth2.is_client_credentials {
            true => has("client_id") && has("client_secret"),
            false => oauth2.token_url.is_some() && has("refresh_token"),
        }
    })
}
