//! `connections add ID`.

use std::io::Write;
use std::path::Path;

use tower_passthrough::store::ConnectionKey;
use tower_passthrough::store::ConnectionStore;
use tower_passthrough::{Connection, StoreError};

use super::list::escaped;
use super::{Failure, counted, input};
use crate::cli::Add;
use crate::config::{self, Declared};
use crate::log;

/// The maximum size of a file of secrets, in bytes. The largest secrets are certificates, which are
/// far smaller.
const MOST: usize = 1 << 20;

pub(super) async fn add(
    wanted: &Add,
    store: &impl ConnectionStore,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let id = &ConnectionKey::from(&wanted.id);
    let mut connection = Connection::new(&*wanted.integration);
    for (name, value) in &wanted.variables {
        connection = connection.with_variable(&**name, &**value);
    }
    // Checked before the secrets are read, which could not be used without the integration.
    if !declared.contains(connection.integration()) {
        let what = declared.unknown(connection.integration());
        return Err(Failure::Usage(format!("--integration: {what}")));
    }
    if !wanted.replace && is_taken(store.read(id).await)? {
        let id = escaped(id.as_str());
        let what = format!("the connection {id} already exists; --replace replaces it");
        return Err(Failure::Other(what));
    }
    let place = wanted.secrets.as_deref().unwrap_or(Path::new(input::STDIN));
    let asked_for = "secrets, as lines such as `token = \"...\"`";
    // The path isn't shown, because the user may have entered a secret in its place.
    let unreadable = |_| Failure::Usage("the file of --secrets can't be read".to_owned());
    let (place, secrets) = input::read(place, asked_for, MOST).map_err(unreadable)?;
    for (name, secret) in config::secrets(place, secrets)? {
        connection = connection.with_secret(name, secret);
    }
    let faults = config::faults(&connection, declared).map_err(Failure::Usage)?;
    if !faults.is_empty() {
        return Err(Failure::Usage(faults.join("\n")));
    }
    log::warn(&config::of_connection(id.as_str(), &connection, declared));
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
