//! Stores that are out of step: slow to commit, or behind a cache.

use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::sleep;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::{
    CredentialVersion, GrantUpdate, RefreshLease, StoredConnection, TokenStore,
};
use tower_passthrough::{CallContext, Connection, CredentialStore, MemoryStore, StoreError};

use super::wait::Signal;

/// A separate process in front of the same connections, with faults.
#[derive(Debug)]
pub struct Process {
    store: MemoryStore,
    /// The connection that calls receive, even after the connection has changed.
    cached: Option<Connection>,
    /// The connection that another process stores just before this process gets its first lease.
    meanwhile: Mutex<Option<Connection>>,
    /// The process's leases end at once, as if the process had slept.
    oversleeps: bool,
    /// The store can't extend leases.
    keeps_leases_short: bool,
    commits: Option<Signal>,
    failures: AtomicUsize,
    /// The number of commits that never end.
    hanging: AtomicUsize,
    /// The delay of a lease, and of a look that isn't the first.
    slow: Duration,
    looks: AtomicUsize,
    /// A signal that each commit gives when the commit begins.
    pub committing: Signal,
}

impl Process {
    pub fn of(store: &MemoryStore) -> Self {
        Self {
            store: store.clone(),
            cached: None,
            meanwhile: Mutex::default(),
            oversleeps: false,
            keeps_leases_short: false,
            commits: None,
            failures: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            slow: Duration::ZERO,
            looks: AtomicUsize::new(0),
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

    /// Makes the store refuse to extend a lease.
    pub fn keeps_leases_short(mut self) -> Self {
        self.keeps_leases_short = true;
        self
    }

    pub fn oversleeps(mut self) -> Self {
        self.oversleeps = true;
        self
    }

    /// Commits when the test gives the signal.
    pub fn commits(mut self, when: &Signal) -> Self {
        self.commits = Some(when.clone());
        self
    }

    /// Makes the first `times` commits fail.
    pub fn fails(self, times: usize) -> Self {
        self.failures.store(times, Ordering::SeqCst);
        self
    }

    /// Makes the first `times` commits never end.
    pub fn hangs(self, times: usize) -> Self {
        self.hanging.store(times, Ordering::SeqCst);
        self
    }

    /// Delays the first lease, and the look under that lease, by this time.
    pub fn slow(mut self, time: Duration) -> Self {
        self.slow = time;
        self
    }
}

impl CredentialStore for Process {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        match &self.cached {
            Some(cached) => Ok(cached.clone()),
            None => self.store.connection(id, cx).await,
        }
    }
}

impl TokenStore for Process {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        if self.looks.fetch_add(1, Ordering::SeqCst) == 1 {
            sleep(self.slow).await;
        }
        self.store.read(id).await
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        if let Some(newer) = self.meanwhile.lock().unwrap().take() {
            self.store.insert_now(id.clone(), newer);
        }
        if self.looks.load(Ordering::SeqCst) == 1 {
            sleep(self.slow).await;
        }
        let time = if self.oversleeps {
            Duration::ZERO
        } else {
            time
        };
        self.store.lease(id, time).await
    }

    async fn extend(
        &self,
        id: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        match self.keeps_leases_short {
            true => Ok(false),
            false => self.store.extend(id, lease, time).await,
        }
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        self.store.release(id, lease).await
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        self.committing.give();
        if let Some(signal) = &self.commits {
            signal.given().await;
        }
        let one_less = |times: usize| times.checked_sub(1);
        let hanging = self
            .hanging
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        if hanging.is_ok() {
            pending::<()>().await;
        }
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        match failing {
            Ok(_) => Err(StoreError::unavailable("panics on purpose")),
            Err(_) => self.store.commit(id, read, lease, renewal).await,
        }
    }
}
