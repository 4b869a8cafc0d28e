//! The connection id: exact bytes, kept without an allocation where they're few.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::percent::decode;
use crate::error::Error;

const MAX: usize = 256;
const INLINE: usize = 46;

/// The id of a connection: 1 to 256 bytes of UTF-8, without `/` and without control bytes.
///
/// Ids are exact: no store may fold their case, trim, pad or normalise them (SECURITY T14).
#[derive(Clone)]
pub struct ConnectionId(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

/// The text can't be a connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidConnectionId;

impl ConnectionId {
    /// The id from a path segment, decoded once.
    pub(super) fn from_segment(segment: &str) -> Result<Self, Error> {
        let bad = Error::bad_address;
        let bytes = decode(segment.as_bytes());
        if bytes.is_empty() {
            return Err(bad("the path names no connection"));
        }
        if bytes.len() > MAX {
            return Err(bad("the connection id is longer than 256 bytes"));
        }
        if bytes.iter().any(|&byte| forbidden(byte)) {
            return Err(bad("the connection id holds a `/` or a control byte"));
        }
        match std::str::from_utf8(&bytes) {
            Ok(id) => Ok(Self::keep(id)),
            // A store's ids are text, so none is meant by this one.
            Err(_) => Err(Error::unknown_connection()),
        }
    }

    fn keep(id: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..id.len()), u8::try_from(id.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(id.as_bytes());
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Heap(id.into())),
        }
    }

    /// The id, decoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Heap(id) => id,
            Repr::Inline { len, bytes } => bytes
                .get(..usize::from(*len))
                .and_then(|id| std::str::from_utf8(id).ok())
                .unwrap_or_default(),
        }
    }
}

const fn forbidden(byte: u8) -> bool {
    byte == b'/' || byte.is_ascii_control()
}

impl TryFrom<&str> for ConnectionId {
    type Error = InvalidConnectionId;

    fn try_from(id: &str) -> Result<Self, InvalidConnectionId> {
        if id.is_empty() || id.len() > MAX || id.bytes().any(forbidden) {
            return Err(InvalidConnectionId);
        }
        Ok(Self::keep(id))
    }
}

impl PartialEq for ConnectionId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ConnectionId {}

impl Hash for ConnectionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

// Escaped, as ids come from callers and go into logs (SECURITY L3).
impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_str().escape_debug())
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for InvalidConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection id is 1 to 256 bytes without `/` and control bytes")
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
        for len in [1, INLINE, INLINE + 1, MAX] {
            let id = "x".repeat(len);
            assert_eq!(
                ConnectionId::try_from(&*id).map(|id| id.as_str().len()),
                Ok(len)
            );
        }
        assert!(ConnectionId::try_from(&*"x".repeat(MAX + 1)).is_err());
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
