//! `connections import FILE`.

use std::io::Write;
use std::path::Path;

use tower_passthrough::store::ConnectionStore;

use super::{Failure, counted, input};
use crate::config::{self, Declared};

/// The maximum size of a file to import, in bytes. A larger file must be a mistake, because a
/// connection takes a few kilobytes.
const MOST: usize = 1 << 30;

pub(super) async fn import(
    file: &Path,
    store: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (file, text) = input::read(file, "[connection.*] tables", MOST)?;
    let connections = config::connections(file, text, declared)?;
    let mut done = 0;
    for (id, connection) in &connections {
        // The import can be repeated from the start: connections that were already imported are
        // replaced by the same connections.
        if let Err(error) = store.put(&id.into(), connection).await {
            let done = format!("{} of {} imported", counted(done), connections.len());
            return Err(Failure::Other(format!("{}; {done}", Failure::from(error))));
        }
        done += 1;
    }
    Ok(writeln!(out, "imported {}", counted(done))?)
}
