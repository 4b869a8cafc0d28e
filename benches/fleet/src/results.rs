//! The results of a run: the content of results.json.

use serde::Serialize;

use crate::engine::{Counters, Footprint};
use crate::fleet::Routing;
use crate::machine::Machine;
use crate::memory::ReplicaMemory;
use crate::settings::Settings;

#[derive(Debug, Serialize)]
pub struct Results {
    pub machine: Machine,
    pub engine: String,
    pub settings: Settings,
    pub load: Load,
    pub memory: ReplicaMemory,
    pub rounds: Vec<Round>,
    pub verdicts: Vec<Verdict>,
}

/// The initial writes of all connections, by `put_all` with 500 connections at a time, from four tasks.
#[derive(Debug, Serialize)]
pub struct Load {
    pub seconds: f64,
    pub connections_per_second: f64,
    pub footprint: Footprint,
}

/// The results with a routing.
#[derive(Debug, Serialize)]
pub struct Round {
    pub routing: Routing,
    pub calls_per_second: f64,
    /// The statements per second of all replicas.
    pub per_second: Counters,
    /// The share of calls that needed no look-up.
    pub hit_rate: f64,
    /// The calls of the busiest replica, divided by the average.
    pub busiest_replica: f64,
    /// The average number of connections that a replica was called for.
    pub connections_per_replica: f64,
    /// The resident set of the process with all replicas, without the memory before, divided by their number.
    pub memory_per_replica_bytes: f64,
    pub call_microseconds_median: f64,
    pub call_microseconds_99: f64,
    pub refreshes: u64,
    pub refreshes_per_second: f64,
    pub staleness_median_seconds: f64,
    pub staleness_max_seconds: f64,
    /// The time from the demotion of the primary until the last replica's write was acknowledged.
    pub heal_median_seconds: f64,
    pub heal_max_seconds: f64,
    /// Calls that failed in the fail-over, and the time of the last of them since the demotion.
    pub failed_calls: u64,
    pub failed_for_seconds: f64,
    pub calls_in_fail_over: u64,
    pub footprint: Footprint,
    /// The number of reads that looked for lost writes.
    pub verified: usize,
}

/// A promise, and its result.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub is_kept: bool,
    /// `true` if a machine that is too busy can break the promise.
    #[serde(skip)]
    pub is_timed: bool,
    pub text: String,
}
