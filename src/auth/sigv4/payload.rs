//! The text that replaces the payload in the signed message.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::AuthError;

pub(super) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Chunks, each with its own signature
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).
pub(super) const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// Chunks, each with its own signature, followed by fields
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>).
pub(super) const SIGNED_CHUNKS_AND_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/// Chunks without signatures, followed by fields.
const UNSIGNED_CHUNKS_AND_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The caller's claim about its payload in `x-amz-content-sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim<'a> {
    /// There is no claim, or a claim that can't be used.
    None,
    /// The hash of the payload, which AWS compares, or the claim that the payload is unsigned.
    Stands(&'a HeaderValue),
    /// Chunks that the caller has signed, with a key that isn't the connection's.
    SignedChunks { trailer: bool },
    /// Chunks in a form that can't be signed here.
    Unsignable,
}

impl<'a> Claim<'a> {
    pub(super) fn from_headers(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_SHA256).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Self::None;
        };
        let text = value.to_str().unwrap_or_default();
        match text {
            UNSIGNED | UNSIGNED_CHUNKS_AND_TRAILER => Self::Stands(value),
            SIGNED_CHUNKS => Self::SignedChunks { trailer: false },
            SIGNED_CHUNKS_AND_TRAILER => Self::SignedChunks { trailer: true },
            _ if is_hash(text) => Self::Stands(value),
            _ if text.starts_with("STREAMING-") => Self::Unsignable,
            _ => Self::None,
        }
    }

    /// Returns `true` if the payload is framed as `aws-chunked`, and not only the bytes of an object.
    pub(super) fn is_in_chunks(self) -> bool {
        match self {
            Self::None => false,
            Self::Stands(value) => value == UNSIGNED_CHUNKS_AND_TRAILER,
            Self::SignedChunks { .. } | Self::Unsignable => true,
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The treatment of a payload without a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclaimed {
    /// The payload is buffered up to that many bytes, and hashed.
    Hashed { limit: usize },
    /// The payload streams, and isn't signed.
    Unsigned,
    /// The payload streams in chunks that are signed here.
    Streamed,
}

pub(super) const CHUNKS_OF_ANOTHER_KIND: AuthError =
    AuthError::CannotSign("the payload is streamed in a form that can't be signed again");

pub(super) const NO_CHUNKS_IN_A_QUERY: AuthError =
    AuthError::CannotSign("a payload in signed chunks can't be sent with a signature in the query");

pub(super) const NOT_BUFFERED: AuthError = AuthError::CannotSign(
    "the payload wasn't buffered for the signature; is its hash a field that `Connection` nominates?",
);

pub(super) const NO_LENGTH: AuthError =
    AuthError::CannotSign("a payload of unknown length can't be signed while it streams");

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(values: &[&'static str]) -> HeaderMap {
        let lines = values
            .iter()
            .map(|value| (CONTENT_SHA256, HeaderValue::from_static(value)));
        lines.collect()
    }

    #[test]
    fn what_a_caller_claims_is_read_strictly() {
        const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for value in [HASH, UNSIGNED, UNSIGNED_CHUNKS_AND_TRAILER] {
            let headers = claimed(&[value]);
            assert_eq!(
                Claim::from_headers(&headers),
                Claim::Stands(&HeaderValue::from_static(value))
            );
        }
        for (values, claim) in [
            (&[][..], Claim::None),
            (&[HASH, HASH], Claim::None),
            (&["0123"], Claim::None),
            (&["unsigned-payload"], Claim::None),
            (&[SIGNED_CHUNKS], Claim::SignedChunks { trailer: false }),
            (
                &[SIGNED_CHUNKS_AND_TRAILER],
                Claim::SignedChunks { trailer: true },
            ),
            (
                &["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"],
                Claim::Unsignable,
            ),
            (&["STREAMING-AWS4-HMAC-SHA256-EVENTS"], Claim::Unsignable),
        ] {
            assert_eq!(Claim::from_headers(&claimed(values)), claim, "{values:?}");
        }
    }
}
