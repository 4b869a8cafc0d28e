//! Signed assertions: JWTs (RFC 7519) as RFC 7523 profiles them, for a grant and for the authentication of a client.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::encoding::{Pairs, Value, compact};
use super::endpoint::TokenParameter;
use super::error::{Missing, RequestBuildError};
use super::signing::{SigningAlgorithm, SigningKeyError};
use crate::connection::Connection;
use crate::encoding::calendar::since_epoch;
use crate::secret::Secret;

/// The maximum time by which `iat` is earlier than the host's clock.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

/// A JWT that is built and signed for each request (RFC 7523 §3).
///
/// By default, its issuer is the client id, its audience is the token URL, it's signed with the connection's secret
/// `private_key`, and it's valid for two minutes. If it authenticates a client, its subject is the client id as well.
/// It always has a random `jti`. Its lifetime begins up to a minute in the past, for an endpoint whose clock is behind the
/// host's clock.
///
/// The key is PEM: PKCS #8 (`BEGIN PRIVATE KEY`), or PKCS #1 for RSA (`BEGIN RSA PRIVATE KEY`).
///
/// ```
/// use std::time::Duration;
/// use tower_passthrough::oauth2::{Assertion, GrantType, SigningAlgorithm, TokenEndpoint, TokenParameter};
///
/// // A service account with the key file in the connection's secrets, which impersonates a user if
/// // the connection names a user. https://developers.google.com/identity/protocols/oauth2/service-account
/// let assertion = Assertion::new(SigningAlgorithm::Rs256)
///     .issuer(TokenParameter::from_connection("client_email"))
///     .subject(TokenParameter::from_connection("subject").optional())
///     .key_id(TokenParameter::from_connection("private_key_id").optional())
///     .scope_claim()
///     .lifetime(Duration::from_secs(600));
/// let google = TokenEndpoint::new("https://oauth2.googleapis.com/token")?
///     .grant(GrantType::JwtBearer(assertion))
///     .scopes(["https://www.googleapis.com/auth/drive.readonly"]);
/// # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Assertion {
    algorithm: SigningAlgorithm,
    key: Key,
    header: Vec<(Box<str>, TokenParameter)>,
    claims: Vec<(Box<str>, TokenParameter)>,
    has_scope: bool,
    lifetime: Duration,
}

impl Assertion {
    /// Returns an assertion that is signed with that algorithm.
    pub fn new(algorithm: SigningAlgorithm) -> Self {
        Self {
            algorithm,
            key: Key::OfConnection("private_key".into()),
            header: Vec::new(),
            claims: Vec::new(),
            has_scope: false,
            lifetime: Duration::from_secs(120),
        }
    }

    /// Sets a key of the client, which signs for all connections. Default: the key is in the secret `private_key` of
    /// each connection.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError`] if the text isn't a private key in PEM, or the key doesn't fit the algorithm.
    pub fn key(mut self, pem: impl Into<Secret>) -> Result<Self, SigningKeyError> {
        let pem = pem.into();
        self.algorithm.key(&pem)?;
        self.key = Key::OfClient(pem);
        Ok(self)
    }

    /// Sets the name of the connection's secret that signs. Default: `private_key`.
    pub fn key_of(mut self, name: impl Into<Box<str>>) -> Self {
        self.key = Key::OfConnection(name.into());
        self
    }

    /// Sets `kid`, the id of the key with which the signature is verified (RFC 7515 §4.1.4). Default: none.
    pub fn key_id(self, key_id: impl Into<TokenParameter>) -> Self {
        self.header_parameter("kid", key_id)
    }

    /// Sets a parameter of the header, such as the `x5t#S256` that Microsoft Entra ID requires
    /// (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>). Default: none.
    pub fn header_parameter(
        mut self,
        name: impl Into<Box<str>>,
        value: impl Into<TokenParameter>,
    ) -> Self {
        self.header.push((name.into(), value.into()));
        self
    }

    /// Sets `iss`, the issuer of the assertion. Default: the client id.
    pub fn issuer(self, issuer: impl Into<TokenParameter>) -> Self {
        self.claim("iss", issuer)
    }

    /// Sets `sub`, the subject of the assertion. Default: the client id if the assertion authenticates a client, and
    /// otherwise none.
    pub fn subject(self, subject: impl Into<TokenParameter>) -> Self {
        self.claim("sub", subject)
    }

    /// Sets `aud`, the audience of the assertion. Default: the token URL.
    pub fn audience(self, audience: impl Into<TokenParameter>) -> Self {
        self.claim("aud", audience)
    }

    /// Sets another claim. Its value is a string or a number. Default: none.
    pub fn claim(mut self, name: impl Into<Box<str>>, value: impl Into<TokenParameter>) -> Self {
        self.claims.push((name.into(), value.into()));
        self
    }

    /// Sends the endpoint's scopes in the claim `scope`, and not in a parameter. Default: the scopes are sent in the
    /// parameter `scope`.
    pub fn scope_claim(mut self) -> Self {
        self.has_scope = true;
        self
    }

    /// Sets the lifetime of each assertion: the time between `iat` and `exp`. Endpoints limit it to an hour, and some endpoints
    /// limit it to a minute.
    ///
    /// `iat` is half of the lifetime in the past, but at most a minute, because endpoints reject an assertion that was issued in the
    /// future by their own clock.
    ///
    /// Default: 120 s.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    pub(super) const fn takes_scope(&self) -> bool {
        self.has_scope
    }

    /// Returns `true` if the connection has all values and the key.
    pub(super) fn supports(&self, connection: &Connection) -> bool {
        let mut values = self.header.iter().chain(&self.claims);
        values.all(|(_, value)| value.find(connection).is_ok()) && self.key.find(connection).is_ok()
    }

    /// Returns the signed JWT in its compact form.
    pub(super) fn sign(
        &self,
        connection: &Connection,
        defaults: &Defaults<'_>,
        now: SystemTime,
    ) -> Result<Secret, RequestBuildError> {
        let mut header = Pairs::default();
        header.set("alg", Value::Text(self.algorithm.name()));
        header.set("typ", Value::Text("JWT"));
        add(&mut header, &self.header, connection)?;

        let issued = since_epoch(now).saturating_sub((self.lifetime / 2).min(MAX_CLOCK_SKEW));
        let ends = issued.saturating_add(self.lifetime);
        let id = random_id()?;
        let mut claims = Pairs::default();
        if let Some(client) = defaults.client_id {
            claims.set("iss", client);
            if defaults.is_about_client {
                claims.set("sub", client);
            }
        }
        claims.set("aud", Value::Text(defaults.audience));
        if let Some(scope) = defaults.scope.filter(|_| self.has_scope) {
            claims.set("scope", Value::Text(scope));
        }
        claims.set("iat", Value::Number(issued.as_secs()));
        claims.set("exp", Value::Number(ends.as_secs()));
        claims.set("jti", Value::Text(&id));
        add(&mut claims, &self.claims, connection)?;

        let key = self.algorithm.key(self.key.find(connection)?)?;
        let header = header.json().ok_or(RequestBuildError::Unsendable)?;
        let claims = claims.json().ok_or(RequestBuildError::Unsendable)?;
        let signature = key.sign(&compact(&[&header, &claims]))?;
        let jwt = compact(&[&header, &claims, &signature]);
        Ok(Secret::from(jwt.as_slice()))
    }
}

#[derive(Clone, Debug)]
enum Key {
    OfClient(Secret),
    OfConnection(Box<str>),
}

impl Key {
    fn find<'a>(&'a self, connection: &'a Connection) -> Result<&'a Secret, Missing> {
        match self {
            Self::OfClient(pem) => Ok(pem),
            Self::OfConnection(name) => {
                let pem = connection.credential().get(name);
                pem.ok_or_else(|| Missing(name.clone()))
            }
        }
    }
}

fn add<'a>(
    pairs: &mut Pairs<'a>,
    values: &'a [(Box<str>, TokenParameter)],
    connection: &'a Connection,
) -> Result<(), Missing> {
    for (name, value) in values {
        if let Some(value) = value.find(connection)? {
            pairs.set(name, value);
        }
    }
    Ok(())
}

/// The values of claims that aren't set.
pub(super) struct Defaults<'a> {
    pub(super) client_id: Option<Value<'a>>,
    /// The assertion authenticates the client (RFC 7523 §3, item 2.B).
    pub(super) is_about_client: bool,
    pub(super) audience: &'a str,
    pub(super) scope: Option<&'a str>,
}

/// Returns 128 random bits, so that no id is used twice.
fn random_id() -> Result<String, RequestBuildError> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| RequestBuildError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
