//! The tables of a run, in Markdown.

use std::fmt::Write as _;

use crate::fleet::Routing;
use crate::results::{Results, Round};
use crate::settings::Settings;

const MEGABYTE: f64 = 1024.0 * 1024.0;
const MILLION: f64 = 1_000_000.0;

/// A row of the table: its name, and its value for a routing.
type Row = (&'static str, fn(&Round) -> String);

const ROWS: &[Row] = &[
    ("calls per second", |round| rounded(round.calls_per_second)),
    ("calls without a look-up (hit rate)", |round| {
        format!("{:.1} %", round.hit_rate * 100.0)
    }),
    ("look-ups per second", |round| {
        rounded(round.per_second.look_ups)
    }),
    ("questions for changes per second", |round| {
        rounded(round.per_second.polls)
    }),
    ("refreshes per second", |round| {
        rounded(round.refreshes_per_second)
    }),
    ("reads, leases and commits of a refresh", |round| {
        let refreshes = round.refreshes_per_second.max(0.001);
        let of = |rate: f64| format!("{:.1}", rate / refreshes);
        let rates = round.per_second;
        format!(
            "{}, {}, {}",
            of(rates.reads),
            of(rates.leases),
            of(rates.commits)
        )
    }),
    ("statements per second", |round| {
        rounded(round.per_second.statements())
    }),
    ("transactions that write, per second", |round| {
        rounded(round.per_second.transactions())
    }),
    ("flushes of the log per second", |round| {
        rounded(round.per_second.flushes)
    }),
    ("log written, KiB per second", |round| {
        rounded(round.per_second.log_bytes / 1024.0)
    }),
    (
        "time of a call in the store: median, 99 % (upper bounds)",
        |round| {
            format!(
                "{:.0} µs, {:.0} µs",
                round.call_microseconds_median, round.call_microseconds_99
            )
        },
    ),
    (
        "calls of the busiest replica, beside the average",
        |round| format!("{:.1} ×", round.busiest_replica),
    ),
    ("connections in the memory of a replica", |round| {
        rounded(round.connections_per_replica)
    }),
    ("memory per replica, without the program", |round| {
        format!("{:.1} MiB", round.memory_per_replica_bytes / MEGABYTE)
    }),
    ("staleness of writes by others: median, maximum", |round| {
        format!(
            "{:.2} s, {:.2} s",
            round.staleness_median_seconds, round.staleness_max_seconds
        )
    }),
    (
        "fail-over: replicas write again after (median, maximum)",
        |round| {
            format!(
                "{:.1} s, {:.1} s",
                round.heal_median_seconds, round.heal_max_seconds
            )
        },
    ),
    ("fail-over: failed calls, the last after", |round| {
        let share = round.failed_calls as f64 / round.calls_in_fail_over.max(1) as f64;
        format!(
            "{} ({:.2} %), {:.1} s",
            round.failed_calls,
            share * 100.0,
            round.failed_for_seconds
        )
    }),
    ("network connections to the database", |round| {
        format!("{:.0}", round.footprint.network_connections)
    }),
    ("memory of the database's processes", |round| {
        format!("{:.0} MiB", round.footprint.memory_bytes / MEGABYTE)
    }),
];

pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _ = write(results, &mut text);
    text
}

fn write(results: &Results, text: &mut String) -> std::fmt::Result {
    let (settings, machine) = (&results.settings, &results.machine);
    writeln!(
        text,
        "{} replicas, {} connections, {} calls per second by Zipf's distribution with skew {}, seed {}; {}; {} × {}, {}, {}, {}.\n",
        settings.replicas,
        settings.connections,
        settings.calls_per_second,
        settings.skew_of_zipf,
        settings.seed,
        results.engine,
        machine.processors,
        machine.processor,
        machine.kernel,
        machine.system,
        machine.date,
    )?;
    write!(text, "|")?;
    for round in &results.rounds {
        write!(text, " | {}", name(round.routing))?;
    }
    writeln!(
        text,
        " |\n| --- |{}",
        " ---: |".repeat(results.rounds.len())
    )?;
    for (name, value) in ROWS {
        write!(text, "| {name} |")?;
        for round in &results.rounds {
            write!(text, " {} |", value(round))?;
        }
        writeln!(text)?;
    }
    let (load, memory) = (&results.load, &results.memory);
    writeln!(text, "\n| of both | |\n| --- | ---: |")?;
    writeln!(
        text,
        "| a replica without connections in memory | {:.1} MiB |",
        memory.empty_bytes / MEGABYTE
    )?;
    writeln!(
        text,
        "| a connection in memory, with opaque tokens | {:.1} KiB |",
        memory.short_connection_bytes / 1024.0
    )?;
    writeln!(
        text,
        "| a connection in memory, with tokens of 2 KiB and 1 KiB | {:.1} KiB |",
        memory.long_connection_bytes / 1024.0
    )?;
    writeln!(
        text,
        "| a connection in the database, with indexes | {:.2} KiB |",
        stored_bytes(results) / 1024.0
    )?;
    writeln!(
        text,
        "| connections stored per second by `put_all` | {} |",
        rounded(load.connections_per_second)
    )?;
    writeln!(
        text,
        "\nExtrapolated to a million connections, and not measured:\n"
    )?;
    writeln!(
        text,
        "- The tables of the database take {:.1} GiB.",
        stored_bytes(results) * MILLION / MEGABYTE / 1024.0
    )?;
    writeln!(
        text,
        "- 10,000 connections in the memory of a replica, the maximum of this run, take {:.0} MiB.",
        mixed_bytes(results) * 10_000.0 / MEGABYTE
    )?;
    if let Some(round) = results
        .rounds
        .iter()
        .find(|round| round.routing == Routing::ByConnection)
    {
        let refreshes = MILLION / 3600.0;
        let rates = round.per_second;
        let statements =
            (rates.reads + rates.leases + rates.commits) / round.refreshes_per_second.max(0.001);
        writeln!(
            text,
            "- If each connection is called at least once an hour, tokens that live an hour need {refreshes:.0} refreshes per second, \
             which are {:.0} statements per second.",
            refreshes * statements
        )?;
    }
    Ok(())
}

/// Returns the disk space of a connection.
pub fn stored_bytes(results: &Results) -> f64 {
    let settings: &Settings = &results.settings;
    results.load.footprint.connections_bytes / (settings.connections + settings.replicas) as f64
}

/// Returns the memory of an average connection.
fn mixed_bytes(results: &Results) -> f64 {
    let long = results.settings.share_of_long_tokens;
    results.memory.long_connection_bytes * long
        + results.memory.short_connection_bytes * (1.0 - long)
}

pub fn name(routing: Routing) -> &'static str {
    match routing {
        Routing::Random => "routed at random",
        Routing::ByConnection => "routed by connection",
    }
}

/// Returns the value with three significant digits, or as an integer.
pub fn rounded(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
