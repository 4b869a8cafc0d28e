//! The command line.

use clap::{Parser, Subcommand};

use crate::BoxError;
use crate::peers::{self, Peer};
use crate::process::Guarded;
use crate::scenario::{self, Scenario};
use crate::serve::Served;

/// Compares this crate with other proxies; writes results.json and results.svg, and prints tables.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The number of rounds of each scenario: in each round, every peer runs once, in random order.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,

    /// The length of each measurement, in seconds.
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,

    /// Runs a single short round, which shows that everything works, but measures little.
    #[arg(long)]
    pub quick: bool,

    /// Measures only these scenarios. The results of a partial run, or of a quick run, go to
    /// target/run.
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    only: Vec<String>,

    /// Measures only these peers.
    #[arg(long, value_delimiter = ',', value_name = "PEER")]
    peers: Vec<String>,

    /// The number of workers of each proxy for small calls: with 2, `two-workers` is measured
    /// instead of `small`.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    workers: u8,

    #[command(subcommand)]
    pub role: Option<Role>,
}

#[derive(Debug, Subcommand)]
pub enum Role {
    /// Used by this program itself: runs a proxy.
    #[command(hide = true)]
    Serve(Served),
    /// Used by this program itself: runs another program, which ends when the parent of this
    /// process ends.
    #[command(hide = true)]
    Guard(Guarded),
}

impl Cli {
    /// Returns `true` if the run measures everything at full length, with the default number of
    /// workers.
    pub fn is_whole(&self) -> bool {
        !self.quick && self.only.is_empty() && self.peers.is_empty() && self.workers == 1
    }

    pub fn chosen_peers(&self) -> Result<Vec<&'static Peer>, BoxError> {
        let all: Vec<&str> = peers::ALL.iter().map(|peer| peer.id).collect();
        known(&self.peers, &all)?;
        let chosen = |id| self.peers.is_empty() || self.peers.iter().any(|named| named == id);
        Ok(peers::ALL.iter().filter(|peer| chosen(peer.id)).collect())
    }

    pub fn chosen_scenarios(&self) -> Result<Vec<&'static Scenario>, BoxError> {
        let all: Vec<&str> = scenario::ALL.iter().map(|scenario| scenario.id).collect();
        known(&self.only, &all)?;
        let mut only = self.only.clone();
        if self.workers == 2 {
            if only.is_empty() {
                only.push("small".to_owned());
            }
            for id in only.iter_mut().filter(|id| *id == "small") {
                "two-workers".clone_into(id);
            }
        }
        let chosen = |id| only.is_empty() || only.iter().any(|named| named == id);
        Ok(scenario::ALL
            .iter()
            .filter(|scenario| chosen(scenario.id))
            .collect())
    }
}

fn known(named: &[String], all: &[&str]) -> Result<(), BoxError> {
    match named.iter().find(|name| !all.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no {name}; there are {}", all.join(", ")).into()),
        None => Ok(()),
    }
}
