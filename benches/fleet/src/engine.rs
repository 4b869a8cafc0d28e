//! The interface between the simulation and the engine of the store.

use std::future::Future;

use serde::Serialize;
use tower_passthrough::store::ConnectionStore;

use crate::BoxError;

/// A database that runs for the simulation, with a standby.
pub trait Engine {
    type Store: ConnectionStore + Clone + Send + Sync + 'static;

    /// Returns the name and the version of the database.
    fn version(&self) -> Result<String, BoxError>;

    /// Opens a handle, as a replica of a server does, with a pool and a cache of its own.
    fn open(&self) -> impl Future<Output = Result<Self::Store, BoxError>> + Send;

    /// Returns the URL with which another process opens a handle.
    fn url(&self) -> String;

    /// Returns the numbers of statements so far.
    fn counters(&self) -> Result<Counters, BoxError>;

    /// Returns the memory and the disk space of the database.
    fn footprint(&self) -> Result<Footprint, BoxError>;

    /// Makes the primary read-only. It goes on to answer.
    fn demote(&mut self) -> Result<(), BoxError>;

    /// Makes the standby the primary.
    fn promote(&mut self) -> Result<(), BoxError>;

    /// Starts a standby for the next fail-over.
    fn renew_standby(&mut self) -> Result<(), BoxError>;
}

/// The numbers of statements and of bytes since the start of the database.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counters {
    /// Look-ups of connections that weren't in memory, or had to be compared.
    pub look_ups: f64,
    /// Questions for changes.
    pub polls: f64,
    /// Reads by refreshes.
    pub reads: f64,
    /// Leases that were taken or tried, extended, and released.
    pub leases: f64,
    /// New tokens.
    pub commits: f64,
    /// Connections that were put and removed by operators.
    pub writes: f64,
    /// Flushes of the write-ahead log to the disk.
    pub flushes: f64,
    /// Bytes of the write-ahead log.
    pub log_bytes: f64,
}

impl Counters {
    /// Returns the numbers per second between two moments.
    pub fn per_second(self, before: Self, seconds: f64) -> Self {
        let rate = |after: f64, before: f64| (after - before) / seconds;
        Self {
            look_ups: rate(self.look_ups, before.look_ups),
            polls: rate(self.polls, before.polls),
            reads: rate(self.reads, before.reads),
            leases: rate(self.leases, before.leases),
            commits: rate(self.commits, before.commits),
            writes: rate(self.writes, before.writes),
            flushes: rate(self.flushes, before.flushes),
            log_bytes: rate(self.log_bytes, before.log_bytes),
        }
    }

    /// Returns the number of all statements.
    pub fn statements(&self) -> f64 {
        self.look_ups + self.polls + self.reads + self.leases + self.commits + self.writes
    }

    /// Returns the number of transactions that write.
    pub fn transactions(&self) -> f64 {
        self.leases + self.commits + self.writes
    }
}

/// The memory and the disk space of the database.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Footprint {
    /// Network connections of the replicas.
    pub network_connections: f64,
    /// The proportional set size of all processes of the server.
    pub memory_bytes: f64,
    /// The database, without the write-ahead log.
    pub disk_bytes: f64,
    /// The tables and indexes of connections, without leases and changes.
    pub connections_bytes: f64,
}
