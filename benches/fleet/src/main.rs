//! A simulation of many replicas of a server that share a store.
//!
//! ```text
//! cargo run --release --manifest-path benches/fleet/Cargo.toml --target-dir target
//! cargo run --release --manifest-path benches/fleet/Cargo.toml --target-dir target -- --quick
//! ```
//!
//! The program starts the database and a standby, stores the connections, and measures two ways to route calls. Each measurement
//! ends with a fail-over to the standby. The program fails if a promise of the store isn't kept: each line `FAILED` names one.
#![forbid(unsafe_code)]

mod endpoint;
mod engine;
mod fleet;
#[path = "../../peers/src/machine.rs"]
mod machine;
mod memory;
mod operator;
mod plot;
mod population;
mod postgres;
mod random;
mod report;
mod results;
mod round;
mod settings;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_passthrough::store::{ConnectionKey, ConnectionStore};

use crate::endpoint::Endpoint;
use crate::engine::Engine;
use crate::fleet::Routing;
use crate::machine::Machine;
use crate::population::Population;
use crate::postgres::Postgres;
use crate::results::{Load, Results, Verdict};
use crate::round::Simulation;
use crate::settings::Settings;

/// Any error. The benchmark only prints errors, so a specific type isn't needed.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The number of connections in a transaction of the initial writes.
const BATCH: usize = 500;
/// The number of tasks that write initially.
const WRITERS: usize = 4;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == memory::VERB => memory::run(rest).await.map(|()| true),
        _ => run(&arguments).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// Returns `true` if all promises are kept.
async fn run(arguments: &[String]) -> Result<bool, BoxError> {
    let settings = Settings::parse(arguments)?;
    let engine = Postgres::start(settings.cache_entries)?;
    let results = measure(&settings, engine).await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = match settings.is_whole() {
        true => folder.to_owned(),
        false => folder.join("target/run"),
    };
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("results.json"),
        serde_json::to_string_pretty(&results)? + "\n",
    )?;
    fs::write(folder.join("results.svg"), plot::svg(&results))?;
    println!("{}", report::markdown(&results));
    for verdict in &results.verdicts {
        println!(
            "{} {}",
            if verdict.is_kept { "ok    " } else { "FAILED" },
            verdict.text
        );
    }
    println!("\nThe results are in {}.", folder.display());
    // A short run shows that everything works, also on a busy machine.
    let judged = |verdict: &&Verdict| settings.is_whole() || !verdict.is_timed;
    let mut judged = results.verdicts.iter().filter(judged);
    Ok(judged.all(|verdict| verdict.is_kept))
}

async fn measure<E: Engine>(settings: &Settings, engine: E) -> Result<Results, BoxError> {
    let population = Population::new(settings);
    let latency = Duration::from_millis(settings.endpoint_milliseconds);
    let endpoint = Arc::new(Endpoint::new(
        population.clone(),
        settings.all_connections(),
        latency,
    ));
    let keys: Result<Vec<_>, _> = (0..settings.all_connections())
        .map(|number| population.key(number))
        .collect();
    let keys = Arc::new(keys?);
    let load = load(settings, &engine, &endpoint, &keys).await?;
    eprintln!(
        "{} connections stored in {:.1} s",
        settings.connections, load.seconds
    );
    let memory = memory::measure(settings, &engine.url())?;
    let mut simulation = Simulation::new(settings, engine, endpoint, keys).await?;
    let mut rounds = Vec::new();
    // The smaller caches come first, because freed memory stays in the process.
    for routing in [Routing::ByConnection, Routing::Random] {
        rounds.push(simulation.run(routing).await?);
    }
    Ok(Results {
        machine: Machine::here(),
        engine: simulation.version()?,
        settings: settings.clone(),
        load,
        memory,
        rounds,
        verdicts: simulation.verdicts(),
    })
}

/// Stores all connections.
async fn load<E: Engine>(
    settings: &Settings,
    engine: &E,
    endpoint: &Arc<Endpoint>,
    keys: &Arc<Vec<ConnectionKey>>,
) -> Result<Load, BoxError> {
    let store = engine.open().await?;
    let population = Population::new(settings);
    let began = Instant::now();
    let last = settings.own_connection(settings.replicas);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (store, population) = (store.clone(), population.clone());
        let (endpoint, keys) = (Arc::clone(endpoint), Arc::clone(keys));
        writers.spawn(async move {
            for first in (writer * BATCH..last).step_by(BATCH * WRITERS) {
                let numbers = first..last.min(first + BATCH);
                let batch = numbers.filter_map(|number| {
                    let (token, expires_at) = endpoint.first(number);
                    Some((
                        keys.get(number)?.clone(),
                        population.connection(token, expires_at, 0),
                    ))
                });
                let batch: Vec<_> = batch.collect();
                store.put_all(&batch).await?;
            }
            Ok::<(), tower_passthrough::StoreError>(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Load {
        seconds,
        connections_per_second: last as f64 / seconds,
        footprint: engine.footprint()?,
    })
}
