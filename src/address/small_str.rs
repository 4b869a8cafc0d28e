//! Text that needs no allocation if it's short.

use std::fmt;

/// The maximum size of text that is kept inline, in bytes.
const MAX_INLINE_SIZE: usize = 46;

/// Immutable text. Up to 46 bytes are kept inline.
#[derive(Clone)]
pub(crate) struct SmallStr(Repr);

#[derive(Clone)]
enum Repr {
    Inline {
        len: u8,
        bytes: [u8; MAX_INLINE_SIZE],
    },
    Heap(Box<str>),
}

impl SmallStr {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; MAX_INLINE_SIZE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(text.as_bytes());
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Heap(text.into())),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Heap(text) => text.as_bytes(),
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Heap(text) => text,
            Repr::Inline { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
        }
    }
}

// Escaped, because such text comes from callers and is written to logs.
impl fmt::Display for SmallStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_str().escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_text_is_kept_as_it_is() {
        for len in [0, 1, MAX_INLINE_SIZE, MAX_INLINE_SIZE + 1, 600] {
            let text = "x".repeat(len);
            assert_eq!(SmallStr::new(&text).as_str(), text);
        }
    }
}
