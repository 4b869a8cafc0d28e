//! The end of an access token, in each form in which endpoints return it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::encoding::calendar::parse_rfc3339;

/// The maximum lifetime of a token, so that adding it to a clock can't overflow: ten years.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Returns the end of a token with that lifetime in seconds, which is a number or a string. Returns `None` if the
/// lifetime isn't positive.
pub(super) fn after(lifetime: &Value, began: SystemTime) -> Option<SystemTime> {
    let seconds = number(lifetime).filter(|&seconds| seconds > 0.0)?;
    let lifetime = Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LIFETIME);
    began.checked_add(lifetime.min(MAX_LIFETIME))
}

/// Returns the end as a point in time. It's given in Unix seconds, or in milliseconds if the number is too large for
/// seconds, as a number or a string, or it's given as a timestamp of RFC 3339. Returns `None` if the end has passed:
/// the token is new, so a clock is wrong.
pub(super) fn at(time: &Value, began: SystemTime) -> Option<SystemTime> {
    // This number of seconds is in the year 5138.
    const MAX_SECONDS: f64 = 1e11;
    let since_epoch = match number(time) {
        Some(time) if time > MAX_SECONDS => Duration::try_from_secs_f64(time / 1000.0).ok()?,
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        None => parse_rfc3339(time.as_str()?.trim())?,
    };
    let latest = began.checked_add(MAX_LIFETIME)?;
    let end = UNIX_EPOCH
        .checked_add(since_epoch)
        .map_or(latest, |end| end.min(latest));
    (end > began).then_some(end)
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn began() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_600_000_000)
    }

    #[test]
    fn lifetimes_are_numbers_in_whichever_form() {
        for (lifetime, seconds) in [
            (json!(3600), Some(3600.0)),
            (json!("3600"), Some(3600.0)),
            (json!(" 3600 "), Some(3600.0)),
            (json!(3599.5), Some(3599.5)),
            (json!("3599.5"), Some(3599.5)),
            (json!(u64::MAX), Some(MAX_LIFETIME.as_secs_f64())),
            (json!("1e300"), Some(MAX_LIFETIME.as_secs_f64())),
            (json!(0), None),
            (json!(-1), None),
            (json!("inf"), None),
            (json!("NaN"), None),
            (json!(""), None),
            (json!("an hour"), None),
            (json!(null), None),
            (json!([3600]), None),
        ] {
            let end = seconds.map(|seconds| began() + Duration::from_secs_f64(seconds));
            assert_eq!(after(&lifetime, began()), end, "{lifetime}");
        }
    }

    #[test]
    fn timestamps_are_seconds_milliseconds_or_dates() {
        // `date -u -d ... +%s` says so.
        for (time, seconds) in [
            (json!(1_633_138_860), Some(1_633_138_860)),
            (json!("1633138860"), Some(1_633_138_860)),
            (json!(1_633_138_860_000_u64), Some(1_633_138_860)),
            (json!("2021-10-02T01:41:00Z"), Some(1_633_138_860)),
            (json!("2021-10-02t01:41:00.999z"), Some(1_633_138_860)),
            (json!("2021-10-02 03:41:00+02:00"), Some(1_633_138_860)),
            (json!("2021-10-01T18:11:00.0-0730"), Some(1_633_138_860)),
            (json!("2024-02-29T23:59:60Z"), Some(1_709_251_200)),
            (json!("2100-03-01T00:00:00Z"), Some(1_915_360_000)),
            (json!(f64::MAX), None),
            (json!(999_999_999), None),
            (json!("1999-12-31T23:59:59Z"), None),
            (json!("2021-10-02T01:41:00"), None),
            (json!("2021-13-02T01:41:00Z"), None),
            (json!("2021-10-02T24:41:00Z"), None),
            (json!("2021-10-02T01:41Z"), None),
            (json!("2021-10-02T01:41:00+2"), None),
            (json!("\u{e9}-T-Z+:"), None),
            (json!(-1), None),
            (json!(""), None),
            (json!(true), None),
        ] {
            let end = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(at(&time, began()), end, "{time}");
        }
    }
}
