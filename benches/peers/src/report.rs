//! Tables in Markdown, for the README.

use std::fmt::Write;

use crate::results::{Results, ScenarioResult};

/// The peer by which the figures of the other peers are divided.
pub const BASE: &str = "hyper";

/// Returns all tables, and the list of left-out measurements.
pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(results, &mut text);
    text
}

fn write(results: &Results, text: &mut String) -> std::fmt::Result {
    let machine = &results.machine;
    writeln!(
        text,
        "Medians of {} rounds of {} s, {}; {} × {}, {}, {}, {}.\n",
        results.rounds,
        results.measured_seconds,
        machine.date,
        machine.processors,
        machine.processor,
        machine.kernel,
        machine.system,
        machine.rustc,
    )?;
    overview(results, text)?;
    if results.targets.iter().any(|target| target.ratio.is_some()) {
        writeln!(
            text,
            "\n| | at most | measured | |\n| --- | ---: | ---: | --- |"
        )?;
    }
    for target in &results.targets {
        if let (Some(ratio), Some(met)) = (target.ratio, target.met) {
            let met = if met { "met" } else { "**not met**" };
            writeln!(
                text,
                "| {} | {:.2} × | {ratio:.2} × | {met} |",
                target.what, target.bound
            )?;
        }
    }
    writeln!(text)?;
    for scenario in &results.scenarios {
        details(results, scenario, text)?;
    }
    left_out(results, text)
}

/// Writes a table with a row for each peer and a column for each scenario.
fn overview(results: &Results, text: &mut String) -> std::fmt::Result {
    let columns = &results.scenarios;
    write!(text, "| |")?;
    for scenario in columns {
        write!(text, " {}: {} |", scenario.id, scenario.unit)?;
    }
    writeln!(text, "\n| --- |{}", " ---: |".repeat(columns.len()))?;
    for peer in results.peers.iter().filter(|peer| peer.skipped.is_none()) {
        write!(text, "| {} |", peer.label)?;
        for scenario in columns {
            match (scenario.of(peer.id), scenario.of(BASE)) {
                (Some(value), Some(base)) if peer.id != BASE => {
                    write!(text, " {} ({:.2} ×) |", rounded(value), value / base)?;
                }
                (Some(value), _) => write!(text, " {} |", rounded(value))?,
                (None, _) => write!(text, " – |")?,
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

/// Writes a table with every figure of a scenario.
fn details(results: &Results, scenario: &ScenarioResult, text: &mut String) -> std::fmt::Result {
    let Some(first) = scenario.peers.first() else {
        return Ok(());
    };
    let rate = scenario
        .calls_per_second
        .map(|rate| format!(" ({rate:.0} calls a second)"));
    writeln!(text, "**{}**{}\n", scenario.title, rate.unwrap_or_default())?;
    let names: Vec<&str> = first.medians.keys().copied().collect();
    writeln!(
        text,
        "| | {} | range of {} |",
        names.join(" | "),
        scenario.figure
    )?;
    writeln!(text, "| --- |{} --- |", " ---: |".repeat(names.len()))?;
    for row in &scenario.peers {
        write!(text, "| {} |", results.label(row.peer))?;
        for value in names.iter().map(|name| row.medians.get(name)) {
            write!(text, " {} |", rounded(value.copied().unwrap_or(f64::NAN)))?;
        }
        let rounds = row
            .rounds
            .iter()
            .filter_map(|round| round.get(scenario.figure).copied());
        let least = rounds.clone().fold(f64::INFINITY, f64::min);
        let most = rounds.fold(f64::NEG_INFINITY, f64::max);
        writeln!(text, " {} to {} |", rounded(least), rounded(most))?;
    }
    writeln!(text)
}

fn left_out(results: &Results, text: &mut String) -> std::fmt::Result {
    writeln!(text, "Versions:\n")?;
    for peer in &results.peers {
        match (&peer.version, &peer.skipped) {
            (_, Some(why)) => writeln!(text, "- {}: left out, {why}", peer.label)?,
            (version, None) => {
                writeln!(
                    text,
                    "- {}: {}",
                    peer.label,
                    version.as_deref().unwrap_or_default()
                )?;
            }
        }
    }
    let skipped = results.scenarios.iter().flat_map(|scenario| {
        scenario
            .skipped
            .iter()
            .map(move |skipped| (scenario.id, skipped))
    });
    let mut skipped = skipped.peekable();
    if skipped.peek().is_some() {
        writeln!(text, "\nLeft out:\n")?;
    }
    for (scenario, skipped) in skipped {
        writeln!(
            text,
            "- {scenario}: {}, {}",
            results.label(skipped.peer),
            skipped.why
        )?;
    }
    Ok(())
}

/// Returns the value with three significant digits.
pub fn rounded(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
