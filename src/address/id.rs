//! The id of a connection, as a caller sends it.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::small_str::SmallStr;
use crate::encoding::percent::decode;
use crate::error::Error;

/// The maximum length of a connection id, in bytes.
const MAX_LEN: usize = 256;

/// The id of a connection, as a caller sends it: 1 to 256 bytes of UTF-8, without `/` and without control bytes.
///
/// Ids are exact bytes: their case is never changed, and they are never trimmed, padded or normalised.
///
/// ```
/// use tower_passthrough::ConnectionId;
///
/// let id: ConnectionId = "acme".parse()?;
/// assert_eq!(id.as_str(), "acme");
/// assert!(ConnectionId::new("a/b").is_err());
/// # Ok::<_, tower_passthrough::address::InvalidConnectionId>(())
/// ```
#[derive(Clone)]
pub struct ConnectionId(SmallStr);

/// The error of a text that isn't a valid connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidConnectionId;

impl ConnectionId {
    /// Returns the id with that text.
    ///
    /// # Errors
    ///
    /// [`InvalidConnectionId`] if the text is empty, longer than 256 bytes, or contains a `/` or a control byte.
    pub fn new(id: &str) -> Result<Self, InvalidConnectionId> {
        if id.is_empty() || id.len() > MAX_LEN || id.bytes().any(forbidden) {
            return Err(InvalidConnectionId);
        }
        Ok(Self(SmallStr::new(id)))
    }

    /// Returns the id in a path segment, decoded once.
    pub(super) fn from_segment(segment: &str) -> Result<Self, Error> {
        let bytes = decode(segment.as_bytes());
        check(
            &bytes,
            "the path contains no connection id; the address is {mount}/{connection id}/{path}",
        )?;
        let text = match &bytes {
            // Nothing was encoded.
            Cow::Borrowed(_) => Ok(segment),
            Cow::Owned(bytes) => std::str::from_utf8(bytes),
        };
        match text {
            Ok(id) => Ok(Self(SmallStr::new(id))),
            // Ids in stores are text, so no connection has this id.
            Err(_) => Err(Error::unknown_connection()),
        }
    }

    /// Returns the id in a header field, which isn't decoded.
    pub(super) fn from_field(value: &[u8]) -> Result<Self, Error> {
        check(
            value,
            "the header field for the connection id is empty; send an id",
        )?;
        match std::str::from_utf8(value) {
            Ok(id) => Ok(Self(SmallStr::new(id))),
            Err(_) => Err(Error::unknown_connection()),
        }
    }

    pub(crate) const fn text(&self) -> &SmallStr {
        &self.0
    }

    /// Returns the id, decoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn check(id: &[u8], empty: &'static str) -> Result<(), Error> {
    let bad = |detail| Err(Error::bad_address(detail));
    if id.is_empty() {
        return bad(empty);
    }
    if id.len() > MAX_LEN {
        return bad("the connection id is longer than 256 bytes");
    }
    if id.iter().any(|&byte| forbidden(byte)) {
        return bad("the connection id contains a `/` or a control byte");
    }
    Ok(())
}

const fn forbidden(byte: u8) -> bool {
    byte == b'/' || byte.is_ascii_control()
}

impl TryFrom<&str> for ConnectionId {
    type Error = InvalidConnectionId;

    fn try_from(id: &str) -> Result<Self, InvalidConnectionId> {
        Self::new(id)
    }
}

impl FromStr for ConnectionId {
    type Err = InvalidConnectionId;

    fn from_str(id: &str) -> Result<Self, InvalidConnectionId> {
        Self::new(id)
    }
}

impl AsRef<str> for ConnectionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for ConnectionId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for ConnectionId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ConnectionId {}

impl PartialEq<str> for ConnectionId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ConnectionId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for ConnectionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Escapes the id, because it comes from a caller, and is written to logs.
impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for InvalidConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection id must have 1 to 256 bytes, without `/` and control bytes")
    }
}

impl std::error::Error for InvalidConnectionId {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn ids_are_decoded_once() {
        let id = ConnectionId::from_segment("a%2520b%C3%A9");
        assert_eq!(
            id.map(|id| id.as_str().to_owned()).ok().as_deref(),
            Some("a%20b\u{e9}")
        );
    }

    #[test]
    fn lengths_up_to_256_bytes_are_kept() {
        for len in [1, 46, 47, MAX_LEN] {
            let id = "x".repeat(len);
            assert_eq!(
                ConnectionId::try_from(&*id).map(|id| id.as_str().len()),
                Ok(len)
            );
        }
        assert!(ConnectionId::try_from(&*"x".repeat(MAX_LEN + 1)).is_err());
    }

    #[test]
    fn slashes_and_controls_are_refused() {
        for segment in ["", "a%2Fb", "a%00", "%0a", "%7F"] {
            let code = ConnectionId::from_segment(segment).map_err(|error| error.code());
            assert_eq!(code.err(), Some(ErrorCode::BadAddress), "{segment}");
        }
    }

    #[test]
    fn logs_show_an_id_escaped() {
        let id = ConnectionId::try_from("a\u{9b}2J").map(|id| id.to_string());
        assert_eq!(id.as_deref(), Ok("a\\u{9b}2J"));
    }
}
