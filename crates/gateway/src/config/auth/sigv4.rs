//! `kind = "sigv4"`: calls are signed for AWS.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::auth::SigV4;

use super::super::value::{Form, Size, Text};
use super::{Problem, Scheme, bytes, shape, unfit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    service: Spanned<String>,
    region: Spanned<String>,
    payload: Option<Spanned<Text<Payload>>>,
    payload_limit: Option<Spanned<Size>>,
    max_chunk_size: Option<Spanned<Size>>,
    presigned: Option<Spanned<Text<Duration>>>,
}

/// The treatment of a payload for which the caller sends no hash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Payload {
    Signed,
    Streaming,
}

impl Form for Payload {
    const EXPECTED: &'static str = "\"signed\" or \"streaming\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "signed" => Some(Self::Signed),
            "streaming" => Some(Self::Streaming),
            _ => None,
        }
    }
}

/// The default maximum size of a payload that is buffered to be signed, in bytes.
const PAYLOAD_LIMIT: usize = 16 << 20;

pub(super) fn read(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    let table: Table = shape(table)?;
    let (service, region) = (table.service.get_ref(), table.region.get_ref());
    // The service is checked with a valid region first, so that the error is about the right key.
    SigV4::new(service, "us-east-1").map_err(|error| unfit(&table.service, error))?;
    let mut scheme = SigV4::new(service, region).map_err(|error| unfit(&table.region, error))?;
    let limit = table.payload_limit.as_ref();
    match table.payload.as_ref().map(|payload| payload.get_ref().0) {
        Some(Payload::Streaming) => {
            if let Some(limit) = limit {
                let what = "only `payload = \"signed\"` buffers payloads; remove this key, or set `payload = \"signed\"`";
                return Err(Problem::at(limit, what));
            }
            scheme = scheme.streaming();
        }
        Some(Payload::Signed) => {
            scheme = scheme.signed_payload(limit.map_or(PAYLOAD_LIMIT, bytes));
        }
        None => {
            if let Some(limit) = limit {
                scheme = scheme.signed_payload(bytes(limit));
            }
        }
    }
    if let Some(size) = &table.max_chunk_size {
        scheme = scheme.max_chunk_size(bytes(size));
    }
    if let Some(lifetime) = &table.presigned {
        let seconds = lifetime.get_ref().0.as_secs();
        if !(1..=7 * 24 * 60 * 60).contains(&seconds) {
            let what = "expected a duration between \"1s\" and \"7d\"";
            return Err(Problem::at(lifetime, what));
        }
        scheme = scheme.presigned(lifetime.get_ref().0);
    }
    Ok(Box::new(scheme))
}
