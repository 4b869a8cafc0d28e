//! Trace context (W3C): `traceparent` is forwarded, or generated if there is none.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::encoding::hex::{decode_lower, write_lower};
use crate::rewrite::has;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The treatment of a request's trace context (W3C Trace Context).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceContext {
    /// Forwards `traceparent` and `tracestate` as the caller sent them, and generates neither.
    #[default]
    Pass,
    /// Forwards a valid `traceparent` unchanged. If it's missing or invalid, a new `traceparent` is generated, and a
    /// `tracestate` that came with an invalid `traceparent` is dropped.
    Start,
}

/// The id of a trace: 16 bytes that aren't all zero. It's displayed as 32 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// Returns the bytes of the id.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Returns the trace that the request belongs to, if it has a single `traceparent` that is valid.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        if !has(headers, &TRACEPARENT) {
            return None;
        }
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?;
        // With two fields, it's unclear which field counts.
        if values.next().is_some() {
            return None;
        }
        parse(value.as_bytes())
    }

    /// Returns the trace that the request belongs to, or starts a trace and adds the trace to the request.
    pub(crate) fn from_headers_or_start(headers: &mut HeaderMap) -> Self {
        if let Some(id) = Self::from_headers(headers) {
            return id;
        }
        let id = Self(random_id());
        let parent = random().to_be_bytes();
        headers.insert(TRACEPARENT, traceparent(id, parent));
        headers.remove(TRACESTATE);
        id
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        write_lower(&self.0, &mut digits);
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl FromStr for TraceId {
    type Err = InvalidTraceId;

    /// # Errors
    ///
    /// [`InvalidTraceId`] if the text isn't 32 hexadecimal digits in lower case, or if all digits are 0.
    fn from_str(text: &str) -> Result<Self, InvalidTraceId> {
        parse_id(text.as_bytes()).map(Self).ok_or(InvalidTraceId)
    }
}

/// The error of a text that isn't a valid trace id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTraceId;

impl fmt::Display for InvalidTraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trace id must have 32 lower-case hexadecimal digits that aren't all zero")
    }
}

impl std::error::Error for InvalidTraceId {}

/// Parses `version-trace-parent-flags`. Later versions may append to that (§4.3 of the standard).
fn parse(value: &[u8]) -> Option<TraceId> {
    let (known, rest) = value.split_at_checked(55)?;
    let mut parts = known.split(|&byte| byte == b'-');
    let [version] = decode_lower(parts.next()?)?;
    let trace = parse_id(parts.next()?)?;
    let _parent: [u8; 8] = parse_id(parts.next()?)?;
    let [_flags] = decode_lower(parts.next()?)?;
    let is_whole = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    (is_whole && parts.next().is_none()).then_some(TraceId(trace))
}

/// Parses an id that has a byte other than zero.
fn parse_id<const LEN: usize>(text: &[u8]) -> Option<[u8; LEN]> {
    decode_lower(text).filter(|id| id.iter().any(|&byte| byte != 0))
}

/// Returns a `traceparent` of version 00 that is sampled, because a host application that starts traces here wants to
/// see them.
fn traceparent(id: TraceId, parent: [u8; 8]) -> HeaderValue {
    let text = format!("00-{id}-{:016x}-01", u64::from_be_bytes(parent));
    // The text has only digits and dashes, so the conversion can't fail.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn random_id() -> [u8; 16] {
    let id = u128::from(random()) << 64 | u128::from(random());
    id.to_be_bytes()
}

/// Returns a number other than 0 that isn't repeated in practice: a counter, hashed with keys that std derives from the
/// system's random numbers. Trace ids aren't secrets, and their readers only need them to be evenly distributed.
fn random() -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    KEYS.get_or_init(RandomState::new).hash_one(count).max(1)
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn valid_ones_are_read() {
        for value in [
            format!("00-{ID}-b7ad6b7169203331-01"),
            format!("00-{ID}-b7ad6b7169203331-00"),
            format!("cc-{ID}-b7ad6b7169203331-ff"),
            format!("01-{ID}-b7ad6b7169203331-01-what-comes"),
        ] {
            let id = parse(value.as_bytes()).map(|id| id.to_string());
            assert_eq!(id.as_deref(), Some(ID), "{value}");
        }
        assert_eq!(ID.parse::<TraceId>().unwrap().to_string(), ID);
    }

    #[test]
    fn others_are_none() {
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            "00".to_owned(),
            format!("ff-{ID}-b7ad6b7169203331-01"),
            format!("00-{ID}-b7ad6b7169203331-01-more"),
            format!("01-{ID}-b7ad6b7169203331-01more"),
            format!("00-{zeros}-b7ad6b7169203331-01"),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{}-b7ad6b7169203331-01", ID.to_uppercase()),
            format!("00-{ID}-b7ad6b7169203331-0"),
            format!("00-{ID}-b7ad6b7169203331-0x"),
            format!("00-{ID}b7ad6b7169203331--01"),
            format!(" 00-{ID}-b7ad6b7169203331-01"),
            "-".repeat(55),
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
        for text in [zeros.as_str(), "", "0a", &format!("{ID}00")] {
            assert_eq!(text.parse::<TraceId>(), Err(InvalidTraceId), "{text}");
        }
    }

    #[test]
    fn new_ones_are_valid_and_of_their_own() {
        let ids: HashSet<_> = (0..1000)
            .map(|_| {
                let mut headers = HeaderMap::new();
                let id = TraceId::from_headers_or_start(&mut headers);
                assert_eq!(TraceId::from_headers(&headers), Some(id));
                id
            })
            .collect();
        assert_eq!(ids.len(), 1000);
    }
}
