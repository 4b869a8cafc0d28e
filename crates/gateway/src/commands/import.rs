//! `connections import FILE`.

use std::io::Write;
use std::path::Path;

use tower_passthrough::store::ConnectionStore;

use super::{Failure, counted, input};
use crate::config::{self, Declared};

/// More is no file that anybody means: a connection is some kilobytes at most.
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
        // It may be done again from the start: what has been taken is then replaced by itself.
        if let Err(error) = store.put(&id.into(), connection).await {
            let done = format!("{} of {} imported", counted(done), connections.len());
            return Err(Failure::Other(format!("{}; {done}", Failure::from(error))));
        }
        done += 1;
    }
    Ok(writeln!(out, "imported {}", counted(done))?)
}
