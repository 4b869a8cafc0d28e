//! What a parameter of a token request, or a claim of an assertion, is made of.

use std::fmt;

use super::encoding::Value;
use crate::connection::Connection;
use crate::secret::Secret;

/// The value of a parameter or a claim: a text, a secret of the host's, or what the connection has.
///
/// ```
/// use tower_passthrough::oauth2::{GrantType, TokenEndpoint, TokenParameter};
///
/// // A grant of the vendor's own, and an account per connection.
/// // https://developers.zoom.us/docs/internal-apps/s2s-oauth/
/// let zoom = TokenEndpoint::new("https://zoom.us/oauth/token")?
///     .grant(GrantType::ClientCredentials)
///     .parameter("grant_type", "account_credentials")
///     .parameter("account_id", TokenParameter::of("account_id"));
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
    Secret(Secret),
    Connection(Box<str>),
}

impl TokenParameter {
    /// The connection's secret of that name, or else its variable.
    #[must_use]
    pub fn of(name: impl Into<Box<str>>) -> Self {
        Self::new(Source::Connection(name.into()))
    }

    /// Leaves the parameter out where the connection hasn't what it names.
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

    /// The value for that connection. `None`: it's left out.
    pub(super) fn find<'a>(
        &'a self,
        connection: &'a Connection,
    ) -> Result<Option<Value<'a>>, Missing> {
        match &self.source {
            Source::Text(text) => Ok(Some(Value::Text(text))),
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

impl From<Secret> for TokenParameter {
    fn from(secret: Secret) -> Self {
        Self::new(Source::Secret(secret))
    }
}

// By hand: hosts write secrets where texts belong.
impl fmt::Debug for TokenParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Text(_) => f.write_str("Text"),
            Source::Secret(_) => f.write_str("Secret"),
            Source::Connection(name) => write!(f, "Of({name:?})"),
        }
    }
}

/// What a connection lacks, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing(pub(super) Box<str>);
