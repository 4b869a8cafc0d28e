#![doc = include_str!("docs.md")]

mod changes;
mod client;
mod cluster;
mod error;
mod info;
mod layout;
mod node;
mod open;
mod pause;
mod race;
#[cfg(feature = "rates")]
mod rates;
mod records;
mod rotate;
mod scripts;
mod servers;
mod settings;
mod store;
mod tls;
mod values;

pub use tower_passthrough::durable::{CacheStatus, InvalidKey, KeyRotationReport, Keys};

pub use self::error::RedisStoreError;
pub use self::open::Durability;
#[cfg(feature = "rates")]
pub use self::rates::{DangerousRedisRatesBuilder, RedisRates, RedisRatesBuilder};

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::durable::ConnectionCache;

use self::changes::{ChangeLog, Positions};
use self::client::Client;
use self::error::InternalError;
use self::layout::Layout;
use self::records::Records;
use self::scripts::Scripts;
use self::settings::ServerSettings;

/// A [`ConnectionStore`](tower_passthrough::store::ConnectionStore) in Redis or Valkey. Cloning increments a reference count; clones share
/// their cache and their connections to the server.
///
/// Any number of processes on any number of machines may use a server at the same time.
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

struct Shared {
    records: Arc<Records>,
    cache: ConnectionCache<ChangeLog>,
    #[cfg(feature = "rates")]
    rates: RedisRates,
}

/// Builds a [`RedisStore`].
#[must_use]
pub struct RedisStoreBuilder {
    keys: Keys,
    server: ServerSettings,
    durability: Durability,
    replicas: usize,
    timeout: Duration,
    cache_entries: u64,
    cache_bytes: u64,
    staleness: Duration,
    outage_grace: Duration,
    is_volatile_allowed: bool,
}

impl RedisStoreBuilder {
    /// Sets the password, in place of the URL's password. Default: the URL's password.
    pub fn password(mut self, password: Secret) -> Self {
        self.server.set_password(password);
        self
    }

    /// Sets the file that contains the password, in place of the URL's password. A line break at its end is ignored.
    ///
    /// The file is read for each connection to the server, so that the password can be replaced while calls are running. Default: the
    /// URL's password.
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.server.set_password_file(path.into());
        self
    }

    /// Trusts the certificates of a PEM text, in place of the bundled roots of Mozilla. Call it several times for several texts.
    ///
    /// The server's certificate must be signed by a trusted certificate, and must be valid for the host of the URL. Default: the bundled
    /// roots of Mozilla.
    pub fn root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.server.add_root_pem(pem.into());
        self
    }

    /// Sets the first part of the names of all keys in Redis. No other program may use names that begin with it. Default: `tp`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.server.set_prefix(prefix.into());
        self
    }

    /// Sets the reason why the server keeps what it has acknowledged. Default: [`Durability::Aof`].
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets the number of replicas that must have a connection on their disks before a write of the connection returns.
    ///
    /// If fewer replicas have it after 2 seconds, the write fails with [`RedisStoreError::Unavailable`], and may or may not be stored.
    /// The server must be Redis 7.2 or later, or Valkey (`WAITAOF`), and the replicas need `appendonly yes`. Default: 0.
    pub const fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// Sets the maximum time of an operation, including the wait for a connection to the server. The acknowledgement of a write by
    /// replicas takes up to 9 s more. Default: 5 s.
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
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
    /// A change by this process is visible at once, and a new connection is always found. The store asks the server for changes at
    /// most once in that time, and only if there are calls. If the time is zero, the store asks for each call.
    ///
    /// Default: 1 s.
    pub const fn staleness(mut self, time: Duration) -> Self {
        self.staleness = time;
        self
    }

    /// Sets the time for which cached connections are still used while the server can't be reached, for example during a fail-over.
    ///
    /// The time begins when the server was last asked successfully. Connections that aren't cached can't be called meanwhile, and
    /// tokens aren't refreshed. A connection that another process has removed can be called for up to that time if the server can't be
    /// reached after the removal. `0` makes each call fail while the server can't be reached.
    ///
    /// Default: 60 s.
    pub const fn outage_grace(mut self, time: Duration) -> Self {
        self.outage_grace = time;
        self
    }

    /// Returns the settings that endanger connections, or the data that is sent to the server.
    pub const fn dangerous(self) -> DangerousRedisStoreBuilder {
        DangerousRedisStoreBuilder(self)
    }

    /// Opens the store on the server at that URL, such as `rediss://user:password@host:6379`. See [`RedisStore::open`].
    ///
    /// # Errors
    ///
    /// The same errors as [`RedisStore::open`].
    ///
    /// # Cancel safety
    ///
    /// The same as for [`RedisStore::open`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(self, url: &Secret) -> Result<RedisStore, RedisStoreError> {
        let (client, layout) = self.client(url).await?;
        let scripts = Scripts::new();
        let acknowledgement = open::check_server(
            &client,
            self.durability,
            self.replicas,
            self.is_volatile_allowed,
        )
        .await?;
        open::check_format(&client, &layout, &scripts).await?;
        open::check_keys(&client, &layout, &self.keys).await?;
        let positions = Arc::new(Positions::default());
        let log = ChangeLog {
            client: client.clone(),
            layout: layout.clone(),
            positions: Arc::clone(&positions),
            outage_grace: self.outage_grace,
        };
        let cache = ConnectionCache::builder(log)
            .max_entries(self.cache_entries)
            .max_bytes(self.cache_bytes)
            .staleness(self.staleness)
            .outage_grace(self.outage_grace);
        let proof = self.keys.proof().map_err(InternalError::from)?;
        #[cfg(feature = "rates")]
        let rates = RedisRates::of_store(&client, layout.clone());
        let records = Arc::new(Records {
            client,
            layout,
            scripts,
            keys: self.keys,
            proof,
            acknowledgement,
            positions,
        });
        Ok(RedisStore(Arc::new(Shared {
            records,
            cache: cache.build(),
            #[cfg(feature = "rates")]
            rates,
        })))
    }

    /// Checks that the store at that URL can be opened with these settings, and writes nothing.
    ///
    /// # Errors
    ///
    /// The same errors as [`RedisStore::open`], as far as reading can find them.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn check(self, url: &Secret) -> Result<(), RedisStoreError> {
        let (client, layout) = self.client(url).await?;
        let (durability, is_volatile) = (self.durability, self.is_volatile_allowed);
        open::check_server(&client, durability, self.replicas, is_volatile).await?;
        open::look_at_format(&client, &layout).await?;
        Ok(open::check_keys(&client, &layout, &self.keys).await?)
    }

    /// Returns the client, which has found out if there is a cluster, and the names of the keys.
    async fn client(&self, url: &Secret) -> Result<(Client, Layout), RedisStoreError> {
        let (unopened, layout) = self.server.unopened(url, self.timeout)?;
        Ok((unopened.open().await?, layout))
    }
}

/// The settings of a [`RedisStoreBuilder`] that endanger connections, or the data that is sent to the server.
#[must_use]
pub struct DangerousRedisStoreBuilder(RedisStoreBuilder);

impl DangerousRedisStoreBuilder {
    /// Allows `redis://`, a connection without TLS, to a server on another machine.
    ///
    /// The network can then read and change what is sent, including the password. Secrets of connections are encrypted before they are sent,
    /// but integrations and connection keys aren't, and an attacker can restore removed connections. Default: without TLS, only servers at
    /// Unix sockets and loopback addresses are used.
    pub fn plaintext(mut self) -> RedisStoreBuilder {
        self.0.server.allow_plaintext();
        self.0
    }

    /// Allows a server that may lose stored connections, because of `appendonly`, `appendfsync` or `maxmemory-policy`.
    ///
    /// If a token endpoint has rotated a refresh token and the new token is lost, the connection must be authorized again by its owner. Use
    /// it for tests. Default: such a server is refused.
    pub fn volatile(mut self) -> RedisStoreBuilder {
        self.0.is_volatile_allowed = true;
        self.0
    }
}

impl RedisStore {
    /// Opens the store on the server at that URL, such as `rediss://user:password@host:6379`, with the default settings.
    ///
    /// A URL may have several hosts, separated by commas: all servers of a group with replicas, or some nodes of a cluster. Of a group, the
    /// primary is used, and the others are tried after a fail-over. A cluster's other nodes are found by asking. Connections are encrypted with `rediss://`, and certificates are verified. `redis://` is only allowed for
    /// servers on this machine. `unix://` and a path is a Unix socket.
    ///
    /// # Errors
    ///
    /// [`RedisStoreError`], in particular [`NotDurable`](RedisStoreError::NotDurable) if the server may lose connections, and
    /// [`WrongKey`](RedisStoreError::WrongKey) if `keys` lack a key that records are encrypted with. If the server can't be reached, or one
    /// of the primaries of a cluster, opening fails after a single attempt per host.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the version of the format may be stored.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(url: &Secret, keys: Keys) -> Result<Self, RedisStoreError> {
        Self::builder(keys).open(url).await
    }

    /// Returns a builder, to change the settings.
    pub fn builder(keys: Keys) -> RedisStoreBuilder {
        RedisStoreBuilder {
            keys,
            server: ServerSettings::new(),
            durability: Durability::default(),
            replicas: 0,
            timeout: Duration::from_secs(5),
            cache_entries: u64::MAX,
            cache_bytes: 64 << 20,
            staleness: Duration::from_secs(1),
            outage_grace: Duration::from_secs(60),
            is_volatile_allowed: false,
        }
    }

    /// Encrypts all records of other keys again with the current key, while this process and other processes read and write.
    ///
    /// Versions don't change. If the operation is stopped, the next call skips the records that are already encrypted again. After it, the
    /// store can be opened without the other keys, unless another process still writes with another key or some records are
    /// [`unreadable`](KeyRotationReport::unreadable).
    ///
    /// # Errors
    ///
    /// [`RedisStoreError::Unavailable`] if the server can't be used, if there was a fail-over, or if fewer
    /// [`replicas`](RedisStoreBuilder::replicas) than required have all records on their disks. The records that were already encrypted
    /// again are retained, and the next call continues. Retain the other keys until a call succeeds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the operation after the current record.
    pub async fn reencrypt(&self) -> Result<KeyRotationReport, RedisStoreError> {
        Ok(self.0.records.reencrypt().await?)
    }

    /// Returns the state of the connections in memory, for metrics.
    #[must_use]
    pub fn cache_status(&self) -> CacheStatus {
        self.0.cache.status()
    }

    /// Returns rates that are counted on the server of the store, under its prefix. The first draw opens another connection to the server, so
    /// draws don't delay the store's own operations in this process. All calls of this method return clones.
    ///
    /// Each draw of a rate is a write. With `appendfsync always`, which the store needs, the server writes it to the disk before it answers
    /// any further operation. So for a busy fleet, count rates on another server, which needs no disk: see [`RedisRates`].
    #[cfg(feature = "rates")]
    #[must_use]
    pub fn rates(&self) -> RedisRates {
        self.0.rates.clone()
    }

    /// Checks that connections can be read from a primary. No connection is read.
    ///
    /// In a cluster, a single primary is enough: if a process were taken out of service because of one primary, the connections of the
    /// others couldn't be called either. See also [`check_writes`](Self::check_writes).
    ///
    /// # Errors
    ///
    /// [`RedisStoreError::Unavailable`] if no primary answers.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point.
    pub async fn check(&self) -> Result<(), RedisStoreError> {
        Ok(Arc::clone(&self.0.records).check().await?)
    }

    /// Checks that each primary accepts writes. Nothing is written.
    ///
    /// A primary that can't write to its disk, or has too few replicas, still answers calls, and tokens can't be refreshed.
    ///
    /// # Errors
    ///
    /// [`RedisStoreError::Unavailable`] if a primary doesn't answer or refuses writes. The source has the cause.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point.
    pub async fn check_writes(&self) -> Result<(), RedisStoreError> {
        Ok(Arc::clone(&self.0.records).check_writes().await?)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.server.prefix())
            .field("durability", &self.durability)
            .field("replicas", &self.replicas)
            .field("timeout", &self.timeout)
            .field("cache_entries", &self.cache_entries)
            .field("cache_bytes", &self.cache_bytes)
            .field("staleness", &self.staleness)
            .field("outage_grace", &self.outage_grace)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DangerousRedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
mod readme {}
