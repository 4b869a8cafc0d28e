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
use super::value::{Count, Form, SecretSource, Size, Text};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Table {
    pub(super) kind: Option<Spanned<Text<Kind>>>,
    pub(super) url: Option<Spanned<SecretSource>>,
    pub(super) password: Option<Spanned<SecretSource>>,
    pub(super) key: Option<Spanned<SecretSource>>,
    pub(super) keys: Option<Spanned<Vec<Spanned<SecretSource>>>>,
    pub(super) cache: Option<Spanned<Size>>,
    pub(super) cache_entries: Option<Spanned<Count>>,
    pub(super) staleness: Option<Spanned<Text<Duration>>>,
    pub(super) connections: Option<Spanned<Count>>,
    pub(super) outage_grace: Option<Spanned<Text<Duration>>>,
    pub(super) statement_timeout: Option<Spanned<Text<Duration>>>,
    pub(super) schema: Option<Spanned<String>>,
    pub(super) migrations: Option<Spanned<Text<Migrations>>>,
    pub(super) roots: Option<Spanned<Vec<Spanned<PathBuf>>>>,
    pub(super) durability: Option<Spanned<Text<Durability>>>,
    pub(super) replicas: Option<Spanned<Count>>,
    pub(super) prefix: Option<Spanned<String>>,
    /// The former name of `keys`.
    pub(super) old_keys: Option<Spanned<Vec<Spanned<SecretSource>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Postgres,
    Redis,
    Sqlite,
}

impl Form for Kind {
    const EXPECTED: &'static str = "\"file\", \"postgres\", \"redis\" or \"sqlite\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "file" => Some(Self::File),
            "sqlite" => Some(Self::Sqlite),
            "postgres" => Some(Self::Postgres),
            "redis" => Some(Self::Redis),
            _ => None,
        }
    }
}

/// The handling of tables that are missing or of an older version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Migrations {
    #[default]
    Run,
    Check,
}

impl Form for Migrations {
    const EXPECTED: &'static str = "\"run\" or \"check\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "run" => Some(Self::Run),
            "check" => Some(Self::Check),
            _ => None,
        }
    }
}

/// The reason why a Redis server keeps what it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Durability {
    #[default]
    Aof,
    External,
    None,
}

impl Form for Durability {
    const EXPECTED: &'static str = "\"aof\", \"external\" or \"none\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "aof" => Some(Self::Aof),
            "external" => Some(Self::External),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// The place where connections are stored.
#[derive(Debug)]
pub(crate) enum Store {
    /// All connections, which are in the config file.
    File(Vec<(String, Connection)>),
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "the settings are only checked")
    )]
    Postgres(Postgres),
    #[cfg_attr(
        not(feature = "redis"),
        expect(dead_code, reason = "the settings are only checked")
    )]
    Redis(Redis),
    Sqlite(Sqlite),
}

/// A PostgreSQL database, and the keys that encrypt its secrets. `None` means the store's default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Postgres {
    pub(crate) url: Secret,
    pub(crate) password: Option<Password>,
    /// In base64. The first key encrypts.
    pub(crate) keys: Vec<Secret>,
    pub(crate) connections: Option<u64>,
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) cache_entries: Option<u64>,
    pub(crate) staleness: Option<Duration>,
    pub(crate) outage_grace: Option<Duration>,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) schema: Option<String>,
    pub(crate) migrations: Migrations,
    /// The contents of PEM files.
    pub(crate) roots: Vec<Vec<u8>>,
}

/// A Redis server, and the keys that encrypt its secrets. `None` means the store's default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Redis {
    pub(crate) url: Secret,
    pub(crate) password: Option<Password>,
    /// In base64. The first key encrypts.
    pub(crate) keys: Vec<Secret>,
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) cache_entries: Option<u64>,
    pub(crate) staleness: Option<Duration>,
    pub(crate) outage_grace: Option<Duration>,
    pub(crate) durability: Durability,
    pub(crate) replicas: Option<u64>,
    pub(crate) prefix: Option<String>,
    /// The contents of PEM files.
    pub(crate) roots: Vec<Vec<u8>>,
}

/// The password for a database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Password {
    Fixed(Secret),
    /// Read for each connection to the database.
    File(PathBuf),
}

/// A SQLite file, and the keys that encrypt its secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sqlite {
    pub(crate) path: PathBuf,
    /// In base64. The first key encrypts.
    pub(crate) keys: Vec<Secret>,
    /// `None` for the store's default.
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) cache_entries: Option<u64>,
    pub(crate) staleness: Option<Duration>,
}

impl Table {
    /// Returns the kind, unless connections are stored in the config file.
    pub(super) fn kind_elsewhere(&self) -> Option<&'static str> {
        match self.kind.as_ref()?.get_ref().0 {
            Kind::File => None,
            Kind::Postgres => Some("postgres"),
            Kind::Redis => Some("redis"),
            Kind::Sqlite => Some("sqlite"),
        }
    }

    pub(super) fn is_redis(&self) -> bool {
        let kind = self.kind.as_ref().map(|kind| kind.get_ref().0);
        kind == Some(Kind::Redis)
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
        Kind::File => None,
        Kind::Postgres => {
            only_of_redis(&table, problems);
            postgres(kind, &table, folder, problems).map(Store::Postgres)
        }
        Kind::Redis => {
            only_of_postgres(&table, problems);
            redis(kind, &table, folder, problems).map(Store::Redis)
        }
        Kind::Sqlite => {
            only_of_servers(&table, problems);
            sqlite(kind, &table, folder, problems).map(Store::Sqlite)
        }
    }
}

/// Reports keys that only belong to a store outside of the config file.
fn only_of_others(table: &Table, problems: &mut Problems) {
    for place in [
        place(&table.url),
        place(&table.key),
        place(&table.keys),
        place(&table.old_keys),
        place(&table.cache),
        place(&table.cache_entries),
        place(&table.staleness),
    ]
    .into_iter()
    .flatten()
    {
        let what =
            "this key needs `kind = \"sqlite\"`, `kind = \"postgres\"` or `kind = \"redis\"`";
        problems.push(Problem::at(&place, what));
    }
    only_of_servers(table, problems);
}

/// Reports keys that only belong to a server.
fn only_of_servers(table: &Table, problems: &mut Problems) {
    for place in [
        place(&table.password),
        place(&table.outage_grace),
        place(&table.roots),
    ]
    .into_iter()
    .flatten()
    {
        let what = "this key needs `kind = \"postgres\"` or `kind = \"redis\"`";
        problems.push(Problem::at(&place, what));
    }
    only_of_postgres(table, problems);
    only_of_redis(table, problems);
}

/// Reports keys that only belong to a Redis server.
fn only_of_redis(table: &Table, problems: &mut Problems) {
    for place in [
        place(&table.durability),
        place(&table.replicas),
        place(&table.prefix),
    ]
    .into_iter()
    .flatten()
    {
        problems.push(Problem::at(&place, "this key needs `kind = \"redis\"`"));
    }
}

/// Reports keys that only belong to a PostgreSQL database.
fn only_of_postgres(table: &Table, problems: &mut Problems) {
    for place in [
        place(&table.connections),
        place(&table.statement_timeout),
        place(&table.schema),
        place(&table.migrations),
    ]
    .into_iter()
    .flatten()
    {
        problems.push(Problem::at(&place, "this key needs `kind = \"postgres\"`"));
    }
}

/// Returns the position of a value.
fn place<T>(value: &Option<Spanned<T>>) -> Option<Spanned<()>> {
    value.as_ref().map(|value| Spanned::new(value.span(), ()))
}

fn postgres(
    kind: &Spanned<Text<Kind>>,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Postgres> {
    let url = url(kind, "DATABASE_URL", table, folder, problems);
    let password = password(table.password.as_ref(), folder, problems);
    let roots = roots(table.roots.as_ref(), folder, problems);
    let keys = keys(kind, table, folder, problems);
    Some(Postgres {
        url: url?,
        password,
        keys: keys?,
        connections: table.connections.as_ref().map(|count| count.get_ref().0),
        cache_bytes: table.cache.as_ref().map(|size| size.get_ref().0),
        cache_entries: table.cache_entries.as_ref().map(|count| count.get_ref().0),
        staleness: table.staleness.as_ref().map(|time| time.get_ref().0),
        outage_grace: table.outage_grace.as_ref().map(|time| time.get_ref().0),
        statement_timeout: table
            .statement_timeout
            .as_ref()
            .map(|time| time.get_ref().0),
        schema: table.schema.as_ref().map(|name| name.get_ref().clone()),
        migrations: table
            .migrations
            .as_ref()
            .map(|migrations| migrations.get_ref().0)
            .unwrap_or_default(),
        roots,
    })
}

fn redis(
    kind: &Spanned<Text<Kind>>,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Redis> {
    let url = url(kind, "REDIS_URL", table, folder, problems);
    let password = password(table.password.as_ref(), folder, problems);
    let roots = roots(table.roots.as_ref(), folder, problems);
    let keys = keys(kind, table, folder, problems);
    Some(Redis {
        url: url?,
        password,
        keys: keys?,
        cache_bytes: table.cache.as_ref().map(|size| size.get_ref().0),
        cache_entries: table.cache_entries.as_ref().map(|count| count.get_ref().0),
        staleness: table.staleness.as_ref().map(|time| time.get_ref().0),
        outage_grace: table.outage_grace.as_ref().map(|time| time.get_ref().0),
        durability: table
            .durability
            .as_ref()
            .map(|durability| durability.get_ref().0)
            .unwrap_or_default(),
        replicas: table.replicas.as_ref().map(|count| count.get_ref().0),
        prefix: table.prefix.as_ref().map(|prefix| prefix.get_ref().clone()),
        roots,
    })
}

/// Returns the URL of a server.
fn url(
    kind: &Spanned<Text<Kind>>,
    variable: &str,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Secret> {
    match &table.url {
        Some(url) => problems.ok(secret::read(url, folder)),
        None => {
            let what = format!("missing key `store.url`, such as {{ env = \"{variable}\" }}");
            problems.push(Problem::at(kind, what));
            None
        }
    }
}

/// Returns the password of a server, if it isn't in the URL.
pub(super) fn password(
    source: Option<&Spanned<SecretSource>>,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Password> {
    let source = source?;
    match source.get_ref() {
        SecretSource::File(path) => Some(Password::File(folder.file(path))),
        _ => problems
            .ok(secret::read(source, folder))
            .map(Password::Fixed),
    }
}

/// Returns the contents of the files with root certificates.
pub(super) fn roots(
    paths: Option<&Spanned<Vec<Spanned<PathBuf>>>>,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Vec<Vec<u8>> {
    let mut roots = Vec::new();
    for path in paths.into_iter().flat_map(|roots| roots.get_ref()) {
        let pem = std::fs::read(folder.file(path.get_ref()));
        let pem = pem.map_err(|error| {
            Problem::at(path, format!("the file can't be read: {}", error.kind()))
        });
        roots.extend(problems.ok(pem));
    }
    roots
}

fn sqlite(
    kind: &Spanned<Text<Kind>>,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Sqlite> {
    let path = match &table.url {
        Some(url) => problems.ok(path(url, folder)),
        None => {
            let what = "missing key `store.url`, such as \"sqlite://connections.db\"";
            problems.push(Problem::at(kind, what));
            None
        }
    };
    let keys = keys(kind, table, folder, problems);
    Some(Sqlite {
        path: path?,
        keys: keys?,
        cache_bytes: table.cache.as_ref().map(|size| size.get_ref().0),
        cache_entries: table.cache_entries.as_ref().map(|count| count.get_ref().0),
        staleness: table.staleness.as_ref().map(|time| time.get_ref().0),
    })
}

/// Returns the keys that encrypt secrets, the newest first.
fn keys(
    kind: &Spanned<Text<Kind>>,
    table: &Table,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<Vec<Secret>> {
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
    table.key.as_ref().map(|_| keys)
}

/// Returns the path in a URL such as `sqlite://connections.db`. It begins in the folder of the
/// config file, like the other paths in the file. With a third slash, it's absolute.
fn path(url: &Spanned<SecretSource>, folder: Folder<'_>) -> Result<PathBuf, Problem> {
    let source = secret::read(url, folder)?;
    let path = std::str::from_utf8(source.expose()).ok();
    let path = path.and_then(|path| path.strip_prefix("sqlite://"));
    // URI parameters of SQLite would become part of the file's name, so they are refused.
    let path = path
        .filter(|path| !path.is_empty() && *path != ":memory:" && !path.contains(['?', '#', '%']));
    path.map(|path| folder.file(Path::new(path)))
        .ok_or_else(|| {
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
