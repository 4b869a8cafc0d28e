//! The token endpoint of an integration: its URL, grant, parameters and the shape of its responses.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};

use super::answer::{Path, Shape};
use super::assertion::Assertion;
use super::encoding::Value;
use super::error::Missing;
use crate::connection::Connection;
use crate::secret::Secret;
use crate::upstream::{BaseUrlError, BaseUrlTemplate, Upstream};

/// A token endpoint (RFC 6749 §3.2): the request to it, and the way in which its response is parsed.
///
/// By default, the request is a form with the grant `refresh_token`, and the client authenticates by `Basic`.
///
/// ```
/// use tower_passthrough::oauth2::{ClientAuth, TokenEndpoint};
///
/// // Fields with other names, a public client, and errors with the status 200.
/// // https://docs.slack.dev/reference/methods/tooling.tokens.rotate
/// let slack = TokenEndpoint::new("https://slack.com/api/tooling.tokens.rotate")?
///     .client_auth(ClientAuth::None)
///     .access_token_at("token")
///     .expiry_at("exp")
///     .revoked_errors(["invalid_refresh_token"]);
///
/// // A host per customer, and a body of JSON.
/// let zendesk = TokenEndpoint::new("https://{subdomain}.zendesk.com/oauth/tokens")?
///     .variable("subdomain", "[a-z0-9-]+")?
///     .json();
/// # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenEndpoint {
    pub(super) upstream: Upstream<BaseUrlTemplate>,
    pub(super) grant: GrantType,
    client_auth: Option<ClientAuth>,
    client_id: Option<Box<str>>,
    client_secret: Option<Secret>,
    pub(super) scope: Option<Box<str>>,
    pub(super) parameters: Vec<(Box<str>, TokenParameter)>,
    pub(super) is_json: bool,
    pub(super) shape: Shape,
}

impl TokenEndpoint {
    /// Returns the endpoint at `url`. Host and path may contain `{variables}` of the connection; a query is sent unchanged.
    ///
    /// # Errors
    ///
    /// The same errors as [`Upstream::template`], except that a query is accepted: RFC 6749 §3.2 allows a query, but no fragment.
    pub fn new(url: &str) -> Result<Self, BaseUrlError> {
        let (base, query) = match url.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (url, None),
        };
        let mut upstream = Upstream::template(base)?;
        if let Some(query) = query {
            // Queries aren't expanded, so a brace in a query is a mistake. An empty query is a mistake as well.
            let is_template = query.contains(['{', '}']);
            upstream = upstream.query(if is_template { "" } else { query })?;
        }
        Ok(Self {
            upstream,
            grant: GrantType::default(),
            client_auth: None,
            client_id: None,
            client_secret: None,
            scope: None,
            parameters: Vec::new(),
            is_json: false,
            shape: Shape::default(),
        })
    }

    /// Sets the pattern that the whole value of a variable must match, as [`Upstream::variable`](crate::Upstream::variable) does. Default:
    /// letters, digits and hyphens. A variable in the part of the host that anybody can register has no default: see
    /// [`check_patterns`](Self::check_patterns).
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the pattern isn't a valid regular expression, or the URL has no such variable.
    pub fn variable(mut self, name: &str, pattern: &str) -> Result<Self, BaseUrlError> {
        self.upstream = self.upstream.variable(name, pattern)?;
        Ok(self)
    }

    /// Sets the value of a variable for connections that don't have the variable. Default: none, so no tokens can be fetched for such a
    /// connection.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the value doesn't match the pattern, or the URL has no such variable.
    pub fn variable_default(mut self, name: &str, value: &str) -> Result<Self, BaseUrlError> {
        self.upstream = self.upstream.variable_default(name, value)?;
        Ok(self)
    }

    /// Returns `Ok` if each variable that needs a pattern has a pattern, as
    /// [`Upstream::check_patterns`](crate::Upstream::check_patterns) does. Without the pattern, no tokens are fetched.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] with the name of the variable.
    pub fn check_patterns(&self) -> Result<(), BaseUrlError> {
        self.upstream.check_patterns()
    }

    /// Sets the grant. Default: the refresh token.
    pub fn grant(mut self, grant: GrantType) -> Self {
        self.grant = grant;
        self
    }

    /// Sets the authentication of the client. Default: `Basic`, or none with [`GrantType::JwtBearer`], because its
    /// assertion is already signed.
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.client_auth = Some(auth);
        self
    }

    /// Sets the client id. A connection's secret `client_id` takes precedence, for customers with their own client. Default: none.
    pub fn client_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client secret. A connection's secret `client_secret` takes precedence. Default: none.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the scopes to request (RFC 6749 §3.3), which are sent separated by spaces.
    ///
    /// For an endpoint that expects commas, set a [`parameter`](Self::parameter) `scope` instead.
    ///
    /// Default: no scopes are requested.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut scope = String::new();
        for name in scopes {
            if !scope.is_empty() {
                scope.push(' ');
            }
            scope.push_str(name.as_ref());
        }
        self.scope = (!scope.is_empty()).then(|| scope.into());
        self
    }

    /// Adds a parameter, such as `audience`. It replaces the parameter that is otherwise sent with that name, including `grant_type`.
    /// Default: none.
    pub fn parameter(
        mut self,
        name: impl Into<Box<str>>,
        value: impl Into<TokenParameter>,
    ) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a header field, such as `Notion-Version`.
    ///
    /// Fields that frame or route a message aren't sent. `Authorization` is replaced if the client authenticates by `Basic`.
    ///
    /// Default: none.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.upstream = self.upstream.header(name, value);
        self
    }

    /// Sends the parameters as a JSON object instead of a form, as Notion requires
    /// (<https://developers.notion.com/reference/refresh-a-token>). Default: a form.
    pub fn json(mut self) -> Self {
        self.is_json = true;
        self
    }

    /// Sets the path of the access token in the response.
    ///
    /// For nested objects, the path contains names separated by dots, as in `authed_user.access_token`.
    ///
    /// Default: `access_token`.
    pub fn access_token_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.access_token = Path::new(path);
        self
    }

    /// Sets the path of the refresh token. Default: `refresh_token`, in the object of the access token.
    pub fn refresh_token_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.refresh_token = Some(Path::new(path));
        self
    }

    /// Sets the path of the access token's lifetime in seconds. A lifetime of 0 is unknown. Default: `expires_in_sec` or `expires_in`, in the
    /// object of the access token.
    pub fn lifetime_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.lifetime = Some(Path::new(path));
        self
    }

    /// Sets the path of the time at which the access token expires, for endpoints that return no lifetime.
    ///
    /// The time is a number of Unix seconds or milliseconds, or a timestamp of RFC 3339.
    ///
    /// Default: `expires_at` or `expires_on`, in the object of the access token.
    pub fn expiry_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.expiry = Some(Path::new(path));
        self
    }

    /// Sets the lifetime of access tokens for which the response contains none. Set it for an upstream that doesn't reject a token by a
    /// status, such as Slack, which responds with 200 and `"error":"invalid_auth"`: the body of a response isn't read. Default: none; the
    /// tokens are used until the upstream [rejects](crate::Upstream::refresh_on) them.
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.shape.default_lifetime = Some(lifetime);
        self
    }

    /// Stores another field of the response, a string, as a secret. The secret's name is the last name of the path. Default: no other field
    /// is stored.
    pub fn keep(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.kept.push(Path::new(path));
        self
    }

    /// Adds error codes of this endpoint that mean `invalid_grant`: the grant is revoked, and the connection's owner must
    /// authorize the connection again.
    ///
    /// GitHub's error code is `bad_refresh_token`
    /// (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>).
    ///
    /// The codes are compared with the whole value of the members in which vendors return codes: `error`, `code`, `status`, `errorType`,
    /// `message` and similar members, also in nested objects and arrays. They have no effect for a grant without a refresh token, which
    /// can't be revoked.
    ///
    /// Default: only `invalid_grant`.
    pub fn revoked_errors<S: Into<Box<str>>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.shape
            .revoked_errors
            .extend(words.into_iter().map(Into::into));
        self
    }

    /// Adds errors with which this endpoint refuses a refresh token that stays valid, although it returns `invalid_grant`: the refresh
    /// is tried again after a pause.
    ///
    /// A text is compared with the whole value of an error code, and is searched, regardless of case, in the description of the error
    /// (`error_description`, `message` and similar members).
    ///
    /// Default: "already being processed" and "ip restricted" (Salesforce), "rate limit", "try again later" and similar texts.
    pub fn passing_errors<S: Into<Box<str>>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        self.shape
            .passing_errors
            .extend(texts.into_iter().map(Into::into));
        self
    }

    /// Returns `true` if the connection has what the grant needs.
    pub(super) fn supports(&self, connection: &Connection) -> bool {
        let mut parameters = self.parameters.iter();
        let has_parameters = parameters.all(|(_, value)| value.find(connection).is_ok());
        has_parameters
            && match &self.grant {
                GrantType::RefreshToken => connection.credential().get("refresh_token").is_some(),
                GrantType::ClientCredentials => self.can_authenticate(connection),
                GrantType::JwtBearer(assertion) => assertion.supports(connection),
            }
    }

    /// Returns `true` if the client can authenticate for the connection.
    pub(super) fn can_authenticate(&self, connection: &Connection) -> bool {
        let has_id = self.id(connection).is_some();
        match self.authentication() {
            ClientAuth::Basic | ClientAuth::BasicRaw | ClientAuth::Body => {
                has_id && self.secret(connection).is_some()
            }
            ClientAuth::PrivateKeyJwt(assertion) => has_id && assertion.supports(connection),
            ClientAuth::None => true,
        }
    }

    pub(super) fn authentication(&self) -> &ClientAuth {
        match (&self.client_auth, &self.grant) {
            (Some(auth), _) => auth,
            (None, GrantType::JwtBearer(_)) => &ClientAuth::None,
            (None, GrantType::RefreshToken | GrantType::ClientCredentials) => &ClientAuth::Basic,
        }
    }

    /// Returns the client id for the connection.
    pub(super) fn id<'a>(&'a self, connection: &'a Connection) -> Option<Value<'a>> {
        let own = connection.credential().get("client_id").map(Value::Secret);
        own.or_else(|| self.client_id.as_deref().map(Value::Text))
    }

    /// Returns the client secret for the connection.
    ///
    /// The host's secret is only ever sent together with the host's id.
    pub(super) fn secret<'a>(&'a self, connection: &'a Connection) -> Option<Value<'a>> {
        let credential = connection.credential();
        let hosts = self.client_secret.as_ref();
        let hosts = hosts.filter(|_| credential.get("client_id").is_none());
        credential.get("client_secret").or(hosts).map(Value::Secret)
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("upstream", &self.upstream)
            .field("grant", &self.grant)
            .field("client_auth", self.authentication())
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// The grant that is exchanged for an access token (RFC 6749 §1.3).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum GrantType {
    /// The connection's secret `refresh_token` (RFC 6749 §6), for endpoints that rotate it and endpoints that don't.
    #[default]
    RefreshToken,
    /// The client's own credentials (RFC 6749 §4.4). There is no refresh token.
    ClientCredentials,
    /// A signed JWT (RFC 7523 §2.1), as for Google's service accounts. There is no refresh token.
    ///
    /// If the clocks of the endpoint and the host differ by more than half of the assertion's lifetime, or by more than a minute, the
    /// endpoint may reject a valid assertion with `invalid_grant`. The request is then tried again later.
    JwtBearer(Assertion),
}

impl GrantType {
    /// Returns the value of the parameter `grant_type`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// Returns `true` if a refusal can mean that only the owner of the connection can help: the grant has a refresh token. The other
    /// grants can always be requested again.
    pub(super) const fn can_be_revoked(&self) -> bool {
        matches!(self, Self::RefreshToken)
    }
}

/// The authentication of a client at a token endpoint (RFC 6749 §2.3).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: id and secret in `Authorization: Basic` (RFC 6749 §2.3.1), each form-encoded first.
    Basic,
    /// `client_secret_basic` without the form encoding: id and secret in `Authorization: Basic` as they are (RFC 7617), for endpoints that
    /// don't decode them. The id can't contain a colon.
    BasicRaw,
    /// `client_secret_post`: id and secret as parameters of the body (RFC 6749 §2.3.1).
    Body,
    /// `private_key_jwt`: a JWT that the client has signed (RFC 7523 §2.2).
    PrivateKeyJwt(Assertion),
    /// No authentication: a public client, which sends only its client id, if it has a client id.
    None,
}

/// The value of a parameter or a claim: a text, a number, a secret of the host application, or a secret or variable of the connection.
///
/// ```
/// use tower_passthrough::oauth2::{GrantType, TokenEndpoint, TokenParameter};
///
/// // A grant that only Zoom has, and an account per connection.
/// // https://developers.zoom.us/docs/internal-apps/s2s-oauth/
/// let zoom = TokenEndpoint::new("https://zoom.us/oauth/token")?
///     .grant(GrantType::ClientCredentials)
///     .parameter("grant_type", "account_credentials")
///     .parameter("account_id", TokenParameter::from_connection("account_id"));
/// # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
/// ```
#[derive(Clone)]
pub struct TokenParameter {
    source: Source,
    is_optional: bool,
}

#[derive(Clone)]
enum Source {
    Text(Box<str>),
    Number(u64),
    Secret(Secret),
    Connection(Box<str>),
}

impl TokenParameter {
    /// Returns the value of the connection's secret with that name or, if there is none, of its variable with that name.
    #[must_use]
    pub fn from_connection(name: impl Into<Box<str>>) -> Self {
        Self::new(Source::Connection(name.into()))
    }

    /// Omits the parameter if the connection has no such secret or variable. Default: the parameter is required.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            is_optional: false,
        }
    }

    /// Returns the value for the connection, or `None` if it's left out.
    pub(super) fn find<'a>(
        &'a self,
        connection: &'a Connection,
    ) -> Result<Option<Value<'a>>, Missing> {
        match &self.source {
            Source::Text(text) => Ok(Some(Value::Text(text))),
            Source::Number(number) => Ok(Some(Value::Number(*number))),
            Source::Secret(secret) => Ok(Some(Value::Secret(secret))),
            Source::Connection(name) => {
                let secret = connection.credential().get(name).map(Value::Secret);
                let variable = || connection.variables().get(name).map(Value::Text);
                match secret.or_else(variable) {
                    None if !self.is_optional => Err(Missing(name.clone())),
                    found => Ok(found),
                }
            }
        }
    }
}

impl From<&str> for TokenParameter {
    fn from(text: &str) -> Self {
        Self::new(Source::Text(text.into()))
    }
}

impl From<String> for TokenParameter {
    fn from(text: String) -> Self {
        Self::new(Source::Text(text.into()))
    }
}

/// In a JSON body and in a JWT, the value is a number. In a form, it's the number's digits.
impl From<u64> for TokenParameter {
    fn from(number: u64) -> Self {
        Self::new(Source::Number(number))
    }
}

impl From<Secret> for TokenParameter {
    fn from(secret: Secret) -> Self {
        Self::new(Source::Secret(secret))
    }
}

// Implemented by hand, because the host application may have written a secret in place of a text.
impl fmt::Debug for TokenParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Text(_) => f.write_str("Text"),
            Source::Number(_) => f.write_str("Number"),
            Source::Secret(_) => f.write_str("Secret"),
            Source::Connection(name) => write!(f, "Of({name:?})"),
        }
    }
}
