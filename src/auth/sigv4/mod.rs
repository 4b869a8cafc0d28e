//! Signature Version 4 of AWS
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>).
//!
//! The canonical form of a request is built here, with `ring`'s SHA-256 and HMAC, from the bytes that are sent. That needs five crates,
//! which TLS needs anyway. Two other libraries were considered. `aws-sigv4` adds some 40 crates of its SDK, and assumes that a path of S3
//! is encoded in the way in which AWS encodes it: a parenthesis that a caller sent without encoding fails. `reqsign-aws-v4` adds as many,
//! signs in an async function, and neither encodes a path twice nor resolves dot segments, so that it only works for S3. Neither of them
//! can replace the signatures of chunks that a caller has signed.

mod canonical;
mod chunks;
mod key;
mod payload;
mod presign;
mod resigned;
mod signing;

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderName, HeaderValue};
use http::request::Parts;

use self::canonical::PathRules;
use self::chunks::{Chain, InChunks};
use self::key::{Stamp, hash};
use self::payload::{
    CHUNKS_OF_ANOTHER_KIND, CONTENT_SHA256, Claim, NO_CHUNKS_IN_A_QUERY, NO_LENGTH, NOT_BUFFERED,
    SIGNED_CHUNKS, UNSIGNED, Unclaimed,
};
use self::presign::PARAMETERS;
use self::resigned::Resigned;
use self::signing::{Signing, plain, signature_of};
use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements, SchemeError,
};

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");

/// The fields that signers set. `x-amz-region-set` belongs to version 4A, which signs for several regions.
static FIELDS: [HeaderName; 4] = [
    AUTHORIZATION,
    AMZ_DATE,
    SECURITY_TOKEN,
    HeaderName::from_static("x-amz-region-set"),
];

const ACCESS_KEY_ID: &str = "access_key_id";
const SECRET_ACCESS_KEY: &str = "secret_access_key";
const SESSION_TOKEN: &str = "session_token";

/// The maximum size of a body that is buffered to be hashed, in bytes: that of the largest request of DynamoDB.
const MAX_BUFFERED_SIZE: usize = 16 * 1024 * 1024;

/// The default maximum size of a chunk that is signed again, in bytes. SDKs make chunks of 64 or 128 KiB.
const DEFAULT_MAX_CHUNK_SIZE: usize = 1024 * 1024;

/// The maximum lifetime of a signed query that AWS allows, in seconds.
const MAX_LIFETIME: u64 = 7 * 24 * 60 * 60;

/// Signs for AWS, and for services that use the same protocol.
///
/// The secrets are `access_key_id`, `secret_access_key` and the optional `session_token`.
///
/// A caller may be an SDK that has signed the request with its own key, in a field or in the query: its signature is removed. Region
/// and service are set by the integration, and never by the caller.
///
/// ```
/// use tower_passthrough::Upstream;
/// use tower_passthrough::address::PathEncoding;
/// use tower_passthrough::auth::SigV4;
///
/// let s3 = Upstream::template("https://s3.{region}.amazonaws.com")?
///     .auth(SigV4::new("s3", "{region}")?)
///     .path_encoding(PathEncoding::Never);
/// let queues = Upstream::new("https://sqs.eu-central-1.amazonaws.com")?
///     .auth(SigV4::new("sqs", "eu-central-1")?.signed_payload(1024 * 1024));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// With [`PathEncoding::Never`](crate::address::PathEncoding::Never), a key that begins with an encoded slash is sent unchanged.
///
/// # Payloads
///
/// | the caller's `x-amz-content-sha256` | the payload |
/// | --- | --- |
/// | a hash | streams; AWS compares it with the hash |
/// | `UNSIGNED-PAYLOAD`, `STREAMING-UNSIGNED-PAYLOAD-TRAILER` | streams unchanged |
/// | `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, and with `-TRAILER` | streams; the signatures of its chunks and its trailer are replaced. A single chunk at a time is buffered: [`max_chunk_size`](Self::max_chunk_size) |
/// | any other value that begins with `STREAMING-` | is refused with 400 |
/// | none, to S3 | streams unsigned, unless [`signed_payload`](Self::signed_payload) or [`streaming`](Self::streaming) is set |
/// | none, to other services | is buffered and hashed, up to 16 MiB or the limit of [`signed_payload`](Self::signed_payload); a larger payload is refused with 413 |
///
/// # Signed fields
///
/// The scheme signs `Host`, `Content-Type`, `Content-MD5` and all fields that begin with `x-amz-`. Other fields aren't signed, because a
/// proxy between here and AWS may change them. For S3, the path is signed as it's sent. For other services, it's encoded once more and its
/// dot segments are resolved, as AWS requires. The path that is sent isn't changed by that.
///
/// In a tuple of schemes, put it last, because it signs the fields that the other schemes have added.
#[derive(Clone, Debug)]
pub struct SigV4 {
    service: Box<str>,
    region: Region,
    unclaimed: Unclaimed,
    /// In bytes.
    max_chunk_size: usize,
    /// In seconds, if the signature goes into the query.
    lifetime: Option<u64>,
    parameters: Vec<Box<str>>,
}

#[derive(Clone, Debug)]
enum Region {
    Fixed(Box<str>),
    /// The variable of the connection.
    Variable(Box<str>),
}

impl SigV4 {
    /// Returns a scheme that signs for that service in that region.
    ///
    /// A region `{name}` is the connection's variable with that name.
    ///
    /// `s3`, `s3express`, `s3-outposts` and `s3-object-lambda` are signed by the rules of S3.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if a name is empty, or contains characters other than letters, digits, `-` and `_`.
    pub fn new(service: &str, region: &str) -> Result<Self, SchemeError> {
        let variable = region
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        if !is_name(service) || !is_name(variable.unwrap_or(region)) {
            return Err(SchemeError(
                "the name of the service or the region isn't valid",
            ));
        }
        let unclaimed = match is_s3(service) {
            true => Unclaimed::Unsigned,
            false => Unclaimed::Hashed {
                limit: MAX_BUFFERED_SIZE,
            },
        };
        Ok(Self {
            service: service.into(),
            region: match variable {
                Some(name) => Region::Variable(name.into()),
                None => Region::Fixed(region.into()),
            },
            unclaimed,
            max_chunk_size: DEFAULT_MAX_CHUNK_SIZE,
            lifetime: None,
            parameters: Vec::new(),
        })
    }

    /// Puts the signature into the query and not into a field, valid for that time from each call on: at least 1 s, and at most
    /// 7 days. A payload to S3 isn't signed then.
    ///
    /// Prefer the field if the upstream accepts it, because URLs are often logged.
    ///
    /// Default: the signature is in the field `Authorization`.
    #[must_use]
    pub fn presigned(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime.as_secs().clamp(1, MAX_LIFETIME));
        self.parameters = PARAMETERS.iter().map(|&name| name.into()).collect();
        self
    }

    /// Buffers a payload for which the caller sends no hash, up to that many bytes, and signs its hash. A larger payload is answered with
    /// 413.
    ///
    /// Default: 16 MiB for all services except S3; payloads to S3 are neither buffered nor signed.
    #[must_use]
    pub fn signed_payload(mut self, limit: usize) -> Self {
        self.unclaimed = Unclaimed::Hashed { limit };
        self
    }

    /// Sends a payload for which the caller sends no hash in chunks of 64 KiB that are each signed, in the form that S3 accepts
    /// (`STREAMING-AWS4-HMAC-SHA256-PAYLOAD`).
    ///
    /// Its length must be known: a payload without `Content-Length` is refused with 400.
    ///
    /// Default: off.
    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.unclaimed = Unclaimed::Streamed;
        self
    }

    /// Sets the maximum size of a chunk that the caller has signed, in bytes.
    ///
    /// Each upload buffers a single chunk. A larger chunk ends the call like a body that breaks off, with 400.
    ///
    /// Default: 1 MiB.
    #[must_use]
    pub fn max_chunk_size(mut self, bytes: usize) -> Self {
        self.max_chunk_size = bytes;
        self
    }

    fn region<'a>(&'a self, cx: &AuthContext<'a>) -> Result<&'a str, AuthError> {
        let name = match &self.region {
            Region::Fixed(name) => return Ok(name),
            Region::Variable(name) => name,
        };
        let value = cx.variable(name)?;
        match is_name(value) {
            true => Ok(value),
            false => Err(AuthError::InvalidHeaderValue),
        }
    }

    fn signing<'a>(&'a self, cx: &AuthContext<'a>) -> Result<Signing<'a>, AuthError> {
        let is_s3 = is_s3(&self.service);
        Ok(Signing {
            stamp: Stamp::new(cx.now()),
            region: self.region(cx)?,
            service: &self.service,
            access_key_id: cx.secret(ACCESS_KEY_ID)?,
            secret_access_key: cx.secret(SECRET_ACCESS_KEY)?,
            path: PathRules {
                encoded_again: !is_s3,
                normalized: !is_s3,
            },
            signs,
        })
    }

    /// Returns the text that is signed in place of the payload, for a request with its signature in a field. For a payload that is put into
    /// chunks here, also returns its length.
    fn payload_value(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<(HeaderValue, Option<u64>), AuthError> {
        match Claim::from_headers(request.headers()) {
            Claim::Stands(value) => return Ok((value.clone(), None)),
            Claim::SignedChunks { .. } => {
                let value = request.headers().get(CONTENT_SHA256).cloned();
                return Ok((value.ok_or(AuthError::InvalidHeaderValue)?, None));
            }
            Claim::Unsignable => return Err(CHUNKS_OF_ANOTHER_KIND),
            Claim::None => {}
        }
        match self.unclaimed {
            Unclaimed::Unsigned => Ok((HeaderValue::from_static(UNSIGNED), None)),
            Unclaimed::Hashed { .. } => Ok((hashed(cx)?, None)),
            Unclaimed::Streamed => match cx.payload_length() {
                Some(0) => Ok((hashed(cx)?, None)),
                Some(length) => {
                    in_chunks(request, length)?;
                    Ok((HeaderValue::from_static(SIGNED_CHUNKS), Some(length)))
                }
                None => Err(NO_LENGTH),
            },
        }
    }

    fn presign(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
        seconds: u64,
    ) -> Result<(), AuthError> {
        let claim = Claim::from_headers(request.headers());
        if claim.is_in_chunks() {
            return Err(NO_CHUNKS_IN_A_QUERY);
        }
        let payload = match claim {
            _ if is_s3(&self.service) => HeaderValue::from_static(UNSIGNED),
            Claim::Stands(value) => value.clone(),
            _ => hashed(cx)?,
        };
        request.remove_header(&CONTENT_SHA256);
        let token = cx.credential().get(SESSION_TOKEN);
        self.signing(cx)?
            .presign(request, seconds, token, payload.as_bytes())
    }
}

/// Sets the fields that describe a payload in chunks.
fn in_chunks(request: &mut AuthRequest<'_>, length: u64) -> Result<(), AuthError> {
    let codings = request.headers().get_all(CONTENT_ENCODING).iter();
    let codings: Vec<_> = [&b"aws-chunked"[..]]
        .into_iter()
        .chain(codings.map(HeaderValue::as_bytes))
        .collect();
    let codings = plain(codings.join(&b","[..]))?;
    request.insert_header(CONTENT_ENCODING, codings);
    request.insert_header(DECODED_LENGTH, length.into());
    Ok(())
}

fn hashed(cx: &AuthContext<'_>) -> Result<HeaderValue, AuthError> {
    match (cx.payload(), cx.payload_length()) {
        (Some(payload), _) => plain(Bytes::copy_from_slice(&hash(payload))),
        (None, Some(0)) => plain(Bytes::copy_from_slice(&hash(b""))),
        (None, _) => Err(NOT_BUFFERED),
    }
}

fn is_s3(service: &str) -> bool {
    matches!(
        service,
        "s3" | "s3express" | "s3-outposts" | "s3-object-lambda"
    )
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// Returns `true` for the fields that are signed. `x-amzn-trace-id` isn't signed, because load balancers change it.
fn signs(name: &str) -> bool {
    matches!(name, "host" | "content-type" | "content-md5") || name.starts_with("x-amz-")
}

impl AuthScheme for SigV4 {
    fn requirements(&self) -> Requirements {
        let requirements = FIELDS
            .iter()
            .cloned()
            .fold(Requirements::new(), Requirements::field);
        let parameters = self.parameters.iter().cloned();
        let requirements = parameters.fold(requirements, Requirements::parameter);
        let requirements = requirements.secret(ACCESS_KEY_ID).secret(SECRET_ACCESS_KEY);
        match &self.region {
            Region::Variable(name) => requirements.variable(&**name),
            Region::Fixed(_) => requirements,
        }
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        let is_unsigned = self.lifetime.is_some() && is_s3(&self.service);
        let limit = match (self.unclaimed, Claim::from_headers(&request.headers)) {
            (Unclaimed::Hashed { limit }, Claim::None) if !is_unsigned => limit,
            (Unclaimed::Streamed, Claim::None) if self.lifetime.is_some() && !is_unsigned => {
                MAX_BUFFERED_SIZE
            }
            _ => return Ok(PayloadUse::Ignored),
        };
        if let Some(token) = cx.credential().get(SESSION_TOKEN) {
            token.to_header_value("")?;
        }
        self.signing(cx)?.check_access_key_id()?;
        Ok(PayloadUse::Bytes { limit })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        presign::strip(request)?;
        // An upstream may read other spellings of a field as the field that is added here.
        request.drop_other_spellings(&CONTENT_SHA256);
        request.drop_other_spellings(&DECODED_LENGTH);
        if let Some(seconds) = self.lifetime {
            self.presign(request, cx, seconds)?;
            return Ok(Applied::default());
        }
        let claim = Claim::from_headers(request.headers());
        let is_claimed = !matches!(claim, Claim::None);
        let trailer = match claim {
            Claim::SignedChunks { trailer } => Some(trailer),
            _ => None,
        };
        let (payload, own_chunks) = self.payload_value(request, cx)?;
        match is_claimed || is_s3(&self.service) || self.unclaimed == Unclaimed::Streamed {
            true => request.insert_header(CONTENT_SHA256, payload.clone()),
            false => request.remove_header(&CONTENT_SHA256),
        }
        let signing = self.signing(cx)?;
        let date = Bytes::copy_from_slice(signing.stamp.as_str().as_bytes());
        request.insert_header(AMZ_DATE, plain(date)?);
        if let Some(token) = cx.credential().get(SESSION_TOKEN) {
            request.insert_header(SECURITY_TOKEN, token.to_header_value("")?);
        }
        signing.authorize(request, payload.as_bytes())?;
        let chain = || {
            Ok::<_, AuthError>(Chain {
                key: signing.key(),
                scope: signing.scope(),
                stamp: signing.stamp,
                last: signature_of(request.head()).ok_or(AuthError::InvalidHeaderValue)?,
            })
        };
        Ok(match (own_chunks, trailer) {
            (Some(length), _) => Applied::default().encoder(InChunks::new(chain()?, length)),
            (None, Some(trailer)) => {
                Applied::default().encoder(Resigned::new(chain()?, trailer, self.max_chunk_size))
            }
            (None, None) => Applied::default(),
        })
    }
}

#[cfg(test)]
mod example;
