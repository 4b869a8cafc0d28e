//! The signing key, and its signatures.

use std::time::SystemTime;

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::encoding::calendar::{DateTime, since_epoch};
use crate::encoding::hex::encode_hash;
use crate::secret::Secret;

/// A SHA-256 or an HMAC in lower case hex.
pub(super) type Hex = [u8; 64];

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A point in time in the form `20130524T000000Z`.
#[derive(Clone)]
pub(super) struct Stamp(String);

impl Stamp {
    /// Returns the stamp of a time. A time before 1970 is treated as the beginning of 1970.
    pub(super) fn new(now: SystemTime) -> Self {
        Self(DateTime::from_unix_time(since_epoch(now)).to_iso_basic())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn date(&self) -> &str {
        self.0.split('T').next().unwrap_or_default()
    }
}

/// Returns the scope of a signature: a day, a region and a service.
pub(super) fn scope(stamp: &Stamp, region: &str, service: &str) -> String {
    [stamp.date(), region, service, "aws4_request"].join("/")
}

/// The signing key of a day, a region and a service. It's wiped when it's dropped, but `ring`'s
/// copies during computations aren't.
#[derive(Clone)]
pub(super) struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    pub(super) fn derive(secret: &Secret, stamp: &Stamp, region: &str, service: &str) -> Self {
        let secret = secret.expose();
        let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret);
        let mut key = Self(keyed(&first, stamp.date().as_bytes()));
        for part in [region, service, "aws4_request"] {
            key = Self(keyed(&*key.0, part.as_bytes()));
        }
        key
    }

    pub(super) fn sign(&self, text: &[u8]) -> Hex {
        encode_hash(&*keyed(&*self.0, text))
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = Zeroizing::new([0; 32]);
    for (to, from) in tag.iter_mut().zip(hmac::sign(&key, text).as_ref()) {
        *to = *from;
    }
    tag
}

pub(super) fn hash(data: &[u8]) -> Hex {
    encode_hash(digest::digest(&digest::SHA256, data).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_lower_case_hex() {
        let empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(&hash(b""), empty);
    }
}
