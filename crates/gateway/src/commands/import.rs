//! `connections import FILE`.

use std::io::Write;
use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::store::{ConnectionKey, ConnectionStore, RefreshLease, StoredConnection};
use tower_passthrough::{Connection, StoreError};

use super::{Failure, counted, hold, input, listed};
use crate::cli::Import;
use crate::config::{self, Declared};
use crate::log;
use crate::store::is_same;

/// The maximum size of a file to import, in bytes. A larger file must be a mistake, because a
/// connection takes a few kilobytes.
const MOST: usize = 1 << 30;

/// The time for which connections that are replaced can't be refreshed, and the time that is added
/// for each of these connections.
const LEASE: Duration = Duration::from_secs(60);
const LEASE_OF_EACH: Duration = Duration::from_millis(20);

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
    if !wanted.replace_tokens {
        refuse_to_lose_tokens(store, &connections).await?;
    }
    for (key, connection) in &connections {
        log::warn(&config::of_connection(key.as_str(), connection, declared));
    }
    match wanted.replace_tokens {
        true => put_all(store, &connections).await?,
        false => put_held(store, &connections).await?,
    }
    let imported = u64::try_from(connections.len()).unwrap_or(u64::MAX);
    Ok(writeln!(out, "imported {}", counted(imported))?)
}

/// Puts all connections. Leases prevent refreshes between the check and the write.
async fn put_held(
    store: &impl ConnectionStore,
    connections: &[(ConnectionKey, Connection)],
) -> Result<(), Failure> {
    let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
    let time = LEASE + LEASE_OF_EACH.saturating_mul(count);
    let mut held = Vec::new();
    let put = put_with(store, connections, time, &mut held).await;
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
    connections: &[(ConnectionKey, Connection)],
    time: Duration,
    held: &mut Vec<(ConnectionKey, RefreshLease)>,
) -> Result<(), Failure> {
    let end = Instant::now() + time / 2;
    for (key, _) in connections {
        if let Some(lease) = hold::lease(store, key, time).await? {
            held.push((key.clone(), lease));
        }
    }
    refuse_to_lose_tokens(store, connections).await?;
    if Instant::now() > end {
        let what = "nothing was imported: the store is too slow; import fewer connections at once";
        return Err(Failure::Other(what.to_owned()));
    }
    put_all(store, connections).await
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

/// Fails if connections would replace tokens that were refreshed since they were stored.
async fn refuse_to_lose_tokens(
    store: &impl ConnectionStore,
    connections: &[(ConnectionKey, Connection)],
) -> Result<(), Failure> {
    let mut refreshed = Vec::new();
    for (key, connection) in connections {
        match store.read(key).await {
            Ok(stored) if loses_tokens(&stored, connection) => refreshed.push(key.as_str()),
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if refreshed.is_empty() {
        return Ok(());
    }
    let ids = listed(&refreshed);
    Err(Failure::Other(format!(
        "nothing was imported: tokens were refreshed since they were stored, and the file's tokens would replace them, for {ids}; \
         remove these tables from the file, or replace the tokens with --replace-tokens"
    )))
}

/// Returns `true` if the connection's tokens were refreshed since it was stored, and `connection`
/// would replace them.
fn loses_tokens(stored: &StoredConnection, connection: &Connection) -> bool {
    stored.refreshed_at.is_some() && !is_same(&stored.connection, connection)
}
