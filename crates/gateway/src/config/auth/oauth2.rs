//! `kind = "oauth2"`: an access token that is refreshed automatically.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::Secret;
use tower_passthrough::auth::AccessToken;
use tower_passthrough::catalog::{Entry, Rotation};
use tower_passthrough::oauth2::{
    Assertion, ClientAuth, GrantType, SigningAlgorithm, TokenEndpoint, TokenParameter,
};
use tower_passthrough::upstream::BaseUrlError;

use super::super::integration::{Variables, header, lacks_pattern};
use super::super::secret;
use super::super::value::{Count, Form, Parameter, SecretSource, Text};
use super::{Needs, One, Problem, Surroundings, shape};

/// The name of the secret that contains the access token.
pub(super) const ACCESS_TOKEN: &str = "access_token";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    token_url: Spanned<String>,
    grant: Option<Text<GrantKind>>,
    client_auth: Option<Spanned<Text<ClientAuthKind>>>,
    client_id: Option<String>,
    client_secret: Option<Spanned<SecretSource>>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Spanned<Parameter>>,
    #[serde(default)]
    headers: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    json: bool,
    access_token_path: Option<String>,
    refresh_token_path: Option<String>,
    lifetime_path: Option<String>,
    expiry_path: Option<String>,
    default_lifetime: Option<Text<Duration>>,
    #[serde(default)]
    keep: Vec<String>,
    dead_errors: Option<Spanned<Vec<String>>>,
    passing_errors: Option<Spanned<Vec<String>>>,
    refresh_on: Option<Vec<Spanned<Count>>>,
    refresh_before: Option<Text<Duration>>,
    refresh_jitter: Option<Spanned<Text<Duration>>>,
    // The following keys are for JWTs.
    private_key: Option<Spanned<SecretSource>>,
    private_key_secret: Option<Spanned<String>>,
    #[serde(default)]
    claims: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    jwt_header: BTreeMap<String, Spanned<String>>,
    algorithm: Option<Spanned<Text<SigningAlgorithm>>>,
    key_id: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    audience: Option<Spanned<String>>,
    scope_claim: Option<Spanned<bool>>,
    jwt_lifetime: Option<Spanned<Text<Duration>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GrantKind {
    RefreshToken,
    ClientCredentials,
    JwtBearer,
}

impl Form for GrantKind {
    const EXPECTED: &'static str = "\"refresh_token\", \"client_credentials\" or \"jwt_bearer\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "refresh_token" => Some(Self::RefreshToken),
            "client_credentials" => Some(Self::ClientCredentials),
            "jwt_bearer" => Some(Self::JwtBearer),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientAuthKind {
    Basic,
    BasicRaw,
    Body,
    PrivateKeyJwt,
    None,
}

impl Form for ClientAuthKind {
    const EXPECTED: &'static str =
        "\"basic\", \"basic_raw\", \"body\", \"private_key_jwt\" or \"none\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "basic" => Some(Self::Basic),
            "basic_raw" => Some(Self::BasicRaw),
            "body" => Some(Self::Body),
            "private_key_jwt" => Some(Self::PrivateKeyJwt),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl ClientAuthKind {
    fn has_secret(self) -> bool {
        matches!(self, Self::Basic | Self::BasicRaw | Self::Body)
    }
}

impl Tokens {
    /// Returns the token endpoint of an entry. The client's credentials are secrets of the connection.
    pub(super) fn of_entry(entry: Entry) -> Option<Self> {
        Some(Self {
            endpoint: entry.token_endpoint()?,
            may_rotate: may_rotate(entry),
            refresh_before: None,
            refresh_on: None,
            kept: Vec::new(),
        })
    }

    /// Returns `true` if a response of the token endpoint contains the secret of that name.
    pub(super) fn bring(&self, name: &str) -> bool {
        let mut kept = self.kept.iter().map(|path| path.rsplit('.').next());
        matches!(name, ACCESS_TOKEN | "expires_at") || kept.any(|kept| kept == Some(name))
    }
}

impl Form for SigningAlgorithm {
    const EXPECTED: &'static str = "\"RS256\", \"PS256\", \"ES256\", \"ES384\" or \"EdDSA\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// The token endpoint of an integration, and the signs that a token must be refreshed.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) endpoint: TokenEndpoint,
    /// `true` if the upstream may return a new refresh token together with each access token.
    pub(crate) may_rotate: bool,
    /// The times before the end of a token at which it's refreshed: the shortest, and the addition that differs between connections.
    pub(crate) refresh_before: Option<(Duration, Duration)>,
    /// The statuses by which the upstream rejects a token. `None` for the default.
    pub(crate) refresh_on: Option<Vec<StatusCode>>,
    /// The names of the secrets that the endpoint's response contains.
    kept: Vec<String>,
}

/// Returns `true` if a refresh at the entry's token endpoint may replace the refresh token.
pub(crate) fn may_rotate(entry: Entry) -> bool {
    entry.oauth2().is_some_and(|oauth2| {
        !oauth2.is_client_credentials()
            && !matches!(oauth2.rotation(), Rotation::Static | Rotation::None)
    })
}

/// Returns the id of the host's client, and its secret.
pub(super) fn client(
    table: &Spanned<DeValue<'_>>,
    around: Surroundings<'_>,
) -> Result<Option<(String, Option<Secret>)>, Problem> {
    let table: Table = shape(table)?;
    let secret = table.client_secret.as_ref();
    let secret = secret.map(|secret| secret::read(secret, around.folder));
    let secret = secret.transpose()?;
    Ok(table.client_id.map(|id| (id, secret)))
}

pub(super) fn read(table: &Spanned<DeValue<'_>>, around: Surroundings<'_>) -> Result<One, Problem> {
    let table: Table = shape(table)?;
    let grant = table
        .grant
        .as_ref()
        .map_or(GrantKind::RefreshToken, |grant| grant.0);
    let client_auth = table.client_auth.as_ref().map(|auth| auth.get_ref().0);
    let client_auth = client_auth.unwrap_or(match grant {
        GrantKind::JwtBearer => ClientAuthKind::None,
        GrantKind::RefreshToken | GrantKind::ClientCredentials => ClientAuthKind::Basic,
    });
    table.has_no_strays(grant, client_auth)?;
    let needs = table.needs(grant, client_auth);
    let refresh_on = table.refresh_statuses()?;
    let refresh_before = table.refresh_before()?;

    let mut endpoint = at(&table.token_url, around)?;
    endpoint = endpoint.grant(match grant {
        GrantKind::RefreshToken => GrantType::RefreshToken,
        GrantKind::ClientCredentials => GrantType::ClientCredentials,
        GrantKind::JwtBearer => GrantType::JwtBearer(table.claims(table.signed(around)?)),
    });
    endpoint = endpoint.client_auth(match client_auth {
        ClientAuthKind::Basic => ClientAuth::Basic,
        ClientAuthKind::BasicRaw => ClientAuth::BasicRaw,
        ClientAuthKind::Body => ClientAuth::Body,
        ClientAuthKind::None => ClientAuth::None,
        // If both the grant and the client authentication are JWTs, the claims are for the grant.
        ClientAuthKind::PrivateKeyJwt => ClientAuth::PrivateKeyJwt(match grant {
            GrantKind::JwtBearer => table.signed(around)?,
            _ => table.claims(table.signed(around)?),
        }),
    });
    if let Some(secret) = &table.client_secret {
        endpoint = endpoint.client_secret(secret::read(secret, around.folder)?);
    }
    for (name, value) in &table.parameters {
        let value = match value.get_ref() {
            Parameter::Number(number) => (*number).into(),
            Parameter::Text(SecretSource::Literal(text)) => of_text(text),
            Parameter::Text(source) => secret::read_at(value, source, around.folder)?.into(),
        };
        endpoint = endpoint.parameter(name.as_str(), value);
    }
    for (name, value) in &table.headers {
        let (name, value) = header(name, value)?;
        endpoint = endpoint.header(name, value);
    }
    endpoint = table.answer(endpoint);
    if table.json {
        endpoint = endpoint.json();
    }
    if let Some(id) = table.client_id {
        endpoint = endpoint.client_id(id);
    }
    Ok(One {
        scheme: Box::new(AccessToken),
        needs,
        tokens: Some(Tokens {
            endpoint: endpoint.scopes(table.scopes),
            may_rotate: grant == GrantKind::RefreshToken,
            refresh_before,
            refresh_on,
            kept: table.keep,
        }),
    })
}

impl Table {
    /// Checks that there are no keys that only another grant or another client authentication uses.
    fn has_no_strays(&self, grant: GrantKind, client: ClientAuthKind) -> Result<(), Problem> {
        let errors = [&self.dead_errors, &self.passing_errors];
        if let Some(errors) = errors.into_iter().flatten().next() {
            if grant != GrantKind::RefreshToken {
                let what =
                    "only a refresh token can be dead, and this `grant` has none; remove the key";
                return Err(Problem::at(errors, what));
            }
        }
        let secret = self.client_secret.as_ref();
        let has_secret = client.has_secret();
        if let Some(secret) = secret.filter(|_| !has_secret) {
            let what = "this `client_auth` sends no client secret; remove the key, or use another `client_auth`";
            return Err(Problem::at(secret, what));
        }
        if grant == GrantKind::JwtBearer || client == ClientAuthKind::PrivateKeyJwt {
            return Ok(());
        }
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.span());
        let strays = [
            self.private_key.as_ref().map(|key| key.span()),
            text(&self.private_key_secret),
            self.claims.values().next().map(|claim| claim.span()),
            self.jwt_header.values().next().map(|value| value.span()),
            self.algorithm.as_ref().map(|algorithm| algorithm.span()),
            text(&self.key_id),
            text(&self.issuer),
            text(&self.subject),
            text(&self.audience),
            self.scope_claim.as_ref().map(|claim| claim.span()),
            self.jwt_lifetime.as_ref().map(|lifetime| lifetime.span()),
        ];
        match strays.into_iter().flatten().next() {
            None => Ok(()),
            Some(stray) => Err(Problem::at(
                &Spanned::new(stray, ()),
                "this key is only for JWTs: set `grant = \"jwt_bearer\"` or `client_auth = \"private_key_jwt\"`, or remove it",
            )),
        }
    }

    /// Returns the secrets that the connection must have: secrets that aren't set here, and an
    /// initial token.
    fn needs(&self, grant: GrantKind, client: ClientAuthKind) -> Needs {
        let mut needs = Vec::new();
        let mut need = |any: &[&str]| {
            needs.push(any.iter().map(|&name| name.to_owned()).collect());
        };
        if grant == GrantKind::RefreshToken {
            need(&[ACCESS_TOKEN, "refresh_token"]);
        }
        if client != ClientAuthKind::None && self.client_id.is_none() {
            need(&["client_id"]);
        }
        match client {
            client if client.has_secret() && self.client_secret.is_none() => {
                need(&["client_secret"]);
            }
            _ => {}
        }
        let signs = grant == GrantKind::JwtBearer || client == ClientAuthKind::PrivateKeyJwt;
        if signs && self.private_key.is_none() {
            let secret = self.private_key_secret.as_ref();
            need(&[secret.map_or("private_key", |name| name.get_ref())]);
        }
        Needs(needs)
    }

    /// Returns the JWT settings. The signing key is set here, or is a secret of the connection.
    fn signed(&self, around: Surroundings<'_>) -> Result<Assertion, Problem> {
        let algorithm = self.algorithm.as_ref();
        let algorithm =
            algorithm.map_or(SigningAlgorithm::Rs256, |algorithm| algorithm.get_ref().0);
        let mut assertion = Assertion::new(algorithm);
        if let Some(source) = &self.private_key {
            let key = secret::read(source, around.folder)?;
            assertion = assertion
                .key(key)
                .map_err(|error| Problem::at(source, error.to_string()))?;
        }
        if let Some(name) = &self.private_key_secret {
            if self.private_key.is_some() {
                let what = "`private_key` is also set; remove one of the two keys";
                return Err(Problem::at(name, what));
            }
            assertion = assertion.key_of(name.get_ref().as_str());
        }
        for (name, value) in &self.jwt_header {
            let value = of_text(&value.get_ref().as_str().into());
            assertion = assertion.header_parameter(name.as_str(), value);
        }
        if let Some(lifetime) = &self.jwt_lifetime {
            assertion = assertion.lifetime(lifetime.get_ref().0);
        }
        if let Some(id) = &self.key_id {
            assertion = assertion.key_id(of_text(&id.get_ref().as_str().into()));
        }
        Ok(assertion)
    }

    fn claims(&self, mut assertion: Assertion) -> Assertion {
        let claim = |text: &Spanned<String>| of_text(&text.get_ref().as_str().into());
        for (name, value) in &self.claims {
            assertion = assertion.claim(name.as_str(), claim(value));
        }
        if let Some(issuer) = &self.issuer {
            assertion = assertion.issuer(claim(issuer));
        }
        if let Some(subject) = &self.subject {
            assertion = assertion.subject(claim(subject));
        }
        if let Some(audience) = &self.audience {
            assertion = assertion.audience(claim(audience));
        }
        if self
            .scope_claim
            .as_ref()
            .is_some_and(|claim| *claim.get_ref())
        {
            assertion = assertion.scope_claim();
        }
        assertion
    }

    /// Sets the positions of the tokens in the endpoint's response.
    fn answer(&self, mut endpoint: TokenEndpoint) -> TokenEndpoint {
        if let Some(path) = &self.access_token_path {
            endpoint = endpoint.access_token_at(path.as_str());
        }
        if let Some(path) = &self.refresh_token_path {
            endpoint = endpoint.refresh_token_at(path.as_str());
        }
        if let Some(path) = &self.lifetime_path {
            endpoint = endpoint.lifetime_at(path.as_str());
        }
        if let Some(path) = &self.expiry_path {
            endpoint = endpoint.expiry_at(path.as_str());
        }
        if let Some(lifetime) = &self.default_lifetime {
            endpoint = endpoint.default_lifetime(lifetime.0);
        }
        for path in &self.keep {
            endpoint = endpoint.keep(path.as_str());
        }
        let words = |errors: &Option<Spanned<Vec<String>>>| {
            errors
                .as_ref()
                .map_or_else(Vec::new, |errors| errors.get_ref().clone())
        };
        endpoint
            .revoked_errors(words(&self.dead_errors))
            .passing_errors(words(&self.passing_errors))
    }

    /// Returns the statuses by which the upstream rejects a token.
    fn refresh_statuses(&self) -> Result<Option<Vec<StatusCode>>, Problem> {
        let Some(statuses) = &self.refresh_on else {
            return Ok(None);
        };
        let status = |place: &Spanned<Count>| {
            let status = u16::try_from(place.get_ref().0).ok();
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.filter(|status| matches!(status.as_u16(), 400..=599));
            status.ok_or_else(|| Problem::at(place, "expected the status of an error: 400 to 599"))
        };
        statuses
            .iter()
            .map(status)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn refresh_before(&self) -> Result<Option<(Duration, Duration)>, Problem> {
        match (&self.refresh_before, &self.refresh_jitter) {
            (None, None) => Ok(None),
            (None, Some(jitter)) => Err(Problem::at(
                jitter,
                "this key needs `refresh_before` in the same table",
            )),
            (Some(before), jitter) => {
                let jitter = jitter.as_ref().map(|jitter| jitter.get_ref().0);
                Ok(Some((before.0, jitter.unwrap_or(before.0 / 5))))
            }
        }
    }
}

/// Returns the endpoint with that URL. Its variables are the variables of the base URL.
fn at(url: &Spanned<String>, around: Surroundings<'_>) -> Result<TokenEndpoint, Problem> {
    let wrong = |error: BaseUrlError| {
        let expected = "expected a URL such as \"https://vendor.com/oauth/token\"";
        Problem::at(url, format!("{error}, {expected}"))
    };
    let text = url.get_ref();
    if around.is_refused_plaintext(text) {
        let what = "expected https://, as `network.plaintext` isn't set";
        return Err(Problem::at(url, what));
    }
    let mut endpoint = TokenEndpoint::new(text).map_err(wrong)?;
    let variables: &Variables = around.variables;
    for (name, variable) in variables {
        if !text.contains(&format!("{{{name}}}")) {
            continue;
        }
        // If the pattern or the default is invalid, that was already reported for the base URL.
        let table = &variable.get_ref().0;
        if let Some(pattern) = &table.pattern {
            endpoint = endpoint.variable(name, pattern).map_err(wrong)?;
        }
        if let Some(default) = &table.default {
            endpoint = endpoint.variable_default(name, default).map_err(wrong)?;
        }
    }
    let checked = endpoint.check_patterns();
    checked.map_err(|error| Problem::at(url, lacks_pattern(&error)))?;
    Ok(endpoint)
}

/// Returns the text as the parameter's value. If the text is `{name}`, the value is the
/// connection's secret or variable of that name. `{name?}` isn't sent if the connection lacks it.
fn of_text(text: &Secret) -> TokenParameter {
    let name = std::str::from_utf8(text.expose()).ok();
    let name = name.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
    match name.filter(|name| !name.contains(['{', '}'])) {
        Some(name) => match name.strip_suffix('?') {
            Some(name) => TokenParameter::from_connection(name).optional(),
            None => TokenParameter::from_connection(name),
        },
        None => text.clone().into(),
    }
}
