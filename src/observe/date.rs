//! Dates of HTTP, in the one form that is still written (RFC 9110 §5.6.7).

use std::time::SystemTime;

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; `None` if it isn't of that form.
pub(super) fn parse(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let (weekday, rest) = text.split_at_checked(5)?;
    if !weekday.ends_with(b", ") || rest.len() != 24 || !rest.ends_with(b" GMT") {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = rest.get(from..to)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let month = MONTHS.iter().zip(1_u64..);
    let (_, month) = month
        .into_iter()
        .find(|(name, _)| rest.get(3..6) == Some(name))?;
    let (day, year) = (number(0, 2)?, number(7, 11)?);
    let (hour, minute, second) = (number(12, 14)?, number(15, 17)?, number(18, 20)?);
    if !(1..=31).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970. Years begin in March here, so that a leap day is the last one.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    // There are 719,468 days from the first of March in the year 0 to 1970.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(parse(date.as_bytes()), Some(seconds), "{date}");
        }
    }

    #[test]
    fn other_forms_are_none() {
        for date in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "\u{e9}\u{e9}\u{e9}\u{e9} Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(date.as_bytes()), None, "{date}");
        }
    }
}
