//! `connections import FILE`.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, GrantState, RefreshLease, StoredConnection,
};
use tower_passthrough::{Connection, StoreError};

use super::copy::has_same_contents;
use super::{Failure, counted, hold, input, listed};
use crate::cli::Import;
use crate::config::{self, Declared};
use crate::log;
use crate::signals;

/// The maximum size of a file to import, in bytes. A larger file must be a mistake, because a
/// connection takes a few kilobytes.
const MOST: usize = 1 << 30;

/// The time for which connections that are replaced can't be refreshed, the time that is added for each of these connections, and the
/// maximum. If the command is killed, it takes as long until they can be refreshed again.
const LEASE: Duration = Duration::from_secs(60);
const LEASE_OF_EACH: Duration = Duration::from_millis(20);
const LONGEST_LEASE: Duration = Duration::from_secs(300);

pub(super) async fn import(
    wanted: &Import,
    store: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (file, text) = input::read(&wanted.file, "[connection.*] tables", MOST)?;
    let connections = config::connections(file, text, declared)?;
    let connections: Vec<(ConnectionKey, Connection)> = connections
        .into_iter()
        .map(|(id, connection)| ((&id).into(), connection))
        .collect();
    for (key, connection) in &connections {
        log::warn(&config::of_connection(key.as_str(), connection, declared));
    }
    let all = u64::try_from(connections.len()).unwrap_or(u64::MAX);
    match wanted.replace_tokens {
        true => put_all(store, &connections).await?,
        false => {
            let Compared { new, replaced } = compare(store, connections).await?;
            put_held(store, new, replaced).await?;
        }
    }
    Ok(writeln!(out, "imported {}", counted(all))?)
}

/// The connections that must be written. Those that the store has already, and whose grants aren't revoked, stay as they are.
struct Compared {
    new: Vec<(ConnectionKey, Connection)>,
    replaced: Vec<(ConnectionKey, Connection)>,
}

/// Compares the connections with those of the store. Fails if tokens would be lost.
async fn compare(
    store: &impl ConnectionStore,
    connections: Vec<(ConnectionKey, Connection)>,
) -> Result<Compared, Failure> {
    let (mut new, mut replaced, mut refreshed) = (Vec::new(), Vec::new(), Vec::new());
    for (key, connection) in connections {
        match store.read(&key).await {
            Ok(stored) if loses_tokens(&stored, &connection) => refreshed.push(key),
            Ok(stored) if is_there(&stored, &connection) => {}
            Ok(_) => replaced.push((key, connection)),
            Err(StoreError::NotFound) => new.push((key, connection)),
            Err(error) => return Err(error.into()),
        }
    }
    refuse(&refreshed)?;
    Ok(Compared { new, replaced })
}

/// Puts all connections. Leases of those that are replaced prevent refreshes between the check and the write.
async fn put_held(
    store: &impl ConnectionStore,
    new: Vec<(ConnectionKey, Connection)>,
    replaced: Vec<(ConnectionKey, Connection)>,
) -> Result<(), Failure> {
    let mut held = Vec::new();
    let put = async {
        let mut stopped = pin!(signals::stopped());
        let put = put_with(store, new, replaced, &mut held);
        tokio::select! {
            put = put => put,
            () = &mut stopped => Err(Failure::Other(
                "interrupted: nothing was imported, unless the store was confirming the import; the command can be run again".to_owned(),
            )),
        }
    }
    .await;
    if put.is_err() {
        for (key, lease) in &held {
            // If that fails, the lease expires by itself.
            let _ = store.release(key, *lease).await;
        }
    }
    put
}

async fn put_with(
    store: &impl ConnectionStore,
    new: Vec<(ConnectionKey, Connection)>,
    replaced: Vec<(ConnectionKey, Connection)>,
    held: &mut Vec<(ConnectionKey, RefreshLease)>,
) -> Result<(), Failure> {
    let count = u32::try_from(replaced.len()).unwrap_or(u32::MAX);
    let time = (LEASE + LEASE_OF_EACH.saturating_mul(count)).min(LONGEST_LEASE);
    let end = Instant::now() + time / 2;
    for (key, _) in &replaced {
        if let Some(lease) = hold::lease(store, key, time).await? {
            held.push((key.clone(), lease));
        }
        in_time(end)?;
    }
    let mut refreshed = Vec::new();
    for (key, connection) in &replaced {
        match store.read(key).await {
            Ok(stored) if loses_tokens(&stored, connection) => refreshed.push(key.clone()),
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    refuse(&refreshed)?;
    in_time(end)?;
    let all: Vec<_> = new.into_iter().chain(replaced).collect();
    put_all(store, &all).await
}

/// Fails if the leases may end before everything is written.
fn in_time(end: Instant) -> Result<(), Failure> {
    match Instant::now() > end {
        true => Err(Failure::Other(
            "nothing was imported: the store is too slow; import fewer connections at once"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

/// Puts all connections in a single transaction.
async fn put_all(
    store: &impl ConnectionStore,
    connections: &[(ConnectionKey, Connection)],
) -> Result<(), Failure> {
    let put = store.put_all(connections).await;
    put.map(drop).map_err(|error| {
        let why = Failure::from(error);
        Failure::Other(format!(
            "{why}; nothing was imported, unless the store failed while it confirmed the import; the command can be run again"
        ))
    })
}

/// Fails if there are connections whose tokens would be lost.
fn refuse(refreshed: &[ConnectionKey]) -> Result<(), Failure> {
    if refreshed.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = refreshed.iter().map(ConnectionKey::as_str).collect();
    let ids = listed(&ids);
    Err(Failure::Other(format!(
        "nothing was imported: tokens were refreshed since they were stored, and the file's tokens would replace them, for {ids}; \
         remove these tables from the file, or replace the tokens with --replace-tokens"
    )))
}

/// Returns `true` if the connection's tokens were refreshed since it was stored, and `connection`
/// would replace them.
fn loses_tokens(stored: &StoredConnection, connection: &Connection) -> bool {
    stored.refreshed_at.is_some() && !has_same_contents(&stored.connection, connection)
}

/// Returns `true` if the store has the connection, and its grant isn't revoked.
fn is_there(stored: &StoredConnection, connection: &Connection) -> bool {
    stored.state == GrantState::Active && has_same_contents(&stored.connection, connection)
}
