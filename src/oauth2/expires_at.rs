//! When an access token ends, as it's stored: the secret `expires_at`, in Unix seconds or by
//! RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::connection::Connection;
use crate::secret::Secret;

/// The secret's name.
pub(super) const NAME: &str = "expires_at";

/// When the connection's access token ends. `None`: nobody knows, or it can't be read.
pub(super) fn of(connection: &Connection) -> Option<SystemTime> {
    let secret = connection.credential().get(NAME)?;
    let text = std::str::from_utf8(secret.expose()).ok()?.trim_ascii();
    unix_seconds(text).or_else(|| rfc3339(text))
}

/// As [`of`] reads it.
pub(super) fn secret(at: SystemTime) -> Secret {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Secret::from(since.as_secs().to_string())
}

/// A fraction is cut off.
fn unix_seconds(text: &str) -> Option<SystemTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    UNIX_EPOCH.checked_add(Duration::from_secs(whole.parse().ok()?))
}

/// RFC 3339 §5.6, to the second. A leap second is the first of the next minute.
fn rfc3339(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.split('-');
    let year = number(date.next()?, 4)?;
    let month = number(date.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = number(date.next()?, 2).filter(|day| (1..=31).contains(day))?;

    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut clock = clock.split(':');
    let hour = number(clock.next()?, 2).filter(|hour| *hour <= 23)?;
    let minute = number(clock.next()?, 2).filter(|minute| *minute <= 59)?;
    let second = number(clock.next()?, 2).filter(|second| *second <= 60)?;
    if date.next().is_some() || clock.next().is_some() {
        return None;
    }
    let local = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = u64::try_from(local - offset(zone)?).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let hours = number(hours, 2).filter(|hours| *hours <= 23)?;
    let minutes = number(minutes, 2).filter(|minutes| *minutes <= 59)?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. The year begins in March here, so that
/// a leap day is its last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        let at = of(&Connection::new("v").with(NAME, text))?;
        at.duration_since(UNIX_EPOCH)
            .ok()
            .map(|since| since.as_secs())
    }

    #[test]
    fn seconds_and_timestamps_are_read() {
        for (text, expected) in [
            ("0", 0),
            ("1767225600", 1_767_225_600),
            (" 1767225600.75\n", 1_767_225_600),
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-01-01t01:30:00.123456+01:30", 1_767_225_600),
            ("2025-12-31 16:00:00-08:00", 1_767_225_600),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2024-03-01T00:00:00z", 1_709_251_200),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_no_end() {
        for text in [
            "",
            "soon",
            "-1",
            "1e9",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00Z",
            "2026-1-1T00:00:00Z",
            "2026-01-01T00:00:00+0100",
            "1969-12-31T23:59:59Z",
            "99999999999999999999",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let at = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let connection = Connection::new("v").with(NAME, secret(at));
        assert_eq!(of(&connection), Some(at));
    }
}
