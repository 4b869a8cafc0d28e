//! What goes to stderr, and how much of it.
//!
//! `RUST_LOG` reads as usual (`debug`, `info,hyper=debug`), with two differences (SECURITY L7,
//! L10). A bare level is meant for this program and the library alone: other crates stay at `info`
//! or above until a directive names them, as what they print at `trace` is theirs to choose, and
//! may be what a caller sent. And audit lines can't be switched off.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of audit lines.
pub(crate) const AUDIT: &str = "audit";

/// The targets that a bare level in `RUST_LOG` is meant for: this program's, and the library's.
const OWN: [&str; 2] = [env!("CARGO_CRATE_NAME"), "tower_passthrough"];

pub(crate) fn start() {
    let told = std::env::var("RUST_LOG").unwrap_or_default();
    let parsed = read(&told);
    let unread = parsed.is_err();
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(filter(&parsed.unwrap_or_default()));
    // Only a second subscriber would be refused, and there is none.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    if unread {
        tracing::warn!(
            "RUST_LOG can't be read, and is left out; expected such as `info,hyper=debug`"
        );
    }
}

/// Says what the config's author may not have meant.
pub(crate) fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

/// `Err`: it can't be read.
fn read(told: &str) -> Result<Targets, ParseError> {
    // To tracing an empty directive is the level `error`, and nobody who leaves it out means that.
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
