//! Stores that each break a single rule, which the suite finds.

use std::future::Future;
use std::time::Duration;

use super::{Suite, Violations};
use crate::authorize::CallContext;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::secret::Secret;
use crate::store::memory::MemoryStore;
use crate::store::{
    ConnectionStore, ConnectionSummary, CredentialStore, CredentialVersion, GrantUpdate,
    RefreshLease, StoreError, StoredConnection, TokenStore,
};

/// The fault of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    FoldsCase,
    Trims,
    CutsLongIds,
    CutsAt500Bytes,
    DropsTenants,
    JoinsSlashes,
    FoldsWidth,
    LosesVariables,
    CutsSecretsAtNul,
    MergesSecrets,
    IgnoresVersions,
    LooksAndThenWrites,
    RevivesRemoved,
    ReusesVersions,
    NeverDates,
    GivesEachLease,
    EndsLeasesEarly,
    NeverEndsLeases,
    ReleasesAnyLease,
    ExtendsNothing,
    ExtendsAnyLease,
    FencesFall,
    NeedsALeaseToCommit,
    BelievesDeadFromAnyone,
    NeverRevives,
    ChangesVersionOnDead,
    ListsBackwards,
    ListsOnePage,
    StaleForOthers,
    RestoresActive,
    RestoresOverAny,
    RestoresTheSameVersion,
    DatesRestoresNow,
}

#[derive(Clone)]
struct Faulty {
    fault: Fault,
    inner: MemoryStore,
    /// The first results of `connection` on this handle.
    kept: MemoryStore,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn id(&self, id: &ConnectionKey) -> ConnectionKey {
        let text = id.as_str();
        let text = match self.fault {
            Fault::FoldsCase => text.to_lowercase(),
            Fault::Trims => text.trim_end().to_owned(),
            Fault::CutsLongIds => text.chars().take(255).collect(),
            Fault::CutsAt500Bytes => {
                let end = (0..=500.min(text.len())).rev();
                let mut cuts = end.filter_map(|end| text.get(..end));
                cuts.next().unwrap_or_default().to_owned()
            }
            Fault::DropsTenants => text.rsplit('/').next().unwrap_or_default().to_owned(),
            Fault::JoinsSlashes => text.replace("//", "/"),
            Fault::FoldsWidth => text.replace('\u{ff41}', "a").replace('\u{ff42}', "b"),
            _ => return id.clone(),
        };
        ConnectionKey::try_from(&*text).unwrap_or_else(|_| id.clone())
    }

    fn stored(&self, connection: &Connection) -> Connection {
        let mut stored = Connection::new(connection.integration());
        if !self.is(Fault::LosesVariables) {
            for (name, value) in connection.variables().iter() {
                stored = stored.with_variable(name, value);
            }
        }
        for (name, secret) in connection.credential().iter() {
            let with_nul = *secret == Secret::from("a\0b\0");
            stored = match self.fault {
                Fault::CutsSecretsAtNul if with_nul => stored.with_secret(name, "a"),
                _ => stored.with_secret(name, secret.clone()),
            };
        }
        stored
    }
}

impl CredentialStore for Faulty {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let id = self.id(id);
        if self.is(Fault::StaleForOthers) {
            if let Ok(kept) = self.kept.connection(&id, cx).await {
                return Ok(kept);
            }
        }
        let connection = self.inner.connection(&id, cx).await?;
        self.kept.insert_now(id, connection.clone());
        Ok(connection)
    }
}

impl TokenStore for Faulty {
    async fn read(&self, id: &ConnectionKey) -> Result<StoredConnection, StoreError> {
        let mut record = self.inner.read(&self.id(id)).await?;
        if self.is(Fault::NeverDates) {
            record.refreshed_at = None;
        }
        if self.is(Fault::ReusesVersions) {
            record.version = CredentialVersion::new(record.version.get() % 16);
        }
        Ok(record)
    }

    async fn lease(
        &self,
        id: &ConnectionKey,
        time: Duration,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let id = self.id(id);
        let time = match self.fault {
            Fault::EndsLeasesEarly => time.min(Duration::from_millis(100)),
            Fault::NeverEndsLeases => time.max(Duration::from_secs(3600)),
            Fault::GivesEachLease => Duration::ZERO,
            _ => time,
        };
        let lease = self.inner.lease(&id, time).await?;
        Ok(lease.map(|lease| match self.fault {
            Fault::FencesFall => RefreshLease::new(u64::MAX - lease.fence()),
            _ => lease,
        }))
    }

    async fn extend(
        &self,
        id: &ConnectionKey,
        lease: RefreshLease,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let id = self.id(id);
        match self.fault {
            Fault::ExtendsNothing => Ok(true),
            Fault::ExtendsAnyLease => {
                let held = self.inner.lease(&id, time).await?;
                match held {
                    Some(_) => Ok(true),
                    None => {
                        for fence in 0..2000 {
                            let any = RefreshLease::new(fence);
                            if self.inner.extend(&id, any, time).await? {
                                return Ok(true);
                            }
                        }
                        Ok(false)
                    }
                }
            }
            Fault::FencesFall => {
                let lease = RefreshLease::new(u64::MAX - lease.fence());
                self.inner.extend(&id, lease, time).await
            }
            _ => self.inner.extend(&id, lease, time).await,
        }
    }

    async fn release(&self, id: &ConnectionKey, lease: RefreshLease) -> Result<(), StoreError> {
        let id = self.id(id);
        match self.fault {
            Fault::FencesFall => {
                let lease = RefreshLease::new(u64::MAX - lease.fence());
                self.inner.release(&id, lease).await
            }
            Fault::ReleasesAnyLease => {
                for fence in 0..2000 {
                    self.inner.release(&id, RefreshLease::new(fence)).await?;
                }
                Ok(())
            }
            _ => self.inner.release(&id, lease).await,
        }
    }

    async fn commit(
        &self,
        id: &ConnectionKey,
        read: CredentialVersion,
        lease: RefreshLease,
        renewal: &GrantUpdate,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let id = self.id(id);
        let stored = match self.inner.read(&id).await {
            Ok(stored) => stored,
            Err(_) if self.is(Fault::RevivesRemoved) => {
                let version = self.inner.put(&id, &Connection::new("crm")).await?;
                return Ok(Some(version));
            }
            Err(error) => return Err(error),
        };
        let read = match self.fault {
            Fault::IgnoresVersions => stored.version,
            Fault::ReusesVersions if stored.version.get() % 16 == read.get() => stored.version,
            _ => read,
        };
        let is_dead = stored.state == crate::store::GrantState::Revoked;
        match renewal {
            GrantUpdate::Refreshed(_) if self.is(Fault::NeverRevives) && is_dead => Ok(None),
            GrantUpdate::Refreshed(_) if self.is(Fault::NeedsALeaseToCommit) => {
                // A revocation counts only with the newest lease. A new lease shows whether `lease` was the newest.
                let probe = self
                    .inner
                    .commit(&id, read, lease, &GrantUpdate::Revoked)
                    .await?;
                match probe {
                    Some(_) => self.inner.commit(&id, read, lease, renewal).await,
                    None => Ok(None),
                }
            }
            GrantUpdate::Refreshed(connection) if self.is(Fault::LooksAndThenWrites) => {
                if stored.version != read {
                    return Ok(None);
                }
                tokio::task::yield_now().await;
                let version = self.inner.put(&id, connection).await?;
                Ok(Some(version))
            }
            GrantUpdate::Refreshed(connection) => {
                let renewal = GrantUpdate::Refreshed(self.stored(connection));
                self.inner.commit(&id, read, lease, &renewal).await
            }
            GrantUpdate::Revoked if self.is(Fault::BelievesDeadFromAnyone) => {
                for fence in 0..2000 {
                    let lease = RefreshLease::new(fence);
                    let died = self.inner.commit(&id, read, lease, renewal).await?;
                    if died.is_some() {
                        return Ok(died);
                    }
                }
                Ok(Some(read))
            }
            GrantUpdate::Revoked => {
                let died = self.inner.commit(&id, read, lease, renewal).await?;
                let changes = self.is(Fault::ChangesVersionOnDead);
                Ok(died.map(|version| CredentialVersion::new(version.get() + u64::from(changes))))
            }
        }
    }
}

impl ConnectionStore for Faulty {
    async fn put(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<CredentialVersion, StoreError> {
        let id = self.id(id);
        let mut stored = self.stored(connection);
        if self.is(Fault::MergesSecrets) {
            if let Ok(old) = self.inner.read(&id).await {
                for (name, secret) in old.connection.credential().iter() {
                    if stored.credential().get(name).is_none() {
                        stored = stored.with_secret(name, secret.clone());
                    }
                }
            }
        }
        let version = self.inner.put(&id, &stored).await?;
        Ok(match self.fault {
            Fault::ReusesVersions => CredentialVersion::new(version.get() % 16),
            _ => version,
        })
    }

    async fn restore(
        &self,
        id: &ConnectionKey,
        stored: &StoredConnection,
        replaced: Option<CredentialVersion>,
    ) -> Result<Option<CredentialVersion>, StoreError> {
        let id = self.id(id);
        let mut stored = stored.clone();
        stored.connection = self.stored(&stored.connection);
        let mut replaced = replaced;
        match self.fault {
            Fault::RestoresActive => stored.state = crate::store::GrantState::Active,
            Fault::RestoresOverAny => {
                replaced = self.inner.read(&id).await.ok().map(|record| record.version);
            }
            Fault::DatesRestoresNow => stored.refreshed_at = Some(std::time::SystemTime::now()),
            _ => {}
        }
        let version = self.inner.restore(&id, &stored, replaced).await?;
        Ok(match self.fault {
            Fault::RestoresTheSameVersion => version.and(Some(stored.version)),
            Fault::ReusesVersions => {
                version.map(|version| CredentialVersion::new(version.get() % 16))
            }
            _ => version,
        })
    }

    fn remove(&self, id: &ConnectionKey) -> impl Future<Output = Result<bool, StoreError>> + Send {
        std::future::ready(Ok(self.inner.remove_now(self.id(id).as_str())))
    }

    async fn list(
        &self,
        after: Option<&ConnectionKey>,
        limit: usize,
    ) -> Result<Vec<ConnectionSummary>, StoreError> {
        if self.is(Fault::ListsOnePage) && after.is_some() {
            return Ok(Vec::new());
        }
        let mut listed = self.inner.list(after, limit).await?;
        if self.is(Fault::ListsBackwards) {
            listed.reverse();
        }
        Ok(listed)
    }
}

/// Runs the suite on a store with that fault. Time passes only in sleeps.
async fn judged(fault: Fault) -> Result<(), Violations> {
    let inner = MemoryStore::new();
    let open = async || Faulty {
        fault,
        inner: inner.clone(),
        kept: MemoryStore::new(),
    };
    Suite::new(open).staleness(Duration::ZERO).run().await
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_found_out() {
    assert!(judged(Fault::None).await.is_ok());
    for (fault, rule) in [
        (Fault::FoldsCase, "exact bytes"),
        (Fault::Trims, "exact bytes"),
        (Fault::CutsLongIds, "exact bytes"),
        (Fault::CutsAt500Bytes, "512 bytes"),
        (Fault::DropsTenants, "hold slashes"),
        (Fault::JoinsSlashes, "hold slashes"),
        (Fault::FoldsWidth, "no key finds another's"),
        (Fault::LosesVariables, "put connections come back"),
        (Fault::CutsSecretsAtNul, "put connections come back"),
        (Fault::MergesSecrets, "replaces the whole"),
        (Fault::IgnoresVersions, "a stale version writes nothing"),
        (Fault::IgnoresVersions, "one wins"),
        (Fault::LooksAndThenWrites, "a put outlasts"),
        (Fault::LooksAndThenWrites, "a removal outlasts"),
        (Fault::RevivesRemoved, "doesn't bring a removed"),
        (Fault::ReusesVersions, "a version of its own"),
        (Fault::NeverDates, "time of the refresh"),
        (Fault::GivesEachLease, "keeps others out"),
        (Fault::GivesEachLease, "one gets the lease"),
        (Fault::EndsLeasesEarly, "ends by itself"),
        (Fault::NeverEndsLeases, "ends by itself"),
        (Fault::ReleasesAnyLease, "keeps others out"),
        (Fault::ReleasesAnyLease, "releasing a lost lease"),
        (Fault::ExtendsNothing, "can be extended"),
        (Fault::ExtendsAnyLease, "can be extended"),
        (Fault::FencesFall, "fences grow"),
        (Fault::NeedsALeaseToCommit, "after the lease was lost"),
        (Fault::BelievesDeadFromAnyone, "no other lease may revoke"),
        (Fault::NeverRevives, "new tokens make a revoked"),
        (Fault::ChangesVersionOnDead, "the newest lease may revoke"),
        (Fault::ListsBackwards, "order of the keys"),
        (Fault::ListsOnePage, "order of the keys"),
        (Fault::StaleForOthers, "in the stated time"),
        (Fault::StaleForOthers, "its own writes"),
        (Fault::RestoresActive, "its contents and its state"),
        (Fault::DatesRestoresNow, "its contents and its state"),
        (Fault::RestoresOverAny, "only the version that it names"),
        (Fault::RestoresTheSameVersion, "has a new version"),
    ] {
        let broken = judged(fault).await.err().unwrap_or_default();
        assert!(
            broken.rules().any(|found| found.contains(rule)),
            "{fault:?} doesn't break {rule:?}: {broken}"
        );
    }
}

#[tokio::test]
async fn a_store_that_forgets_is_found_out() {
    let broken = super::run(async || MemoryStore::new()).await;
    let broken = broken.err().unwrap_or_default();
    assert!(
        broken
            .rules()
            .any(|rule| rule.contains("outlive their handles"))
    );
}

#[tokio::test]
async fn a_store_in_use_is_left_as_it_is() {
    let store = MemoryStore::from_iter([("acme", Connection::new("crm"))]);
    let broken = super::run(async || store.clone())
        .await
        .err()
        .unwrap_or_default();
    assert_eq!(broken.rules().count(), 1);
    assert!(store.remove_now("acme"));
}

#[tokio::test]
async fn the_store_in_memory_keeps_all_rules() -> Result<(), Violations> {
    let store = MemoryStore::new();
    let suite = Suite::new(async || store.clone()).staleness(Duration::ZERO);
    suite.run().await
}
