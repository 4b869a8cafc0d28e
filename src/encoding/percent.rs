//! Percent-encoding (RFC 3986 §2.1). Decoding is done once, and sequences that aren't valid are left unchanged.

use std::borrow::Cow;

use super::Sink;
use super::hex::{digits, nibble};

/// Decodes once. Sequences that aren't valid stay as they are.
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

/// Returns the first byte, decoded if it begins a valid sequence, and the bytes that follow.
pub(crate) fn decode_byte(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    if let (b'%', [high, low, rest @ ..]) = (first, after) {
        if let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) {
            return Some((high << 4 | low, rest));
        }
    }
    Some((first, after))
}

/// Returns `true` if every `%` begins a valid sequence.
pub(crate) fn is_well_formed(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((_, after)) = decode_byte(rest) {
        if rest.first() == Some(&b'%') && rest.len() - after.len() == 1 {
            return false;
        }
        rest = after;
    }
    true
}

/// Returns `true` for the unreserved characters (RFC 3986 §2.3), which need no encoding in any part of a URI.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Returns the sequence of a byte, in upper case.
const fn sequence(byte: u8) -> [u8; 3] {
    let [high, low] = digits(byte);
    [b'%', high, low]
}

/// Passes `bytes` to `sink`, and encodes all characters except the unreserved characters. Sequences are in upper case,
/// because signatures need that (RFC 5849 §3.6).
pub(crate) fn encode(bytes: &[u8], sink: &mut Sink<'_>) {
    for run in bytes.chunk_by(|&one, &other| is_unreserved(one) == is_unreserved(other)) {
        if run.first().is_some_and(|&byte| is_unreserved(byte)) {
            sink(run);
            continue;
        }
        for &byte in run {
            sink(&sequence(byte));
        }
    }
}

/// Appends `bytes` to `target`, and encodes all characters except the unreserved characters.
pub(crate) fn encode_into(target: &mut String, bytes: &[u8]) {
    encode(bytes, &mut |part| {
        target.extend(part.iter().copied().map(char::from));
    });
}

/// Appends the sequence of a byte, even if the byte is an unreserved character.
pub(crate) fn encode_byte_into(target: &mut String, byte: u8) {
    target.extend(sequence(byte).map(char::from));
}

/// Hands `bytes` to `sink` as a name or a value of a form (`application/x-www-form-urlencoded`).
#[cfg(feature = "oauth2")]
pub(crate) fn encode_form(bytes: &[u8], sink: &mut Sink<'_>) {
    for &byte in bytes {
        match byte {
            b'*' | b'-' | b'.' | b'_' => sink(&[byte]),
            byte if byte.is_ascii_alphanumeric() => sink(&[byte]),
            b' ' => sink(b"+"),
            byte => sink(&sequence(byte)),
        }
    }
}

/// Hands the decoded bytes of a name or a value of a form to `sink`: `+` is a blank, sequences are decoded once, and
/// those that aren't valid are text.
#[cfg(any(feature = "oauth1", feature = "hmac", feature = "oauth2"))]
pub(crate) fn decode_form(bytes: &[u8], sink: &mut Sink<'_>) {
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
        encode_into(&mut query, b"a+b/\xff~");
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
        assert!(is_well_formed(b"a%20%25"));
        assert!(!is_well_formed(b"a%2"));
        assert!(!is_well_formed(b"%%20"));
    }

    #[test]
    fn the_unreserved_stay_and_all_else_is_encoded() {
        let mut encoded = Vec::new();
        encode("aZ09-._~ +%&=/\u{e9}*'()!".as_bytes(), &mut |part| {
            encoded.extend_from_slice(part);
        });
        assert_eq!(encoded, b"aZ09-._~%20%2B%25%26%3D%2F%C3%A9%2A%27%28%29%21");
    }
}
