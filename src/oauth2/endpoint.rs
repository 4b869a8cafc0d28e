//! A vendor's token endpoint as an integration describes it.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};

use super::answer::{Path, Shape};
use super::client_auth::ClientAuth;
use super::encoding::Value;
use super::grant::GrantType;
use super::parameter::TokenParameter;
use crate::connection::Connection;
use crate::secret::Secret;
use crate::upstream::{BaseUrlError, BaseUrlTemplate, Upstream};

/// How a vendor's token endpoint is asked (RFC 6749 §3.2), and how its answer is read.
///
/// Unless it's told otherwise it's asked by the grant `refresh_token`, with a form, and the client
/// authenticates by `Basic`.
///
/// ```
/// use tower_passthrough::oauth2::{ClientAuth, TokenEndpoint};
///
/// // Fields of other names, a public client, and refusals with the status 200.
/// // https://docs.slack.dev/reference/methods/tooling.tokens.rotate
/// let slack = TokenEndpoint::new("https://slack.com/api/tooling.tokens.rotate")?
///     .client_auth(ClientAuth::None)
///     .access_token_at("token")
///     .expiry_at("exp")
///     .dead_errors(["invalid_refresh_token"]);
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
    /// The endpoint at that URL. Host and path may hold `{variables}` of the connection; a query is
    /// sent as it stands.
    ///
    /// # Errors
    ///
    /// As [`Upstream::template`], save that a query is taken: RFC 6749 §3.2 allows one, and no
    /// fragment.
    pub fn new(url: &str) -> Result<Self, BaseUrlError> {
        let (base, query) = match url.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (url, None),
        };
        let mut upstream = Upstream::template(base)?;
        if let Some(query) = query {
            // Nothing is expanded in a query, so a brace in it is a mistake, as an empty one is.
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

    /// Sets the pattern that the whole value of a variable must match, as
    /// [`Upstream::variable`](crate::Upstream::variable) does.
    ///
    /// # Errors
    ///
    /// If the pattern is no regular expression, or the URL has no such variable.
    pub fn variable(mut self, name: &str, pattern: &str) -> Result<Self, BaseUrlError> {
        self.upstream = self.upstream.variable(name, pattern)?;
        Ok(self)
    }

    /// Sets the value of a variable that a connection leaves out.
    ///
    /// # Errors
    ///
    /// If the value doesn't match the pattern, or the URL has no such variable.
    pub fn variable_default(mut self, name: &str, value: &str) -> Result<Self, BaseUrlError> {
        self.upstream = self.upstream.variable_default(name, value)?;
        Ok(self)
    }

    /// Sets the grant. By default it's the refresh token.
    pub fn grant(mut self, grant: GrantType) -> Self {
        self.grant = grant;
        self
    }

    /// Sets how the client authenticates. By default by `Basic`; with [`GrantType::JwtBearer`], whose
    /// assertion is authentic by itself, not at all.
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.client_auth = Some(auth);
        self
    }

    /// Sets the client id. A connection's secret `client_id` wins, for customers who bring a client
    /// of their own.
    pub fn client_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client secret. A connection's secret `client_secret` wins.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the scopes to ask for (RFC 6749 §3.3), which are sent with blanks between them. A vendor
    /// that wants commas gets a [`parameter`](Self::parameter) `scope`.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut scope = String::new();
        for one in scopes {
            if !scope.is_empty() {
                scope.push(' ');
            }
            scope.push_str(one.as_ref());
        }
        self.scope = (!scope.is_empty()).then(|| scope.into());
        self
    }

    /// Adds a parameter, such as `audience`. It wins over what is sent by that name otherwise,
    /// `grant_type` too.
    pub fn parameter(
        mut self,
        name: impl Into<Box<str>>,
        value: impl Into<TokenParameter>,
    ) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a header field, such as `Notion-Version`. One that frames or routes a message isn't
    /// sent; `Authorization` is the client's, if it authenticates by `Basic`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.upstream = self.upstream.header(name, value);
        self
    }

    /// Sends the parameters as a JSON object, in place of a form. Notion wants that
    /// (<https://developers.notion.com/reference/refresh-a-token>).
    pub fn json(mut self) -> Self {
        self.is_json = true;
        self
    }

    /// Sets where in the answer the access token is: names with dots between them, for objects in
    /// objects, as in `authed_user.access_token`. By default `access_token`.
    pub fn access_token_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.access_token = Path::new(path);
        self
    }

    /// Sets where the refresh token is. By default `refresh_token`, beside the access token.
    pub fn refresh_token_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.refresh_token = Some(Path::new(path));
        self
    }

    /// Sets where the access token's lifetime in seconds is. By default `expires_in`, beside the
    /// access token.
    pub fn lifetime_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.lifetime = Some(Path::new(path));
        self
    }

    /// Sets where the time is at which the access token ends, for vendors that tell no lifetime:
    /// Unix seconds, milliseconds, or a date of RFC 3339. By default `expires_at` or `expires_on`,
    /// beside the access token.
    pub fn expiry_at(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.expiry = Some(Path::new(path));
        self
    }

    /// Sets the lifetime of access tokens of which the answer tells none. Without it they're used
    /// until the vendor answers 401.
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.shape.default_lifetime = Some(lifetime);
        self
    }

    /// Keeps another field of the answer, a string, as a secret of its last name.
    pub fn keep(mut self, path: impl Into<Box<str>>) -> Self {
        self.shape.kept.push(Path::new(path));
        self
    }

    /// Adds the vendor's own words for `invalid_grant`, after which only the connection's owner can
    /// help. GitHub's is `bad_refresh_token`
    /// (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>).
    pub fn dead_errors<S: Into<Box<str>>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.shape.dead.extend(words.into_iter().map(Into::into));
        self
    }

    /// Whether the connection has what the grant needs.
    pub(super) fn serves(&self, connection: &Connection) -> bool {
        let mut parameters = self.parameters.iter();
        let has_parameters = parameters.all(|(_, value)| value.find(connection).is_ok());
        has_parameters
            && match &self.grant {
                GrantType::RefreshToken => connection.credential().get("refresh_token").is_some(),
                GrantType::ClientCredentials => self.authenticates(connection),
                GrantType::JwtBearer(assertion) => assertion.fits(connection),
            }
    }

    /// Whether the client can authenticate for that connection.
    fn authenticates(&self, connection: &Connection) -> bool {
        let has_id = self.id(connection).is_some();
        match self.authentication() {
            ClientAuth::Basic | ClientAuth::Body => has_id && self.secret(connection).is_some(),
            ClientAuth::PrivateKeyJwt(assertion) => has_id && assertion.fits(connection),
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

    /// The client id for that connection.
    pub(super) fn id<'a>(&'a self, connection: &'a Connection) -> Option<Value<'a>> {
        let own = connection.credential().get("client_id").map(Value::Secret);
        own.or_else(|| self.client_id.as_deref().map(Value::Text))
    }

    /// The client secret for that connection.
    ///
    /// The host's own goes along with the host's own id alone.
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
