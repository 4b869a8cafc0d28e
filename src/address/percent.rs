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
pub(super) fn decode_byte(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    if let (b'%', [high, low, rest @ ..]) = (first, after) {
        if let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) {
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

/// What a hexadecimal digit of either case stands for.
pub(crate) const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The two digits of a byte, in upper case.
pub(crate) const fn digits(byte: u8) -> [u8; 2] {
    const fn digit(nibble: u8) -> u8 {
        match nibble {
            0..=9 => b'0' + nibble,
            _ => b'A' + nibble - 10,
        }
    }
    [digit(byte >> 4), digit(byte & 15)]
}

/// `byte` as a sequence of three.
pub(crate) const fn encoded(byte: u8) -> [u8; 3] {
    let [high, low] = digits(byte);
    [b'%', high, low]
}

/// Whether `byte` stands for itself in every part of a URI (RFC 3986 §2.3).
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Appends `byte` as a sequence of three.
pub(super) fn encode_into(target: &mut String, byte: u8) {
    target.extend(encoded(byte).map(char::from));
}

/// Appends `value` with all but the unreserved characters (RFC 3986 §2.3) encoded.
pub(crate) fn encode_query_value(target: &mut String, value: &[u8]) {
    for &byte in value {
        if is_unreserved(byte) {
            target.push(char::from(byte));
        } else {
            encode_into(target, byte);
        }
    }
}

/// What a name or a value of a form stands for: `+` is a blank, sequences are decoded once, and
/// broken ones are text.
#[cfg(any(feature = "oauth1", feature = "hmac", feature = "oauth2"))]
pub(crate) fn decode_form(bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let mut rest = bytes;
    while let Some((byte, after)) = decode_byte(rest) {
        let is_blank = rest.first() == Some(&b'+');
        sink(&[if is_blank { b' ' } else { byte }]);
        rest = after;
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

    #[cfg(any(feature = "oauth1", feature = "hmac", feature = "oauth2"))]
    #[test]
    fn a_form_is_decoded_once() {
        let mut decoded = Vec::new();
        decode_form(b"a+b%2B%2520%zz%2", &mut |bytes| {
            decoded.extend_from_slice(bytes);
        });
        assert_eq!(decoded, b"a b+%20%zz%2");
    }

    #[test]
    fn well_formed_means_that_each_percent_begins_a_sequence() {
        assert!(well_formed(b"a%20%25"));
        assert!(!well_formed(b"a%2"));
        assert!(!well_formed(b"%%20"));
    }
}
