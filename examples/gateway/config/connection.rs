//! `[connection.*]`: the customers' accounts, each checked against its integration.
//!
//! What a call would have to refuse is refused here already: a missing variable or secret is a
//! mistake in the file.

use std::collections::BTreeMap;

use toml::Spanned;
use tower_passthrough::{Connection, ConnectionId};

use super::Folder;
use super::file;
use super::integration::Declared;
use super::problem::{Problem, Problems};
use super::secret;

/// The connections of these tables. Of integrations that are `at_fault` nothing more is said.
pub(super) fn all(
    tables: BTreeMap<Spanned<String>, Spanned<file::Connection>>,
    declared: &Declared,
    at_fault: impl Fn(&str) -> bool,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Vec<(String, Connection)> {
    let mut built = Vec::new();
    for (id, table) in tables {
        if let Err(error) = ConnectionId::try_from(id.get_ref().as_str()) {
            problems.push(Problem::at(&id, error.to_string()));
        }
        let place = Spanned::new(table.span(), ());
        let integration = Spanned::new(table.get_ref().integration.span(), ());
        let connection = one(table.into_inner(), folder, problems);
        if at_fault(connection.integration()) {
            continue;
        }
        match faults(&connection, declared) {
            Ok(faults) => {
                for fault in faults {
                    problems.push(Problem::at(&place, fault));
                }
            }
            Err(unknown) => problems.push(Problem::at(&integration, unknown)),
        }
        built.push((id.into_inner(), connection));
    }
    built
}

fn one(table: file::Connection, folder: Folder<'_>, problems: &mut Problems) -> Connection {
    let mut connection = Connection::new(table.integration.into_inner());
    for (name, value) in table.variables {
        connection = connection.variable(name, value);
    }
    for (name, source) in table.secret {
        // One that can't be read isn't missing as well.
        let secret = problems.ok(secret::read(&source, folder));
        connection = connection.with(name, secret.unwrap_or_else(|| "".into()));
    }
    connection
}

/// What its integration lacks of a connection.
///
/// # Errors
///
/// There is no such integration.
pub(crate) fn faults(
    connection: &Connection,
    declared: &Declared,
) -> Result<Vec<String>, &'static str> {
    let (upstream, needs) = declared.get(connection.integration()).ok_or(
        "there is no integration of that name in the config file; \
         the bundled catalog is not yet supported",
    )?;
    let mut faults = Vec::new();
    if let Err(error) = upstream.expand(connection.variables()) {
        faults.push(error.to_string());
    }
    let has = |name: &str| connection.credential().get(name).is_some();
    for missing in needs.missing(has) {
        faults.push(format!(
            "missing key {missing}, which the integration's `auth` sends"
        ));
    }
    Ok(faults)
}
