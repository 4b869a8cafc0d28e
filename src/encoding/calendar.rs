//! The calendar, and the timestamps that depend on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The number of days from 0000-03-01, where the count of years begins, to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// Returns the time since 1970. A time before 1970 is treated as the beginning of 1970.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A point in time in UTC, cut to the second.
#[cfg(any(feature = "sigv4", feature = "hmac"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateTime {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    #[cfg(feature = "hmac")]
    weekday: &'static str,
}

#[cfg(any(feature = "sigv4", feature = "hmac"))]
impl DateTime {
    /// Returns the point in time that is `since_epoch` after the beginning of 1970.
    pub(crate) const fn from_unix_time(since_epoch: Duration) -> Self {
        let seconds = since_epoch.as_secs();
        let days = seconds / 86_400;
        let (year, month, day) = date(days);
        Self {
            year,
            month,
            day,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            #[cfg(feature = "hmac")]
            weekday: weekday(days),
        }
    }

    /// Formats as `20170712T024159Z` (ISO 8601, basic).
    pub(crate) fn to_iso_basic(self) -> String {
        self.format_iso("", "", "Z")
    }

    /// Formats as `2017-07-12T02:41:59Z` (ISO 8601, extended).
    #[cfg(feature = "hmac")]
    pub(crate) fn to_iso(self) -> String {
        self.format_iso("-", ":", "Z")
    }

    /// Formats as `2017-07-12T02:41:59.559Z`, with the milliseconds that the caller adds.
    #[cfg(feature = "hmac")]
    pub(crate) fn to_iso_with_milliseconds(self, milliseconds: u32) -> String {
        self.format_iso("-", ":", &format!(".{milliseconds:03}Z"))
    }

    fn format_iso(self, dash: &str, colon: &str, end: &str) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!(
            "{year:04}{dash}{month:02}{dash}{day:02}T{hour:02}{colon}{minute:02}{colon}{second:02}{end}"
        )
    }

    /// Formats as `Wed, 12 Jul 2017 02:41:59 GMT`, with that name of the zone. The formats of HTTP (RFC 9110 §5.6.7)
    /// and mail (RFC 5322 §3.3) differ only in the zone.
    #[cfg(feature = "hmac")]
    pub(crate) fn to_http_date(self, zone: &str) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            weekday,
        } = self;
        let month = month_name(month);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} {zone}")
    }
}

/// Returns year, month and day of the proleptic Gregorian calendar, for a number of days after 1970-01-01.
///
/// Years are counted from March, so that a leap day is the last of its year: 400 years have 146,097 days, and from March
/// on each five months have 153 days.
#[cfg(any(feature = "sigv4", feature = "hmac"))]
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, of_month)
}

/// Returns the name of the day that is `days` after 1970-01-01.
#[cfg(feature = "hmac")]
const fn weekday(days: u64) -> &'static str {
    match days % 7 {
        0 => "Thu",
        1 => "Fri",
        2 => "Sat",
        3 => "Sun",
        4 => "Mon",
        5 => "Tue",
        _ => "Wed",
    }
}

#[cfg(feature = "hmac")]
const fn month_name(month: u64) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

/// Parses a timestamp of RFC 3339 §5.6, such as `2026-11-25T09:00:00.5+01:00`, and returns the time since 1970 without
/// its fraction of a second.
///
/// Two deviations that are common in practice are accepted: a blank in place of the `T`, and an offset without its colon.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let mut time = time.splitn(3, ':').map(digits);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // A leap second is written as second 60.
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

/// Returns the offset in seconds, positive to the east of Greenwich.
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

/// Returns the number of days from 1970-01-01 to a day of the Gregorian calendar: the inverse of [`date`].
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_TO_1970 as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_through_leap_years() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2000, 3, 1), 11_017);
        assert_eq!(days(2026, 11, 25), 20_782);
    }

    #[cfg(any(feature = "sigv4", feature = "hmac"))]
    #[test]
    fn points_in_time_are_written_as_dates() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
            (1_735_689_599, "20241231T235959Z"),
        ] {
            let time = DateTime::from_unix_time(Duration::from_secs(seconds));
            assert_eq!(time.to_iso_basic(), expected);
        }
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(1));
        assert_eq!(before.map(since_epoch), Some(Duration::ZERO));
    }

    #[cfg(feature = "hmac")]
    #[test]
    fn days_are_those_of_another_calendar() {
        // Each day to 2100 and beyond, which isn't a leap year, against the `httpdate` crate.
        for day in 0..50_000 {
            let time = Duration::from_secs(86_400 * day + day);
            let expected = httpdate::fmt_http_date(UNIX_EPOCH + time);
            assert_eq!(DateTime::from_unix_time(time).to_http_date("GMT"), expected);
        }
        let epoch = DateTime::from_unix_time(Duration::ZERO);
        assert_eq!(epoch.to_iso(), "1970-01-01T00:00:00Z");
    }

    #[cfg(any(feature = "sigv4", feature = "hmac"))]
    #[test]
    fn the_two_directions_are_inverse() {
        for day in 0..50_000 {
            let (year, month, date_of_month) = date(day);
            let [year, month, of_month] = [year, month, date_of_month].map(|n| n as i64);
            assert_eq!(days(year, month, of_month), day as i64);
        }
    }
}
