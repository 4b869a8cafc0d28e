//! Counters, gauges and histograms for Prometheus. The guide `observability` lists them in a table.
//!
//! The sets of label values are bounded, regardless of the data that callers and upstreams send. Integrations come
//! from the config. All methods that aren't in the standards share a label, and so do unknown
//! statuses. Connection ids are never labels, because there is no limit to their number.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::Duration;

use foldhash::quality::RandomState;

use http::{Method, StatusCode};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tower_passthrough::PassthroughService;
use tower_passthrough::client::PoolStatus;
use tower_passthrough::durable::CacheStatus;
use tower_passthrough::limits::SharedRateStatus;
use tower_passthrough::observe::CallReport;
use tower_passthrough::refresh::RefreshReport;

use crate::log;
use crate::store::{self, Connections};

const CALLS: &str = "passthrough_calls_total";
const IN_FLIGHT: &str = "passthrough_calls_in_flight";
const REFRESHES: &str = "passthrough_refreshes_total";
const RETRIES: &str = "passthrough_retries_total";
const REFUSALS: &str = "passthrough_refusals_total";
const DURATION: &str = "passthrough_call_duration_seconds";
const HEAD: &str = "passthrough_head_duration_seconds";
const REQUEST_BYTES: &str = "passthrough_request_bytes_total";
const RESPONSE_BYTES: &str = "passthrough_response_bytes_total";
const STORE_OPERATIONS: &str = "passthrough_store_operations_total";
const STORE_REVOKED: &str = "passthrough_store_revoked_connections";
const CACHE_ENTRIES: &str = "passthrough_store_cache_entries";
const CACHE_HITS: &str = "passthrough_store_cache_hits_total";
const CACHE_MISSES: &str = "passthrough_store_cache_misses_total";
const POLL_AGE: &str = "passthrough_store_change_poll_age_seconds";
const RATE_DRAWS: &str = "passthrough_rate_draws_total";
const RATE_LOCAL_CALLS: &str = "passthrough_rate_local_calls_total";
const DROPPED_LINES: &str = "passthrough_log_lines_dropped_total";

/// The name of a gauge, its description, and the function that reads it.
type PoolGauge = (&'static str, &'static str, fn(&PoolStatus) -> usize);

/// The gauges of the connection pool, which are read at each scrape.
const POOL: [PoolGauge; 5] = [
    (
        "passthrough_pool_idle_connections",
        "Idle HTTP/1.1 connections to upstreams.",
        |pool| pool.idle,
    ),
    (
        "passthrough_pool_http2_connections",
        "HTTP/2 connections to upstreams.",
        |pool| pool.http2,
    ),
    (
        "passthrough_pool_http2_streams",
        "Open streams on HTTP/2 connections to upstreams.",
        |pool| pool.http2_streams,
    ),
    (
        "passthrough_pool_opening_connections",
        "Connections to upstreams that are being opened.",
        |pool| pool.opening,
    ),
    (
        "passthrough_pool_waiting_calls",
        "Calls that wait for a connection to an upstream.",
        |pool| pool.waiting,
    ),
];

/// The bounds of the buckets, in seconds: from a nearby upstream to a slow upstream.
const BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// The interval in which recorded values are aggregated, so that they can't accumulate between two
/// scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Renders the recorded values, and the current state of the pool and of the store.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorded: PrometheusHandle,
    pool: Arc<dyn Fn() -> PoolStatus + Send + Sync>,
    store: StoreGauges,
    rates: RateCounters,
}

impl Metrics {
    pub(crate) fn new(
        recorded: PrometheusHandle,
        pool: impl Fn() -> PoolStatus + Send + Sync + 'static,
        store: StoreGauges,
        rates: RateCounters,
    ) -> Self {
        Self {
            recorded,
            pool: Arc::new(pool),
            store,
            rates,
        }
    }

    /// Renders the metrics in Prometheus' text format.
    pub(crate) fn render(&self) -> String {
        let pool = (self.pool)();
        for (name, _, count) in POOL {
            // A pool never has more connections than this number can hold.
            gauge!(name).set(u32::try_from(count(&pool)).unwrap_or(u32::MAX));
        }
        self.store.record();
        self.rates.record();
        let revoked = u32::try_from(store::revoked()).unwrap_or(u32::MAX);
        gauge!(STORE_REVOKED).set(revoked);
        counter!(DROPPED_LINES).absolute(log::dropped_lines());
        self.recorded.render()
    }
}

/// The store whose state is recorded. Cloning increments a reference count.
#[derive(Clone, Default)]
pub(crate) struct StoreGauges(Arc<Mutex<Current>>);

#[derive(Default)]
struct Current {
    /// The store of the newest config.
    store: Option<Connections>,
    seen: Seen,
}

impl StoreGauges {
    /// Sets the store of the newest config. Counters go on, and the state of another store isn't reported any more.
    pub(crate) fn set_store(&self, store: Connections) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = current.store.replace(store.clone());
        let Some(previous) = previous.filter(|previous| !previous.is_same_store(&store)) else {
            return;
        };
        if let Some(cache) = previous.cache_status() {
            current.seen.count(cache);
            gauge!(CACHE_ENTRIES).set(0);
            gauge!(POLL_AGE).set(0);
        }
        current.seen = Seen::default();
        store::forget_revoked();
    }

    fn record(&self) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = current.store.as_ref().and_then(Connections::cache_status) {
            current.seen.count(cache);
        }
    }
}

impl fmt::Debug for StoreGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreGauges").finish_non_exhaustive()
    }
}

/// The service whose draws of rates are counted. Cloning increments a reference count.
#[derive(Clone, Default)]
pub(crate) struct RateCounters(Arc<Mutex<Draws>>);

#[derive(Default)]
struct Draws {
    service: Option<PassthroughService>,
    /// The counts at the last scrape.
    seen: SharedRateStatus,
}

impl RateCounters {
    /// Sets the newest service. It has the counts of the previous service or begins at zero.
    pub(crate) fn set_service(&self, service: PassthroughService) {
        let mut draws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        draws.record();
        draws.seen = service.shared_rate_status().unwrap_or_default();
        draws.service = Some(service);
    }

    fn record(&self) {
        let mut draws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        draws.record();
    }
}

impl Draws {
    fn record(&mut self) {
        let service = self.service.as_ref();
        let Some(now) = service.and_then(PassthroughService::shared_rate_status) else {
            return;
        };
        let ok = |status: SharedRateStatus| status.draws.saturating_sub(status.failed_draws);
        let failed = now.failed_draws.saturating_sub(self.seen.failed_draws);
        let done = ok(now).saturating_sub(ok(self.seen));
        let local = now.local_calls.saturating_sub(self.seen.local_calls);
        counter!(RATE_DRAWS, "outcome" => "ok").increment(done);
        counter!(RATE_DRAWS, "outcome" => "failed").increment(failed);
        counter!(RATE_LOCAL_CALLS).increment(local);
        self.seen = now;
    }
}

impl fmt::Debug for RateCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateCounters").finish_non_exhaustive()
    }
}

/// The numbers of hits and misses of a store at the last scrape.
#[derive(Default)]
struct Seen {
    hits: u64,
    misses: u64,
}

impl Seen {
    fn count(&mut self, cache: CacheStatus) {
        counter!(CACHE_HITS).increment(more(&mut self.hits, cache.hits));
        counter!(CACHE_MISSES).increment(more(&mut self.misses, cache.misses));
        gauge!(CACHE_ENTRIES).set(u32::try_from(cache.entries).unwrap_or(u32::MAX));
        if let Some(age) = cache.last_asked {
            gauge!(POLL_AGE).set(age);
        }
    }
}

/// Returns the growth since `last`.
fn more(last: &mut u64, now: u64) -> u64 {
    let growth = now.saturating_sub(*last);
    *last = now;
    growth
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Starts recording, and returns the handle that renders the recorded values.
pub(crate) fn start() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .install_recorder()?;
    describe_counter!(
        CALLS,
        "Calls, by integration, method, status and the gateway's own error code."
    );
    describe_gauge!(
        IN_FLIGHT,
        "Calls that have begun, and whose last byte hasn't been sent."
    );
    describe_counter!(
        REFRESHES,
        "Refreshes of access tokens, by integration and outcome."
    );
    describe_counter!(
        RETRIES,
        "Requests that were sent to an upstream again, by integration."
    );
    describe_counter!(
        REFUSALS,
        "Calls that the gateway answered with its own error, by code."
    );
    for (name, what, _) in POOL {
        describe_gauge!(name, what);
    }
    // Set at the start, so that a dashboard shows 0 instead of no value.
    gauge!(IN_FLIGHT).set(0);
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time from a call's start to its end."
    );
    describe_histogram!(
        HEAD,
        Unit::Seconds,
        "Time from a call's start to the head of the upstream's response."
    );
    describe_counter!(
        REQUEST_BYTES,
        Unit::Bytes,
        "Bytes of requests' bodies that were read from callers."
    );
    describe_counter!(
        RESPONSE_BYTES,
        Unit::Bytes,
        "Bytes of responses' bodies that were returned to callers."
    );
    describe_counter!(
        STORE_OPERATIONS,
        "Operations of the store of connections, by operation and outcome."
    );
    describe_gauge!(
        STORE_REVOKED,
        "Connections that were revoked when this process last read or wrote them."
    );
    describe_gauge!(CACHE_ENTRIES, "Connections of the store in memory.");
    describe_counter!(
        CACHE_HITS,
        "Look-ups of connections that were answered from memory."
    );
    describe_counter!(
        CACHE_MISSES,
        "Look-ups of connections that were read from the store, or compared with it."
    );
    describe_gauge!(
        POLL_AGE,
        Unit::Seconds,
        "Time since the store was last asked for changes by other processes."
    );
    describe_counter!(
        RATE_DRAWS,
        "Draws from the rate that all replicas share, by outcome."
    );
    describe_counter!(
        RATE_LOCAL_CALLS,
        "Calls that this process counted for itself, because the server that counts rates failed."
    );
    describe_counter!(
        DROPPED_LINES,
        "Lines of the log that were dropped because the reader of stderr was too slow."
    );
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Handles of series, by their labels. A look-up by labels costs more than all other work of a record, so it's done once for each series.
///
/// The number of series is bounded, because the sets of label values are.
struct Handles<K, H>(RwLock<HashMap<K, H, RandomState>>);

impl<K: Eq + Hash, H: Clone> Handles<K, H> {
    fn new() -> Self {
        Self(RwLock::new(HashMap::default()))
    }

    /// Returns the handle of these labels, or the handle that `register` returns for them.
    fn get<Q>(&self, labels: &Q, register: impl FnOnce() -> (K, H)) -> H
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(labels) {
            return handle.clone();
        }
        drop(known);
        let (labels, handle) = register();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(labels).or_insert(handle).clone()
    }
}

/// The series of an integration.
struct Series {
    calls: Handles<Labels, Counter>,
    retries: Counter,
    duration: Histogram,
    head: Histogram,
    request_bytes: Counter,
    response_bytes: Counter,
}

/// The labels of a call, apart from its integration.
#[derive(Clone, Copy, Hash, PartialEq, Eq)]
struct Labels {
    method: &'static str,
    /// The status, or 0 without a status, or the class of a status that has no label of its own.
    status: u16,
    code: &'static str,
    outcome: &'static str,
}

impl Series {
    fn new(integration: &str) -> Self {
        let integration = integration.to_owned();
        Self {
            calls: Handles::new(),
            retries: counter!(RETRIES, "integration" => integration.clone()),
            duration: histogram!(DURATION, "integration" => integration.clone()),
            head: histogram!(HEAD, "integration" => integration.clone()),
            request_bytes: counter!(REQUEST_BYTES, "integration" => integration.clone()),
            response_bytes: counter!(RESPONSE_BYTES, "integration" => integration),
        }
    }

    /// Counts a call of the integration with that name.
    fn count(&self, integration: &str, labels: Labels) {
        let counter = self.calls.get(&labels, || {
            let counter = counter!(
                CALLS,
                "integration" => integration.to_owned(),
                "method" => labels.method,
                "status" => label(labels.status),
                "code" => labels.code,
                "outcome" => labels.outcome,
            );
            (labels, counter)
        });
        counter.increment(1);
    }
}

static OPERATIONS: LazyLock<Handles<(&'static str, &'static str), Counter>> =
    LazyLock::new(Handles::new);

/// Counts an operation of the store.
pub(crate) fn store_operation(operation: &'static str, outcome: &'static str) {
    let counter = OPERATIONS.get(&(operation, outcome), || {
        let counter = counter!(STORE_OPERATIONS, "operation" => operation, "outcome" => outcome);
        ((operation, outcome), counter)
    });
    counter.increment(1);
}

static IN_FLIGHT_CALLS: LazyLock<Gauge> = LazyLock::new(|| gauge!(IN_FLIGHT));
static INTEGRATIONS: LazyLock<Handles<Box<str>, Arc<Series>>> = LazyLock::new(Handles::new);

/// Records that a call has begun. [`call`] records its end.
pub(crate) fn began() {
    IN_FLIGHT_CALLS.increment(1);
}

/// Records that a call has ended.
pub(crate) fn call(call: &CallReport<'_>) {
    IN_FLIGHT_CALLS.decrement(1);
    // The integration is known once the connection has been found, and then its name is in the
    // config.
    let integration = call.integration().unwrap_or("none");
    let series = INTEGRATIONS.get(integration, || {
        (integration.into(), Arc::new(Series::new(integration)))
    });
    let labels = Labels {
        method: method(call.method()),
        status: call.status().map_or(0, status),
        code: call.error().map_or("none", |code| code.as_str()),
        outcome: call.outcome().as_str(),
    };
    series.count(integration, labels);
    if let Some(code) = call.error() {
        counter!(REFUSALS, "code" => code.as_str()).increment(1);
    }
    let again = call.attempts().saturating_sub(1);
    series.retries.increment(again.into());
    series.duration.record(call.duration());
    if let Some(head) = call.head_time() {
        series.head.record(head);
    }
    series.request_bytes.increment(call.request_bytes());
    series.response_bytes.increment(call.response_bytes());
}

/// Counts a refresh.
pub(crate) fn refreshed(report: &RefreshReport<'_>) {
    let integration = report.integration().to_owned();
    counter!(REFRESHES, "integration" => integration, "outcome" => report.outcome().as_str())
        .increment(1);
}

/// Counts a call without a valid key.
pub(crate) fn unauthenticated(by: &Method) {
    counter!(
        CALLS,
        "integration" => "none",
        "method" => method(by),
        "status" => "401",
        "code" => "unauthenticated",
        "outcome" => "refused",
    )
    .increment(1);
    counter!(REFUSALS, "code" => "unauthenticated").increment(1);
}

/// Returns a method of the standards as a label. All other methods share a label, because callers
/// can invent any number of them.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 10] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "CONNECT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}

/// Returns the status if it has a name, or else its class, because an upstream could send 800 other
/// numbers.
fn status(status: StatusCode) -> u16 {
    match status.canonical_reason() {
        Some(_) => status.as_u16(),
        None => status.as_u16() / 100,
    }
}

fn label(status: u16) -> String {
    match status {
        0 => "none".to_owned(),
        class @ 1..100 => format!("{class}xx"),
        status => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_grows_by_the_growth_of_the_count_alone() {
        let mut last = 0;
        let counts = [5, 7, 7, 2, 3].map(|now| more(&mut last, now));
        assert_eq!(counts, [5, 2, 0, 0, 1]);
    }

    #[test]
    fn labels_are_bounded() {
        let odd = Method::from_bytes(b"BREW").map(|odd| method(&odd)).ok();
        assert_eq!(odd, Some("other"));
        assert_eq!(method(&Method::PATCH), "PATCH");
        let labels: std::collections::HashSet<_> = (200..=999)
            .filter_map(|code| StatusCode::from_u16(code).ok())
            .map(|code| label(status(code)))
            .collect();
        assert!(labels.len() < 80, "{}", labels.len());
        assert!(labels.contains("404") && labels.contains("9xx"));
    }
}
