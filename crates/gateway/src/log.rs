//! The log on stderr, and its levels.
//!
//! `RUST_LOG` has the usual format (`debug`, `info,hyper=debug`), with two differences. A level
//! without a target applies only to this program and the library. Other crates log at most at the
//! level `info` until a directive names them, because at `trace` they may log data that a caller
//! sent. The second difference is that audit lines can't be switched off.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of audit lines.
pub(crate) const AUDIT: &str = "audit";

/// The targets of a level without a target in `RUST_LOG`: this program and the library.
const OWN: [&str; 2] = [env!("CARGO_CRATE_NAME"), "tower_passthrough"];

pub(crate) fn start() {
    let told = std::env::var("RUST_LOG").unwrap_or_default();
    let parsed = read(&told);
    let unread = parsed.is_err();
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(filter(&parsed.unwrap_or_default()));
    // This only fails if there is another subscriber, and this program sets no other.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    if unread {
        tracing::warn!(
            "RUST_LOG isn't valid and is ignored; expected a filter such as `info,hyper=debug`"
        );
    }
}

/// Logs the warnings about settings that may not be intended.
pub(crate) fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

/// Parses the directives of `RUST_LOG`.
fn read(told: &str) -> Result<Targets, ParseError> {
    // For tracing, an empty directive means the level `error`, but an empty `RUST_LOG` should mean
    // the default.
    match told.trim() {
        "" => Ok(Targets::new()),
        told => told.parse(),
    }
}

fn filter(told: &Targets) -> Targets {
    let level = told.default_level().unwrap_or(LevelFilter::INFO);
    let mut filter = Targets::new().with_default(level.min(LevelFilter::INFO));
    for target in OWN {
        filter = filter.with_target(target, level);
    }
    let named = told.iter().filter(|(target, _)| !target.is_empty());
    filter
        .with_targets(named)
        .with_target(AUDIT, LevelFilter::INFO)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn enabled(told: &str, target: &str, level: Level) -> Option<bool> {
        let told = read(told).ok()?;
        Some(filter(&told).would_enable(target, &level))
    }

    #[test]
    fn a_bare_level_is_for_our_own_crates() {
        assert_eq!(
            enabled("trace", "tower_passthrough::pipeline", Level::TRACE),
            Some(true)
        );
        assert_eq!(enabled("trace", "h2::codec", Level::DEBUG), Some(false));
        assert_eq!(
            enabled("trace,h2=debug", "h2::codec", Level::DEBUG),
            Some(true)
        );
        assert_eq!(enabled("error", "h2::codec", Level::INFO), Some(false));
        assert_eq!(enabled("", "h2::codec", Level::INFO), Some(true));
    }

    #[test]
    fn audit_lines_stay() {
        for told in ["off", "audit=off", "error"] {
            assert_eq!(enabled(told, AUDIT, Level::INFO), Some(true), "{told}");
        }
    }
}
