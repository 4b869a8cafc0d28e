//! `connections import FILE`.

use std::io::Write;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_passthrough::store::{ConnectionKey, ConnectionStore, StoredConnection};
use tower_passthrough::{Connection, StoreError};

use super::list::escaped;
use super::{Failure, counted, input};
use crate::cli::Import;
use crate::config::{self, Declared};
use crate::log;
use crate::store::is_same;

/// The maximum size of a file to import, in bytes. A larger file must be a mistake, because a
/// connection takes a few kilobytes.
const MOST: usize = 1 << 30;

/// The time for which a connection that is replaced can't be refreshed.
const LEASE: Duration = Duration::from_secs(20);

/// The maximum time that the import waits for a refresh that is under way, and the time between two
/// attempts.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// The maximum number of connections that a message lists.
const LISTED: usize = 10;

pub(super) async fn import(
    wanted: &Import,
    store: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (file, text) = input::read(&wanted.file, "[connection.*] tables", MOST)?;
    let connections = config::connections(file, text, declared)?;
    if !wanted.replace_tokens {
        let mut refreshed = Vec::new();
        for (id, connection) in &connections {
            match store.read(&id.into()).await {
                Ok(stored) if loses_tokens(&stored, connection) => refreshed.push(id.as_str()),
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !refreshed.is_empty() {
            return Err(refused(&refreshed, "nothing was imported"));
        }
    }
    for (id, connection) in &connections {
        log::warn(&config::of_connection(id.as_str(), connection, declared));
    }
    let mut done = 0;
    for (id, connection) in &connections {
        let key = &id.into();
        let put = match wanted.replace_tokens {
            true => store
                .put(key, connection)
                .await
                .map(drop)
                .map_err(Failure::from),
            false => put(store, key, connection).await,
        };
        // The import can be repeated from the start: connections that were already imported are
        // replaced by the same connections.
        if let Err(failure) = put {
            let done = format!("{} of {} imported", counted(done), connections.len());
            return Err(Failure::Other(format!("{failure}; {done}")));
        }
        done += 1;
    }
    Ok(writeln!(out, "imported {}", counted(done))?)
}

/// Adds or replaces a connection. The lease prevents a refresh between the check and the write.
async fn put(
    store: &impl ConnectionStore,
    key: &ConnectionKey,
    connection: &Connection,
) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    let lease = loop {
        match store.lease(key, LEASE).await {
            Ok(Some(lease)) => break Some(lease),
            Ok(None) if Instant::now() < end => sleep(PAUSE).await,
            Ok(None) => {
                let id = escaped(key.as_str());
                let what = format!("the connection {id} is being refreshed; try again later");
                return Err(Failure::Other(what));
            }
            Err(StoreError::NotFound) => break None,
            Err(error) => return Err(error.into()),
        }
    };
    if let Some(lease) = lease {
        match store.read(key).await {
            Ok(stored) if loses_tokens(&stored, connection) => {
                // If that fails, the lease expires by itself.
                let _ = store.release(key, lease).await;
                return Err(refused(&[key.as_str()], "the import stopped"));
            }
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    store.put(key, connection).await?;
    Ok(())
}

/// Returns `true` if the connection's tokens were refreshed since it was stored, and `connection`
/// would replace them.
fn loses_tokens(stored: &StoredConnection, connection: &Connection) -> bool {
    stored.refreshed_at.is_some() && !is_same(&stored.connection, connection)
}

fn refused(refreshed: &[&str], consequence: &str) -> Failure {
    let listed = refreshed.iter().take(LISTED).map(|id| escaped(id));
    let mut ids = listed.collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = refreshed.len().checked_sub(LISTED) {
        ids = format!("{ids} and {more} more");
    }
    Failure::Other(format!(
        "{consequence}: tokens were refreshed since they were stored, and the file's tokens would replace them, for {ids}; \
         remove these tables from the file, or replace the tokens with --replace-tokens"
    ))
}
