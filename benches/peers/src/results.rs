//! The results of the measurements: the content of results.json.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::Figures;
use crate::targets::Target;

/// The results of a run.
#[derive(Debug, Serialize)]
pub struct Results {
    pub machine: Machine,
    pub rounds: usize,
    pub warm_up_seconds: f64,
    pub measured_seconds: f64,
    pub peers: Vec<PeerResult>,
    pub scenarios: Vec<ScenarioResult>,
    pub targets: Vec<Target>,
}

/// A peer that was chosen for the run.
#[derive(Debug, Serialize)]
pub struct PeerResult {
    pub id: &'static str,
    pub label: &'static str,
    /// Set to `true` if the peer is a mount of this crate.
    pub ours: bool,
    pub version: Option<String>,
    /// The reason for which the peer was left out of all scenarios.
    pub skipped: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ScenarioResult {
    pub id: &'static str,
    pub name: &'static str,
    pub title: &'static str,
    /// The name of the figure by which peers are compared.
    pub figure: &'static str,
    pub unit: &'static str,
    /// The rate of the calls, if the scenario has a fixed rate.
    pub calls_per_second: Option<f64>,
    pub peers: Vec<Row>,
    pub skipped: Vec<Skipped>,
}

/// The results of a peer in a scenario.
#[derive(Debug, Serialize)]
pub struct Row {
    pub peer: &'static str,
    /// The medians over all rounds.
    pub medians: BTreeMap<&'static str, f64>,
    pub rounds: Vec<Figures>,
}

#[derive(Debug, Serialize)]
pub struct Skipped {
    pub peer: &'static str,
    pub why: String,
}

impl Row {
    pub fn new(peer: &'static str, rounds: Vec<Figures>) -> Self {
        let names = rounds.first().into_iter().flat_map(BTreeMap::keys);
        let medians = names
            .map(|name| {
                (
                    *name,
                    median(rounds.iter().filter_map(|round| round.get(name).copied())),
                )
            })
            .collect();
        Self {
            peer,
            medians,
            rounds,
        }
    }
}

impl ScenarioResult {
    /// Returns the peer's median of the figure by which peers are compared.
    pub fn of(&self, peer: &str) -> Option<f64> {
        self.figure_of(peer, self.figure)
    }

    pub fn figure_of(&self, peer: &str, figure: &str) -> Option<f64> {
        let row = self.peers.iter().find(|row| row.peer == peer)?;
        row.medians.get(figure).copied()
    }
}

impl Results {
    pub fn scenario(&self, id: &str) -> Option<&ScenarioResult> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }

    pub fn label(&self, peer: &str) -> &'static str {
        let peer = self.peers.iter().find(|known| known.id == peer);
        peer.map_or("", |peer| peer.label)
    }

    pub fn is_ours(&self, peer: &str) -> bool {
        self.peers
            .iter()
            .any(|known| known.id == peer && known.ours)
    }
}

/// Returns the middle value, or the mean of the two middle values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
