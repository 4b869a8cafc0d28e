//! The printed report: the medians over all rounds, and the ratio of the medians.

use std::time::Duration;

use crate::caller::{Load, Round};

/// Two consecutive rounds: a round of each proxy.
pub(crate) struct Pair {
    pub(crate) bare: Round,
    pub(crate) passthrough: Round,
}

pub(crate) fn print(load: &Load, pairs: &[Pair]) {
    println!(
        "\n{:<42} {:>12} {:>12} {:>7}",
        load.name, "bare", "passthrough", "ratio"
    );
    line("time of a call", pairs, |round| Some(round.call));
    line("processor's time of a call", pairs, |round| round.processor);
}

fn line(what: &str, pairs: &[Pair], of: impl Fn(&Round) -> Option<Duration>) {
    let measured: Vec<_> = pairs
        .iter()
        .filter_map(|pair| of(&pair.bare).zip(of(&pair.passthrough)))
        .map(|(bare, passthrough)| (bare.as_secs_f64(), passthrough.as_secs_f64()))
        .collect();
    let bare = median(measured.iter().map(|(bare, _)| *bare));
    let passthrough = median(measured.iter().map(|(_, passthrough)| *passthrough));
    match (bare, passthrough) {
        (Some(bare), Some(passthrough)) => {
            println!(
                "  {what:<40} {:>9.1} µs {:>9.1} µs {:>7.2}",
                bare * 1e6,
                passthrough * 1e6,
                passthrough / bare
            );
        }
        _ => println!("  {what:<40} isn't told by this system"),
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
