//! The dates of HTTP (RFC 9110 §5.6.7), and the field `Retry-After`, which may hold a date.

use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is returned, so that adding it to a clock can't overflow: a year.
const MAX_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns the wait that `Retry-After` requests (RFC 9110 §10.2.3), or `None` if the field is missing or isn't valid.
///
/// A date is measured from the response's own `Date`, or else from now; a date that has passed is a wait of zero.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().map_or(MAX_WAIT, Duration::from_secs);
        return Some(seconds.min(MAX_WAIT));
    }
    let until = date(value)?;
    let from = headers
        .get(DATE)
        .and_then(|value| date(value.to_str().ok()?));
    let from = from.unwrap_or_else(SystemTime::now);
    let wait = until.duration_since(from).unwrap_or_default();
    Some(wait.min(MAX_WAIT))
}

fn date(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |fields: &[(&'static str, &'static str)]| {
            let fields = fields.iter().map(|&(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            retry_after(&fields.collect())
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, seconds) in [
            ("120", 120),
            ("0", 0),
            ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
            ("Sun, 06 Nov 1994 08:40:00 GMT", 0),
        ] {
            let expected = Some(Duration::from_secs(seconds));
            assert_eq!(after(&[("retry-after", value), date]), expected, "{value}");
        }
        assert_eq!(
            after(&[("retry-after", "99999999999999999999999")]),
            Some(MAX_WAIT)
        );
        let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(httpdate::fmt_http_date(in_an_hour));
        headers.extend(value.ok().map(|value| (RETRY_AFTER, value)));
        let wait = retry_after(&headers).unwrap_or_default();
        assert!(wait > Duration::from_secs(3500) && wait <= Duration::from_secs(3600));
        for nonsense in ["", "-1", "+1", "1.5", "tomorrow", "1 s"] {
            assert_eq!(
                after(&[("retry-after", nonsense), date]),
                None,
                "{nonsense}"
            );
        }
    }
}
