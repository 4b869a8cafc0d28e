//! The signing key, and what is signed with it.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::address::percent::digits;
use crate::auth::calendar::date;
use crate::secret::Secret;

/// A SHA-256 or an HMAC in lower case hex.
pub(super) type Hex = [u8; 64];

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A moment as `20130524T000000Z`.
#[derive(Clone)]
pub(super) struct Stamp(String);

impl Stamp {
    /// What was before 1970 is taken for its begin.
    pub(super) fn of(now: SystemTime) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = since.as_secs();
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
        let second = seconds % 60;
        let mut text = String::with_capacity(16);
        // Writing to a string never fails.
        let _ = write!(
            text,
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"
        );
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn date(&self) -> &str {
        self.0.split('T').next().unwrap_or_default()
    }
}

/// What a signature is good for: a day, a region and a service.
pub(super) fn scope(stamp: &Stamp, region: &str, service: &str) -> String {
    [stamp.date(), region, service, "aws4_request"].join("/")
}

/// The key of a day, a region and a service. Zeroed on drop; what `ring` holds of it while it
/// computes isn't.
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
        hex(&*keyed(&*self.0, text))
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
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

/// Of 32 bytes.
pub(super) fn hex(bytes: &[u8]) -> Hex {
    let mut text = [b'0'; 64];
    let digits = bytes.iter().flat_map(|&byte| digits(byte));
    for (to, digit) in text.iter_mut().zip(digits) {
        *to = digit.to_ascii_lowercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
            (1_735_689_599, "20241231T235959Z"),
        ] {
            let stamp = Stamp::of(UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(stamp.as_str(), expected);
        }
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(1));
        assert!(before.is_some_and(|before| Stamp::of(before).date() == "19700101"));
    }

    #[test]
    fn a_hash_is_lower_case_hex() {
        let empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(&hash(b""), empty);
    }
}
