//! The end of an access token in its stored form: the secret `expires_at`, in Unix seconds or in
//! the format of RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::connection::Connection;
use crate::encoding::calendar::{parse_rfc3339, since_epoch};
use crate::secret::Secret;

/// The secret's name.
pub(super) const NAME: &str = "expires_at";

/// Returns the end of the connection's access token, or `None` if it's unknown or can't be parsed. Many systems store 0 for a token that
/// doesn't end, so the beginning of Unix time isn't an end.
pub(super) fn from_connection(connection: &Connection) -> Option<SystemTime> {
    let secret = connection.credential().get(NAME)?;
    let text = std::str::from_utf8(secret.expose()).ok()?.trim_ascii();
    let end = unix_seconds(text).or_else(|| UNIX_EPOCH.checked_add(parse_rfc3339(text)?));
    end.filter(|end| *end > UNIX_EPOCH)
}

/// Returns the end as a secret, which [`from_connection`] parses.
pub(super) fn to_secret(at: SystemTime) -> Secret {
    Secret::from(since_epoch(at).as_secs().to_string())
}

/// Parses Unix seconds. A fraction is ignored.
fn unix_seconds(text: &str) -> Option<SystemTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // This number of seconds is in the year 5138, so larger numbers are milliseconds.
    const MAX_SECONDS: u64 = 100_000_000_000;
    let since_epoch = match whole.parse().ok()? {
        time if time > MAX_SECONDS => Duration::from_millis(time),
        seconds => Duration::from_secs(seconds),
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        let at = from_connection(&Connection::new("v").with_secret(NAME, text))?;
        at.duration_since(UNIX_EPOCH)
            .ok()
            .map(|since| since.as_secs())
    }

    #[test]
    fn seconds_and_timestamps_are_read() {
        for (text, expected) in [
            ("1", 1),
            ("1767225600", 1_767_225_600),
            (" 1767225600.75\n", 1_767_225_600),
            ("1767225600000", 1_767_225_600),
            ("1970-01-01T00:00:01Z", 1),
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
            "0",
            "0.5",
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "soon",
            "-1",
            "1e9",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "1969-12-31T23:59:59Z",
            "99999999999999999999",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let at = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let connection = Connection::new("v").with_secret(NAME, to_secret(at));
        assert_eq!(from_connection(&connection), Some(at));
    }
}
