//! The rate limits in an upstream's response. The response isn't changed.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName};

use crate::encoding::http_date::retry_after;

/// The rate limit in an upstream's response.
///
/// It is read from `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, and the forms of its
/// earlier versions), `RateLimit-*`, `X-RateLimit-*`, `X-Rate-Limit-*`, or `Retry-After`. If there are several limits,
/// it's the limit with the smallest remaining quota.
///
/// The meaning of these fields differs between vendors. A number is returned exactly as the upstream wrote it, and a
/// value that isn't a number is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<u64>,
    retry_after: Option<Duration>,
}

impl RateLimit {
    /// Returns the quota of a window, usually in requests.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Returns the remaining quota.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.remaining
    }

    /// Returns the reset of the quota in the upstream's own unit, without its fraction.
    ///
    /// By the draft it is a number of seconds from now. Many upstreams send a Unix time in seconds, and some in
    /// milliseconds.
    #[must_use]
    pub fn reset(&self) -> Option<u64> {
        self.reset
    }

    /// Returns the time that the caller should wait, as the upstream requests it (RFC 9110 §10.2.3).
    ///
    /// If the upstream sent a date, the time is measured from the date of the response, or from now if the response has
    /// none.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns `None` if the response contains no rate limits.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        // Most responses have none of the fields, and each look-up hashes a name.
        if !headers.keys().any(|name| describes_a_limit(name.as_str())) {
            return None;
        }
        let number = |names: &[HeaderName; 4]| {
            let mut values = names.iter().filter_map(|name| headers.get(name));
            values.find_map(|value| leading_number(value.as_bytes()))
        };
        let mut found = draft(headers);
        found.limit = found.limit.or_else(|| number(&LIMIT));
        found.remaining = found.remaining.or_else(|| number(&REMAINING));
        found.reset = found.reset.or_else(|| number(&RESET));
        found.retry_after = retry_after(headers);
        (found != Self::default()).then_some(found)
    }
}

/// Returns `true` for each field that is read, and for few other fields.
fn describes_a_limit(name: &str) -> bool {
    name.starts_with("ratelimit") || name.starts_with("x-rate") || name == "retry-after"
}

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

const LIMIT: [HeaderName; 4] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-rate-limit-limit"),
    HeaderName::from_static("x-ratelimit-limit-requests"),
];

const REMAINING: [HeaderName; 4] = [
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-rate-limit-remaining"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
];

const RESET: [HeaderName; 4] = [
    HeaderName::from_static("ratelimit-reset"),
    HeaderName::from_static("x-ratelimit-reset"),
    HeaderName::from_static("x-rate-limit-reset"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];

/// Parses `RateLimit: "name";r=50;t=30` and `RateLimit-Policy: "name";q=100;w=60`. Also parses the form in earlier
/// versions of the draft: `RateLimit: limit=100, remaining=50, reset=30`.
fn draft(headers: &HeaderMap) -> RateLimit {
    let mut found = RateLimit::default();
    let mut name: &[u8] = b"";
    for line in headers.get_all(RATELIMIT) {
        for member in split(line.as_bytes(), b',') {
            let mut parts = split(member, b';');
            let first = parts.next().unwrap_or_default();
            let (mut remaining, mut reset) = (None, None);
            for (key, value) in parts.filter_map(pair) {
                match key {
                    b"r" => remaining = leading_number(value),
                    b"t" => reset = leading_number(value),
                    _ => {}
                }
            }
            match pair(first) {
                Some((b"limit", value)) => found.limit = leading_number(value),
                Some((b"remaining", value)) => found.remaining = leading_number(value),
                Some((b"reset", value)) => found.reset = leading_number(value),
                _ => {
                    let is_less = match (remaining, found.remaining) {
                        (Some(new), Some(least)) => new < least,
                        (new, _) => new.is_some(),
                    };
                    if is_less {
                        (found.remaining, found.reset, name) = (remaining, reset, first);
                    }
                }
            }
        }
    }
    if found.limit.is_none() && found.remaining.is_some() {
        let policies = headers.get_all(RATELIMIT_POLICY).iter();
        let mut policies = policies.flat_map(|line| split(line.as_bytes(), b','));
        found.limit = policies.find_map(|policy| {
            let mut parts = split(policy, b';');
            let first = parts.next()?;
            if let Some(limit) = leading_number(first) {
                return Some(limit);
            }
            let mut parts = parts.filter_map(pair).filter(|_| first == name);
            parts.find_map(|(key, value)| (key == b"q").then(|| leading_number(value))?)
        });
    }
    found
}

/// Returns the parts between the `separator`s that aren't in quotes.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    let parts = text.split(move |&byte| {
        is_quoted ^= byte == b'"';
        byte == separator && !is_quoted
    });
    parts.map(<[u8]>::trim_ascii)
}

fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.iter().position(|&byte| byte == b'=')?;
    let (key, value) = part.split_at_checked(at)?;
    Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Parses `100`, `100, 100;w=60` or `59.7`, but not `6m0s`.
fn leading_number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (number, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let ends = matches!(rest.first(), None | Some(b',' | b';' | b' ' | b'.'));
    let number = std::str::from_utf8(number).ok().filter(|_| ends)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::RETRY_AFTER;

    use super::*;

    fn read(fields: &[(&'static str, &'static str)]) -> Option<RateLimit> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        RateLimit::from_headers(&headers)
    }

    #[test]
    fn each_form_is_read() {
        let facts = |limit, remaining, reset| {
            Some(RateLimit {
                limit,
                remaining,
                reset,
                retry_after: None,
            })
        };
        let all = facts(Some(100), Some(50), Some(30));
        for fields in [
            &[
                ("ratelimit-policy", "\"burst\";q=9;w=1, \"a,b;\";q=100;w=60"),
                ("ratelimit", "\"x\";r=60;t=9, \"a,b;\";r=50;t=30"),
            ][..],
            &[
                ("ratelimit", "limit=100, remaining=50, reset=30"),
                ("ratelimit-policy", "100;w=60"),
            ],
            &[
                ("ratelimit", "\"default\";r=50;t=30"),
                ("ratelimit-policy", "100;w=60"),
            ],
            &[
                ("ratelimit-limit", "100, 100;w=60"),
                ("ratelimit-remaining", "50"),
                ("ratelimit-reset", "30"),
            ],
            &[
                ("x-ratelimit-limit", "100"),
                ("x-ratelimit-remaining", " 50 "),
                ("x-ratelimit-reset", "30.75"),
            ],
            &[
                ("x-rate-limit-limit", "100"),
                ("x-rate-limit-remaining", "50"),
                ("x-rate-limit-reset", "30"),
            ],
        ] {
            assert_eq!(read(fields), all, "{fields:?}");
        }
        let openai = [
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "6m0s"),
        ];
        assert_eq!(read(&openai), facts(None, Some(59), None));
    }

    #[test]
    fn each_name_that_is_read_describes_a_limit() {
        let fields = [RATELIMIT, RATELIMIT_POLICY, RETRY_AFTER];
        let names = [LIMIT, REMAINING, RESET].concat();
        for name in names.iter().chain(&fields) {
            assert!(describes_a_limit(name.as_str()), "{name}");
        }
        assert!(!describes_a_limit("content-type"));
        let after = read(&[("retry-after", "7")]).and_then(|limit| limit.retry_after());
        assert_eq!(after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert_eq!(read(&[("content-type", "text/plain")]), None);
        for value in ["", "-1", "many", "99999999999999999999", "r=", ";=,\""] {
            for name in ["ratelimit", "x-ratelimit-remaining"] {
                assert_eq!(read(&[(name, value)]), None, "{name}: {value}");
            }
        }
    }
}
