//! The example request in S3's documentation, with signed chunks
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).

use std::time::{Duration, UNIX_EPOCH};

use super::chunks::Chain;
use super::key::{Hex, SigningKey, Stamp, scope};
use crate::secret::Secret;

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The signature of the head.
pub(super) const SEED: &Hex = b"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/// Returns the time of the example, 2013-05-24.
pub(super) fn stamp() -> Stamp {
    Stamp::new(UNIX_EPOCH + Duration::from_secs(1_369_353_600))
}

pub(super) fn chain(seed: &Hex) -> Chain {
    let stamp = stamp();
    Chain {
        key: SigningKey::derive(&Secret::from(SECRET), &stamp, "us-east-1", "s3"),
        scope: scope(&stamp, "us-east-1", "s3"),
        stamp,
        last: *seed,
    }
}
