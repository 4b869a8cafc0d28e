//! The time of signing, in the forms that vendors want it in.

use std::time::Duration;

use crate::auth::calendar::date;

/// A form of a timestamp. All are in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timestamp {
    /// `1499827319`
    Seconds,
    /// `1499827319559`
    Milliseconds,
    /// `1499827319559000`
    Microseconds,
    /// `2017-07-12T02:41:59Z` (ISO 8601, extended)
    Iso,
    /// `2017-07-12T02:41:59.559Z`
    IsoMilliseconds,
    /// `20170712T024159Z` (ISO 8601, basic)
    IsoBasic,
    /// `Wed, 12 Jul 2017 02:41:59 GMT` (RFC 9110 §5.6.7)
    Http,
    /// `Wed, 12 Jul 2017 02:41:59 -0000` (RFC 5322 §3.3)
    Mail,
}

impl Timestamp {
    /// That time since 1970.
    pub(super) fn of(self, time: Duration) -> String {
        let seconds = time.as_secs();
        let milliseconds = time.subsec_millis();
        let days = seconds / 86_400;
        let (year, month, day) = date(days);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let (weekday, name) = (weekday(days), month_name(month));
        match self {
            Self::Seconds => seconds.to_string(),
            Self::Milliseconds => time.as_millis().to_string(),
            Self::Microseconds => time.as_micros().to_string(),
            Self::Iso => {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
            }
            Self::IsoMilliseconds => format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"
            ),
            Self::IsoBasic => {
                format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
            }
            Self::Http => format!(
                "{weekday}, {day:02} {name} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
            ),
            Self::Mail => format!(
                "{weekday}, {day:02} {name} {year:04} {hour:02}:{minute:02}:{second:02} -0000"
            ),
        }
    }
}

/// Of the day that is so many days after 1970-01-01.
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

fn month_name(month: u64) -> &'static str {
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

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn each_form_is_of_the_same_time() {
        let time = Duration::from_millis(1_499_827_319_559);
        for (form, expected) in [
            (Timestamp::Seconds, "1499827319"),
            (Timestamp::Milliseconds, "1499827319559"),
            (Timestamp::Microseconds, "1499827319559000"),
            (Timestamp::Iso, "2017-07-12T02:41:59Z"),
            (Timestamp::IsoMilliseconds, "2017-07-12T02:41:59.559Z"),
            (Timestamp::IsoBasic, "20170712T024159Z"),
            (Timestamp::Http, "Wed, 12 Jul 2017 02:41:59 GMT"),
            (Timestamp::Mail, "Wed, 12 Jul 2017 02:41:59 -0000"),
        ] {
            assert_eq!(form.of(time), expected);
        }
    }

    #[test]
    fn days_are_those_of_another_calendar() {
        // Each day to 2100 and beyond, which is no leap year, against the `httpdate` crate.
        for day in 0..50_000 {
            let time = Duration::from_secs(86_400 * day + day);
            let expected = httpdate::fmt_http_date(UNIX_EPOCH + time);
            assert_eq!(Timestamp::Http.of(time), expected);
        }
        assert_eq!(Timestamp::Iso.of(Duration::ZERO), "1970-01-01T00:00:00Z");
    }
}
