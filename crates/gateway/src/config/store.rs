//! `[store]`: the place where connections are stored. Without this table, or with `kind = "file"`,
//! that is the config file itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use tower_passthrough::Connection;
use tower_passthrough::Secret;
use tower_passthrough_sqlite::Keys;

use super::Folder;
use super::problem::{Problem, Problems};
use super::secret;
use super::value::{Count, Form, SecretSource, Text};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Table {
    pub(super) kind: Option<Spanned<Text<Kind>>>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<SecretSource>>,
    pub(super) keys: Option<Spanned<Vec<Spanned<SecretSource>>>>,
    pub(super) cache_entries: Option<Count>,
    pub(super) staleness: Option<Text<Duration>>,
    /// The former name of `keys`.
    pub(super) old_keys: Option<Spanned<Vec<Spanned<SecretSource>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Sqlite,
    /// A kind that a later version will support.
    Later(&'static str),
}

impl Form for Kind {
    const EXPECTED: &'static str = "\"file\" or \"sqlite\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "file" => Some(Self::File),
            "sqlite" => Some(Self::Sqlite),
            "postgres" => Some(Self::Later("postgres")),
            "redis" => Some(Self::Later("redis")),
            _ => None,
        }
    }
}

/// The place where connections are stored.
#[derive(Debug)]
pub(crate) enum Store {
    /// All connections, which are in the config file.
    File(Vec<(String, Connection)>),
    Sqlite(Sqlite),
}

/// A SQLite file, and the keys that encrypt its secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sqlite {
    pub(crate) path: PathBuf,
    /// In base64. The first key encrypts.
    pub(crate) keys: Vec<Secret>,
    /// `None` for the store's default.
    pub(crate) cache_entries: Option<u64>,
    pub(crate) staleness: Option<Duration>,
}

impl Table {
    /// Returns the kind, unless connections are stored in the config file.
    pub(super) fn kind_elsewhere(&self) -> Option<&'static str> {
        match self.kind.as_ref()?.get_ref().0 {
            Kind::File => None,
            Kind::Sqlite => Some("sqlite"),
            Kind::Later(name) => Some(name),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind_elsewhere().is_none()
    }
}

/// Returns the store outside of the config file. Returns `None` if there is no such store, or if
/// there is a problem.
pub(super) fn read(table: Table, folder: Folder<'_>, problems: &mut Problems) -> Option<Store> {
    let Some(kind) = table.kind.as_ref().filter(|_| !table.is_file()) else {
        only_of_others(&table, problems);
        return None;
    };
    match kind.get_ref().0 {
        Kind::File => {}
        Kind::Sqlite => {
            return sqlite(kind, &table, folder, problems).map(Store::Sqlite);
        }
        Kind::Later(name) => {
            let what = format!("a store of kind \"{name}\"");
            problems.push(Problem::not_yet(kind, &what));
        }
    }
    let _ = folder;
    None
}

/// Reports keys that only belong to a store outside of the config file.
fn only_of_others(table: &Table, problems: &mut Problems) {
    let url = table.url.as_ref().map(|url| Spanned::new(url.span(), ()));
    let key = table.key.as_ref().map(|key| Spanned::new(key.span(), ()));
    let list = |keys: &Option<Spanned<_>>| keys.as_ref().map(|keys| Spanned::new(keys.span(), ()));
    let (keys, old_keys) = (list(&table.keys), list(&table.old_keys));
    for place in [url, key, keys, old_keys].into_iter().flatten() {
        let what = "this key needs `kind = \"sqlite\"`";
        problems.push(Problem::at(&place, what));
    }
}

fn sqlite(
    kind: &Spanned<Text<Kind>>,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Sqlite> {
    let path = match &table.url {
        Some(url) => problems.ok(path(url)).map(|path| folder.file(path)),
        None => {
            let what = "missing key `store.url`, such as \"sqlite://connections.db\"";
            problems.push(Problem::at(kind, what));
            None
        }
    };
    if table.key.is_none() {
        let what = "missing key `store.key`, which encrypts secrets at rest";
        problems.push(Problem::at(kind, what));
    }
    if let (Some(_), Some(old_keys)) = (&table.keys, &table.old_keys) {
        let what = "`old_keys` is another name of `keys`; use only one of the two";
        problems.push(Problem::at(old_keys, what));
    }
    let others = [&table.keys, &table.old_keys].into_iter().flatten();
    let others = others.flat_map(|keys| keys.get_ref());
    let mut keys = Vec::new();
    for source in table.key.iter().chain(others) {
        let key = problems.ok(key(source, folder))?;
        if keys.contains(&key) {
            problems.push(Problem::at(source, "this key is listed twice"));
        }
        keys.push(key);
    }
    table.key.as_ref()?;
    let path = path?;
    Some(Sqlite {
        path,
        keys,
        cache_entries: table.cache_entries.map(|count| count.0),
        staleness: table.staleness.as_ref().map(|time| time.0),
    })
}

/// Returns the path in a URL such as `sqlite://connections.db`. It begins in the folder of the
/// config file, like the other paths in the file. With a third slash, it's absolute.
fn path(url: &Spanned<String>) -> Result<&Path, Problem> {
    let path = url.get_ref().strip_prefix("sqlite://");
    // URI parameters of SQLite would become part of the file's name, so they are refused.
    let path = path
        .filter(|path| !path.is_empty() && *path != ":memory:" && !path.contains(['?', '#', '%']));
    path.map(Path::new).ok_or_else(|| {
        let what = "expected a URL such as \"sqlite://connections.db\", without parameters";
        Problem::at(url, what)
    })
}

/// Reads a key of 32 bytes in base64. Space around the key is ignored, because files and
/// environment variables often contain it. Errors don't contain the value.
fn key(source: &Spanned<SecretSource>, folder: Folder<'_>) -> Result<Secret, Problem> {
    let key = secret::read(source, folder)?;
    let key = Secret::from(key.expose().trim_ascii());
    match Keys::from_base64(&key) {
        Ok(_) => Ok(key),
        Err(_) => Err(Problem::at(
            source,
            "expected 32 bytes in base64 with padding, as `openssl rand -base64 32` prints them",
        )),
    }
}
