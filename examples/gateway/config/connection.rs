//! `[connection.*]`: the customers' accounts, each checked against its integration.
//!
//! What a call would have to refuse is refused here already: a missing variable or secret is a
//! mistake in the file.

use std::collections::BTreeMap;

use toml::Spanned;
use tower_passthrough::{ConnectionId, Integrations, MemoryStore};

use super::Folder;
use super::file::{Connection, Integration};
use super::problem::{Problem, Problems};
use super::secret;

pub(super) fn all(
    connections: BTreeMap<Spanned<String>, Spanned<Connection>>,
    declared: &BTreeMap<String, Spanned<Integration>>,
    integrations: &Integrations,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> MemoryStore {
    let mut built = Vec::new();
    for (id, connection) in connections {
        if let Err(error) = ConnectionId::try_from(id.get_ref().as_str()) {
            problems.push(Problem::at(&id, error.to_string()));
        }
        // Where the integration itself is at fault, that has been said.
        if !declared.contains_key(connection.get_ref().integration.get_ref()) {
            let what = "there is no integration of that name in this file; \
                        the bundled catalog is not yet supported";
            problems.push(Problem::at(&connection.get_ref().integration, what));
        }
        if let Some(connection) = one(connection, integrations, folder, problems) {
            built.push((id.into_inner(), connection));
        }
    }
    built.into_iter().collect()
}

fn one(
    place: Spanned<Connection>,
    integrations: &Integrations,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<tower_passthrough::Connection> {
    let span = Spanned::new(place.span(), ());
    let file = place.into_inner();
    let name = file.integration.get_ref().as_str();
    let mut connection = tower_passthrough::Connection::new(name);
    for (name, value) in file.variables {
        connection = connection.variable(name, value);
    }
    let mut names = Vec::new();
    for (name, source) in file.secret {
        if let Some(secret) = problems.ok(secret::read(source, folder)) {
            connection = connection.with(name.as_str(), secret);
        }
        names.push(name);
    }
    let upstream = integrations.get(name)?;
    if let Err(error) = upstream.expand(connection.variables()) {
        problems.push(Problem::at(&span, error.to_string()));
    }
    let needed = upstream.scheme().secrets();
    for needed in needed
        .into_iter()
        .filter(|needed| !names.iter().any(|name| name == needed))
    {
        problems.push(Problem::at(
            &span,
            format!("missing key `secret.{needed}`, which the integration's `auth` sends"),
        ));
    }
    Some(connection)
}
