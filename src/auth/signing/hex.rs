//! Bytes as hexadecimal digits.

#[cfg(feature = "hmac")]
use zeroize::Zeroizing;

use super::Sink;

/// Which digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HexCase {
    Lower,
    #[cfg(feature = "hmac")]
    Upper,
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8], case: HexCase, sink: &mut Sink<'_>) {
    let first = match case {
        HexCase::Lower => b'a',
        #[cfg(feature = "hmac")]
        HexCase::Upper => b'A',
    };
    let digit = |nibble: u8| match nibble {
        0..=9 => b'0' + nibble,
        _ => first + nibble - 10,
    };
    for &byte in bytes {
        sink(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The bytes behind digits of either case.
#[cfg(feature = "hmac")]
pub(crate) fn unhex(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(value(high)? << 4 | value(low)?);
    }
    Some(bytes)
}
