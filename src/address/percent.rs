//! Percent-encoding (RFC 3986 §2.1), one decoding at a time; broken sequences are text.

use std::borrow::Cow;

/// Decodes once. Sequences that are broken stay as they are.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = decode_byte(rest) {
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(decoded)
}

/// The first byte, decoded if a whole sequence stands there, and what follows it.
pub(crate) fn decode_byte(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    if let (b'%', [high, low, rest @ ..]) = (first, after) {
        if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
            return Some((high << 4 | low, rest));
        }
    }
    Some((first, after))
}

/// Whether each `%` begins a whole sequence.
pub(super) fn well_formed(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((_, after)) = decode_byte(rest) {
        if rest.first() == Some(&b'%') && rest.len() - after.len() == 1 {
            return false;
        }
        rest = after;
    }
    true
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends `byte` as a sequence of three.
pub(super) fn encode_into(target: &mut String, byte: u8) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    target.push('%');
    for nibble in [byte >> 4, byte & 15] {
        target.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or('0'));
    }
}

/// Appends `value` with all but the unreserved characters (RFC 3986 §2.3) encoded.
pub(crate) fn encode_query_value(target: &mut String, value: &[u8]) {
    for &byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            target.push(char::from(byte));
        } else {
            encode_into(target, byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once_and_broken_sequences_stay() {
        assert_eq!(&*decode(b"%2520%zz%4"), b"%20%zz%4");
        assert_eq!(&*decode(b"%c3%A9"), "\u{e9}".as_bytes());
    }

    #[test]
    fn a_secret_in_a_query_is_encoded_whole() {
        let mut query = String::new();
        encode_query_value(&mut query, b"a+b/\xff~");
        assert_eq!(query, "a%2Bb%2F%FF~");
    }

    #[test]
    fn well_formed_means_that_each_percent_begins_a_sequence() {
        assert!(well_formed(b"a%20%25"));
        assert!(!well_formed(b"a%2"));
        assert!(!well_formed(b"%%20"));
    }
}
