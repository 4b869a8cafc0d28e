//! When an access token ends, in the forms in which vendors say it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// The longest that a token is believed to live: ten years. Whoever adds it to a clock mustn't
/// overflow it.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The end after a lifetime in seconds: a number, or one in a string. Nought and less tell nothing.
pub(super) fn after(lifetime: &Value, began: SystemTime) -> Option<SystemTime> {
    let seconds = number(lifetime).filter(|&seconds| seconds > 0.0)?;
    let lifetime = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST);
    began.checked_add(lifetime.min(LONGEST))
}

/// The end as a point in time: Unix seconds, milliseconds if they'd be absurd as seconds, as a number
/// or in a string; or a string of RFC 3339. One that has passed tells nothing: the token is new, so
/// a clock is wrong.
pub(super) fn at(time: &Value, began: SystemTime) -> Option<SystemTime> {
    // As seconds, it's in the year 5138.
    const MILLISECONDS: f64 = 1e11;
    let since_epoch = match number(time) {
        Some(time) if time > MILLISECONDS => Duration::try_from_secs_f64(time / 1000.0).ok()?,
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        None => rfc3339(time.as_str()?.trim())?,
    };
    let latest = began.checked_add(LONGEST)?;
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

/// `2026-11-25T09:00:00.5+01:00`; a blank may stand for the `T`, and the offset's colon may be left
/// out. The time since 1970, cut to the second.
fn rfc3339(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let mut time = time.splitn(3, ':').map(digits);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // A leap second is the 60th.
    if year > 9999 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let since_epoch = seconds - offset(zone)?;
    Some(Duration::from_secs(u64::try_from(since_epoch).ok()?))
}

/// In seconds, east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let (sign, hours_minutes) = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = hours_minutes
        .split_once(':')
        .or_else(|| hours_minutes.split_at_checked(2))?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The days from 1970 to a day of the Gregorian calendar. Years are counted from March, so that the
/// leap day is the last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
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
            (json!(u64::MAX), Some(LONGEST.as_secs_f64())),
            (json!("1e300"), Some(LONGEST.as_secs_f64())),
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

    #[test]
    fn days_are_counted_through_leap_years() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2000, 3, 1), 11_017);
        assert_eq!(days(2026, 11, 25), 20_782);
    }
}
