//! The types of the generated facts. The public types are handles to them.

/// The facts of an entry.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) title: &'static str,
    pub(super) category: &'static str,
    pub(super) base_url: &'static str,
    pub(super) variables: &'static [VariableFacts],
    pub(super) has_variable_host: bool,
    pub(super) domains: &'static [&'static str],
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) auth: &'static [AlternativeFacts],
    pub(super) needs: &'static str,
    pub(super) fields: &'static [FieldFacts],
    pub(super) oauth2: Option<OAuth2Facts>,
    pub(super) verify: Option<&'static str>,
    pub(super) verify_ok: Option<&'static str>,
    pub(super) rate_limit_headers: &'static [&'static str],
    pub(super) docs: &'static str,
    pub(super) confidence: Confidence,
    pub(super) base_url_confidence: Confidence,
    pub(super) checked: &'static str,
    pub(super) sources: &'static [&'static str],
    pub(super) note: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct VariableFacts {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) pattern: &'static str,
    pub(super) default: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct FieldFacts {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) is_secret: bool,
}

#[derive(Debug)]
pub(super) struct AlternativeFacts {
    pub(super) scheme: SchemeFacts,
    /// Further fields, with the templates of their values.
    pub(super) also_headers: &'static [(&'static str, &'static str)],
    /// Further query parameters, with the templates of their values.
    pub(super) also_query: &'static [(&'static str, &'static str)],
    pub(super) has_client_certificate: bool,
}

/// A scheme with its templates.
#[derive(Clone, Copy, Debug)]
pub(super) enum SchemeFacts {
    #[expect(dead_code, reason = "no bundled entry is called without a credential")]
    None,
    /// The template of the token.
    Bearer(&'static str),
    Basic {
        username: &'static str,
        password: &'static str,
    },
    Header {
        name: &'static str,
        value: &'static str,
    },
    Query {
        name: &'static str,
        value: &'static str,
    },
    OAuth2 {
        header: &'static str,
        value: &'static str,
    },
    SigV4 {
        #[cfg_attr(
            not(feature = "sigv4"),
            expect(dead_code, reason = "only the signature needs it")
        )]
        service: &'static str,
        region: &'static str,
    },
    OAuth1 {
        #[cfg_attr(
            not(feature = "oauth1"),
            expect(dead_code, reason = "only the signature needs it")
        )]
        signature_method: &'static str,
        realm: Option<&'static str>,
    },
}

#[derive(Debug)]
pub(super) struct OAuth2Facts {
    pub(super) authorize_url: Option<&'static str>,
    pub(super) token_url: Option<&'static str>,
    pub(super) refresh_url: Option<&'static str>,
    pub(super) authorize_params: &'static [(&'static str, &'static str)],
    pub(super) token_params: &'static [(&'static str, &'static str)],
    pub(super) scope_separator: &'static str,
    pub(super) client_auth: TokenEndpointAuth,
    pub(super) is_client_credentials: bool,
    pub(super) rotation: Rotation,
    /// Error codes of the token endpoint that mean `invalid_grant`.
    pub(super) dead_errors: &'static [&'static str],
    pub(super) scopes: &'static [&'static str],
    pub(super) pkce: Pkce,
}

/// The evidence for an entry's facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// No source was found.
    Unverified,
    /// A source other than the vendor says so.
    Documented,
    /// The vendor's own page or repository was seen.
    Checked,
}

/// The behavior of refresh tokens at an integration's token endpoint (RFC 6749 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// A refresh returns a new refresh token, and the old refresh token may be invalid at once.
    Rotating,
    /// The refresh token stays valid.
    Static,
    /// There are no refresh tokens.
    None,
    /// The behavior is unknown.
    Unknown,
}

/// The support for PKCE (RFC 7636) in an integration's authorization code flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// The authorization server accepts `code_challenge`.
    Supported,
    /// The authorization server ignores or rejects `code_challenge`.
    Unsupported,
    /// The support is unknown.
    Unknown,
}

/// The authentication of a client at an integration's token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEndpointAuth {
    /// `client_secret_basic`: client id and client secret in `Authorization: Basic`.
    Basic,
    /// `client_secret_post`: client id and client secret in the body.
    Body,
}

impl Facts {
    pub(super) const EMPTY: Self = Self {
        name: "",
        aliases: &[],
        title: "",
        category: "",
        base_url: "",
        variables: &[],
        has_variable_host: false,
        domains: &[],
        headers: &[],
        auth: &[],
        needs: "",
        fields: &[],
        oauth2: None,
        verify: None,
        verify_ok: None,
        rate_limit_headers: &[],
        docs: "",
        confidence: Confidence::Unverified,
        base_url_confidence: Confidence::Unverified,
        checked: "",
        sources: &[],
        note: None,
    };
}

impl AlternativeFacts {
    pub(super) const fn new(scheme: SchemeFacts) -> Self {
        Self {
            scheme,
            also_headers: &[],
            also_query: &[],
            has_client_certificate: false,
        }
    }
}

impl OAuth2Facts {
    pub(super) const EMPTY: Self = Self {
        authorize_url: None,
        token_url: None,
        refresh_url: None,
        authorize_params: &[],
        token_params: &[],
        scope_separator: " ",
        client_auth: TokenEndpointAuth::Basic,
        is_client_credentials: false,
        rotation: Rotation::Unknown,
        dead_errors: &[],
        scopes: &[],
        pkce: Pkce::Unknown,
    };
}
