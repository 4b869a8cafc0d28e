//! Stores that are out of step: slow to commit, or with a cache in front.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_passthrough::{
    CallContext, Connection, ConnectionId, CredentialStore, Lease, MemoryStore, Record, Renewal,
    StoreError, TokenStore, Version,
};

use super::wait::Signal;

/// A process of its own before the same connections, with faults.
#[derive(Debug)]
pub struct Process {
    store: MemoryStore,
    /// What calls get, whatever has become of it.
    cached: Option<Connection>,
    /// What somebody else stores just before it gets its first lease.
    meanwhile: Mutex<Option<Connection>>,
    /// Its leases are over at once, as if it had slept.
    oversleeps: bool,
    commits: Option<Signal>,
    failures: AtomicUsize,
    /// How often a commit was begun.
    pub committing: Signal,
}

impl Process {
    pub fn of(store: &MemoryStore) -> Self {
        Self {
            store: store.clone(),
            cached: None,
            meanwhile: Mutex::default(),
            oversleeps: false,
            commits: None,
            failures: AtomicUsize::new(0),
            committing: Signal::new(),
        }
    }

    pub fn cached(mut self, connection: Connection) -> Self {
        self.cached = Some(connection);
        self
    }

    pub fn meanwhile(self, connection: Connection) -> Self {
        *self.meanwhile.lock().unwrap() = Some(connection);
        self
    }

    pub fn oversleeps(mut self) -> Self {
        self.oversleeps = true;
        self
    }

    /// Commits when the test says so.
    pub fn commits(mut self, when: &Signal) -> Self {
        self.commits = Some(when.clone());
        self
    }

    /// The first so many commits fail.
    pub fn fails(self, times: usize) -> Self {
        self.failures.store(times, Ordering::SeqCst);
        self
    }
}

impl CredentialStore for Process {
    async fn connection(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        match &self.cached {
            Some(cached) => Ok(cached.clone()),
            None => self.store.connection(id, cx).await,
        }
    }
}

impl TokenStore for Process {
    async fn read(&self, id: &ConnectionId) -> Result<Record, StoreError> {
        self.store.read(id).await
    }

    async fn lease(&self, id: &ConnectionId, time: Duration) -> Result<Option<Lease>, StoreError> {
        if let Some(newer) = self.meanwhile.lock().unwrap().take() {
            self.store.insert(id.clone(), newer);
        }
        let time = if self.oversleeps {
            Duration::ZERO
        } else {
            time
        };
        self.store.lease(id, time).await
    }

    async fn release(&self, id: &ConnectionId, lease: Lease) -> Result<(), StoreError> {
        self.store.release(id, lease).await
    }

    async fn commit(
        &self,
        id: &ConnectionId,
        read: Version,
        lease: Lease,
        renewal: &Renewal,
    ) -> Result<Option<Version>, StoreError> {
        self.committing.give();
        if let Some(signal) = &self.commits {
            signal.given().await;
        }
        let one_less = |failures: usize| failures.checked_sub(1);
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        match failing {
            Ok(_) => Err(StoreError::unavailable("as the test wants")),
            Err(_) => self.store.commit(id, read, lease, renewal).await,
        }
    }
}
