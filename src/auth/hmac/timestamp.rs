//! The time of signing, in each form that a template can name.

use std::time::Duration;

use crate::encoding::calendar::DateTime;

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
    /// Formats a time since 1970.
    pub(super) fn format(self, since_epoch: Duration) -> String {
        let time = DateTime::from_unix_time(since_epoch);
        match self {
            Self::Seconds => since_epoch.as_secs().to_string(),
            Self::Milliseconds => since_epoch.as_millis().to_string(),
            Self::Microseconds => since_epoch.as_micros().to_string(),
            Self::Iso => time.to_iso(),
            Self::IsoMilliseconds => time.to_iso_with_milliseconds(since_epoch.subsec_millis()),
            Self::IsoBasic => time.to_iso_basic(),
            Self::Http => time.to_http_date("GMT"),
            Self::Mail => time.to_http_date("-0000"),
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(form.format(time), expected);
        }
    }
}
