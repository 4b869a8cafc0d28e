#![doc = include_str!("docs.md")]

mod changes;
mod error;
mod pause;
mod pool;
mod rotate;
mod rows;
mod schema;
mod servers;
mod statements;
mod store;
mod tls;

pub use tower_passthrough::durable::{CacheStatus, InvalidKey, KeyRotationReport, Keys};

pub use self::error::PostgresStoreError;
pub use self::schema::Migrations;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::durable::ConnectionCache;

use self::changes::{ChangeLog, Sweeper};
use self::error::InternalError;
use self::pool::Pool;
use self::rows::Database;
use self::schema::Schema;
use self::servers::Password;
use self::statements::Statements;
use self::tls::Tls;

/// A [`ConnectionStore`](tower_passthrough::store::ConnectionStore) in a PostgreSQL database. Cloning increments a reference count; clones
/// share their cache and their connections to the database.
///
/// Any number of processes on any number of machines may use a database at the same time.
#[derive(Clone)]
pub struct PostgresStore(Arc<Shared>);

struct Shared {
    database: Arc<Database>,
    cache: ConnectionCache<ChangeLog>,
}

/// Builds a [`PostgresStore`].
#[must_use]
pub struct PostgresStoreBuilder {
    keys: Keys,
    password: Password,
    roots: Vec<Vec<u8>>,
    schema: String,
    migrations: Migrations,
    connections: usize,
    statement_timeout: Duration,
    cache_entries: u64,
    cache_bytes: u64,
    staleness: Duration,
    outage_grace: Duration,
    is_plaintext_allowed: bool,
    is_volatile_allowed: bool,
}

impl PostgresStoreBuilder {
    /// Sets the password, in place of the URL's password. Default: the URL's password.
    pub fn password(mut self, password: Secret) -> Self {
        self.password = Password::Fixed(password);
        self
    }

    /// Sets the file that contains the password, in place of the URL's password. A line break at its end is ignored.
    ///
    /// The file is read for each connection to the database, so that the password can be replaced while calls are running. Default: the
    /// URL's password.
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password = Password::File(path.into());
        self
    }

    /// Trusts the certificates of a PEM text, in place of the bundled roots of Mozilla. Call it several times for several texts.
    ///
    /// The server's certificate must be signed by a trusted certificate, and must be valid for the host of the URL. Default: the bundled
    /// roots of Mozilla.
    pub fn root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Sets the schema of the tables. It must contain no tables of other programs. Default: `passthrough`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// Sets what happens if the tables are missing or of an older version. Default: [`Migrations::Run`].
    pub const fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = migrations;
        self
    }

    /// Sets the maximum number of connections to the database. They are opened when they are needed. `0` counts as 1.
    ///
    /// If there are two or more, one is kept for the commits of refreshed tokens and for the question for changes.
    ///
    /// Up to 64 more reads and writes wait for a connection; others fail with [`PostgresStoreError::Overloaded`]. Default: 4.
    pub const fn connections(mut self, most: usize) -> Self {
        self.connections = if most == 0 { 1 } else { most };
        self
    }

    /// Sets the maximum time of a statement in the server. An operation fails a second later if there is no answer.
    ///
    /// The time also limits the wait for a connection to the database. Default: 5 s.
    pub const fn statement_timeout(mut self, time: Duration) -> Self {
        self.statement_timeout = time;
        self
    }

    /// Sets the maximum number of decrypted connections in memory, in addition to [`cache_bytes`](Self::cache_bytes).
    ///
    /// A connection that isn't called for 10 minutes is removed earlier. `0` turns caching off.
    ///
    /// Default: no limit.
    pub const fn cache_entries(mut self, most: u64) -> Self {
        self.cache_entries = most;
        self
    }

    /// Sets the maximum memory of decrypted connections, in bytes, as far as it can be estimated.
    ///
    /// A connection with a short token takes about 1 KiB, and a connection with tokens of 2 KiB about 6 KiB. `0` turns caching off.
    ///
    /// Default: 64 MiB.
    pub const fn cache_bytes(mut self, most: u64) -> Self {
        self.cache_bytes = most;
        self
    }

    /// Sets the maximum time for which a change by another process may not be visible yet.
    ///
    /// A change by this process is visible at once, and a new connection is always found. The store asks the database for changes at
    /// most once in that time, and only if there are calls. If the time is zero, the store asks for each call.
    ///
    /// Default: 1 s.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Sets the time for which cached connections are still used while the database can't be reached, for example during a fail-over.
    ///
    /// The time begins when the database was last asked successfully. Connections that aren't cached can't be called meanwhile, and
    /// tokens aren't refreshed. A connection that another process has removed can be called for up to that time if the database can't be
    /// reached after the removal. `0` makes each call fail while the database can't be reached.
    ///
    /// Default: 60 s.
    pub const fn outage_grace(mut self, time: Duration) -> Self {
        self.outage_grace = time;
        self
    }

    /// Returns the settings that endanger connections, or the data that is sent to the database.
    pub const fn dangerous(self) -> DangerousPostgresStoreBuilder {
        DangerousPostgresStoreBuilder(self)
    }

    /// Opens the database at that URL, such as `postgres://user:password@host:5432/database`. See [`PostgresStore::open`].
    ///
    /// # Errors
    ///
    /// The same errors as [`PostgresStore::open`].
    ///
    /// # Cancel safety
    ///
    /// The same as for [`PostgresStore::open`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(self, url: &Secret) -> Result<PostgresStore, PostgresStoreError> {
        let pool = self.pool(url)?;
        let schema = Schema {
            pool: &pool,
            name: &self.schema,
        };
        schema.check_server(self.is_volatile_allowed).await?;
        schema.prepare(self.migrations).await?;
        schema.check_keys(&self.keys).await?;
        let statements = Arc::new(Statements::new(&self.schema));
        let sweeper = Sweeper::new();
        sweeper.sweep(&pool, &statements);
        let log = ChangeLog {
            pool: pool.clone(),
            statements: Arc::clone(&statements),
            sweeper,
            is_late: AtomicBool::new(false),
        };
        let cache = ConnectionCache::builder(log)
            .max_entries(self.cache_entries)
            .max_bytes(self.cache_bytes)
            .staleness(self.staleness)
            .outage_grace(self.outage_grace);
        let proof = self.keys.proof().map_err(InternalError::from)?;
        let database = Arc::new(Database {
            pool,
            proof,
            keys: self.keys,
            statements,
        });
        Ok(PostgresStore(Arc::new(Shared {
            database,
            cache: cache.build(),
        })))
    }

    /// Checks that the database at that URL can be opened with these settings, and changes nothing: no table is created or migrated,
    /// and no key is noted.
    ///
    /// If the tables are missing and may be created ([`Migrations::Run`]), the privilege for that is checked.
    ///
    /// # Errors
    ///
    /// The same errors as [`PostgresStore::open`], as far as reading can find them.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn check(self, url: &Secret) -> Result<(), PostgresStoreError> {
        let pool = self.pool(url)?;
        let schema = Schema {
            pool: &pool,
            name: &self.schema,
        };
        schema.check_server(self.is_volatile_allowed).await?;
        if schema.check(self.migrations).await? {
            schema.check_keys(&self.keys).await?;
        }
        Ok(())
    }

    /// Returns the pool, without any connection yet.
    fn pool(&self, url: &Secret) -> Result<Pool, PostgresStoreError> {
        if !schema::is_name(&self.schema) {
            return Err(PostgresStoreError::InvalidSchema);
        }
        let servers = servers::servers(url, self.is_plaintext_allowed)?;
        let tls = Tls::new(&self.roots)?;
        Ok(Pool::new(
            servers,
            tls,
            self.password.clone(),
            self.connections,
            self.statement_timeout,
        ))
    }
}

/// The settings of a [`PostgresStoreBuilder`] that endanger connections, or the data that is sent to the database.
#[must_use]
pub struct DangerousPostgresStoreBuilder(PostgresStoreBuilder);

impl DangerousPostgresStoreBuilder {
    /// Allows a connection without TLS to a server on another machine, if the URL has `sslmode=disable`.
    ///
    /// The network can then read and change what is sent. Secrets are encrypted before they are sent, but integrations and connection keys
    /// aren't, and an attacker can restore removed connections. Default: without TLS, only servers at Unix sockets and loopback addresses
    /// are used.
    pub fn plaintext(mut self) -> PostgresStoreBuilder {
        self.0.is_plaintext_allowed = true;
        self.0
    }

    /// Allows a server that may lose committed connections in a crash, because of `fsync`, `full_page_writes` or `synchronous_commit`.
    ///
    /// If a token endpoint has rotated a refresh token and the new token is lost, the connection must be authorized again by its owner. Use
    /// it for tests. Default: such a server is refused.
    pub fn volatile(mut self) -> PostgresStoreBuilder {
        self.0.is_volatile_allowed = true;
        self.0
    }
}

impl PostgresStore {
    /// Opens the database at that URL, such as `postgres://user:password@host:5432/database`, with the default settings.
    ///
    /// A URL may have several hosts, separated by commas. The server that can be written to is used, and the others are tried after a
    /// fail-over. Connections are encrypted, and certificates are verified, unless the server is on this machine.
    ///
    /// # Errors
    ///
    /// [`PostgresStoreError`], in particular [`WrongKey`](PostgresStoreError::WrongKey) if `keys` lack a key that records are encrypted
    /// with. Tables of a newer version or of another program aren't changed. If the server can't be reached, opening fails after a single
    /// attempt per server.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the tables may be created or migrated nevertheless.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(url: &Secret, keys: Keys) -> Result<Self, PostgresStoreError> {
        Self::builder(keys).open(url).await
    }

    /// Returns a builder, to change the settings.
    pub fn builder(keys: Keys) -> PostgresStoreBuilder {
        PostgresStoreBuilder {
            keys,
            password: Password::InUrl,
            roots: Vec::new(),
            schema: "passthrough".to_owned(),
            migrations: Migrations::Run,
            connections: 4,
            statement_timeout: Duration::from_secs(5),
            cache_entries: u64::MAX,
            cache_bytes: 64 << 20,
            staleness: Duration::from_secs(1),
            outage_grace: Duration::from_secs(60),
            is_plaintext_allowed: false,
            is_volatile_allowed: false,
        }
    }

    /// Returns the state of the connections in memory, for metrics.
    #[must_use]
    pub fn cache_status(&self) -> CacheStatus {
        self.0.cache.status()
    }

    /// Encrypts all records of other keys again with the current key, while this process and other processes read and write.
    ///
    /// Versions don't change. If the operation is stopped, the next call skips the records that are already encrypted again. After it, the
    /// database can be opened without the other keys, unless another process still writes with another key or some records are
    /// [`unreadable`](KeyRotationReport::unreadable).
    ///
    /// # Errors
    ///
    /// [`PostgresStoreError::Unavailable`] if the database can't be used. The records that were already encrypted again are retained.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the operation after the current batch.
    pub async fn reencrypt(&self) -> Result<KeyRotationReport, PostgresStoreError> {
        let mut report = KeyRotationReport::default();
        let mut after = String::new();
        while let Some(last) = self.0.database.reencrypt_after(&after, &mut report).await? {
            after = last;
        }
        report.keys = self.0.database.forget_keys().await?;
        Ok(report)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("migrations", &self.migrations)
            .field("connections", &self.connections)
            .field("statement_timeout", &self.statement_timeout)
            .field("cache_entries", &self.cache_entries)
            .field("cache_bytes", &self.cache_bytes)
            .field("staleness", &self.staleness)
            .field("outage_grace", &self.outage_grace)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DangerousPostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
mod readme {}
