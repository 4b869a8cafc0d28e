//! The measurement of a routing: warm-up, calls, staleness, fail-over, and a search for lost writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tower_passthrough::store::ConnectionKey;

use crate::BoxError;
use crate::endpoint::Endpoint;
use crate::engine::Engine;
use crate::fleet::{Fleet, Routing, replica};
use crate::memory::resident;
use crate::operator::Operator;
use crate::results::{Round, Verdict};
use crate::settings::{MAX_HEAL, MAX_STALENESS, Settings};

/// The time for which calls go on after the last replica could write again.
const AFTER_FAIL_OVER: Duration = Duration::from_secs(3);
/// The maximum time of refreshes that are running at the end.
const MAX_IDLE: Duration = Duration::from_secs(60);

pub struct Simulation<E: Engine> {
    settings: Settings,
    engine: E,
    endpoint: Arc<Endpoint>,
    /// The port of the token endpoint.
    port: u16,
    keys: Arc<Vec<ConnectionKey>>,
    /// The memory of this process before the first replica.
    resident_before: f64,
    rounds: usize,
    sums: Sums,
}

/// The observations on which the verdicts depend.
#[derive(Default)]
struct Sums {
    failures: u64,
    first_failure: Option<String>,
    expired: u64,
    stalest: f64,
    heal: f64,
    verified: usize,
    lost: Vec<String>,
}

impl<E: Engine> Simulation<E> {
    pub async fn new(
        settings: &Settings,
        engine: E,
        endpoint: Arc<Endpoint>,
        keys: Arc<Vec<ConnectionKey>>,
    ) -> Result<Self, BoxError> {
        let port = endpoint.serve().await?;
        Ok(Self {
            settings: settings.clone(),
            engine,
            endpoint,
            port,
            keys,
            resident_before: resident()?,
            rounds: 0,
            sums: Sums::default(),
        })
    }

    pub fn version(&self) -> Result<String, BoxError> {
        self.engine.version()
    }

    /// Measures a routing, and ends with a fail-over.
    pub async fn run(&mut self, routing: Routing) -> Result<Round, BoxError> {
        let settings = self.settings.clone();
        if self.rounds > 0 {
            self.engine.renew_standby()?;
        }
        let mut replicas = Vec::new();
        for _ in 0..settings.replicas {
            replicas.push(replica(self.engine.open().await?, self.port)?);
        }
        let fleet = Arc::new(Fleet::new(
            &settings,
            routing,
            Arc::clone(&self.keys),
            replicas,
        ));
        let observed = Arc::clone(&fleet.observed);
        let operator = Arc::new(Operator::new(
            &settings,
            self.engine.open().await?,
            Arc::clone(&self.endpoint),
            Arc::clone(&observed),
            self.rounds as u64 * 1_000_000,
        ));
        let calls = tokio::spawn(Arc::clone(&fleet).call_until_stopped());
        let writes = tokio::spawn(Arc::clone(&operator).write_until_stopped());
        sleep(Duration::from_secs(settings.warm_up_seconds)).await;

        let (before, counters, exchanges) = (
            observed.totals(),
            self.engine.counters()?,
            self.endpoint.exchanges(),
        );
        let began = Instant::now();
        sleep(Duration::from_secs(settings.measured_seconds)).await;
        let (after, counters_after) = (observed.totals(), self.engine.counters()?);
        let seconds = began.elapsed().as_secs_f64();
        let refreshes = self.endpoint.exchanges().all - exchanges.all;
        let per_second = counters_after.per_second(counters, seconds);
        let calls_per_second =
            (after.calls - before.calls) as f64 / (after.at - before.at).as_secs_f64();
        let memory = (resident()? - self.resident_before) / settings.replicas as f64;
        let connections_per_replica = observed.cached(settings.cache_entries);
        eprintln!(
            "{routing:?}: {calls_per_second:.0} calls/s, {:.0} look-ups/s",
            per_second.look_ups
        );

        let first = self.rounds * settings.staleness_rounds;
        let removed = |round| settings.removed_connection(round);
        let probed: Vec<usize> = (first..first + settings.staleness_rounds)
            .map(removed)
            .collect();
        let mut staleness = operator.staleness(&fleet, &probed).await?;
        staleness.sort_unstable_by(f64::total_cmp);
        let footprint = self.engine.footprint()?;
        let calm = observed.totals();
        let stalest = calm
            .stalest
            .as_secs_f64()
            .max(staleness.last().copied().unwrap_or_default());
        self.sums.failures += calm.failed;
        if self.sums.first_failure.is_none() && calm.failed > 0 {
            self.sums.first_failure = observed.first_failure().map(str::to_owned);
        }
        self.sums.stalest = self.sums.stalest.max(stalest);
        eprintln!("{routing:?}: staleness of at most {stalest:.2} s");

        let demoted = Instant::now();
        self.engine.demote()?;
        let writers = {
            let (operator, fleet) = (Arc::clone(&operator), Arc::clone(&fleet));
            tokio::spawn(async move { operator.heal(&fleet, demoted).await })
        };
        self.engine.promote()?;
        let mut heal = writers.await??;
        heal.sort_unstable_by(f64::total_cmp);
        let heal_max = heal.last().copied().unwrap_or_default();
        self.sums.heal = self.sums.heal.max(heal_max);
        eprintln!("{routing:?}: all replicas write again after {heal_max:.1} s");
        sleep(AFTER_FAIL_OVER).await;
        operator.stop();
        writes.await?;
        fleet.stop();
        calls.await?;
        for replica in &fleet.replicas {
            let idle = timeout(MAX_IDLE, replica.idle()).await;
            idle.map_err(|_| "refreshes don't end")?;
        }
        let end = observed.totals();
        self.sums.expired += end.expired;
        let fresh = self.engine.open().await?;
        let gone: Vec<usize> = (0..first + settings.staleness_rounds)
            .map(removed)
            .collect();
        let (verified, lost) = operator.verify(&fresh, &gone).await?;
        self.sums.verified += verified;
        self.sums.lost.extend(lost);
        self.rounds += 1;
        Ok(Round {
            routing,
            calls_per_second,
            per_second,
            hit_rate: 1.0 - per_second.look_ups / calls_per_second,
            busiest_replica: after.busiest(&before),
            connections_per_replica,
            memory_per_replica_bytes: memory,
            call_microseconds_median: after.quantile(&before, 0.5).as_secs_f64() * 1e6,
            call_microseconds_99: after.quantile(&before, 0.99).as_secs_f64() * 1e6,
            refreshes,
            refreshes_per_second: refreshes as f64 / seconds,
            staleness_median_seconds: staleness
                .get(staleness.len() / 2)
                .copied()
                .unwrap_or_default(),
            staleness_max_seconds: stalest,
            heal_median_seconds: heal.get(heal.len() / 2).copied().unwrap_or_default(),
            heal_max_seconds: heal_max,
            failed_calls: end.failed - calm.failed,
            failed_for_seconds: observed
                .last_failure(demoted)
                .unwrap_or_default()
                .as_secs_f64(),
            calls_in_fail_over: end.calls - calm.calls,
            footprint,
            verified,
        })
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let exchanges = self.endpoint.exchanges();
        let sums = &self.sums;
        let verdict = |is_kept, text| Verdict {
            is_kept,
            is_timed: false,
            text,
        };
        let timed = |is_kept, text| Verdict {
            is_timed: true,
            ..verdict(is_kept, text)
        };
        let (max_staleness, max_heal) = (MAX_STALENESS.as_secs_f64(), MAX_HEAL.as_secs_f64());
        let lost = sums
            .lost
            .iter()
            .take(5)
            .map(|lost| format!("; {lost}"))
            .collect::<String>();
        let failure = sums
            .first_failure
            .as_ref()
            .map(|failure| format!(": {failure}"));
        vec![
            verdict(
                exchanges.all > 0 && exchanges.used_twice == 0 && exchanges.unknown == 0,
                format!(
                    "one refresh per expiry: of {} refresh tokens that were exchanged, {} were used twice, and {} were unknown",
                    exchanges.all, exchanges.used_twice, exchanges.unknown
                ),
            ),
            verdict(
                exchanges.before_due == 0,
                format!(
                    "no needless refresh: {} tokens were refreshed before they were due",
                    exchanges.before_due
                ),
            ),
            verdict(
                sums.lost.is_empty() && sums.verified > 0,
                format!(
                    "no acknowledged write was lost: {} of {} reads after the fail-overs found an older state{lost}",
                    sums.lost.len(),
                    sums.verified
                ),
            ),
            timed(
                sums.expired == 0,
                format!("no call got an expired token: {} did", sums.expired),
            ),
            timed(
                sums.stalest <= max_staleness,
                format!(
                    "staleness of at most {max_staleness} s: {:.2} s",
                    sums.stalest
                ),
            ),
            timed(
                sums.heal <= max_heal,
                format!(
                    "all replicas write within {max_heal} s after a fail-over: {:.2} s",
                    sums.heal
                ),
            ),
            timed(
                sums.failures == 0,
                format!(
                    "no call failed before the fail-overs: {} did{}",
                    sums.failures,
                    failure.unwrap_or_default()
                ),
            ),
        ]
    }
}
