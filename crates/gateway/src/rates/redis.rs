//! Counts rates on a server of `[limits]`, or on the server of the store.

use std::num::NonZeroU32;
use std::sync::Arc;

use tower_passthrough::BoxError;
use tower_passthrough::limits::{Drawn, Rate, SharedRate};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough_redis::{RedisRates, RedisStoreError};

use crate::config::{Password, RatesServer, RatesSource, Store};
use crate::store::{Connections, OpenError, with_sources};

const OF_LIMITS: &str = "limits.redis";
const OF_STORE: &str = "store";

/// The counts of a rate. Cloning increments reference counts.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    redis: RedisRates,
    /// The settings of the server, unless it's the store's.
    opened: Option<Arc<RatesServer>>,
}

impl Rates {
    /// Opens the counts of the config. Keeps the connection of `previous` if the server is the same.
    ///
    /// The server may be away, because calls don't need it. This is logged.
    ///
    /// # Errors
    ///
    /// If the settings can't be used.
    pub(crate) fn open(
        source: &RatesSource,
        connections: &Connections,
        previous: Option<&Self>,
    ) -> Result<Self, OpenError> {
        let settings = match source {
            RatesSource::Server(settings) => settings,
            RatesSource::Store => {
                let redis = connections.rates().ok_or_else(|| {
                    let what = "limits.rate_per_connection: the connections aren't stored in Redis";
                    OpenError::new(what.to_owned(), true)
                })?;
                let opened = None;
                return Ok(Self { redis, opened });
            }
        };
        let is_same = |previous: &&Self| previous.opened.as_deref() == Some(settings);
        if let Some(previous) = previous.filter(is_same) {
            return Ok(previous.clone());
        }
        let redis = build(settings, OF_LIMITS)?;
        let checked = redis.clone();
        tokio::spawn(async move {
            if let Err(error) = checked.check().await {
                tracing::warn!(
                    "the server that counts the rates of all replicas can't be used: {}",
                    with_sources(&error)
                );
            }
        });
        Ok(Self {
            redis,
            opened: Some(Arc::new(settings.clone())),
        })
    }
}

/// Checks that the server can be reached and can count.
pub(crate) async fn check(source: &RatesSource, store: &Store) -> Result<(), OpenError> {
    let (redis, place) = match (source, store) {
        (RatesSource::Server(settings), _) => (build(settings, OF_LIMITS)?, OF_LIMITS),
        (RatesSource::Store, Store::Redis(store)) => {
            let settings = RatesServer {
                url: store.url.clone(),
                password: store.password.clone(),
                roots: store.roots.clone(),
                prefix: store.prefix.clone(),
            };
            (build(&settings, OF_STORE)?, OF_STORE)
        }
        (RatesSource::Store, _) => return Ok(()),
    };
    let checked = redis.check().await;
    checked.map_err(|error| failed(&error, place))
}

/// `place` is the part of the config with the settings.
fn build(settings: &RatesServer, place: &str) -> Result<RedisRates, OpenError> {
    let RatesServer {
        url,
        password,
        roots,
        prefix,
    } = settings;
    let mut builder = RedisRates::builder();
    builder = match password {
        Some(Password::Fixed(password)) => builder.password(password.clone()),
        Some(Password::File(path)) => builder.password_file(path),
        None => builder,
    };
    for pem in roots {
        builder = builder.root_pem(pem.clone());
    }
    if let Some(prefix) = prefix {
        builder = builder.prefix(prefix);
    }
    builder.build(url).map_err(|error| failed(&error, place))
}

fn failed(error: &RedisStoreError, place: &str) -> OpenError {
    let is_configs = matches!(
        error,
        RedisStoreError::InvalidUrl(_)
            | RedisStoreError::InvalidPrefix
            | RedisStoreError::InvalidRoots
            | RedisStoreError::Plaintext
    );
    let what = format!(
        "the server that counts the rates (`{place}`): {}",
        with_sources(error)
    );
    OpenError::new(what, is_configs)
}

impl SharedRate for Rates {
    async fn draw(
        &self,
        key: &ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Result<Drawn, BoxError> {
        self.redis.draw(key, rate, want).await
    }

    fn is_same(&self, other: &Self) -> bool {
        self.redis.is_same(&other.redis)
    }
}
