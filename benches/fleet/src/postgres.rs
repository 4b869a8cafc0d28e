//! PostgreSQL with a synchronous standby that replays its log, so that a fail-over loses no acknowledged write.

use std::fs;
use std::time::{Duration, Instant};

use testkit::postgres::Server;
use tower_passthrough::Secret;
use tower_passthrough_postgres::{Keys, PostgresStore};

use crate::BoxError;
use crate::engine::{Counters, Engine, Footprint};

const DATABASE: &str = "fleet";
/// An encryption key for the simulation alone.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SETTINGS: &str = "shared_preload_libraries = 'pg_stat_statements'\nshared_buffers = 128MB\nmax_connections = 300\n\
    max_wal_size = 1GB\n";
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The sums of calls by the kind of the statement.
const COUNTERS: &str = "
    SELECT concat_ws(' ',
        coalesce(sum(calls) FILTER (WHERE query LIKE '%CASE WHEN c.version%'), 0),
        coalesce(sum(calls) FILTER (WHERE query LIKE '%pg_current_snapshot()::text%'), 0),
        coalesce(sum(calls) FILTER (WHERE query LIKE '%c.sealed, c.dead%'), 0),
        coalesce(sum(calls) FILTER (WHERE query LIKE '%WITH found AS%' OR query LIKE '%UPDATE%leases SET until = clock_timestamp()%'), 0),
        coalesce(sum(calls) FILTER (WHERE query LIKE '%refreshed_at = clock_timestamp()%'), 0),
        coalesce(sum(calls) FILTER (WHERE query LIKE '%refreshed_at = NULL%' OR query LIKE '%DELETE FROM%.connections%'), 0),
        (SELECT wal_sync FROM pg_stat_wal),
        pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'))
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()";

const FOOTPRINT: &str = "
    SELECT concat_ws(' ',
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
        pg_database_size(current_database()),
        pg_total_relation_size('passthrough.connections'))";

pub struct Postgres {
    primary: Server,
    /// The standby. After a fail-over, the old primary, which still runs and is read-only.
    standby: Server,
    cache_entries: u64,
}

impl Postgres {
    pub fn start(cache_entries: u64) -> Result<Self, BoxError> {
        let Some(primary) = Server::start(SETTINGS) else {
            return Err(
                "PostgreSQL isn't installed: install Debian's package `postgresql`, or set POSTGRES_BIN to the folder of \
                 `initdb` and `postgres`"
                    .into(),
            );
        };
        primary.sql("postgres", &format!("CREATE DATABASE {DATABASE}"));
        primary.sql(DATABASE, "CREATE EXTENSION pg_stat_statements");
        let standby = Self::standby_of(&primary)?;
        Ok(Self {
            primary,
            standby,
            cache_entries,
        })
    }

    /// Starts a standby. The primary then acknowledges what the standby has on its disk.
    fn standby_of(primary: &Server) -> Result<Server, BoxError> {
        let standby = primary.standby();
        primary.configure("synchronous_standby_names = '*'");
        primary.reload();
        let began = Instant::now();
        let state = "SELECT string_agg(sync_state, ',') FROM pg_stat_replication";
        while primary.sql("postgres", state) != "sync" {
            if began.elapsed() > START_TIMEOUT {
                return Err("the standby doesn't follow the primary synchronously".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(standby)
    }

    /// Returns the numbers that the query prints, separated by spaces.
    fn numbers<const N: usize>(&self, sql: &str) -> Result<[f64; N], BoxError> {
        let printed = self.primary.sql(DATABASE, sql);
        let numbers: Result<Vec<f64>, _> = printed.split(' ').map(str::parse).collect();
        let numbers = numbers.map_err(|_| format!("the database has printed {printed}"))?;
        let numbers = <[f64; N]>::try_from(numbers);
        Ok(numbers.map_err(|_| format!("the database has printed {printed}"))?)
    }

    /// Opens a handle at the URL, with so many connections in memory.
    pub async fn open_at(url: &str, cache_entries: u64) -> Result<PostgresStore, BoxError> {
        let keys = Keys::from_base64(&Secret::from(KEY))?;
        let builder = PostgresStore::builder(keys).cache_entries(cache_entries);
        Ok(builder.open(&Secret::from(url)).await?)
    }
}

impl Engine for Postgres {
    type Store = PostgresStore;

    fn version(&self) -> Result<String, BoxError> {
        Ok(format!(
            "PostgreSQL {}",
            self.primary.sql(DATABASE, "SHOW server_version")
        ))
    }

    async fn open(&self) -> Result<PostgresStore, BoxError> {
        Self::open_at(&self.url(), self.cache_entries).await
    }

    fn url(&self) -> String {
        let hosts = format!(
            "127.0.0.1:{},127.0.0.1:{}",
            self.primary.port, self.standby.port
        );
        format!("postgres://postgres@{hosts}/{DATABASE}")
    }

    fn counters(&self) -> Result<Counters, BoxError> {
        let [
            look_ups,
            polls,
            reads,
            leases,
            commits,
            writes,
            flushes,
            log_bytes,
        ] = self.numbers(COUNTERS)?;
        Ok(Counters {
            look_ups,
            polls,
            reads,
            leases,
            commits,
            writes,
            flushes,
            log_bytes,
        })
    }

    fn footprint(&self) -> Result<Footprint, BoxError> {
        let [network_connections, disk_bytes, connections_bytes] = self.numbers(FOOTPRINT)?;
        Ok(Footprint {
            network_connections,
            memory_bytes: memory_of(&self.primary)?,
            disk_bytes,
            connections_bytes,
        })
    }

    fn demote(&mut self) -> Result<(), BoxError> {
        self.primary.configure("default_transaction_read_only = on");
        self.primary.reload();
        let began = Instant::now();
        while self.primary.sql("postgres", "SHOW transaction_read_only") != "on" {
            if began.elapsed() > START_TIMEOUT {
                return Err("the primary isn't read-only after a reload".into());
            }
        }
        Ok(())
    }

    fn promote(&mut self) -> Result<(), BoxError> {
        self.standby.promote();
        std::mem::swap(&mut self.primary, &mut self.standby);
        Ok(())
    }

    fn renew_standby(&mut self) -> Result<(), BoxError> {
        // No replica uses the old primary any more, so the old primary can end.
        self.standby = Self::standby_of(&self.primary)?;
        Ok(())
    }
}

/// Returns the proportional set size of the server's processes.
fn memory_of(server: &Server) -> Result<f64, BoxError> {
    let file = fs::read_to_string(server.data().join("postmaster.pid"))?;
    let main = file.lines().next().unwrap_or_default().trim().to_owned();
    let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children"))?;
    let mut sum = 0.0;
    for process in std::iter::once(main.as_str()).chain(children.split_whitespace()) {
        // A process may have ended in between.
        let rollup =
            fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = pss.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok());
        sum += kib.unwrap_or_default() * 1024.0;
    }
    Ok(sum)
}
