//! The plot: a panel for each figure, with a bar for each routing.

use std::fmt::Write as _;

use crate::fleet::Routing;
use crate::report::{name, rounded};
use crate::results::{Results, Round};

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 24.0;
const GAP: f64 = 28.0;
const ROW: f64 = 18.0;
const BAR: f64 = 12.0;
/// The width left of the bars, for names.
const NAMES: f64 = 130.0;
/// The width right of the longest bar, for values.
const VALUES: f64 = 60.0;
const MEGABYTE: f64 = 1024.0 * 1024.0;

/// A panel: its title, and the value of a routing.
type Panel = (&'static str, fn(&Round) -> f64);

const PANELS: &[Panel] = &[
    ("look-ups in the database per second", |round| {
        round.per_second.look_ups
    }),
    ("calls without a look-up, %", |round| round.hit_rate * 100.0),
    ("memory per replica, MiB", |round| {
        round.memory_per_replica_bytes / MEGABYTE
    }),
    (
        "calls of the busiest replica, beside the average",
        |round| round.busiest_replica,
    ),
    ("statements per second", |round| {
        round.per_second.statements()
    }),
    ("transactions that write, per second", |round| {
        round.per_second.transactions()
    }),
    ("staleness of writes by others, maximum, s", |round| {
        round.staleness_max_seconds
    }),
    ("fail-over: all replicas write again after, s", |round| {
        round.heal_max_seconds
    }),
];

/// The style sheet. The plot has its own background, so the plot is readable on light and on dark pages.
const STYLE: &str = "\
  text { font-family: ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .ground { fill: #ffffff; stroke: #d1d9e0 }
  .title { font-weight: 600 }
  .quiet { fill: #59636e }
  .by-connection { fill: #0969da }
  .random { fill: #818b98 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .ground { fill: #0d1117; stroke: #3d444d }
    .quiet { fill: #9198a1 }
    .by-connection { fill: #4493f8 }
    .random { fill: #656c76 }
  }
";

/// Returns the plot as an SVG document.
pub fn svg(results: &Results) -> String {
    let settings = &results.settings;
    let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
    let (mut panels, mut words) = (String::new(), String::new());
    let mut y = MARGIN + 34.0;
    for pair in PANELS.chunks(2) {
        for (panel, x) in pair.iter().zip([MARGIN, MARGIN + half + GAP]) {
            draw(results, panel, (x, y), half, &mut panels, &mut words);
        }
        y += 22.0 + results.rounds.len() as f64 * ROW + GAP;
    }
    let height = y + MARGIN;
    let note = format!(
        "{} replicas, {} connections, {} calls per second; {}; {} × {}; {}.",
        settings.replicas,
        settings.connections,
        settings.calls_per_second,
        results.engine,
        results.machine.processors,
        results.machine.processor,
        results.machine.date
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">The cost of replicas that share a store</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>\n{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{}\" font-size=\"17\">The cost of replicas that share a store</text>\n\
         {panels}<text class=\"quiet\" x=\"{MARGIN}\" y=\"{}\" font-size=\"10.5\">{}</text>\n</svg>\n",
        escaped(words.trim_end()),
        WIDTH - 1.0,
        height - 1.0,
        MARGIN + 12.0,
        height - MARGIN + 6.0,
        escaped(&note),
    )
}

/// Draws a panel, and adds its content as text for readers who can't see the plot.
fn draw(
    results: &Results,
    (title, value): &Panel,
    (x, y): (f64, f64),
    width: f64,
    out: &mut String,
    words: &mut String,
) {
    let values = results.rounds.iter().map(value);
    let most = values.fold(f64::MIN_POSITIVE, f64::max);
    line(out, "title", (x, y + 12.0), 12.0, title);
    let mut parts = Vec::new();
    for (place, round) in results.rounds.iter().enumerate() {
        let top = y + 22.0 + place as f64 * ROW;
        let middle = top + ROW / 2.0 + 4.0;
        let value = value(round);
        let length = (value / most).max(0.0) * (width - NAMES - VALUES);
        line(out, "", (x, middle), 10.5, name(round.routing));
        let class = match round.routing {
            Routing::Random => "random",
            Routing::ByConnection => "by-connection",
        };
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>",
            x + NAMES,
            top + (ROW - BAR) / 2.0,
            length.max(1.0),
        );
        line(
            out,
            "quiet",
            (x + NAMES + length + 6.0, middle),
            10.5,
            &rounded(value),
        );
        parts.push(format!("{} {}", name(round.routing), rounded(value)));
    }
    let _ = write!(words, "{title}: {}. ", parts.join("; "));
}

fn line(out: &mut String, class: &str, (x, y): (f64, f64), size: f64, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
