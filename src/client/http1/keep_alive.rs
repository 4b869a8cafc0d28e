//! The upstream's hint about the time for which it keeps an idle connection open: `Keep-Alive: timeout=5`.
//!
//! The field isn't a part of HTTP/1.1 (RFC 9112 appendix C.2.2), but Apache, Node.js and others send it, and close the connection
//! after that time. A request that is written in this moment is lost.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::rewrite::first_line;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The time before the upstream's end of the connection in which no request is sent.
const MARGIN: Duration = Duration::from_secs(1);
/// The maximum time that is read from a hint.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the time after which no request should be sent over the connection of a response that has just arrived, or `None` if the
/// response has no hint.
pub(super) fn end(fields: &HeaderMap) -> Option<Instant> {
    let hint = first_line(fields, &KEEP_ALIVE)?;
    let timeout = timeout(hint.to_str().ok()?)?;
    Some(Instant::now() + timeout.saturating_sub(MARGIN))
}

/// Returns the parameter `timeout`, which is a number of seconds.
fn timeout(hint: &str) -> Option<Duration> {
    let mut parameters = hint.split([',', ';']);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("timeout") {
            return None;
        }
        let seconds = value.trim().trim_matches('"').parse().ok()?;
        Some(Duration::from_secs(seconds).min(MAX_TIMEOUT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_read_in_each_form() {
        for (hint, seconds) in [
            ("timeout=5", Some(5)),
            ("timeout=5, max=100", Some(5)),
            ("max=100,Timeout = 5", Some(5)),
            ("timeout=\"5\"", Some(5)),
            ("timeout=0", Some(0)),
            ("timeout=18446744073709551615", Some(86_400)),
            ("timeout=18446744073709551616", None),
            ("timeout=-1", None),
            ("timeout=1.5", None),
            ("timeout", None),
            ("max=100", None),
            ("5", None),
            ("", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(timeout(hint), expected, "{hint}");
        }
    }
}
