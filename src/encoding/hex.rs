//! Hexadecimal digits.

#[cfg(feature = "hmac")]
use zeroize::Zeroizing;

#[cfg(any(feature = "oauth1", feature = "hmac"))]
use super::Sink;

/// The case of the digits above 9.
#[cfg(any(feature = "oauth1", feature = "hmac"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HexCase {
    Lower,
    #[cfg(feature = "hmac")]
    Upper,
}

/// Returns the value of a digit of either case.
pub(crate) const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => lower_nibble(digit),
    }
}

/// Returns the value of a digit in lower case.
const fn lower_nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The value of each digit in lower case, and [`NO_DIGIT`] for each other byte.
#[expect(
    clippy::indexing_slicing,
    reason = "the array has an element for each byte, and is made by the compiler"
)]
const LOWER_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut byte = 0_u8;
    loop {
        if let Some(value) = lower_nibble(byte) {
            values[byte as usize] = value;
        }
        if byte == u8::MAX {
            break values;
        }
        byte += 1;
    }
};

/// A value that shares its bits with no digit.
const NO_DIGIT: u8 = 0x80;

/// Returns the two digits of a byte, in upper case.
pub(crate) const fn digits(byte: u8) -> [u8; 2] {
    const fn digit(nibble: u8) -> u8 {
        match nibble {
            0..=9 => b'0' + nibble,
            _ => b'A' + nibble - 10,
        }
    }
    [digit(byte >> 4), digit(byte & 15)]
}

/// Writes two digits for each byte into `text`, in lower case.
pub(crate) fn write_lower(bytes: &[u8], text: &mut [u8]) {
    for (&byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        for (to, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *to = match nibble {
                0..=9 => b'0' + nibble,
                _ => b'a' + nibble - 10,
            };
        }
    }
}

/// Hands two digits for each byte to `sink`.
#[cfg(any(feature = "oauth1", feature = "hmac"))]
pub(crate) fn encode(bytes: &[u8], case: HexCase, sink: &mut Sink<'_>) {
    for &byte in bytes {
        let mut digits = digits(byte);
        match case {
            HexCase::Lower => digits.make_ascii_lowercase(),
            #[cfg(feature = "hmac")]
            HexCase::Upper => {}
        }
        sink(&digits);
    }
}

/// Returns the digits of a hash of 32 bytes, in lower case.
#[cfg(feature = "sigv4")]
pub(crate) fn encode_hash(bytes: &[u8]) -> [u8; 64] {
    let mut text = [b'0'; 64];
    write_lower(bytes, &mut text);
    text
}

/// Returns the bytes that the digits of either case encode. They may be a key, so they're wiped when they're dropped.
#[cfg(feature = "hmac")]
pub(crate) fn decode(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    Some(bytes)
}

/// Returns the bytes that the digits in lower case encode. The number of digits must fit the array exactly.
pub(crate) fn decode_lower<const LEN: usize>(digits: &[u8]) -> Option<[u8; LEN]> {
    if digits.len() != 2 * LEN {
        return None;
    }
    let mut bytes = [0; LEN];
    let mut seen = 0;
    let value = |digit: u8| {
        let value = LOWER_VALUES.get(usize::from(digit));
        value.copied().unwrap_or(NO_DIGIT)
    };
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let (high, low) = (value(high), value(low));
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen & NO_DIGIT == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_their_values_in_either_case() {
        for byte in 0..=255 {
            let [high, low] = digits(byte);
            assert_eq!(nibble(high).zip(nibble(low)), Some((byte >> 4, byte & 15)));
        }
        assert_eq!(nibble(b'a'), Some(10));
        assert_eq!(nibble(b'g'), None);
    }

    #[test]
    fn an_array_is_filled_by_lower_case_alone() {
        assert_eq!(decode_lower(b"00ff"), Some([0, 255]));
        for text in [&b"00fF"[..], b"00f", b"00ff00", b"0g00"] {
            assert_eq!(decode_lower::<2>(text), None);
        }
    }
}
