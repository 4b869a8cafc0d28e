//! `[[caller]]`: the API keys, and the permissions of each key.

use std::collections::HashSet;
use std::sync::Arc;

use toml::Spanned;
use tower_passthrough::Scope;

use super::Folder;
use super::file::Caller as Table;
use super::problem::{Problem, Problems};
use super::secret;
use super::warnings::is_braced_placeholder;
use crate::callers::{Caller, Callers, KeyDigest, digest, unusable};

/// Reports that the file doesn't say who may call.
pub(super) fn required(
    tables: &[Spanned<Table>],
    anyone: Option<&Spanned<bool>>,
    problems: &mut Problems,
) {
    if tables.is_empty() && !anyone.is_some_and(|anyone| *anyone.get_ref()) {
        problems.push(Problem::of_file(
            "without a [[caller]], everybody who reaches the listener could use each connection; add a [[caller]], or allow that with `anyone = true`",
        ));
    }
}

pub(super) fn all(
    tables: Vec<Spanned<Table>>,
    anyone: Option<&Spanned<bool>>,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Callers {
    if tables.is_empty() {
        return Callers::anyone();
    }
    if let Some(anyone) = anyone.filter(|anyone| *anyone.get_ref()) {
        problems.push(Problem::at(
            anyone,
            "the [[caller]] tables have no effect with `anyone = true`; remove this key, or the [[caller]] tables",
        ));
    }
    let mut keys: Vec<(KeyDigest, Arc<Caller>)> = Vec::new();
    let names = names(&tables, problems);
    for (table, name) in tables.into_iter().zip(names) {
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
        } else if is_braced_placeholder(key.expose()) {
            problems.push(Problem::at(
                &place,
                "the key is a placeholder such as \"${NAME}\", which nothing replaces; write { env = \"NAME\" } here, or the key itself into the variable or the file",
            ));
        } else if keys.iter().any(|(known, _)| *known == digest) {
            problems.push(Problem::at(
                &place,
                "another [[caller]] has the same key; each caller needs its own",
            ));
        }
        keys.push((
            digest,
            Arc::new(Caller::new(name, digest, table.connections, scope)),
        ));
    }
    Callers::Keys(keys)
}

/// Returns the name of each caller for logs. Each name must identify a single caller, also beside the
/// names that callers without a `name` have by their position.
fn names(tables: &[Spanned<Table>], problems: &mut Problems) -> Vec<String> {
    let by_position = |index: usize| format!("caller-{}", index + 1);
    let mut names: Vec<String> = Vec::with_capacity(tables.len());
    let given = |index: usize| {
        tables
            .get(index)
            .and_then(|table| table.get_ref().name.as_ref())
    };
    let mut taken: HashSet<String> = (0..tables.len())
        .filter(|&index| given(index).is_none())
        .map(by_position)
        .collect();
    for index in 0..tables.len() {
        let Some(name) = given(index) else {
            names.push(by_position(index));
            continue;
        };
        let text = name.get_ref();
        if text.trim() != text || text.is_empty() || !is_printable(text) {
            problems.push(Problem::at(
                name,
                "expected a name of printable characters, without a blank at its beginning or end",
            ));
        } else if !taken.insert(text.clone()) {
            problems.push(Problem::at(
                name,
                "another [[caller]] has the same name; without `name`, a caller's name is `caller-` and its position",
            ));
        }
        names.push(text.clone());
    }
    names
}

/// Returns `true` if a log line shows the text as it's written. Quotation marks and backslashes are
/// escaped there, and are allowed.
fn is_printable(text: &str) -> bool {
    text.chars().all(|char| {
        matches!(char, '"' | '\'' | '\\') || char.escape_debug().eq(std::iter::once(char))
    })
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
    if let Some(websockets) = table.websockets {
        scope = scope.websockets(websockets);
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
