//! A connection, as a store returns it: integration, variables, credential. It contains only data.
//!
//! ```
//! use tower_passthrough::Connection;
//!
//! let connection = Connection::new("zendesk")
//!     .with_variable("subdomain", "acme")
//!     .with_secret("username", "ann@acme.test/token")
//!     .with_secret("password", "s3cr3t");
//! assert_eq!(connection.integration(), "zendesk");
//! assert!(!format!("{connection:?}").contains("s3cr3t"));
//! ```

mod cached;
mod key;

pub use self::key::{ConnectionKey, InvalidConnectionKey};

pub use self::cached::CacheKey;

use std::fmt;
use std::sync::Arc;

use self::cached::Cached;

use http::HeaderValue;

#[cfg(feature = "rustls")]
use crate::identity::ClientIdentity;
use crate::identity::IsolationKey;
use crate::secret::Secret;

/// A customer's account at a vendor. Cloning increments a reference count.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    integration: Arc<str>,
    variables: Variables,
    credential: Credential,
    cached: Cached,
}

impl Connection {
    /// Returns a connection to that integration, without variables and secrets.
    #[must_use]
    pub fn new(integration: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Inner {
            integration: integration.into(),
            variables: Variables::default(),
            credential: Credential::default(),
            cached: Cached::default(),
        }))
    }

    /// Adds a secret to the credential, or replaces the secret of that name.
    ///
    /// The documentation of each scheme lists the names that it reads.
    #[must_use]
    pub fn with_secret(mut self, name: impl Into<Box<str>>, secret: impl Into<Secret>) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        set(&mut inner.credential.0, name.into(), secret.into());
        inner.cached = Cached::default();
        self
    }

    /// Removes the secret of that name, if there is such a secret.
    #[must_use]
    pub fn without_secret(mut self, name: &str) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.credential.0.retain(|(other, _)| &**other != name);
        inner.cached = Cached::default();
        self
    }

    /// Adds a variable of the base URL's template, or replaces the variable of that name.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        set(&mut inner.variables.0, name.into(), value.into());
        inner.cached = Cached::default();
        self
    }

    /// Returns the name of the integration.
    #[must_use]
    pub fn integration(&self) -> &str {
        &self.0.integration
    }

    /// Returns `true` if both have the same base URL and policy.
    pub(crate) fn has_same_place(&self, other: &Self) -> bool {
        self.0.integration == other.0.integration && self.0.variables == other.0.variables
    }

    pub(crate) fn shared_integration(&self) -> Arc<str> {
        Arc::clone(&self.0.integration)
    }

    /// Returns the variables of the base URL's template.
    #[must_use]
    pub fn variables(&self) -> &Variables {
        &self.0.variables
    }

    /// Returns the value that `make` makes of the secrets for that key. The value is kept for the
    /// next call.
    pub(crate) fn cached_header<E>(
        &self,
        key: &CacheKey,
        make: impl FnOnce() -> Result<HeaderValue, E>,
    ) -> Result<HeaderValue, E> {
        self.0.cached.get_or_make(key, make)
    }

    /// Returns the client certificate that `make` makes of the secrets. It's kept for the next
    /// call.
    ///
    /// # Errors
    ///
    /// The errors of `make`.
    #[cfg(feature = "rustls")]
    pub(crate) fn client_identity<E>(
        &self,
        make: impl FnOnce() -> Result<ClientIdentity, E>,
    ) -> Result<ClientIdentity, E> {
        self.0.cached.client_identity(make)
    }

    /// Returns the approximate size of the connection in memory, in bytes, including the value that is kept for calls.
    #[cfg(feature = "durable-store")]
    pub(crate) fn memory_size(&self) -> usize {
        // A small allocation takes 16 bytes more than its content, on average.
        const ALLOCATION: usize = 16;
        // The parsed private key, of which half is counted for each of the two secrets. That of RSA with 2048 bits takes the most.
        const IDENTITY: usize = 1024;
        let Inner {
            integration,
            variables,
            credential,
            cached: _,
        } = &*self.0;
        let pair = size_of::<(Box<str>, Box<str>)>() + 2 * ALLOCATION;
        let variables = variables
            .iter()
            .map(|(name, value)| pair + name.len() + value.len());
        let secrets = credential.iter().map(|(name, secret)| {
            // The header value is about as long as the secret that it was made of. A client certificate is kept in PEM and decoded, in
            // addition to the secret.
            let kept = match secret.is_pem() {
                true => IDENTITY + 3 * secret.size(),
                false => 2 * secret.size(),
            };
            pair + name.len() + kept
        });
        // The header value has a buffer of its own, with its prefix and its reference count.
        let value = 64;
        size_of::<Inner>()
            + integration.len()
            + 4 * ALLOCATION
            + value
            + variables.sum::<usize>()
            + secrets.sum::<usize>()
    }

    /// Returns the secrets.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }
}

fn set<V>(entries: &mut Vec<(Box<str>, V)>, name: Box<str>, value: V) {
    match entries.iter_mut().find(|(other, _)| *other == name) {
        Some((_, old)) => *old = value,
        None => entries.push((name, value)),
    }
}

/// The variables of a connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(Box<str>, Box<str>)>);

impl Variables {
    /// Returns the value of the variable with that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| &**other == name);
        found.map(|(_, value)| &**value)
    }

    /// Returns an iterator over all variables.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// The secrets of a connection, by name.
#[derive(Clone, Default)]
pub struct Credential(Vec<(Box<str>, Secret)>);

impl Credential {
    /// Returns the secret with that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let found = self.0.iter().find(|(other, _)| &**other == name);
        found.map(|(_, secret)| secret)
    }

    /// Returns `true` if there are no secrets.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns an iterator over all secrets.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, secret)| (&**name, secret))
    }

    /// Returns the isolation key of network connections that these secrets authenticate.
    #[must_use]
    pub fn isolation_key(&self) -> IsolationKey {
        IsolationKey::from_secrets(self.iter())
    }
}

// Only names are printed, because a variable may be as confidential as a secret.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("integration", &self.0.integration)
            .field("variables", &self.0.variables)
            .field("credential", &self.0.credential)
            .finish()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}
