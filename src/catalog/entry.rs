//! The entries of the catalog.

use std::fmt;

use http::{HeaderName, HeaderValue};

use super::facts::{
    AlternativeFacts, Confidence, Facts, FieldFacts, OAuth2Facts, Pkce, Rotation, SchemeFacts,
    TokenEndpointAuth, VariableFacts,
};
use super::scheme::{CatalogAuth, secrets_of};
use super::{CatalogError, Missing};
use crate::connection::Connection;
#[cfg(feature = "oauth2")]
use crate::oauth2::{ClientAuth, GrantType, TokenEndpoint};
use crate::policy::DomainPolicy;
use crate::upstream::{BaseUrlError, BaseUrlTemplate, Upstream};

/// The facts about an integration. An entry is a reference to static data.
#[derive(Clone, Copy)]
pub struct Entry(&'static Facts);

impl Entry {
    pub(super) fn new(facts: &'static Facts) -> Self {
        Self(facts)
    }

    pub(super) fn facts(self) -> &'static Facts {
        self.0
    }

    /// Returns the name, by which connections refer to the entry: lowercase letters, digits and hyphens.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the former names, which stay valid.
    #[must_use]
    pub fn aliases(self) -> &'static [&'static str] {
        self.0.aliases
    }

    /// Returns the vendor's name for the product.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Returns the group of similar products, such as `crm`.
    #[must_use]
    pub fn category(self) -> &'static str {
        self.0.category
    }

    /// Returns the base URL, which may contain `{variables}` of the connection.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        self.0.base_url
    }

    /// Returns the variables that the base URL, the other hosts, the URLs of OAuth 2.0 and the templates of credentials use.
    pub fn variables(self) -> impl ExactSizeIterator<Item = Variable> + use<> {
        self.0.variables.iter().map(Variable)
    }

    /// Returns `true` if a variable decides the registrable domain of the base URL, so that any public host is possible. Only the owner of a
    /// connection may choose such a value.
    #[must_use]
    pub fn has_variable_host(self) -> bool {
        self.0.has_variable_host
    }

    /// Returns the further hosts that `__domain` may name, with `{variables}`.
    #[must_use]
    pub fn domains(self) -> &'static [&'static str] {
        self.0.domains
    }

    /// Returns the default fields, as names and values.
    #[must_use]
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        self.0.headers
    }

    /// Returns the ways in which the vendor accepts credentials, in the order of preference.
    pub fn auth(self) -> impl ExactSizeIterator<Item = Alternative> + use<> {
        let entry = self;
        let alternatives = self.0.auth.iter();
        alternatives.map(move |facts| Alternative { entry, facts })
    }

    /// Returns the values that a person enters for a credential other than an access token of OAuth 2.0.
    pub fn fields(self) -> impl ExactSizeIterator<Item = Field> + use<> {
        self.0.fields.iter().map(Field)
    }

    /// Returns the facts about OAuth 2.0, if the vendor supports it and its URLs are known.
    #[must_use]
    pub fn oauth2(self) -> Option<OAuth2> {
        self.0.oauth2.as_ref().map(OAuth2)
    }

    /// Returns the path, relative to the base URL, at which a GET shows whether a credential is valid: the response is 401 or 403 if it
    /// isn't, or the answer lacks the value [`verify_ok`](Self::verify_ok). The path may have a query, and `{variables}`.
    #[must_use]
    pub fn verify(self) -> Option<&'static str> {
        self.0.verify
    }

    /// Returns the path of a value in the JSON answer of [`verify`](Self::verify), as names separated by dots, such as `ok` or `user.id`. The
    /// answer to a valid credential contains the value, which is neither null nor false.
    ///
    /// `None` if the status shows whether the credential is valid. Some vendors answer a wrong credential with 200.
    #[must_use]
    pub fn verify_ok(self) -> Option<&'static str> {
        self.0.verify_ok
    }

    /// Returns the names of the fields in which the vendor reports its rate limits.
    #[must_use]
    pub fn rate_limit_headers(self) -> &'static [&'static str] {
        self.0.rate_limit_headers
    }

    /// Returns the URL of the vendor's documentation.
    #[must_use]
    pub fn docs(self) -> &'static str {
        self.0.docs
    }

    /// Returns the evidence for the authentication, and for the facts that have no confidence of their own.
    #[must_use]
    pub fn confidence(self) -> Confidence {
        self.0.confidence
    }

    /// Returns the evidence for the base URL.
    #[must_use]
    pub fn base_url_confidence(self) -> Confidence {
        self.0.base_url_confidence
    }

    /// Returns the date on which the facts were last compared with their sources, as `2026-11-29`.
    #[must_use]
    pub fn checked(self) -> &'static str {
        self.0.checked
    }

    /// Returns the pages and files that the facts are from.
    #[must_use]
    pub fn sources(self) -> &'static [&'static str] {
        self.0.sources
    }

    /// Returns what a user of the API must know, such as dates at which the API changes.
    #[must_use]
    pub fn note(self) -> Option<&'static str> {
        self.0.note
    }

    /// Returns the upstream: base URL, variables, allowed domains, default fields, and a scheme that chooses the first
    /// [`Alternative`] for which the connection has all secrets. An alternative with more secrets takes precedence.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] if the entry isn't valid. The bundled entries are tested, so this is a mistake in this crate.
    pub fn upstream(self) -> Result<Upstream<BaseUrlTemplate>, CatalogError> {
        let facts = self.0;
        let failed = |source: BaseUrlError| CatalogError::new(facts.name, source);
        let mut upstream = Upstream::template(facts.base_url).map_err(failed)?;
        let mut domains = DomainPolicy::none();
        for domain in facts.domains {
            if domain.contains('{') {
                upstream = upstream.domain_template(domain).map_err(failed)?;
            } else {
                let allowed = domains.allow(domain);
                domains = allowed.map_err(|error| CatalogError::new(facts.name, error))?;
            }
        }
        for variable in facts.variables {
            let in_domains = || {
                facts
                    .domains
                    .iter()
                    .any(|domain| has_name(domain, variable))
            };
            if !has_name(facts.base_url, variable) && !in_domains() {
                continue;
            }
            let declared = upstream.variable(variable.name, variable.pattern);
            upstream = declared.map_err(failed)?;
            if let Some(default) = variable.default {
                let set = upstream.variable_default(variable.name, default);
                upstream = set.map_err(failed)?;
            }
        }
        for (name, value) in facts.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|error| CatalogError::new(facts.name, error))?;
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|error| CatalogError::new(facts.name, error))?;
            upstream = upstream.header(name, value);
        }
        let scheme = CatalogAuth::new(self);
        let scheme = scheme.map_err(|error| CatalogError::new(facts.name, error))?;
        Ok(upstream.domains(domains).auth(scheme))
    }

    /// Returns the token endpoint, for refreshes or, if it's the usual grant, for the client credentials.
    ///
    /// Client id and client secret are the connection's secrets `client_id` and `client_secret`, unless you set them. `None` if the entry has
    /// no token endpoint.
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    #[must_use]
    pub fn token_endpoint(self) -> Option<TokenEndpoint> {
        // The bundled entries are tested.
        self.build_token_endpoint()?.ok()
    }

    #[cfg(feature = "oauth2")]
    pub(super) fn build_token_endpoint(self) -> Option<Result<TokenEndpoint, BaseUrlError>> {
        let oauth2 = self.0.oauth2.as_ref()?;
        let url = oauth2.refresh_url.or(oauth2.token_url)?;
        Some(self.token_endpoint_at(url, oauth2))
    }

    #[cfg(feature = "oauth2")]
    fn token_endpoint_at(
        self,
        url: &str,
        oauth2: &'static OAuth2Facts,
    ) -> Result<TokenEndpoint, BaseUrlError> {
        let mut endpoint = TokenEndpoint::new(url)?.client_auth(match oauth2.client_auth {
            TokenEndpointAuth::Basic => ClientAuth::Basic,
            TokenEndpointAuth::Body => ClientAuth::Body,
        });
        for variable in self.0.variables {
            if has_name(url, variable) {
                endpoint = endpoint.variable(variable.name, variable.pattern)?;
                if let Some(default) = variable.default {
                    endpoint = endpoint.variable_default(variable.name, default)?;
                }
            }
        }
        if oauth2.is_client_credentials {
            endpoint = endpoint.grant(GrantType::ClientCredentials);
            if !oauth2.scopes.is_empty() {
                endpoint = endpoint.parameter("scope", oauth2.scopes.join(oauth2.scope_separator));
            }
        }
        for (name, value) in oauth2.token_params {
            endpoint = endpoint.parameter(*name, *value);
        }
        Ok(endpoint.revoked_errors(oauth2.dead_errors.iter().copied()))
    }

    /// Returns the secrets and variables that the connection lacks, or `None` if it has what a call needs.
    ///
    /// A connection without an access token lacks nothing if its access token can be fetched: it has a `refresh_token`, or the
    /// `client_id` and `client_secret` of the client credentials.
    #[must_use]
    pub fn missing(self, connection: &Connection) -> Option<Missing> {
        super::scheme::missing(self, connection)
    }
}

/// Returns `true` if the template contains the variable.
pub(super) fn has_name(template: &str, variable: &VariableFacts) -> bool {
    let mut rest = template;
    while let Some((_, opened)) = rest.split_once('{') {
        let (name, after) = opened.split_once('}').unwrap_or((opened, ""));
        if name == variable.name {
            return true;
        }
        rest = after;
    }
    false
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.0.name)
            .field("base_url", &self.0.base_url)
            .field("checked", &self.0.checked)
            .finish_non_exhaustive()
    }
}

/// A variable of a connection, which completes URLs and templates.
#[derive(Clone, Copy, Debug)]
pub struct Variable(&'static VariableFacts);

impl Variable {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the description, and where its value can be found.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.0.description
    }

    /// Returns the pattern that the whole value must match.
    #[must_use]
    pub fn pattern(self) -> &'static str {
        self.0.pattern
    }

    /// Returns the value for connections that don't have the variable.
    #[must_use]
    pub fn default(self) -> Option<&'static str> {
        self.0.default
    }
}

/// A value that a person enters.
#[derive(Clone, Copy, Debug)]
pub struct Field(&'static FieldFacts);

impl Field {
    /// Returns the name: of a secret, or of a variable if the entry has a variable of that name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the title, as the vendor calls the value.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Returns `true` if the value must not be shown. A value that may be shown can be a secret or a variable of the connection.
    #[must_use]
    pub fn is_secret(self) -> bool {
        self.0.is_secret
    }
}

/// A way in which a vendor accepts credentials.
#[derive(Clone, Copy)]
pub struct Alternative {
    entry: Entry,
    facts: &'static AlternativeFacts,
}

impl Alternative {
    /// Returns the kind of the scheme.
    #[must_use]
    pub fn kind(self) -> AuthKind {
        match self.facts.scheme {
            SchemeFacts::None => AuthKind::None,
            SchemeFacts::Bearer(_) => AuthKind::Bearer,
            SchemeFacts::Basic { .. } => AuthKind::Basic,
            SchemeFacts::Header { .. } => AuthKind::Header,
            SchemeFacts::Query { .. } => AuthKind::Query,
            SchemeFacts::OAuth2 { .. } => AuthKind::OAuth2,
            SchemeFacts::SigV4 { .. } => AuthKind::SigV4,
            SchemeFacts::OAuth1 { .. } => AuthKind::OAuth1,
        }
    }

    /// Returns the names of the secrets that the alternative needs. The value of a public [`Field`] may be a variable of the connection
    /// instead. Names of [`Entry::variables`] aren't listed.
    #[must_use]
    pub fn secrets(self) -> Vec<&'static str> {
        secrets_of(self.entry.facts(), self.facts)
    }

    /// Returns `true` if a client certificate is sent as well, with the secrets `certificate` and `private_key`.
    #[must_use]
    pub fn has_client_certificate(self) -> bool {
        self.facts.has_client_certificate
    }
}

impl fmt::Debug for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alternative")
            .field("kind", &self.kind())
            .field("secrets", &self.secrets())
            .finish()
    }
}

/// The kind of an [`Alternative`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthKind {
    /// No credential.
    None,
    /// A key as `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// User and password as `Authorization: Basic` (RFC 7617).
    Basic,
    /// A key in a field.
    Header,
    /// A key in the query.
    Query,
    /// An access token of OAuth 2.0 (RFC 6749).
    OAuth2,
    /// A signature of AWS (Signature Version 4), with the feature `sigv4`.
    SigV4,
    /// A signature of OAuth 1.0a (RFC 5849), with the feature `oauth1`.
    OAuth1,
}

impl AuthKind {
    /// Returns the name, as in `bearer`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Header => "header",
            Self::Query => "query",
            Self::OAuth2 => "oauth2",
            Self::SigV4 => "sigv4",
            Self::OAuth1 => "oauth1",
        }
    }
}

/// The facts about an integration's OAuth 2.0 (RFC 6749).
#[derive(Clone, Copy, Debug)]
pub struct OAuth2(&'static OAuth2Facts);

impl OAuth2 {
    /// Returns the authorization endpoint (RFC 6749 §3.1), which may contain `{variables}`.
    #[must_use]
    pub fn authorize_url(self) -> Option<&'static str> {
        self.0.authorize_url
    }

    /// Returns the token endpoint (RFC 6749 §3.2), which may contain `{variables}`.
    #[must_use]
    pub fn token_url(self) -> Option<&'static str> {
        self.0.token_url
    }

    /// Returns the endpoint for refreshes: the token endpoint, unless the vendor has another.
    #[must_use]
    pub fn refresh_url(self) -> Option<&'static str> {
        self.0.refresh_url.or(self.0.token_url)
    }

    /// Returns further parameters of the authorization request, as names and values.
    #[must_use]
    pub fn authorize_params(self) -> &'static [(&'static str, &'static str)] {
        self.0.authorize_params
    }

    /// Returns further parameters of each token request, as names and values.
    #[must_use]
    pub fn token_params(self) -> &'static [(&'static str, &'static str)] {
        self.0.token_params
    }

    /// Returns the text between scopes. Default: a space (RFC 6749 §3.3).
    #[must_use]
    pub fn scope_separator(self) -> &'static str {
        self.0.scope_separator
    }

    /// Returns the scopes of a small useful default, which may contain `{variables}`. If it's empty, no scopes need to be requested, or the
    /// scopes are unknown.
    #[must_use]
    pub fn scopes(self) -> &'static [&'static str] {
        self.0.scopes
    }

    /// Returns the authentication of the client at the token endpoint.
    #[must_use]
    pub fn client_auth(self) -> TokenEndpointAuth {
        self.0.client_auth
    }

    /// Returns `true` if the usual grant is the client credentials (RFC 6749 §4.4). Otherwise it's the authorization code.
    #[must_use]
    pub fn is_client_credentials(self) -> bool {
        self.0.is_client_credentials
    }

    /// Returns the error codes of the token endpoint that mean `invalid_grant`, as in
    /// [`TokenEndpoint::revoked_errors`](crate::oauth2::TokenEndpoint::revoked_errors).
    #[must_use]
    pub fn revoked_errors(self) -> &'static [&'static str] {
        self.0.dead_errors
    }

    /// Returns the behavior of refresh tokens.
    #[must_use]
    pub fn rotation(self) -> Rotation {
        self.0.rotation
    }

    /// Returns the support for PKCE.
    #[must_use]
    pub fn pkce(self) -> Pkce {
        self.0.pkce
    }
}
