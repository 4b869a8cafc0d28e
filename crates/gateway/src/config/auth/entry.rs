//! The authentication of an entry of the bundled catalog, whose alternatives the secrets of a connection choose.

use std::ops::Range;
use std::sync::Arc;

use http::request::Parts;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements,
};
use tower_passthrough::catalog::{Entry, OAuth2};
use tower_passthrough::store::{Credential, Variables};
use tower_passthrough::upstream::BaseUrlTemplate;
use tower_passthrough::{Connection, Secret, Upstream};

use super::super::problem::{Problem, Problems};
use super::{Authentication, Needs, Surroundings, Tokens, may_rotate, oauth2};

/// Returns the authentication of an entry that an integration extends. `client` is the `auth` of the host's own client of
/// OAuth 2.0. Without `has_endpoint`, the entry's token endpoint isn't used. Returns `None` if there is a problem.
pub(in super::super) fn read(
    entry: Entry,
    client: Option<&Spanned<DeValue<'_>>>,
    has_endpoint: bool,
    around: Surroundings<'_>,
    at: &Range<usize>,
    problems: &mut Problems,
) -> Option<Authentication> {
    let upstream = entry.upstream().map_err(|error| {
        let what = match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Problem::at(&Spanned::new(at.clone(), ()), what)
    });
    let tokens = match client {
        Some(client) => {
            let tokens = problems.ok(oauth2::read(client, around))?.tokens;
            tokens.map(|mut tokens| {
                tokens.may_rotate &= may_rotate(entry);
                // The client is the host's, and the vendor's codes are those of the entry.
                let codes = entry.oauth2().map(OAuth2::revoked_errors);
                let codes = codes.unwrap_or_default().iter().copied();
                tokens.endpoint = tokens.endpoint.revoked_errors(codes);
                tokens
            })
        }
        None if has_endpoint => Tokens::of_entry(entry),
        None => None,
    };
    let is_sent = entry.auth().any(|auth| auth.secrets().contains(&CLIENT_ID));
    let client = match client.filter(|_| is_sent) {
        Some(client) => problems.ok(oauth2::client(client, around))?,
        None => None,
    };
    Some(Authentication {
        scheme: Arc::new(Alternatives {
            upstream: problems.ok(upstream)?,
            client: client.map(|(id, secret)| HostClient { id, secret }),
        }),
        needs: Needs::default(),
        tokens,
    })
}

const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";

/// Returns `true` if the connection has a client of its own. The host's secret is only ever sent together with the host's id.
pub(in super::super) fn has_own_id(credential: &Credential, variables: &Variables) -> bool {
    credential.get(CLIENT_ID).is_some() || variables.get(CLIENT_ID).is_some()
}

/// The host's client of OAuth 2.0, for an entry that also sends the client's id or secret with each call.
#[derive(Debug)]
struct HostClient {
    id: String,
    secret: Option<Secret>,
}

impl HostClient {
    /// Returns the connection of the call with the host's client, or `None` if the connection has a client of its own.
    fn add_to(&self, cx: &AuthContext<'_>) -> Option<Connection> {
        if has_own_id(cx.credential(), cx.variables()) {
            return None;
        }
        let mut connection = Connection::new("");
        for (name, secret) in cx.credential().iter() {
            connection = connection.with_secret(name, secret.clone());
        }
        for (name, value) in cx.variables().iter() {
            connection = connection.with_variable(name, value);
        }
        connection = connection.with_secret(CLIENT_ID, self.id.as_str());
        match &self.secret {
            Some(secret) if cx.credential().get(CLIENT_SECRET).is_none() => {
                Some(connection.with_secret(CLIENT_SECRET, secret.clone()))
            }
            _ => Some(connection),
        }
    }
}

/// The scheme of an entry's upstream.
#[derive(Debug)]
struct Alternatives {
    upstream: Upstream<BaseUrlTemplate>,
    client: Option<HostClient>,
}

impl Alternatives {
    /// Calls `run` with a context that has the host's client, if the connection has none.
    fn with_client<T>(&self, cx: &AuthContext<'_>, run: impl FnOnce(&AuthContext<'_>) -> T) -> T {
        let Some(connection) = self.client.as_ref().and_then(|client| client.add_to(cx)) else {
            return run(cx);
        };
        let mut own = AuthContext::new(&connection, cx.destination(), cx.now())
            .with_payload_length(cx.payload_length());
        if let Some(payload) = cx.payload() {
            own = own.with_payload(payload);
        }
        run(&own)
    }
}

impl AuthScheme for Alternatives {
    fn requirements(&self) -> Requirements {
        self.upstream.requirements().clone()
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        self.with_client(cx, |cx| self.upstream.scheme().payload(request, cx))
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        self.with_client(cx, |cx| self.upstream.scheme().apply(request, cx))
    }
}
