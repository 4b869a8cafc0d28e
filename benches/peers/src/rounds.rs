//! The run: for each scenario, rounds in which every peer runs once, in random order. So a slow
//! change of the machine affects all peers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::affinity;
use crate::cli::Cli;
use crate::machine::Machine;
use crate::measure::{self, Bench, Figures, Length};
use crate::peers::Peer;
use crate::results::{PeerResult, Results, Row, ScenarioResult, Skipped};
use crate::scenario::{self, Load, Scenario};
use crate::vendor::Vendors;
use crate::{BoxError, plot, report, targets};

/// Measures the chosen peers in the chosen scenarios.
pub fn run(cli: &Cli) -> Result<(), BoxError> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = own.join("target/run");
    std::fs::create_dir_all(&scratch)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;

    let (peers, chosen): (Vec<PeerResult>, Vec<_>) = cli
        .chosen_peers()?
        .into_iter()
        .map(|peer| prepared(peer, &scratch))
        .unzip();
    let length = match cli.quick {
        true => Length {
            warm_up: Duration::from_millis(300),
            measured: Duration::from_secs(1),
        },
        false => Length {
            warm_up: Duration::from_millis(500),
            measured: Duration::try_from_secs_f64(cli.seconds)?,
        },
    };
    let mut run = Run {
        peers: chosen.into_iter().flatten().collect(),
        rounds: if cli.quick { 1 } else { cli.rounds },
        length,
        seed: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_nanos() as u64,
        rate: None,
        scratch,
    };
    let mut results = Results {
        machine: Machine::here(),
        rounds: run.rounds,
        warm_up_seconds: length.warm_up.as_secs_f64(),
        measured_seconds: length.measured.as_secs_f64(),
        peers,
        scenarios: Vec::new(),
        targets: Vec::new(),
    };
    for scenario in cli.chosen_scenarios()? {
        results.scenarios.push(run.scenario(scenario)?);
    }
    results.targets = targets::judge(&results);
    // Only a complete run replaces the results that readers see.
    let written = if cli.is_whole() { own } else { &run.scratch };
    std::fs::write(
        written.join("results.json"),
        serde_json::to_string_pretty(&results)? + "\n",
    )?;
    std::fs::write(written.join("results.svg"), plot::svg(&results))?;
    eprintln!("results.json and results.svg are in {}", written.display());
    print!("{}", report::markdown(&results));
    Ok(())
}

fn prepared(peer: &'static Peer, scratch: &Path) -> (PeerResult, Option<&'static Peer>) {
    let prepared = peer.prepare(scratch);
    if let Err(why) = &prepared {
        eprintln!("{} is left out: {why}", peer.id);
    }
    let found = prepared.is_ok().then_some(peer);
    let result = PeerResult {
        id: peer.id,
        label: peer.label,
        ours: peer.is_ours(),
        skipped: prepared.as_ref().err().cloned(),
        version: prepared.ok(),
    };
    (result, found)
}

struct Run {
    peers: Vec<&'static Peer>,
    rounds: usize,
    length: Length,
    seed: u64,
    /// The number of calls per second for scenarios with a fixed rate, once the number is known.
    rate: Option<f64>,
    scratch: PathBuf,
}

impl Run {
    fn scenario(&mut self, scenario: &'static Scenario) -> Result<ScenarioResult, BoxError> {
        let is_latency = matches!(scenario.load, Load::Latency { .. });
        if is_latency && self.rate.is_none() {
            // If `small` wasn't measured, a short round of `small` gives the rate.
            let (rounds, length) = (self.rounds, self.length);
            (self.rounds, self.length.measured) = (1, Duration::from_secs(1));
            self.scenario(&scenario::ALL[0])?;
            (self.rounds, self.length) = (rounds, length);
        }
        let two_workers = matches!(
            scenario.load,
            Load::Closed {
                two_workers: true,
                ..
            }
        );
        affinity::bind(if two_workers {
            affinity::BOTH
        } else {
            affinity::LOAD
        })?;
        // The vendors inherit the processors of this thread, so each scenario starts new vendors.
        let vendors = Vendors::start(&self.scratch)?;
        let wire = measure::wire(scenario, &vendors);
        let (peers, lacking): (Vec<&Peer>, Vec<&Peer>) = self
            .peers
            .iter()
            .partition(|peer| peer.lacks(&wire).is_none());
        let lacking = lacking.into_iter().map(|peer| Skipped {
            peer: peer.id,
            why: peer.lacks(&wire).unwrap_or_default().to_owned(),
        });
        let mut skipped: Vec<Skipped> = lacking.collect();
        let mut measured: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
        for round in 1..=self.rounds {
            for peer in self.shuffled(&peers) {
                let bench = Bench {
                    vendors: &vendors,
                    scratch: &self.scratch,
                    length: self.length,
                    rate: self.rate.unwrap_or_default(),
                };
                match bench.measure(peer, scenario) {
                    Ok(figures) => {
                        eprintln!(
                            "{} {round}: {:<18} {}",
                            scenario.id,
                            peer.id,
                            shown(&figures)
                        );
                        measured.entry(peer.id).or_default().push(figures);
                    }
                    Err(error) => {
                        eprintln!("{} {round}: {:<18} {error}", scenario.id, peer.id);
                        skipped.push(Skipped {
                            peer: peer.id,
                            why: error.to_string(),
                        });
                    }
                }
            }
        }
        let rows = peers.iter().filter_map(|peer| {
            let rounds = measured.remove(peer.id)?;
            Some(Row::new(peer.id, rounds))
        });
        let result = ScenarioResult {
            id: scenario.id,
            name: scenario.name,
            title: scenario.title,
            figure: scenario.figure.name,
            unit: scenario.figure.unit,
            calls_per_second: self.rate.filter(|_| is_latency),
            peers: rows.collect(),
            skipped,
        };
        if scenario.id == "small" {
            let rates = result
                .peers
                .iter()
                .filter_map(|row| row.medians.get("calls_per_second"));
            let slowest = rates.copied().fold(f64::INFINITY, f64::min);
            self.rate = slowest.is_finite().then_some(slowest / 2.0);
        }
        Ok(result)
    }

    fn shuffled<'p>(&mut self, peers: &[&'p Peer]) -> Vec<&'p Peer> {
        let mut peers = peers.to_vec();
        for last in (1..peers.len()).rev() {
            // xorshift is sufficient here, because the order only has to differ between rounds.
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            peers.swap(last, (self.seed % (last as u64 + 1)) as usize);
        }
        peers
    }
}

fn shown(figures: &Figures) -> String {
    let shown = figures
        .iter()
        .map(|(name, value)| format!("{name} {value:.2}"));
    shown.collect::<Vec<_>>().join("  ")
}
