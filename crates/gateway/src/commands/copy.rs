//! `connections copy --from OLD.toml`: from the store of another config into the store of this config.
//!
//! Nothing is written before the whole list was compared. Then connections are written one after the other, each in a
//! single write that replaces only the version that was compared. So a failure in the middle leaves whole connections,
//! and the command can be repeated: connections that are already there are skipped.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tower_passthrough::store::{
    BoxConnectionStore, ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion,
    StoredConnection, TokenStore,
};
use tower_passthrough::{Connection, MemoryStore, StoreError};

use super::list::{PAGE, escaped};
use super::{Failure, counted, hold, listed};
use crate::cli::Copy;
use crate::config::{self, Declared, Purpose, Store};
use crate::log;
use crate::store;

/// The time for which a connection that is replaced can't be refreshed.
const LEASE: Duration = Duration::from_secs(20);

/// The store that is copied.
struct Source {
    store: BoxConnectionStore,
    /// `true` for connections in the config file itself.
    is_file: bool,
}

pub(super) async fn copy(
    wanted: &Copy,
    target: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let source = open(&wanted.from).await?;
    log::warn(&[risk(source.is_file).to_owned()]);
    let Compared { differing, same } = compare(&source.store, target, declared).await?;
    refuse(&differing, wanted.replace)?;
    let mut done = Done::default();
    let copied = write(&source.store, target, wanted.replace, &same, &mut done).await;
    if let Err(failure) = copied {
        let so_far = counted(done.versions.len() as u64);
        return Err(Failure::Other(format!(
            "{failure}; {so_far} copied until then; the command can be repeated, and skips them"
        )));
    }
    let copied = counted(done.versions.len() as u64);
    let there = same.len() + done.same;
    writeln!(
        out,
        "copied {copied}; {} already there",
        counted(there as u64)
    )?;
    // A connection that changed since it was read was refreshed or replaced by a process that uses the old store.
    let changed = changed(&source.store, &done.versions).await?;
    if changed.is_empty() {
        return Ok(());
    }
    let changed: Vec<_> = changed.iter().map(ConnectionKey::as_str).collect();
    Err(Failure::Other(format!(
        "a process still uses the old store, and has changed these connections since they were copied: {}; \
         stop it, and run the command again with --replace",
        listed(&changed)
    )))
}

const fn risk(is_file: bool) -> &'static str {
    match is_file {
        true => {
            "tokens that a gateway has refreshed since its start aren't in its config file; a vendor that rotates refresh tokens refuses \
             the file's tokens then, and the owner must authorize the connection again"
        }
        false => {
            "a gateway that still uses the old store may refresh a token that was copied; a vendor that rotates refresh tokens then \
             refuses the copy, and may revoke the grant: stop gateways on the old store, copy, and start them on the new store"
        }
    }
}

/// Opens the store of a config. A store that doesn't exist isn't created.
async fn open(path: &Path) -> Result<Source, Failure> {
    let missing = |what: &str| Failure::Usage(format!("{}: {what}", path.display()));
    let loaded = config::load(path, None, Purpose::Command)?;
    let (store, is_file) = match loaded.config.store {
        Store::File(connections) => (
            BoxConnectionStore::new(MemoryStore::from_iter(connections)),
            true,
        ),
        Store::Sqlite(sqlite) => {
            if !sqlite.path.exists() {
                return Err(missing("there is no file at its `store.url`"));
            }
            store::check(&sqlite).await?;
            (BoxConnectionStore::new(store::open(&sqlite).await?), false)
        }
        #[cfg(feature = "postgres")]
        Store::Postgres(mut database) => {
            database.migrations = config::Migrations::Check;
            let store = store::open_postgres(&database).await?;
            (BoxConnectionStore::new(store), false)
        }
        #[cfg(not(feature = "postgres"))]
        Store::Postgres(_) => return Err(store::OpenError::without("postgres").into()),
        #[cfg(feature = "redis")]
        Store::Redis(server) => {
            store::check_redis(&server).await?;
            let store = store::open_redis(&server).await?;
            (BoxConnectionStore::new(store), false)
        }
        #[cfg(not(feature = "redis"))]
        Store::Redis(_) => return Err(store::OpenError::without("redis").into()),
    };
    Ok(Source { store, is_file })
}

/// Connections that are in both stores.
#[derive(Default)]
struct Compared {
    differing: Vec<Differing>,
    same: Vec<ConnectionKey>,
}

struct Differing {
    key: ConnectionKey,
    /// `true` if the token of the target was refreshed later.
    is_newer: bool,
}

/// Compares the connections that are in both stores. Only their lists are read for the others.
async fn compare(
    source: &BoxConnectionStore,
    target: &impl ConnectionStore,
    declared: &Declared,
) -> Result<Compared, Failure> {
    let mut compared = Compared::default();
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let (mut from, mut to) = (Listing::new(source), Listing::new(target));
    let mut other = to.next().await?;
    while let Some(summary) = from.next().await? {
        if !declared.contains(&summary.integration) {
            *unknown.entry(summary.integration.to_string()).or_default() += 1;
        }
        let key = summary.key;
        while other
            .as_ref()
            .is_some_and(|other| other.key.as_str() < key.as_str())
        {
            other = to.next().await?;
        }
        if other.as_ref().is_none_or(|other| other.key != key) {
            continue;
        }
        // `None`: it was removed meanwhile.
        let (Some(ours), Some(theirs)) = (read(source, &key).await?, read(target, &key).await?)
        else {
            continue;
        };
        match is_same(&ours, &theirs) {
            true => compared.same.push(key),
            false => compared.differing.push(Differing {
                is_newer: is_newer(&theirs, &ours),
                key,
            }),
        }
    }
    let warnings = unknown.into_iter().map(|(name, count)| {
        let count = counted(count);
        format!("neither the config file nor the catalog has the integration {name:?} of {count}, which can't be called without it")
    });
    log::warn(&warnings.collect::<Vec<_>>());
    Ok(compared)
}

/// Fails if connections would be replaced that may not be replaced.
fn refuse(differing: &[Differing], may_replace: bool) -> Result<(), Failure> {
    let newer = differing.iter().filter(|other| other.is_newer);
    let newer: Vec<_> = newer.map(|other| other.key.as_str()).collect();
    if !newer.is_empty() {
        return Err(Failure::Other(format!(
            "nothing was copied: tokens were refreshed later in this store than in the old store, for {}; \
             to copy the old tokens nevertheless, remove these connections first",
            listed(&newer)
        )));
    }
    if may_replace || differing.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = differing.iter().map(|other| other.key.as_str()).collect();
    Err(Failure::Other(format!(
        "nothing was copied: this store already has other connections with the ids {}; --replace replaces them",
        listed(&ids)
    )))
}

#[derive(Default)]
struct Done {
    /// The connections that were written, with their versions in the old store.
    versions: Vec<(ConnectionKey, CredentialVersion)>,
    /// The number of connections that another process has written in the meantime, with the same contents.
    same: usize,
}

async fn write(
    source: &BoxConnectionStore,
    target: &impl ConnectionStore,
    may_replace: bool,
    same: &[ConnectionKey],
    done: &mut Done,
) -> Result<(), Failure> {
    let mut from = Listing::new(source);
    // Both are in the order of the keys' bytes.
    let mut same = same.iter().peekable();
    while let Some(ConnectionSummary { key, .. }) = from.next().await? {
        if same.next_if(|same| **same == key).is_some() {
            continue;
        }
        let Some(stored) = read(source, &key).await? else {
            continue;
        };
        let is_written = match target.restore(&key, &stored, None).await? {
            Some(_) => true,
            None => replace(target, &key, &stored, may_replace).await?,
        };
        match is_written {
            true => done.versions.push((key, stored.version)),
            false => done.same += 1,
        }
    }
    Ok(())
}

/// Replaces a connection. Returns `false` if it's the same already.
async fn replace(
    target: &impl ConnectionStore,
    key: &ConnectionKey,
    stored: &StoredConnection,
    may_replace: bool,
) -> Result<bool, Failure> {
    let lease = hold::lease(target, key, LEASE).await?;
    let replaced = async {
        let Some(theirs) = read(target, key).await? else {
            return Ok(target.restore(key, stored, None).await?.is_some());
        };
        if is_same(stored, &theirs) {
            return Ok(false);
        }
        if !may_replace || is_newer(&theirs, stored) {
            let differing = Differing {
                key: key.clone(),
                is_newer: is_newer(&theirs, stored),
            };
            refuse(&[differing], may_replace)?;
        }
        let version = theirs.version;
        match target.restore(key, stored, Some(version)).await? {
            Some(_) => Ok(true),
            None => Err(Failure::Other(format!(
                "another process changes the connection {}",
                escaped(key.as_str())
            ))),
        }
    }
    .await;
    if let (Some(lease), Ok(false) | Err(_)) = (lease, &replaced) {
        // If that fails, the lease expires by itself.
        let _ = target.release(key, lease).await;
    }
    replaced
}

/// Returns the connections whose versions aren't these any more.
async fn changed(
    source: &BoxConnectionStore,
    versions: &[(ConnectionKey, CredentialVersion)],
) -> Result<Vec<ConnectionKey>, Failure> {
    let mut changed = Vec::new();
    for (key, version) in versions {
        let newest = read(source, key).await?.map(|stored| stored.version);
        if newest != Some(*version) {
            changed.push(key.clone());
        }
    }
    Ok(changed)
}

/// Returns a connection. The error names the connection.
async fn read(
    store: &impl TokenStore,
    key: &ConnectionKey,
) -> Result<Option<StoredConnection>, Failure> {
    match store.read(key).await {
        Ok(stored) => Ok(Some(stored)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => {
            let (id, why) = (escaped(key.as_str()), Failure::from(error));
            Err(Failure::Other(format!(
                "the connection {id} can't be read: {why}"
            )))
        }
    }
}

/// Returns `true` if both have the same contents and the same state.
fn is_same(one: &StoredConnection, other: &StoredConnection) -> bool {
    let contains = |one: &Connection, other: &Connection| {
        let mut variables = one.variables().iter();
        let mut secrets = one.credential().iter();
        variables.all(|(name, value)| other.variables().get(name) == Some(value))
            && secrets.all(|(name, secret)| other.credential().get(name) == Some(secret))
    };
    let (first, second) = (&one.connection, &other.connection);
    one.state == other.state
        && first.integration() == second.integration()
        && contains(first, second)
        && contains(second, first)
}

/// Returns `true` if the token of `one` was refreshed later.
fn is_newer(one: &StoredConnection, other: &StoredConnection) -> bool {
    // A store keeps milliseconds.
    let millis = |stored: &StoredConnection| {
        let at = stored.refreshed_at?.duration_since(std::time::UNIX_EPOCH);
        at.ok().map(|at| at.as_millis())
    };
    millis(one) > millis(other)
}

/// The connections of a store, page by page.
struct Listing<'a, S> {
    store: &'a S,
    page: std::vec::IntoIter<ConnectionSummary>,
    last: Option<ConnectionKey>,
    is_at_end: bool,
}

impl<'a, S: ConnectionStore> Listing<'a, S> {
    fn new(store: &'a S) -> Self {
        Self {
            store,
            page: Vec::new().into_iter(),
            last: None,
            is_at_end: false,
        }
    }

    async fn next(&mut self) -> Result<Option<ConnectionSummary>, Failure> {
        if let Some(summary) = self.page.next() {
            self.last = Some(summary.key.clone());
            return Ok(Some(summary));
        }
        if self.is_at_end {
            return Ok(None);
        }
        let page = self.store.list(self.last.as_ref(), PAGE).await?;
        // A page may be short although more connections follow.
        self.is_at_end = page.is_empty();
        self.page = page.into_iter();
        let next = self.page.next();
        if let Some(summary) = &next {
            self.last = Some(summary.key.clone());
        }
        Ok(next)
    }
}
