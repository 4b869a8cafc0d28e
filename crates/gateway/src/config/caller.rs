//! `[[caller]]`: the API keys, and the permissions of each key.

use std::net::SocketAddr;
use std::sync::Arc;

use toml::Spanned;
use tower_passthrough::Scope;

use super::Folder;
use super::file::Caller as Table;
use super::problem::{Problem, Problems};
use super::secret;
use crate::callers::{Caller, Callers, KeyDigest, digest, unusable};

pub(super) fn all(
    tables: Vec<Spanned<Table>>,
    listen: SocketAddr,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Callers {
    if tables.is_empty() {
        if !listen.ip().is_loopback() {
            problems.push(Problem::of_file(
                "without a [[caller]], everybody who reaches the listener may use each connection; add a [[caller]], or listen on loopback",
            ));
        }
        return Callers::anyone();
    }
    let mut keys: Vec<(KeyDigest, Arc<Caller>)> = Vec::new();
    for (table, number) in tables.into_iter().zip(1..) {
        let table = table.into_inner();
        let place = Spanned::new(table.api_key.span(), ());
        let scope = scope(&table, problems);
        let Some(key) = problems.ok(secret::read(&table.api_key, folder)) else {
            continue;
        };
        let digest = digest(key.expose());
        if let Some(why) = unusable(&key) {
            problems.push(Problem::at(
                &place,
                format!("the key {why}, so a header field can't carry it"),
            ));
        } else if keys.iter().any(|(known, _)| *known == digest) {
            problems.push(Problem::at(
                &place,
                "another [[caller]] has the same key; each caller needs its own",
            ));
        }
        keys.push((
            digest,
            Arc::new(Caller::new(number, digest, table.connections, scope)),
        ));
    }
    Callers::Keys(keys)
}

/// Returns the allowed methods and paths. An empty list is a problem, because the caller could do
/// nothing.
fn scope(table: &Table, problems: &mut Problems) -> Scope {
    let mut scope = Scope::all();
    if let Some(methods) = &table.methods {
        if methods.get_ref().is_empty() {
            problems.push(Problem::at(
                methods,
                "expected at least one method; to allow all, remove the key",
            ));
        }
        scope = scope.methods(methods.get_ref().iter().map(|method| method.0.clone()));
    }
    if let Some(paths) = &table.paths {
        if paths.get_ref().is_empty() {
            problems.push(Problem::at(
                paths,
                "expected at least one path; to allow all, remove the key",
            ));
        }
        scope = scope.paths(paths.get_ref());
    }
    scope
}
