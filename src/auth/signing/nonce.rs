//! Numbers that are used once.

#[cfg(feature = "hmac")]
use base64::Engine as _;
#[cfg(feature = "hmac")]
use base64::prelude::BASE64_STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::auth::AuthError;
use crate::encoding::hex::{self, HexCase};

/// The source of nonces.
#[derive(Clone, Debug)]
pub(crate) enum Nonces {
    /// The operating system's random numbers.
    Random,
    /// The nonce of a published example.
    #[cfg(test)]
    Fixed(&'static str),
}

impl Nonces {
    /// Draws a nonce for a request. It has 128 random bits, so nonces don't repeat.
    ///
    /// # Errors
    ///
    /// [`AuthError::NoRandomness`] if the operating system has none.
    pub(crate) fn draw(&self) -> Result<Nonce, AuthError> {
        match self {
            Self::Random => {
                let mut bytes = [0; 16];
                let filled = SystemRandom::new().fill(&mut bytes);
                filled.map_err(|_| AuthError::NoRandomness)?;
                Ok(Nonce::Random(bytes))
            }
            #[cfg(test)]
            Self::Fixed(text) => Ok(Nonce::Fixed(text)),
        }
    }
}

/// A nonce, which can be formatted in several ways.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Nonce {
    Random([u8; 16]),
    #[cfg(test)]
    Fixed(&'static str),
}

impl Nonce {
    /// Formats as 28 letters and digits, which are 112 bits. A server that uses oauthlib accepts at
    /// most 30 characters.
    #[cfg(feature = "oauth1")]
    pub(crate) fn short(self) -> String {
        match self {
            Self::Random(_) => {
                let mut digits = self.hex();
                digits.truncate(28);
                digits
            }
            #[cfg(test)]
            Self::Fixed(text) => text.to_owned(),
        }
    }

    /// Formats as 32 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        match self {
            Self::Random(bytes) => digits(&bytes),
            #[cfg(test)]
            Self::Fixed(text) => text.to_owned(),
        }
    }

    /// Formats as a random UUID (RFC 9562 §5.4).
    #[cfg(feature = "hmac")]
    pub(crate) fn uuid(self) -> String {
        match self {
            Self::Random(bytes) => {
                let mut number = u128::from_be_bytes(bytes);
                number &= !(0xf000_c000 << 48);
                number |= 0x4000_8000 << 48;
                let mut uuid = digits(&number.to_be_bytes());
                for hyphen in [8, 13, 18, 23] {
                    uuid.insert(hyphen, '-');
                }
                uuid
            }
            #[cfg(test)]
            Self::Fixed(text) => text.to_owned(),
        }
    }

    /// Formats as 24 characters of base64.
    #[cfg(feature = "hmac")]
    pub(crate) fn base64(self) -> String {
        match self {
            Self::Random(bytes) => BASE64_STANDARD.encode(bytes),
            #[cfg(test)]
            Self::Fixed(text) => text.to_owned(),
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    hex::encode(bytes, HexCase::Lower, &mut |pair| {
        digits.extend(pair.iter().copied().map(char::from));
    });
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let drawn: std::collections::HashSet<_> = (0..100)
            .filter_map(|_| Nonces::Random.draw().ok())
            .map(Nonce::hex)
            .collect();
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|nonce| nonce.len() == 32));
    }

    #[cfg(feature = "hmac")]
    #[test]
    fn each_form_is_of_the_same_bytes() {
        let nonce = Nonce::Random([0xff; 16]);
        assert_eq!(nonce.hex(), "ffffffffffffffffffffffffffffffff");
        assert_eq!(nonce.uuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(nonce.base64(), "/////////////////////w==");
    }
}
