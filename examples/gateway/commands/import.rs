//! `connections import FILE`.

use std::io::Write;
use std::path::Path;

use tower_passthrough::ConnectionStore;

use super::{Failure, counted};
use crate::config::{self, Declared};

pub(super) async fn import(
    file: &Path,
    store: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let connections = config::connections(file, declared)?;
    let mut done = 0;
    for (id, connection) in &connections {
        // It may be done again from the start: what has been taken is then replaced by itself.
        if let Err(error) = store.put(id, connection).await {
            let done = format!("{} of {} imported", counted(done), connections.len());
            return Err(Failure::Other(format!("{}; {done}", Failure::from(error))));
        }
        done += 1;
    }
    Ok(writeln!(out, "imported {}", counted(done))?)
}
