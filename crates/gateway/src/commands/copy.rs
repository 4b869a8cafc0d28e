//! `connections copy --from OLD.toml`: from the store of another config into the store of this config.
//!
//! Connections are written one after the other, each in a single write that replaces only the version that was compared. So a failure
//! in the middle leaves whole connections, and the command can be repeated: connections that are already there are skipped. Other
//! connections of the same id are replaced only if they are named. At the end, the old store is read again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::store::{
    BoxConnectionStore, ConnectionKey, ConnectionStore, ConnectionSummary, CredentialVersion,
    GrantState, StoredConnection, TokenStore,
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
    for key in &wanted.replace {
        if read(&source.store, key).await?.is_none() {
            let id = escaped(key.as_str());
            let what = format!("--replace: the old store has no connection {id}");
            return Err(Failure::Usage(what));
        }
    }
    log::warn(&[risk(source.is_file).to_owned()]);
    let mut done = Done::default();
    let copied = write(&source.store, target, &wanted.replace, &mut done).await;
    done.warn(declared);
    if let Err(failure) = copied {
        let so_far = counted(done.copied);
        return Err(Failure::Other(format!(
            "{failure}; {so_far} copied until then; the command can be repeated, and skips them"
        )));
    }
    let (copied, there) = (counted(done.copied), counted(done.there));
    writeln!(out, "copied {copied}; {there} already there")?;
    let mut failures = done.not_copied();
    // A connection that changed since it was read was refreshed or replaced by a process that uses the old store.
    failures.extend(changes(&source.store, &done.seen).await?.described());
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::Other(failures.join("\n"))),
    }
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

/// A connection of the old store that was read.
struct Seen {
    key: ConnectionKey,
    /// The version and the state that this store has too, or `None` if this store has another connection.
    copied: Option<(CredentialVersion, GrantState)>,
}

#[derive(Default)]
struct Done {
    /// In the order of the keys' bytes.
    seen: Vec<Seen>,
    copied: u64,
    /// The number of connections that were the same.
    there: u64,
    /// Connections of this store whose tokens were refreshed later.
    newer: Vec<ConnectionKey>,
    /// Other connections of this store.
    other: Vec<ConnectionKey>,
    /// The numbers of connections, by integration.
    integrations: BTreeMap<Arc<str>, u64>,
}

/// The result for a connection.
enum Outcome {
    Copied,
    Same,
    /// This store's token was refreshed later.
    Newer,
    /// This store has another connection, which wasn't named.
    Other,
}

impl Done {
    fn add(&mut self, key: ConnectionKey, stored: &StoredConnection, outcome: &Outcome) {
        let mut copied = Some((stored.version, stored.state));
        match outcome {
            Outcome::Copied => self.copied += 1,
            Outcome::Same => self.there += 1,
            Outcome::Newer => {
                copied = None;
                self.newer.push(key.clone());
            }
            Outcome::Other => {
                copied = None;
                self.other.push(key.clone());
            }
        }
        self.seen.push(Seen { key, copied });
    }

    /// Warns of integrations that this config doesn't have.
    fn warn(&self, declared: &Declared) {
        let unknown = self.integrations.iter();
        let unknown = unknown.filter(|(name, _)| !declared.contains(name));
        let warnings = unknown.map(|(name, count)| {
            let count = counted(*count);
            format!("neither the config file nor the catalog has the integration {name:?} of {count}, which can't be called without it")
        });
        log::warn(&warnings.collect::<Vec<_>>());
    }

    /// Returns the reasons why connections weren't copied.
    fn not_copied(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if !self.newer.is_empty() {
            failures.push(format!(
                "not copied, because tokens were refreshed later in this store than in the old store: {}",
                listed(&ids(&self.newer))
            ));
        }
        if !self.other.is_empty() {
            failures.push(format!(
                "not copied, because this store already has other connections with these ids: {}; to replace them, add{}",
                listed(&ids(&self.other)),
                option(&self.other)
            ));
        }
        failures
    }
}

fn ids(keys: &[ConnectionKey]) -> Vec<&str> {
    keys.iter().map(ConnectionKey::as_str).collect()
}

/// Returns the option that names all these connections.
fn option(keys: &[ConnectionKey]) -> String {
    let ids = keys.iter().map(|key| format!(" {}", escaped(key.as_str())));
    format!(" --replace{}", ids.collect::<String>())
}

async fn write(
    source: &BoxConnectionStore,
    target: &impl ConnectionStore,
    may_replace: &[ConnectionKey],
    done: &mut Done,
) -> Result<(), Failure> {
    let (mut from, mut to) = (Listing::new(source), Listing::new(target));
    let mut other = to.next().await?;
    while let Some(ConnectionSummary {
        key, integration, ..
    }) = from.next().await?
    {
        *done.integrations.entry(integration).or_default() += 1;
        while other
            .as_ref()
            .is_some_and(|other| other.key.as_str() < key.as_str())
        {
            other = to.next().await?;
        }
        // `None`: it was removed meanwhile.
        let Some(stored) = read(source, &key).await? else {
            continue;
        };
        let is_there = other.as_ref().is_some_and(|other| other.key == key);
        let may_replace = may_replace.contains(&key);
        let outcome = match is_there {
            false if target.restore(&key, &stored, None).await?.is_some() => Outcome::Copied,
            _ => compare(target, &key, &stored, may_replace).await?,
        };
        done.add(key, &stored, &outcome);
    }
    Ok(())
}

/// Compares a connection with this store's connection, which is replaced if it may be.
async fn compare(
    target: &impl ConnectionStore,
    key: &ConnectionKey,
    stored: &StoredConnection,
    may_replace: bool,
) -> Result<Outcome, Failure> {
    let compared = |theirs: &StoredConnection| match () {
        () if is_same(stored, theirs) => Some(Outcome::Same),
        () if is_newer(theirs, stored) => Some(Outcome::Newer),
        () if !may_replace => Some(Outcome::Other),
        () => None,
    };
    if let Some(outcome) = read(target, key).await?.as_ref().and_then(compared) {
        return Ok(outcome);
    }
    // A refresh that is under way may end before, and is compared then.
    let lease = hold::lease(target, key, LEASE).await?;
    let replaced = async {
        let theirs = read(target, key).await?;
        if let Some(outcome) = theirs.as_ref().and_then(compared) {
            return Ok(outcome);
        }
        let version = theirs.map(|theirs| theirs.version);
        match target.restore(key, stored, version).await? {
            Some(_) => Ok(Outcome::Copied),
            None => Err(Failure::Other(format!(
                "another process changes the connection {}",
                escaped(key.as_str())
            ))),
        }
    }
    .await;
    if let (Some(lease), false) = (lease, matches!(replaced, Ok(Outcome::Copied))) {
        // If that fails, the lease expires by itself.
        let _ = target.release(key, lease).await;
    }
    replaced
}

/// The changes of the old store since its connections were read.
#[derive(Default)]
struct Changes {
    changed: Vec<ConnectionKey>,
    added: Vec<ConnectionKey>,
    removed: Vec<ConnectionKey>,
}

/// Reads the old store again, and compares versions and states: a revocation doesn't change the version.
async fn changes(source: &BoxConnectionStore, seen: &[Seen]) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    let mut from = Listing::new(source);
    // Both are in the order of the keys' bytes.
    let mut seen = seen.iter().peekable();
    while let Some(ConnectionSummary { key, .. }) = from.next().await? {
        while let Some(gone) = seen.next_if(|seen| seen.key.as_str() < key.as_str()) {
            changes.remove(gone);
        }
        let Some(known) = seen.next_if(|seen| seen.key == key) else {
            changes.added.push(key);
            continue;
        };
        let Some(copied) = known.copied else {
            continue;
        };
        match read(source, &key).await? {
            Some(stored) if (stored.version, stored.state) == copied => {}
            Some(_) => changes.changed.push(key),
            None => changes.remove(known),
        }
    }
    for gone in seen {
        changes.remove(gone);
    }
    Ok(changes)
}

impl Changes {
    fn remove(&mut self, gone: &Seen) {
        if gone.copied.is_some() {
            self.removed.push(gone.key.clone());
        }
    }

    /// Returns the changes, and the advice.
    fn described(&self) -> Option<String> {
        let kinds = [
            ("changed", &self.changed),
            ("added", &self.added),
            ("removed", &self.removed),
        ];
        let kinds = kinds.into_iter().filter(|(_, keys)| !keys.is_empty());
        let kinds = kinds.map(|(kind, keys)| format!("{kind} {}", listed(&ids(keys))));
        let kinds: Vec<_> = kinds.collect();
        if kinds.is_empty() {
            return None;
        }
        let replace = match self.changed.is_empty() {
            true => String::new(),
            false => format!(" with{}", option(&self.changed)),
        };
        let kinds = kinds.join("; ");
        let remove = match self.removed.is_empty() {
            true => "",
            false => "; `connections remove` removes copies that aren't needed any more",
        };
        Some(format!(
            "a process still uses the old store, and since its connections were read, it has {kinds}; \
             stop it, and run the command again{replace}{remove}"
        ))
    }
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
    one.state == other.state && has_same_contents(&one.connection, &other.connection)
}

/// Returns `true` if both have the same integration, variables and secrets, in any order.
pub(super) fn has_same_contents(one: &Connection, other: &Connection) -> bool {
    let contains = |one: &Connection, other: &Connection| {
        let mut variables = one.variables().iter();
        let mut secrets = one.credential().iter();
        variables.all(|(name, value)| other.variables().get(name) == Some(value))
            && secrets.all(|(name, secret)| other.credential().get(name) == Some(secret))
    };
    one.integration() == other.integration() && contains(one, other) && contains(other, one)
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
