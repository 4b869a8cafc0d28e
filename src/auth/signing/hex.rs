//! Bytes as hexadecimal digits.

#[cfg(feature = "hmac")]
use zeroize::Zeroizing;

use super::Sink;
use crate::address::percent::digits;
#[cfg(feature = "hmac")]
use crate::address::percent::nibble;

/// Which digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HexCase {
    Lower,
    #[cfg(feature = "hmac")]
    Upper,
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8], case: HexCase, sink: &mut Sink<'_>) {
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

/// The bytes behind digits of either case.
#[cfg(feature = "hmac")]
pub(crate) fn unhex(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    Some(bytes)
}
