//! Writes of operators, and the times after which the replicas see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tower_passthrough::StoreError;
use tower_passthrough::store::ConnectionStore;

use crate::BoxError;
use crate::endpoint::Endpoint;
use crate::fleet::{Fleet, Observed, called};
use crate::population::{self, Population};
use crate::random::{Random, mixed};
use crate::settings::Settings;

/// The number of the most called connections that an operator writes, one after the other.
const WRITTEN: usize = 400;
/// The pause between two calls that wait for a change.
const PAUSE: Duration = Duration::from_millis(20);
/// The time after which a measurement ends without a result.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// An operator's handle, with which no calls are made.
pub struct Operator<S> {
    store: S,
    endpoint: Arc<Endpoint>,
    observed: Arc<Observed>,
    population: Population,
    settings: Settings,
    serials: std::sync::Mutex<u64>,
    is_stopped: AtomicBool,
}

impl<S: ConnectionStore + Clone + Send + Sync + 'static> Operator<S> {
    /// The serials begin after those of an earlier operator.
    pub fn new(
        settings: &Settings,
        store: S,
        endpoint: Arc<Endpoint>,
        observed: Arc<Observed>,
        first_serial: u64,
    ) -> Self {
        Self {
            store,
            endpoint,
            observed,
            population: Population::new(settings),
            settings: settings.clone(),
            serials: std::sync::Mutex::new(first_serial),
            is_stopped: AtomicBool::new(false),
        }
    }

    fn next_serial(&self) -> u64 {
        let mut serial = self
            .serials
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *serial += 1;
        *serial
    }

    /// Writes a connection through that handle, with the tokens of a new authorization. Returns the serial of the write.
    async fn put(&self, store: &S, connection: usize) -> Result<u64, BoxError> {
        let key = self.population.key(connection)?;
        let (token, expires_at) = self.endpoint.authorize(connection);
        let serial = self.next_serial();
        let connected = self.population.connection(token, expires_at, serial);
        store.put(&key, &connected).await?;
        self.observed.acknowledge(connection, serial);
        Ok(serial)
    }

    /// Writes connections that are often called, at a fixed rate. A write that fails isn't repeated.
    pub async fn write_until_stopped(self: Arc<Self>) {
        let pause = Duration::from_secs_f64(1.0 / self.settings.operator_writes_per_second as f64);
        for number in 0.. {
            if self.is_stopped.load(Ordering::Relaxed) {
                return;
            }
            let connection = self.population.ranked(number % WRITTEN);
            // It isn't acknowledged then.
            let _ = self.put(&self.store, connection).await;
            tokio::time::sleep(pause).await;
        }
    }

    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Writes and removes connections, and returns the times in seconds after which each replica saw a change.
    pub async fn staleness(
        &self,
        fleet: &Arc<Fleet<S>>,
        connections: &[usize],
    ) -> Result<Vec<f64>, BoxError> {
        let mut random = Random::new(mixed(self.settings.seed));
        let mut times = Vec::new();
        for connection in connections {
            // Each replica has the connection in memory, and has asked for changes since its own write.
            self.put(&self.store, *connection).await?;
            self.wait(fleet, *connection, Awaited::Serial(0)).await?;
            for is_removal in [false, true] {
                tokio::time::sleep(Duration::from_millis(1100 + random.below(1000) as u64)).await;
                self.wait(fleet, *connection, Awaited::Serial(0)).await?;
                let awaited = match is_removal {
                    true => {
                        let key = self.population.key(*connection)?;
                        if !self.store.remove(&key).await? {
                            return Err("a connection that was put doesn't exist".into());
                        }
                        Awaited::Removal
                    }
                    false => Awaited::Serial(self.put(&self.store, *connection).await?),
                };
                times.extend(self.wait(fleet, *connection, awaited).await?);
            }
            self.observed.acknowledge(*connection, 0);
        }
        Ok(times)
    }

    /// Calls the connection at each replica until the change is visible. Returns the times from now in seconds.
    async fn wait(
        &self,
        fleet: &Arc<Fleet<S>>,
        connection: usize,
        awaited: Awaited,
    ) -> Result<Vec<f64>, BoxError> {
        let began = Instant::now();
        let mut waits = JoinSet::new();
        for replica in 0..fleet.replicas.len() {
            let (fleet, key) = (Arc::clone(fleet), self.population.key(connection)?);
            waits.spawn(async move {
                while began.elapsed() < GIVEN_UP {
                    let called_after = began.elapsed();
                    let found = called(&fleet.replicas[replica], &key).await;
                    let is_visible = match (found, awaited) {
                        (Ok(found), Awaited::Serial(serial)) => {
                            population::serial(&found).is_some_and(|found| found >= serial)
                        }
                        (Err(StoreError::NotFound), Awaited::Removal) => true,
                        _ => false,
                    };
                    if is_visible {
                        return Some(called_after.as_secs_f64());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                None
            });
        }
        let mut times = Vec::new();
        while let Some(time) = waits.join_next().await {
            times.push(time?.ok_or("a replica doesn't see a change")?);
        }
        Ok(times)
    }

    /// Writes a connection by each replica, again until the store acknowledges it. Returns the times since `began` in seconds.
    pub async fn heal(
        self: &Arc<Self>,
        fleet: &Arc<Fleet<S>>,
        began: Instant,
    ) -> Result<Vec<f64>, BoxError> {
        let mut writers = JoinSet::new();
        for replica in 0..fleet.replicas.len() {
            let (operator, fleet) = (Arc::clone(self), Arc::clone(fleet));
            let connection = self.settings.own_connection(replica);
            writers.spawn(async move {
                let store = fleet.replicas[replica].store();
                while began.elapsed() < GIVEN_UP {
                    if operator.put(store, connection).await.is_ok() {
                        return Some(began.elapsed().as_secs_f64());
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                None
            });
        }
        let mut times = Vec::new();
        while let Some(time) = writers.join_next().await {
            times.push(time?.ok_or("a replica can't write after the fail-over")?);
        }
        Ok(times)
    }

    /// Reads each connection that was written or refreshed, and all keys. Returns the number of reads, and descriptions of what is lost.
    pub async fn verify(
        &self,
        store: &S,
        removed: &[usize],
    ) -> Result<(usize, Vec<String>), BoxError> {
        let mut lost = Vec::new();
        let acknowledged: std::collections::HashMap<_, _> =
            self.observed.acknowledged().into_iter().collect();
        let mut checked: Vec<usize> = self.endpoint.refreshed();
        checked.extend(acknowledged.keys().copied());
        checked.sort_unstable();
        checked.dedup();
        checked.retain(|connection| !removed.contains(connection));
        for connection in &checked {
            let record = match store.read(&self.population.key(*connection)?).await {
                Ok(record) => record,
                Err(error) => {
                    lost.push(format!("connection {connection}: {error}"));
                    continue;
                }
            };
            let serial = population::serial(&record.connection).unwrap_or_default();
            let minimum = acknowledged.get(connection).copied().unwrap_or_default();
            if serial < minimum {
                lost.push(format!("connection {connection}: write {minimum} was acknowledged, and {serial} is stored"));
            }
            let token = population::refresh_token(&record.connection);
            if token.is_none_or(|token| !self.endpoint.is_newest(token)) {
                lost.push(format!(
                    "connection {connection}: its newest refresh token isn't stored"
                ));
            }
        }
        let mut after = None;
        let mut listed = 0;
        loop {
            let page = store.list(after.as_ref(), 10_000).await?;
            listed += page.len();
            match page.last() {
                Some(last) => after = Some(last.key.clone()),
                None => break,
            }
        }
        let expected = self.settings.connections + self.settings.replicas;
        if listed != expected {
            lost.push(format!(
                "{expected} connections were stored, and {listed} are listed"
            ));
        }
        Ok((checked.len() + listed, lost))
    }
}

/// The change that a replica must see.
#[derive(Clone, Copy)]
enum Awaited {
    /// A write with at least that serial.
    Serial(u64),
    Removal,
}
