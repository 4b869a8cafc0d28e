//! The freshness of a token: good, due for a refresh, or too close to its end.

use std::time::{Duration, SystemTime};

use super::expires_at;
use super::source::has_token;
use crate::connection::Connection;

/// The remaining lifetime below which a token isn't sent any more, because the call takes time and clocks differ.
const MIN_LIFETIME: Duration = Duration::from_secs(5);

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// The token is used.
    Fresh,
    /// The token is used while the next token is fetched.
    Due,
    /// The token isn't used, and the call waits for the next token.
    Stale,
}

/// The times before a token's end at which the token becomes due, and stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Margins {
    ahead: Duration,
    leeway: Duration,
}

impl Margins {
    pub(super) fn new(ahead: Duration) -> Self {
        Self {
            ahead,
            leeway: MIN_LIFETIME,
        }
    }

    /// Returns the margins for a token with that lifetime, so that it's used for at least three quarters of it.
    pub(super) fn limit_to(self, lifetime: Duration) -> Self {
        Self {
            ahead: self.ahead.min(lifetime / 4),
            leeway: self.leeway.min(lifetime / 8),
        }
    }

    pub(super) fn judge(self, connection: &Connection, now: SystemTime) -> Freshness {
        if !has_token(connection) {
            return Freshness::Stale;
        }
        match remaining(connection, now) {
            None => Freshness::Fresh,
            Some(left) if left <= self.leeway => Freshness::Stale,
            Some(left) if left <= self.ahead => Freshness::Due,
            Some(_) => Freshness::Fresh,
        }
    }
}

/// Returns the remaining lifetime of the token, or `None` if it's unknown.
fn remaining(connection: &Connection, now: SystemTime) -> Option<Duration> {
    let end = expires_at::from_connection(connection)?;
    Some(end.duration_since(now).unwrap_or_default())
}

/// Returns `true` if an upstream may still accept the token, even if the token is close to its end.
pub(super) fn is_good(connection: &Connection, now: SystemTime) -> bool {
    has_token(connection) && remaining(connection, now).is_none_or(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const NOW: u64 = 1_767_225_600;

    fn judged(margins: Margins, left: i64) -> Freshness {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let end = NOW.saturating_add_signed(left).to_string();
        let connection = Connection::new("v").with_secret("access_token", "a");
        margins.judge(&connection.with_secret(expires_at::NAME, end), now)
    }

    #[test]
    fn a_token_is_due_before_its_end_and_stale_at_it() {
        let margins = Margins::new(Duration::from_secs(300));
        for (left, expected) in [
            (3_600, Freshness::Fresh),
            (301, Freshness::Fresh),
            (300, Freshness::Due),
            (6, Freshness::Due),
            (5, Freshness::Stale),
            (0, Freshness::Stale),
            (-3_600, Freshness::Stale),
        ] {
            assert_eq!(judged(margins, left), expected, "{left} s left");
        }
    }

    #[test]
    fn a_short_life_has_short_margins() {
        let margins = Margins::new(Duration::from_secs(300)).limit_to(Duration::from_secs(16));
        for (left, expected) in [
            (5, Freshness::Fresh),
            (4, Freshness::Due),
            (3, Freshness::Due),
            (2, Freshness::Stale),
        ] {
            assert_eq!(judged(margins, left), expected, "{left} s left");
        }
    }

    #[test]
    fn without_an_end_a_token_is_fresh_and_without_a_token_it_is_stale() {
        let margins = Margins::new(Duration::from_secs(300));
        let none = Connection::new("v");
        assert_eq!(margins.judge(&none, UNIX_EPOCH), Freshness::Stale);
        assert!(!is_good(&none, UNIX_EPOCH));
        let endless = none.with_secret("access_token", "a");
        assert_eq!(margins.judge(&endless, UNIX_EPOCH), Freshness::Fresh);
        assert!(is_good(&endless, UNIX_EPOCH));
    }
}
