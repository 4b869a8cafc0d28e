//! The commands: `connections ...` for the connections of a store, and `catalog ...` for the facts about integrations.
//!
//! The commands that change connections can be used while gateways are running. A gateway sees the changes within the
//! store's staleness. A command writes nothing unless its whole input is valid.

mod add;
pub(crate) mod catalog;
mod copy;
mod hold;
mod import;
mod input;
mod list;
mod revive;
pub(crate) mod verify;

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use tower_passthrough::StoreError;
use tower_passthrough::durable::KeyRotationReport;
use tower_passthrough::store::{ConnectionKey, ConnectionStore};
#[cfg(feature = "postgres")]
use tower_passthrough_postgres::PostgresStore;
#[cfg(feature = "redis")]
use tower_passthrough_redis::RedisStore;
use tower_passthrough_sqlite::SqliteStore;

use crate::USAGE;
use crate::cli::Connections;
use crate::config::{ConfigError, Declared, Limits, Store};
use crate::rates;
use crate::store::{self, OpenError};

/// The maximum number of connections that a message lists.
const LISTED: usize = 10;

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or a file is wrong.
    Usage(String),
    /// Any other failure.
    Other(String),
    /// The output already contains the reason.
    Told,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::Other(what) => f.write_str(what),
            Self::Told => f.write_str("see the output"),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Other(text)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let what = error.to_string();
        match error.is_configs() {
            true => Self::Usage(what),
            false => Self::Other(what),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// A store whose secrets can be encrypted again, and whose revoked grants can be made active.
pub(crate) trait Maintain {
    /// Encrypts with the newest key all secrets that are encrypted with other keys.
    async fn rotate(&self) -> Result<KeyRotationReport, StoreError>;

    /// Marks a revoked grant as active. Returns `false` if it's active already.
    async fn revive(&self, key: &ConnectionKey) -> Result<bool, StoreError>;
}

macro_rules! maintain {
    ($store:ty) => {
        impl Maintain for $store {
            async fn rotate(&self) -> Result<KeyRotationReport, StoreError> {
                self.reencrypt().await.map_err(StoreError::unavailable)
            }

            async fn revive(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
                self.revive(key).await
            }
        }
    };
}

maintain!(SqliteStore);
#[cfg(feature = "postgres")]
maintain!(PostgresStore);
#[cfg(feature = "redis")]
maintain!(RedisStore);

/// Opens the store, runs the command, and prints the result.
pub(crate) fn main(command: &Connections, store: &Store, declared: &Declared) -> ExitCode {
    ended(block_on(async {
        let mut out = BufWriter::new(io::stdout().lock());
        let done = match store {
            Store::File(_) => Err(Failure::Usage("there is no persistent [store]".to_owned())),
            Store::Sqlite(sqlite) => {
                let store = store::open(sqlite).await?;
                run(command, &store, declared, &mut out).await
            }
            #[cfg(feature = "postgres")]
            Store::Postgres(database) => {
                let store = store::open_postgres(database).await?;
                run(command, &store, declared, &mut out).await
            }
            #[cfg(not(feature = "postgres"))]
            Store::Postgres(_) => Err(OpenError::without("postgres").into()),
            #[cfg(feature = "redis")]
            Store::Redis(server) => {
                let store = store::open_redis(server).await?;
                run(command, &store, declared, &mut out).await
            }
            #[cfg(not(feature = "redis"))]
            Store::Redis(_) => Err(OpenError::without("redis").into()),
        };
        // Connections that were changed are printed, also if the command failed later.
        out.flush()?;
        done
    }))
}

/// Creates or migrates the tables of the store.
pub(crate) fn migrate(store: Store) -> ExitCode {
    ended(block_on(async {
        match store {
            Store::File(_) => {
                let what = "there is no persistent [store], so there is nothing to migrate";
                return Err(Failure::Usage(what.to_owned()));
            }
            Store::Sqlite(sqlite) => drop(store::open(&sqlite).await?),
            #[cfg(feature = "postgres")]
            Store::Postgres(mut database) => {
                database.migrations = crate::config::Migrations::Run;
                drop(store::open_postgres(&database).await?);
            }
            #[cfg(not(feature = "postgres"))]
            Store::Postgres(_) => return Err(OpenError::without("postgres").into()),
            #[cfg(feature = "redis")]
            Store::Redis(server) => drop(store::open_redis(&server).await?),
            #[cfg(not(feature = "redis"))]
            Store::Redis(_) => return Err(OpenError::without("redis").into()),
        }
        writeln!(io::stdout(), "the store's tables are up to date")?;
        Ok(())
    }))
}

/// Prints the reason of a failure, and returns the exit code.
fn ended(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(failure @ Failure::Usage(_)) => {
            eprintln!("{failure}");
            ExitCode::from(USAGE)
        }
        Err(failure @ Failure::Other(_)) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Checks that the store can be opened, if it exists, and that the server that counts rates can be reached. Nothing is written.
pub(crate) fn check(store: &Store, limits: &Limits, is_good: impl FnOnce()) -> ExitCode {
    ended(block_on(async {
        match store {
            Store::File(_) => {}
            Store::Sqlite(sqlite) => store::check(sqlite).await?,
            #[cfg(feature = "postgres")]
            Store::Postgres(database) => store::check_postgres(database).await?,
            #[cfg(not(feature = "postgres"))]
            Store::Postgres(_) => return Err(OpenError::without("postgres").into()),
            #[cfg(feature = "redis")]
            Store::Redis(server) => store::check_redis(server).await?,
            #[cfg(not(feature = "redis"))]
            Store::Redis(_) => return Err(OpenError::without("redis").into()),
        }
        if let Some(source) = limits.rates_source() {
            rates::check(source, store).await?;
        }
        is_good();
        Ok(())
    }))
}

fn block_on(done: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime?.block_on(done)
}

/// Runs the command, and prints the result to `out`.
pub(crate) async fn run<S: ConnectionStore + Maintain>(
    command: &Connections,
    store: &S,
    declared: &Declared,
    out: &mut impl Write,
) -> Result<(), Failure> {
    match command {
        Connections::Import(wanted) => import::import(wanted, store, declared, out).await,
        Connections::Copy(wanted) => copy::copy(wanted, store, declared, out).await,
        Connections::List => list::list(store, out).await,
        Connections::Add(wanted) => add::add(wanted, store, declared, out).await,
        Connections::Remove { ids } => remove(ids, store, out).await,
        Connections::Verify { .. } => Err(Failure::Usage(
            "this command needs the gateway's settings".to_owned(),
        )),
        Connections::Revive(wanted) => revive::revive(wanted, store, out).await,
        Connections::RotateKey => {
            let rotated = store.rotate().await?;
            writeln!(out, "re-encrypted {}", counted(rotated.connections))?;
            match rotated.unreadable {
                0 => Ok(()),
                stay => Err(Failure::Other(format!(
                    "no key can decrypt {}; keep the keys in `keys`, or add the missing key there",
                    counted(stay)
                ))),
            }
        }
    }
}

/// Removes the connections that exist, also if some of the ids are unknown.
async fn remove(
    ids: &[ConnectionKey],
    store: &impl ConnectionStore,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    let mut removed = 0;
    for id in ids {
        if store.remove(id).await? {
            removed += 1;
        } else {
            unknown.push(list::escaped(id.as_str()));
        }
    }
    writeln!(out, "removed {}", counted(removed))?;
    if unknown.is_empty() {
        return Ok(());
    }
    Err(missing(&unknown))
}

/// Returns the failure for connections that don't exist.
fn missing(unknown: &[String]) -> Failure {
    let unknown = unknown.join(", ");
    Failure::Other(format!("the connection {unknown} doesn't exist"))
}

/// Returns the ids for a message, or the first of them.
fn listed(ids: &[&str]) -> String {
    let shown = ids.iter().take(LISTED).map(|id| list::escaped(id));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match ids.len().checked_sub(LISTED) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn counted(connections: u64) -> String {
    let end = if connections == 1 { "" } else { "s" };
    format!("{connections} connection{end}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;
    use tower_passthrough::{Connection, MemoryStore};

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::config;

    impl Maintain for MemoryStore {
        async fn revive(&self, key: &ConnectionKey) -> Result<bool, StoreError> {
            let record = tower_passthrough::store::TokenStore::read(self, key).await?;
            self.put(key, &record.connection).await?;
            Ok(record.state == tower_passthrough::store::GrantState::Revoked)
        }

        async fn rotate(&self) -> Result<KeyRotationReport, StoreError> {
            Ok(KeyRotationReport::default())
        }
    }

    const CONFIG: &str = "[integration.v]\nbase_url = \"https://{region}.v.test\"\n\
                          auth = { kind = \"bearer\" }\n";

    /// A folder with a config file, and with another file of that content.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str, other: &str) -> io::Result<Self> {
            let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("gateway.toml"), CONFIG)?;
            std::fs::write(folder.join("other.toml"), other)?;
            Ok(Self(folder))
        }

        /// Returns the output of a command, and the reason why it failed. `OTHER` is replaced by the path of the other file.
        async fn run(&self, store: &MemoryStore, arguments: &[&str]) -> (String, String) {
            let config = self.0.join("gateway.toml");
            let other = self.0.join("other.toml").display().to_string();
            let arguments = arguments.iter().map(|argument| match *argument {
                "OTHER" => other.clone(),
                argument => argument.to_owned(),
            });
            let cli = Cli::try_parse_from(
                ["gateway".to_owned(), "connections".to_owned()]
                    .into_iter()
                    .chain(arguments),
            );
            let Ok(Some(Command::Connections(command))) = cli.map(|cli| cli.command) else {
                unreachable!("these are arguments of a command");
            };
            let Ok(loaded) = config::load(&config, None, config::Purpose::Command) else {
                unreachable!("the config is good");
            };
            let mut out = Vec::new();
            let declared = &loaded.config.declared;
            let done = run(&command, store, declared, &mut out).await;
            let failure = match done {
                Ok(()) => String::new(),
                Err(Failure::Usage(what)) => format!("2 {}", what.replace(&other, "OTHER")),
                Err(Failure::Other(what)) => format!("1 {what}"),
                Err(Failure::Told) => "1".to_owned(),
            };
            (String::from_utf8_lossy(&out).into_owned(), failure)
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn ok(printed: &str) -> (String, String) {
        (printed.to_owned(), String::new())
    }

    fn failed(why: &str) -> (String, String) {
        (String::new(), why.to_owned())
    }

    async fn token(store: &MemoryStore, id: &str) -> Option<String> {
        let id = ConnectionKey::try_from(id).ok()?;
        let read = tower_passthrough::store::TokenStore::read(store, &id).await;
        let token = read.ok()?.connection.credential().get("token")?.clone();
        String::from_utf8(token.expose().to_vec()).ok()
    }

    #[tokio::test]
    async fn what_is_imported_replaces_and_is_listed() -> io::Result<()> {
        let connection = |id: &str, token: &str| {
            format!(
                "[connection.{id}]\nintegration = \"v\"\nvariables = {{ region = \"eu\" }}\n\
                 secret = {{ token = \"{token}\" }}\n"
            )
        };
        let whole = format!(
            "listen = \"127.0.0.1:1\"\n{CONFIG}{}{}",
            connection("b", "new"),
            connection("a", "other")
        );
        let files = Files::new("import", &whole)?;
        let old = Connection::new("v").with_secret("token", "old");
        let store = MemoryStore::from_iter([("b", old.clone()), ("c", old)]);
        let imported = files.run(&store, &["import", "OTHER"]).await;
        assert_eq!(imported, ok("imported 2 connections\n"));
        let listed = files.run(&store, &["list"]).await;
        assert_eq!(listed, ok("a\tv\tlive\nb\tv\tlive\nc\tv\tlive\n"));
        assert_eq!(token(&store, "b").await.as_deref(), Some("new"));
        assert_eq!(token(&store, "c").await.as_deref(), Some("old"));
        Ok(())
    }

    #[tokio::test]
    async fn a_file_that_is_at_fault_changes_nothing() -> io::Result<()> {
        let good = "[connection.a]\nintegration = \"v\"\nvariables = { region = \"eu\" }\n\
                    secret = { token = \"s3cr3t\" }\n";
        let missing = "missing key `secret.token`, which the integration's `auth` needs";
        for (rest, expected) in [
            (
                "[connection.b]\nintegration = \"w\"".to_owned(),
                "OTHER:6:15: connection.b.integration: neither the config file nor the catalog has an integration with this name"
                    .to_owned(),
            ),
            (
                "[connection.b]\nintegration = \"v\"\nvariables = { region = \"eu\" }".to_owned(),
                format!("OTHER:5:1: connection.b: {missing}"),
            ),
            (
                "[conection.b]\nintegration = \"v\"".to_owned(),
                "OTHER:5:2: conection.b: unknown key, expected [connection.*] tables, or a whole config"
                    .to_owned(),
            ),
        ] {
            let files = Files::new("faults", &format!("{good}{rest}"))?;
            let store = MemoryStore::new();
            let imported = files.run(&store, &["import", "OTHER"]).await;
            assert_eq!(imported, failed(&format!("2 {expected}")));
            assert_eq!(files.run(&store, &["list"]).await, ok(""));
        }
        let files = Files::new("nothing", "[caller]")?;
        let imported = files.run(&MemoryStore::new(), &["import", "OTHER"]).await;
        let expected = "2 OTHER:1:1: the file contains no [connection.*] tables";
        assert_eq!(imported, failed(expected));
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_is_added_with_its_secrets_from_a_file() -> io::Result<()> {
        let files = Files::new("add", "token = \"s3cr3t\"")?;
        let store = MemoryStore::new();
        let add = ["add", "a", "--integration", "v", "--secrets", "OTHER"];
        let missing = files.run(&store, &add).await;
        assert_eq!(missing, failed("2 the variable `region` is missing"));
        let add = [&add[..], &["--variable", "region=eu"]].concat();
        assert_eq!(files.run(&store, &add).await, ok("added 1 connection\n"));
        assert_eq!(token(&store, "a").await.as_deref(), Some("s3cr3t"));
        let again = "1 the connection a already exists; --replace replaces it";
        assert_eq!(files.run(&store, &add).await, failed(again));
        let replace = [&add[..], &["--replace"]].concat();
        let replaced = files.run(&store, &replace).await;
        assert_eq!(replaced, ok("added 1 connection\n"));

        let unknown = ["add", "b", "--integration", "w", "--secrets", "OTHER"];
        let (_, unknown) = files.run(&store, &unknown).await;
        let expected = "2 --integration: neither the config file nor the catalog has ";
        assert!(unknown.starts_with(expected), "{unknown}");
        let files = Files::new("broken", "token = s3cr3t")?;
        let (_, broken) = files.run(&store, &replace).await;
        assert!(broken.starts_with("2 OTHER:1:9: "), "{broken}");
        assert!(!broken.contains("s3cr3t"), "{broken}");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_removed_is_gone_and_what_was_not_there_is_named() -> io::Result<()> {
        let files = Files::new("remove", "")?;
        let a = Connection::new("v");
        let store = MemoryStore::from_iter([("a", a.clone()), ("b", a.clone()), ("c", a)]);
        let removed = files.run(&store, &["remove", "a"]).await;
        assert_eq!(removed, ok("removed 1 connection\n"));
        let (printed, failure) = files.run(&store, &["remove", "a", "b", "x\u{202e}"]).await;
        assert_eq!(printed, "removed 1 connection\n");
        assert_eq!(failure, "1 the connection a, x\\u{202e} doesn't exist");
        assert_eq!(files.run(&store, &["list"]).await, ok("c\tv\tlive\n"));
        let rotated = files.run(&store, &["rotate-key"]).await;
        assert_eq!(rotated, ok("re-encrypted 0 connections\n"));
        Ok(())
    }
}
