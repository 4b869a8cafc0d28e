//! The size of a run.

use std::time::Duration;

use serde::Serialize;

use crate::BoxError;

/// The maximum time that a handle may need to write again, counted from the demotion of the primary.
pub const MAX_HEAL: Duration = Duration::from_secs(15);
/// The staleness of the store (1 s, the default), and a second for the question on a busy machine.
pub const MAX_STALENESS: Duration = Duration::from_secs(2);
/// The time before its expiry at which a token is refreshed. The store adds up to a fifth.
pub const SKEW: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    pub seed: u64,
    pub replicas: usize,
    pub connections: usize,
    pub calls_per_second: usize,
    pub skew_of_zipf: f64,
    /// The share of connections with a token of 2 KiB, such as a JWT; the others have opaque tokens.
    pub share_of_long_tokens: f64,
    /// The share of connections whose tokens have the short lifetime; the others live an hour.
    pub share_of_short_lives: f64,
    pub short_life_seconds: u64,
    /// The maximum number of connections in the memory of a replica.
    pub cache_entries: u64,
    pub warm_up_seconds: u64,
    pub measured_seconds: u64,
    /// The number of connections that are written and removed to measure the staleness.
    pub staleness_rounds: usize,
    pub operator_writes_per_second: u64,
    pub endpoint_milliseconds: u64,
    /// The number of connections that each memory measurement reads.
    pub memory_connections: usize,
    pub is_quick: bool,
}

impl Settings {
    fn full() -> Self {
        Self {
            seed: 1,
            replicas: 50,
            connections: 100_000,
            calls_per_second: 1500,
            skew_of_zipf: 1.0,
            share_of_long_tokens: 0.3,
            share_of_short_lives: 0.01,
            short_life_seconds: 60,
            cache_entries: 10_000,
            warm_up_seconds: 30,
            measured_seconds: 30,
            staleness_rounds: 4,
            operator_writes_per_second: 2,
            endpoint_milliseconds: 50,
            memory_connections: 10_000,
            is_quick: false,
        }
    }

    fn quick() -> Self {
        Self {
            replicas: 8,
            connections: 4000,
            calls_per_second: 400,
            share_of_short_lives: 0.05,
            short_life_seconds: 20,
            warm_up_seconds: 2,
            measured_seconds: 4,
            staleness_rounds: 1,
            memory_connections: 1000,
            is_quick: true,
            ..Self::full()
        }
    }

    pub fn parse(arguments: &[String]) -> Result<Self, BoxError> {
        let mut settings = match arguments.iter().any(|argument| argument == "--quick") {
            true => Self::quick(),
            false => Self::full(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--quick" {
                continue;
            }
            let mut number = || -> Result<usize, BoxError> {
                let value = arguments
                    .next()
                    .ok_or(format!("{argument} needs a number"))?;
                let number = value
                    .parse()
                    .map_err(|_| format!("{argument} needs a number, and {value} isn't a number"));
                Ok(number?)
            };
            match argument.as_str() {
                "--seed" => settings.seed = number()? as u64,
                "--replicas" => settings.replicas = number()?.max(2),
                "--connections" => settings.connections = number()?.max(1000),
                "--rate" => settings.calls_per_second = number()?.max(1),
                "--seconds" => settings.measured_seconds = number()?.max(1) as u64,
                other => {
                    return Err(format!(
                        "{other} isn't an option; there are --quick, --seed, --replicas, --connections, --rate and --seconds"
                    )
                    .into());
                }
            }
        }
        Ok(settings)
    }

    /// Returns `true` if the results belong into the repository.
    pub fn is_whole(&self) -> bool {
        let full = Self::full();
        self.replicas == full.replicas
            && self.connections == full.connections
            && self.calls_per_second == full.calls_per_second
            && self.measured_seconds == full.measured_seconds
            && self.seed == full.seed
    }

    /// The number of a replica's own connection, which the replica writes during the fail-over.
    pub fn own_connection(&self, replica: usize) -> usize {
        self.connections + replica
    }

    /// The number of the connection that a round of the staleness writes and removes.
    pub fn removed_connection(&self, round: usize) -> usize {
        self.connections + self.replicas + round
    }

    /// The number of all connections, including those that aren't called by the traffic.
    pub fn all_connections(&self) -> usize {
        // Two routings are measured with the same database.
        self.connections + self.replicas + 2 * self.staleness_rounds
    }
}
