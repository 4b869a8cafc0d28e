//! `connections add ID`.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use tower_passthrough::{Connection, ConnectionStore, StoreError};
use zeroize::Zeroizing;

use super::list::escaped;
use super::{Failure, counted};
use crate::cli::Add;
use crate::config::{self, Declared};

/// More is no table of secrets: the largest are certificates.
const MOST: usize = 1 << 20;

pub(super) async fn add(
    wanted: &Add,
    store: &impl ConnectionStore,
    declared: &Declared,
    config: &Path,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let id = &wanted.id;
    let mut connection = Connection::new(&*wanted.integration);
    for (name, value) in &wanted.variables {
        connection = connection.variable(&**name, &**value);
    }
    // Before secrets are asked for: there may be no use for them.
    if declared.get(connection.integration()).is_none() {
        let config = config.display();
        let what = "--integration: there is no integration of that name in";
        return Err(Failure::Usage(format!("{what} {config}")));
    }
    if !wanted.replace && is_taken(store.read(id).await)? {
        let id = escaped(id.as_str());
        let what = format!("there is a connection {id} already; --replace replaces it");
        return Err(Failure::Other(what));
    }
    let (place, secrets) = match &wanted.secrets {
        Some(file) => (file.clone(), fs::read(file)),
        None => (PathBuf::from("stdin"), from_stdin()),
    };
    let secrets =
        secrets.map_err(|error| Failure::Usage(format!("{}: {error}", place.display())))?;
    for (name, secret) in config::secrets(&place, secrets)? {
        connection = connection.with(name, secret);
    }
    let faults =
        config::faults(&connection, declared).map_err(|what| Failure::Usage(what.into()))?;
    if !faults.is_empty() {
        return Err(Failure::Usage(faults.join("\n")));
    }
    store.put(id, &connection).await?;
    Ok(writeln!(out, "added {}", counted(1))?)
}

fn is_taken<T>(read: Result<T, StoreError>) -> Result<bool, StoreError> {
    match read {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// All of it, into memory that is wiped, save for what the system keeps of a pipe.
fn from_stdin() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        eprintln!("secrets, as lines such as `token = \"...\"`; then Ctrl-D:");
    }
    // At its final size, as a buffer that grows leaves copies behind.
    let mut buffer = Zeroizing::new(vec![0; MOST + 1]);
    let mut length = 0;
    loop {
        let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) else {
            return Err(io::Error::other("these are too many secrets"));
        };
        match stdin.read(room) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default().to_vec())
}
