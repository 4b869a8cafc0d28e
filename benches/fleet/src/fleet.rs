//! The replicas, and the calls that are sent to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{Extensions, Method};
use serde::Serialize;
use tower_passthrough::oauth2::{OAuth2TokenSource, TokenEndpoint};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::refresh::RefreshingStore;
use tower_passthrough::store::{ConnectionKey, ConnectionStore};
use tower_passthrough::{CallContext, Connection, CredentialStore, HttpTransport, StoreError};

use crate::BoxError;
use crate::population::{self, INTEGRATION, Population};
use crate::random::{Random, Zipf, mixed};
use crate::settings::{SKEW, Settings};

/// The number of points of a replica on the ring, as nginx has by default.
const POINTS: u64 = 160;
/// The maximum number of calls at the same time. Further calls are counted as failed.
const MAX_IN_FLIGHT: usize = 20_000;

/// The store of a replica of a server.
pub type Replica<S> = RefreshingStore<S, OAuth2TokenSource<HttpTransport>>;

/// Returns the store of a replica, with a transport of its own to the token endpoint.
pub fn replica<S: ConnectionStore>(store: S, endpoint: u16) -> Result<Replica<S>, BoxError> {
    let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
    let network = NetworkPolicy::new()
        .allow(loopback.into())
        .dangerous()
        .plaintext();
    let transport = HttpTransport::builder()
        .network(network)
        .resolve("vendor.test", loopback)
        .build()?;
    let endpoint = TokenEndpoint::new(&format!("http://vendor.test:{endpoint}/token"))?;
    let source = OAuth2TokenSource::new(transport).with(
        INTEGRATION,
        endpoint.client_id("fleet").client_secret("s3cr3t"),
    );
    Ok(RefreshingStore::new(store, source).skew(SKEW))
}

/// Reads the connection in the way in which a call reads it.
pub async fn called<S: CredentialStore>(
    store: &S,
    key: &ConnectionKey,
) -> Result<Connection, StoreError> {
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    store.connection(key, cx).await
}

/// The way in which a load balancer chooses a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    Random,
    /// By a consistent hash of the connection's id.
    ByConnection,
}

/// A ring of consistent hashing.
#[derive(Debug)]
struct Ring(BTreeMap<u64, usize>);

impl Ring {
    fn new(replicas: usize) -> Self {
        let points = (0..replicas).flat_map(|replica| {
            (0..POINTS).map(move |point| (mixed(mixed(replica as u64 + 1) ^ point), replica))
        });
        Self(points.collect())
    }

    fn replica(&self, connection: usize) -> usize {
        let hash = mixed(!(connection as u64));
        let next = self.0.range(hash..).next().or_else(|| self.0.iter().next());
        next.map_or(0, |(_, replica)| *replica)
    }
}

/// The observations of calls, which are read while calls are running.
#[derive(Debug)]
pub struct Observed {
    began: Instant,
    calls: AtomicU64,
    failed: AtomicU64,
    first_failure: std::sync::OnceLock<String>,
    /// The time of the last failure, in microseconds since the start.
    last_failure: AtomicU64,
    in_flight: AtomicUsize,
    /// Calls that got an access token which had expired.
    expired: AtomicU64,
    /// The highest age of a write that a call didn't see yet, in microseconds.
    stalest: AtomicU64,
    /// Calls by the binary logarithm of their time in microseconds.
    times: [AtomicU64; 32],
    /// Calls by replica.
    by_replica: Vec<AtomicU64>,
    /// For each replica, a bit for each connection that was called.
    seen: Vec<Vec<AtomicU64>>,
    /// For each connection, the last write that was acknowledged: its serial, and its time in microseconds since the start.
    serials: Vec<AtomicU64>,
    written_at: Vec<AtomicU64>,
}

impl Observed {
    fn new(settings: &Settings) -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let connections = settings.all_connections();
        Self {
            began: Instant::now(),
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            first_failure: std::sync::OnceLock::new(),
            last_failure: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            expired: AtomicU64::new(0),
            stalest: AtomicU64::new(0),
            times: std::array::from_fn(|_| AtomicU64::new(0)),
            by_replica: zeros(settings.replicas),
            seen: (0..settings.replicas)
                .map(|_| zeros(connections / 64 + 1))
                .collect(),
            serials: zeros(connections),
            written_at: zeros(connections),
        }
    }

    /// Returns the time since the start, in microseconds.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes a write that the store has acknowledged.
    pub fn acknowledge(&self, connection: usize, serial: u64) {
        if let (Some(at), Some(last)) = (
            self.written_at.get(connection),
            self.serials.get(connection),
        ) {
            at.store(self.now(), Ordering::Release);
            last.store(serial, Ordering::Release);
        }
    }

    /// Returns the connections with a write that was acknowledged, and the serials of these writes.
    pub fn acknowledged(&self) -> Vec<(usize, u64)> {
        let serials = self.serials.iter().enumerate();
        let serials =
            serials.map(|(connection, serial)| (connection, serial.load(Ordering::Acquire)));
        serials.filter(|(_, serial)| *serial > 0).collect()
    }

    fn mark(&self, replica: usize, connection: usize) {
        let words = self
            .seen
            .get(replica)
            .and_then(|words| words.get(connection / 64));
        if let Some(word) = words {
            word.fetch_or(1 << (connection % 64), Ordering::Relaxed);
        }
        if let Some(calls) = self.by_replica.get(replica) {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn fail(&self, error: &dyn std::error::Error) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.last_failure.store(self.now(), Ordering::Relaxed);
        self.first_failure.get_or_init(|| {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text
        });
    }

    /// Returns the cause of the first failure.
    pub fn first_failure(&self) -> Option<&str> {
        self.first_failure.get().map(String::as_str)
    }

    /// Returns the time of the last failure after `since`.
    pub fn last_failure(&self, since: Instant) -> Option<Duration> {
        let last = Duration::from_micros(self.last_failure.load(Ordering::Relaxed));
        let last = last.checked_sub(since.duration_since(self.began));
        last.filter(|last| *last > Duration::ZERO)
    }

    pub fn totals(&self) -> Totals {
        Totals {
            at: self.began.elapsed(),
            calls: self.calls.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
            stalest: Duration::from_micros(self.stalest.load(Ordering::Relaxed)),
            times: std::array::from_fn(|power| self.times[power].load(Ordering::Relaxed)),
            by_replica: self
                .by_replica
                .iter()
                .map(|calls| calls.load(Ordering::Relaxed))
                .collect(),
        }
    }

    /// Returns the average number of connections that a replica was called for, up to `most`.
    pub fn cached(&self, most: u64) -> f64 {
        let counts = self.seen.iter().map(|words| {
            let bits = words
                .iter()
                .map(|word| u64::from(word.load(Ordering::Relaxed).count_ones()));
            bits.sum::<u64>().min(most)
        });
        counts.sum::<u64>() as f64 / self.seen.len() as f64
    }
}

/// The observations up to a moment.
#[derive(Clone, Debug)]
pub struct Totals {
    pub at: Duration,
    pub calls: u64,
    pub failed: u64,
    pub expired: u64,
    pub stalest: Duration,
    times: [u64; 32],
    by_replica: Vec<u64>,
}

impl Totals {
    /// Returns an upper bound of the time within which that share of the calls since `before` ended.
    pub fn quantile(&self, before: &Self, share: f64) -> Duration {
        let counts = self
            .times
            .iter()
            .zip(before.times)
            .map(|(after, before)| after - before);
        let counts: Vec<u64> = counts.collect();
        let mut left = counts.iter().sum::<u64>() as f64 * share;
        for (power, count) in counts.iter().enumerate() {
            left -= *count as f64;
            if left <= 0.0 {
                return Duration::from_micros(1 << power);
            }
        }
        Duration::from_micros(1 << 31)
    }

    /// Returns the calls of the busiest replica since `before`, divided by the average.
    pub fn busiest(&self, before: &Self) -> f64 {
        let calls = self
            .by_replica
            .iter()
            .zip(&before.by_replica)
            .map(|(after, before)| after - before);
        let calls: Vec<u64> = calls.collect();
        let sum = calls.iter().sum::<u64>().max(1) as f64;
        calls.iter().copied().max().unwrap_or_default() as f64 * calls.len() as f64 / sum
    }
}

/// All replicas, which share nothing but the database.
pub struct Fleet<S> {
    pub replicas: Vec<Replica<S>>,
    pub observed: Arc<Observed>,
    pub keys: Arc<Vec<ConnectionKey>>,
    population: Population,
    routing: Routing,
    ring: Ring,
    zipf: Zipf,
    is_stopped: AtomicBool,
    settings: Settings,
}

impl<S: ConnectionStore + Clone + Send + Sync + 'static> Fleet<S> {
    pub fn new(
        settings: &Settings,
        routing: Routing,
        keys: Arc<Vec<ConnectionKey>>,
        replicas: Vec<Replica<S>>,
    ) -> Self {
        Self {
            ring: Ring::new(replicas.len()),
            replicas,
            observed: Arc::new(Observed::new(settings)),
            keys,
            population: Population::new(settings),
            routing,
            zipf: Zipf::new(settings.connections, settings.skew_of_zipf),
            is_stopped: AtomicBool::new(false),
            settings: settings.clone(),
        }
    }

    /// Sends calls until [`stop`](Self::stop), at a fixed rate that doesn't depend on the answers.
    pub async fn call_until_stopped(self: Arc<Self>) {
        let mut random = Random::new(self.settings.seed ^ self.routing as u64);
        let began = Instant::now();
        let mut sent = 0;
        while !self.is_stopped.load(Ordering::Relaxed) {
            let due = began.elapsed().as_secs_f64() * self.settings.calls_per_second as f64;
            while (sent as f64) < due {
                sent += 1;
                let connection = self.population.ranked(self.zipf.sample(&mut random));
                let replica = match self.routing {
                    Routing::Random => random.below(self.replicas.len()),
                    Routing::ByConnection => self.ring.replica(connection),
                };
                if self.observed.in_flight.fetch_add(1, Ordering::Relaxed) < MAX_IN_FLIGHT {
                    let fleet = Arc::clone(&self);
                    tokio::spawn(async move { fleet.call(replica, connection).await });
                } else {
                    self.observed.in_flight.fetch_sub(1, Ordering::Relaxed);
                    self.observed.calls.fetch_add(1, Ordering::Relaxed);
                    self.observed.fail(&std::fmt::Error);
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        while self.observed.in_flight.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    async fn call(&self, replica: usize, connection: usize) {
        let observed = &*self.observed;
        if let (Some(store), Some(key)) = (self.replicas.get(replica), self.keys.get(connection)) {
            observed.mark(replica, connection);
            let acknowledged = observed
                .serials
                .get(connection)
                .map_or(0, |serial| serial.load(Ordering::Acquire));
            let began = observed.now();
            let result = called(store, key).await;
            let took = observed.now() - began;
            observed.calls.fetch_add(1, Ordering::Relaxed);
            match result {
                Ok(found) => {
                    let power = (64 - took.leading_zeros()).min(31) as usize;
                    observed.times[power].fetch_add(1, Ordering::Relaxed);
                    if population::expiry(&found)
                        .is_none_or(|expiry| expiry < began_in_seconds(took))
                    {
                        observed.expired.fetch_add(1, Ordering::Relaxed);
                    }
                    if population::serial(&found).is_none_or(|serial| serial < acknowledged) {
                        let written_at = observed.written_at.get(connection);
                        let written_at = written_at.map_or(0, |at| at.load(Ordering::Acquire));
                        let age = began.saturating_sub(written_at);
                        observed.stalest.fetch_max(age, Ordering::Relaxed);
                    }
                }
                Err(error) => observed.fail(&error),
            }
        }
        observed.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the time in Unix seconds when a call began that took so many microseconds.
fn began_in_seconds(took: u64) -> u64 {
    population::now().saturating_sub(took / 1_000_000)
}
