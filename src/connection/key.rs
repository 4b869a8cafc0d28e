//! The key of a connection, which identifies it everywhere after the authorizer.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::address::{ConnectionId, SmallStr};

/// The maximum length of a connection key, in bytes.
const MAX_LEN: usize = 512;

/// The key of a connection: 1 to 512 bytes of UTF-8, without control bytes.
///
/// The store, refreshes, the connection pool, limits, upgrades and reports all use the key, and never the
/// [`ConnectionId`] in the caller's URL. By default, both are equal. If tenants choose their own ids, the authorizer maps
/// tenant and id to a key ([`Grant::connection_key`](crate::Grant::connection_key)), so that the connection `crm` of one
/// tenant and the connection `crm` of another tenant are two connections.
///
/// Keys are exact bytes: their case is never changed, and they are never trimmed, padded or normalised.
///
/// ```
/// use tower_passthrough::ConnectionId;
/// use tower_passthrough::store::ConnectionKey;
///
/// let id: ConnectionId = "crm".parse()?;
/// assert_eq!(ConnectionKey::from(&id).as_str(), "crm");
/// assert_eq!(ConnectionKey::in_tenant("acme", &id)?.as_str(), "acme/crm");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ConnectionKey(SmallStr);

/// The error of a text that isn't a valid connection key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidConnectionKey;

impl ConnectionKey {
    /// Returns the key with that text.
    ///
    /// # Errors
    ///
    /// [`InvalidConnectionKey`] if the text is empty, longer than 512 bytes, or contains a control byte.
    pub fn new(key: &str) -> Result<Self, InvalidConnectionKey> {
        if key.is_empty() || key.len() > MAX_LEN || key.bytes().any(|byte| byte.is_ascii_control())
        {
            return Err(InvalidConnectionKey);
        }
        Ok(Self(SmallStr::new(key)))
    }

    /// Returns the key `TENANT/ID`. Different pairs of tenant and id have different keys, because an id contains no `/`.
    ///
    /// # Errors
    ///
    /// [`InvalidConnectionKey`] if the tenant is empty or contains a control byte, or if the key would be longer than 512
    /// bytes.
    pub fn in_tenant(tenant: &str, id: &ConnectionId) -> Result<Self, InvalidConnectionKey> {
        if tenant.is_empty() {
            return Err(InvalidConnectionKey);
        }
        Self::new(&[tenant, "/", id.as_str()].concat())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&ConnectionId> for ConnectionKey {
    fn from(id: &ConnectionId) -> Self {
        Self(id.text().clone())
    }
}

impl From<ConnectionId> for ConnectionKey {
    fn from(id: ConnectionId) -> Self {
        Self::from(&id)
    }
}

impl TryFrom<&str> for ConnectionKey {
    type Error = InvalidConnectionKey;

    fn try_from(key: &str) -> Result<Self, InvalidConnectionKey> {
        Self::new(key)
    }
}

impl FromStr for ConnectionKey {
    type Err = InvalidConnectionKey;

    fn from_str(key: &str) -> Result<Self, InvalidConnectionKey> {
        Self::new(key)
    }
}

impl AsRef<str> for ConnectionKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for ConnectionKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for ConnectionKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ConnectionKey {}

impl PartialEq<str> for ConnectionKey {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ConnectionKey {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for ConnectionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Escapes the key, because it may contain text from a caller, and is written to logs.
impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for InvalidConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection key must have 1 to 512 bytes, without control bytes")
    }
}

impl std::error::Error for InvalidConnectionKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_up_to_512_bytes_and_no_control_bytes() {
        for len in [1, 46, 47, MAX_LEN] {
            let key = "x".repeat(len);
            assert_eq!(
                ConnectionKey::new(&key).map(|key| key.as_str().len()),
                Ok(len)
            );
        }
        for key in ["", "a\0", "a\n", &"x".repeat(MAX_LEN + 1)] {
            assert_eq!(
                ConnectionKey::new(key),
                Err(InvalidConnectionKey),
                "{key:?}"
            );
        }
    }

    #[test]
    fn pairs_of_tenant_and_id_never_have_the_same_key() {
        let key = |tenant: &str, id: &str| {
            let id = ConnectionId::new(id).ok()?;
            ConnectionKey::in_tenant(tenant, &id).ok()
        };
        assert_ne!(key("a", "b"), key("a/b", "b"));
        assert_ne!(key("a", "crm"), key("b", "crm"));
        assert_eq!(
            key("a/b", "c").as_ref().map(ConnectionKey::as_str),
            Some("a/b/c")
        );
        assert_eq!(key("a", "b/c"), None);
        assert_eq!(key("", "b"), None);
    }
}
