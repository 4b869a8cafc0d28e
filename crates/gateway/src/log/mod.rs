//! The log on stderr, its levels and its format.
//!
//! `RUST_LOG` has the usual format (`debug`, `info,hyper=debug`), with two differences. A level
//! without a target applies only to this program and the library. Other crates log at most at the
//! level `info` until a directive names them, because at `trace` they may log data that a caller
//! sent. The second difference is that it doesn't apply to the lines about calls, which aren't
//! events of `tracing`.
//!
//! The spans of calls cost as much as the lines about calls, and contain the same. So they are only
//! made if `RUST_LOG` asks for `debug` or `trace` of the library.

mod line;
mod queue;

pub(crate) use self::line::{Line, is_plain};

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, ParseError, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the events about the log itself.
const TARGET: &str = concat!(env!("CARGO_CRATE_NAME"), "::log");

/// The targets of a level without a target in `RUST_LOG`: this program and the library.
const OWN: [&str; 2] = [env!("CARGO_CRATE_NAME"), "tower_passthrough"];

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    /// A JSON object for each line.
    Json,
}

/// `true` if the format is JSON. The format can change with each load of the config.
static IS_JSON: AtomicBool = AtomicBool::new(false);

impl LogFormat {
    /// Writes the following lines in this format.
    pub(crate) fn set(self) {
        IS_JSON.store(self == Self::Json, Ordering::Relaxed);
    }

    /// Returns the current format.
    pub(crate) fn current() -> Self {
        match IS_JSON.load(Ordering::Relaxed) {
            true => Self::Json,
            false => Self::Text,
        }
    }
}

pub(crate) fn start() {
    let told = std::env::var("RUST_LOG").unwrap_or_default();
    let parsed = read(&told);
    let unread = parsed.is_err();
    let filter = filter(&parsed.unwrap_or_default());
    let has_spans = filter.would_enable(OWN[1], &Level::DEBUG);
    let lines = fmt::layer()
        .with_writer(|| queue::Stderr)
        .with_ansi(false)
        .event_format(Lines(fmt::format().with_ansi(false)))
        .with_filter(filter.and(filter_fn(move |metadata| has_spans || metadata.is_event())));
    // This only fails if there is another subscriber, and this program sets no other.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    if unread {
        tracing::warn!(
            "RUST_LOG isn't valid and is ignored; expected a filter such as `info,hyper=debug`"
        );
    }
}

/// Stops calls from waiting for the reader of the log: the following lines are queued. See [`mod@queue`].
///
/// # Errors
///
/// If the thread that writes the lines can't be started.
pub(crate) fn queue() -> io::Result<()> {
    queue::begin(|dropped| {
        let mut line = Vec::new();
        let what = "the reader of the log was too slow, and lines were dropped";
        Line::format(&mut line, "WARN", TARGET, what, |line| {
            line.number("lines", dropped);
        });
        line
    })
}

/// Writes the lines that are queued, for a second at most, and the following lines at once.
pub(crate) fn settle() {
    queue::end(Duration::from_secs(1));
}

/// Returns the number of lines that were dropped because the reader of the log was too slow.
pub(crate) fn dropped_lines() -> u64 {
    queue::dropped()
}

/// Writes lines that aren't in the format of the log.
pub(crate) fn print(lines: &str) {
    queue::push(format!("{lines}\n").as_bytes());
}

/// Logs the warnings about settings that may not be intended.
pub(crate) fn warn<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

/// Writes an event as a line of the current format.
struct Lines(fmt::format::Format);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        if LogFormat::current() == LogFormat::Text {
            return self.0.format_event(cx, writer, event);
        }
        let metadata = event.metadata();
        let mut line = Map::new();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        line.insert("timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        event.record(&mut Members(&mut line));
        // The spans are text, as in the other format: `name{field=value}`.
        let spans: Vec<Value> = cx
            .event_scope()
            .into_iter()
            .flat_map(|scope| scope.from_root())
            .map(|span| {
                let extensions = span.extensions();
                let fields = extensions.get::<FormattedFields<N>>();
                let fields = fields.map_or("", |fields| fields.as_str());
                match fields {
                    "" => span.name().into(),
                    fields => format!("{}{{{fields}}}", span.name()).into(),
                }
            })
            .collect();
        if !spans.is_empty() {
            line.insert("spans".to_owned(), spans.into());
        }
        let line = Value::Object(line).to_string();
        writeln!(writer, "{}", line::Harmless(&line))
    }
}

/// Adds the fields of an event to a JSON object.
struct Members<'a>(&'a mut Map<String, Value>);

impl Members<'_> {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, format!("{value:?}"));
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
    filter.with_targets(named)
}

#[cfg(test)]
mod tests {
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
}
