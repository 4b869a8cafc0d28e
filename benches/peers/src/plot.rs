//! The plot: a large panel for small calls, and a small panel for each other scenario.

use std::fmt::Write;

use crate::report::{BASE, rounded};
use crate::results::{Results, ScenarioResult};

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 24.0;
const GAP: f64 = 28.0;

/// The sizes of the parts of a panel.
struct Sizes {
    title: f64,
    text: f64,
    row: f64,
    bar: f64,
    /// The width left of the bars, for names.
    names: f64,
    /// The width right of the longest bar, for values.
    values: f64,
}

const LARGE: Sizes = Sizes {
    title: 15.0,
    text: 13.0,
    row: 25.0,
    bar: 17.0,
    names: 275.0,
    values: 125.0,
};
const SMALL: Sizes = Sizes {
    title: 12.0,
    text: 10.5,
    row: 16.0,
    bar: 10.0,
    names: 150.0,
    values: 88.0,
};

/// The style sheet. The plot has its own background, so the plot is readable on light and on dark
/// pages.
const STYLE: &str = "\
  text { font-family: ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .ground { fill: #ffffff; stroke: #d1d9e0 }
  .title { font-weight: 600 }
  .quiet { fill: #59636e }
  .ours { fill: #0969da }
  .bytes { fill: #afb8c1 }
  .other { fill: #818b98 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .ground { fill: #0d1117; stroke: #3d444d }
    .quiet { fill: #9198a1 }
    .ours { fill: #4493f8 }
    .bytes { fill: #3d444d }
    .other { fill: #656c76 }
  }
";

/// Returns the plot as an SVG document.
pub fn svg(results: &Results) -> String {
    let mut panels = String::new();
    let mut y = MARGIN + 34.0;
    let shown = |scenario: &&ScenarioResult| !scenario.peers.is_empty();
    if let Some(scenario) = results.scenario("small") {
        y += panel(
            results,
            scenario,
            &LARGE,
            (MARGIN, y),
            WIDTH - 2.0 * MARGIN,
            &mut panels,
        ) + GAP;
    }
    let others: Vec<&ScenarioResult> = results
        .scenarios
        .iter()
        .filter(|scenario| scenario.id != "small")
        .filter(shown)
        .collect();
    let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
    for pair in others.chunks(2) {
        let heights = pair
            .iter()
            .zip([MARGIN, MARGIN + half + GAP])
            .map(|(scenario, x)| panel(results, scenario, &SMALL, (x, y), half, &mut panels));
        y += heights.fold(0.0, f64::max) + GAP;
    }
    let machine = &results.machine;
    let note = format!(
        "Medians of {} rounds, {}; {} × {}, {}. Less is better; ×: beside tower-passthrough on hyper. Pale: bytes alone.",
        results.rounds, machine.date, machine.processors, machine.processor, machine.kernel
    );
    let height = y + MARGIN;
    let description = description(results);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">tower-passthrough beside its peers</title>\n\
         <desc id=\"desc\">{description}</desc>\n\
         <style>\n{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{}\" font-size=\"17\">\
         What a proxied call costs: one worker on one core</text>\n\
         {panels}\
         <text class=\"quiet\" x=\"{MARGIN}\" y=\"{}\" font-size=\"10.5\">{}</text>\n\
         </svg>\n",
        WIDTH - 1.0,
        height - 1.0,
        MARGIN + 12.0,
        height - MARGIN + 6.0,
        escaped(&note),
    )
}

/// Draws a panel, and returns its height.
fn panel(
    results: &Results,
    scenario: &ScenarioResult,
    sizes: &Sizes,
    (x, y): (f64, f64),
    width: f64,
    out: &mut String,
) -> f64 {
    let mut rows: Vec<(&str, f64)> = scenario
        .peers
        .iter()
        .filter_map(|row| Some((row.peer, scenario.of(row.peer)?)))
        .collect();
    rows.sort_by(|one, other| one.1.total_cmp(&other.1));
    let most = rows
        .iter()
        .map(|row| row.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let base = scenario.of(BASE);
    line(out, "title", x, y + sizes.title, sizes.title, scenario.name);
    line(
        out,
        "quiet",
        x + sizes.names,
        y + sizes.title,
        sizes.text,
        scenario.unit,
    );
    let top = y + sizes.title + 9.0;
    for (place, (peer, value)) in rows.iter().enumerate() {
        let row = top + place as f64 * sizes.row;
        let middle = row + sizes.row / 2.0 + sizes.text * 0.35;
        let name = if sizes.row > 20.0 {
            results.label(peer)
        } else {
            short(peer)
        };
        line(out, "", x, middle, sizes.text, name);
        let length = (value / most).max(0.0) * (width - sizes.names - sizes.values);
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>",
            class(results, peer),
            x + sizes.names,
            row + (sizes.row - sizes.bar) / 2.0,
            length.max(1.0),
            sizes.bar,
        );
        let ratio = base
            .filter(|_| *peer != BASE)
            .map(|base| format!(" ({:.2} ×)", value / base));
        let label = format!("{}{}", rounded(*value), ratio.unwrap_or_default());
        line(
            out,
            "quiet",
            x + sizes.names + length + 6.0,
            middle,
            sizes.text,
            &label,
        );
    }
    sizes.title + 9.0 + rows.len() as f64 * sizes.row
}

/// Returns a short name of a peer, for small panels.
fn short(peer: &str) -> &str {
    match peer {
        "hyper" => "tower-passthrough",
        "axum" => "– in axum",
        "gateway" => "– gateway example",
        "floor" => "epoll loop",
        "legacy" => "hyper, legacy client",
        "go" => "Go ReverseProxy",
        other => other,
    }
}

/// Returns the CSS class of a peer: this crate, proxies that only pass on bytes, or other proxies.
fn class(results: &Results, peer: &str) -> &'static str {
    match peer {
        _ if results.is_ours(peer) => "ours",
        "floor" | "haproxy-tcp" => "bytes",
        _ => "other",
    }
}

fn line(out: &mut String, class: &str, x: f64, y: f64, size: f64, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{text}</text>"
    );
}

/// Returns the content of the plot as text, for readers who can't see the plot.
fn description(results: &Results) -> String {
    let mut words = String::new();
    for scenario in &results.scenarios {
        let rows = scenario.peers.iter().filter_map(|row| {
            Some(format!(
                "{} {}",
                results.label(row.peer),
                rounded(scenario.of(row.peer)?)
            ))
        });
        let rows = rows.collect::<Vec<_>>().join("; ");
        let _ = write!(words, "{} ({}): {rows}. ", scenario.title, scenario.unit);
    }
    escaped(words.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
