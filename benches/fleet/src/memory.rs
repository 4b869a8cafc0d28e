//! The memory of a replica, measured in a process of its own.

use std::fs;
use std::process::Command;

use serde::Serialize;
use tokio::task::JoinSet;
use tower_passthrough::StoreError;
use tower_passthrough_postgres::PostgresStore;

use crate::BoxError;
use crate::fleet::called;
use crate::population::Population;
use crate::postgres::Postgres;
use crate::settings::Settings;

/// The first argument of the process.
pub const VERB: &str = "memory-of-a-replica";

/// The number of tasks that read.
const READERS: usize = 8;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct ReplicaMemory {
    /// The resident set of a process with a handle, a network connection and no connections in memory.
    pub empty_bytes: f64,
    /// A connection with opaque tokens of 220 and 100 bytes.
    pub short_connection_bytes: f64,
    /// A connection with tokens of 2 KiB and 1 KiB.
    pub long_connection_bytes: f64,
}

/// Measures in another process.
pub fn measure(settings: &Settings, url: &str) -> Result<ReplicaMemory, BoxError> {
    let run = |is_long: bool| -> Result<(f64, f64), BoxError> {
        let output = Command::new(std::env::current_exe()?)
            .args([VERB, url, &is_long.to_string()])
            .args([
                settings.connections.to_string(),
                settings.memory_connections.to_string(),
                settings.seed.to_string(),
            ])
            .output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers = printed.trim().split_once(' ');
        let numbers =
            numbers.and_then(|(empty, each)| Some((empty.parse().ok()?, each.parse().ok()?)));
        Ok(numbers.ok_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("the memory of a replica can't be measured: {printed}{error}")
        })?)
    };
    let (empty_bytes, short_connection_bytes) = run(false)?;
    let (_, long_connection_bytes) = run(true)?;
    Ok(ReplicaMemory {
        empty_bytes,
        short_connection_bytes,
        long_connection_bytes,
    })
}

/// Prints the resident set of this process without connections in memory, and the bytes of each connection.
pub async fn run(arguments: &[String]) -> Result<(), BoxError> {
    let [url, is_long, connections, count, seed] = arguments else {
        return Err("the process needs five arguments".into());
    };
    let mut settings = Settings::parse(&[])?;
    settings.connections = connections.parse()?;
    settings.seed = seed.parse()?;
    let (is_long, count): (bool, usize) = (is_long.parse()?, count.parse()?);
    let population = Population::new(&settings);
    let chosen =
        (0..settings.connections).filter(|connection| population.is_long(*connection) == is_long);
    let keys: Result<Vec<_>, _> = chosen
        .take(count)
        .map(|connection| population.key(connection))
        .collect();
    let keys = keys?;
    let store: PostgresStore = Postgres::open_at(url, count as u64 + 1).await?;
    let (first, others) = keys.split_first().ok_or("there are no connections")?;
    called(&store, first).await?;
    let empty = resident()?;
    let mut readers = JoinSet::new();
    for keys in others.chunks(others.len() / READERS + 1) {
        let (store, keys) = (store.clone(), keys.to_vec());
        readers.spawn(async move {
            for key in &keys {
                called(&store, key).await?;
            }
            Ok::<(), StoreError>(())
        });
    }
    while let Some(read) = readers.join_next().await {
        read??;
    }
    let each = (resident()? - empty) / others.len() as f64;
    println!("{empty} {each}");
    Ok(())
}

/// Returns the resident set of this process in bytes.
pub fn resident() -> Result<f64, BoxError> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.ok_or("the system doesn't tell the memory of a process")? * 1024.0)
}
