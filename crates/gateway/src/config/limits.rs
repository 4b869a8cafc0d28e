//! `[limits]`: the maximum number of calls under way, and the rate of the calls of a connection.

use std::num::NonZeroU32;
use std::time::Duration;

use toml::Spanned;
use tower_passthrough::limits::SharedRateLimit;
use tower_passthrough::{PassthroughBuilder, Secret};

use super::problem::{Problem, Problems};
use super::store::{Password, password, roots};
use super::value::{Count, Size};
use super::{Folder, file, secret, value};
use crate::descriptors;
use crate::peers::PeerLimits;

/// The limits of a service. A field is `None` if that limit isn't set.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    in_flight: Option<usize>,
    in_flight_per_connection: Option<usize>,
    rate_per_connection: Option<Rate>,
    /// The place where the rate is counted, if all replicas share it.
    rates_source: Option<RatesSource>,
    /// In bytes.
    replay: Option<usize>,
    buffered_bodies: Option<usize>,
}

/// The rate of calls, and the number of calls that may begin at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    calls: NonZeroU32,
    per: Per,
    burst: Option<NonZeroU32>,
    is_shared: bool,
    replicas: NonZeroU32,
}

/// The place where a rate of all replicas is counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RatesSource {
    /// The server on which the connections are stored.
    Store,
    Server(RatesServer),
}

/// A Redis server that counts rates. `None` means the default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RatesServer {
    pub(crate) url: Secret,
    pub(crate) password: Option<Password>,
    /// The contents of PEM files.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) prefix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
}

impl Limits {
    /// `has_redis` is `true` if the connections are stored in Redis.
    pub(super) fn read(
        file: &file::Limits,
        has_redis: bool,
        folder: Folder<'_>,
        problems: &mut Problems,
    ) -> Self {
        let given = file.rate_per_connection.as_ref();
        let rate = given.and_then(|given| problems.ok(rate(given)).flatten());
        let server = file.redis.as_ref();
        let server = server.and_then(|server| self::server(server, folder, problems));
        let is_shared = given
            .and_then(|given| given.get_ref().shared.as_ref())
            .filter(|shared| *shared.get_ref());
        let rates_source = match (is_shared, &file.redis) {
            (None, _) => None,
            (Some(_), Some(_)) => server.map(RatesSource::Server),
            (Some(_), None) if has_redis => Some(RatesSource::Store),
            (Some(shared), None) => {
                let what = "needs a Redis server that counts the calls of all replicas: set `limits.redis`, such as { env = \"REDIS_URL\" }";
                problems.push(Problem::at(shared, what));
                None
            }
        };
        Self {
            rates_source,
            in_flight: above_nought(file.in_flight),
            in_flight_per_connection: above_nought(file.in_flight_per_connection),
            rate_per_connection: rate,
            replay: file.replay.map(bytes),
            buffered_bodies: file.buffered_bodies.map(bytes),
        }
    }

    /// Returns the place where the rate of all replicas is counted. `None` if no rate is shared.
    pub(crate) fn rates_source(&self) -> Option<&RatesSource> {
        let is_shared = self.rate_per_connection.is_some_and(|rate| rate.is_shared);
        self.rates_source.as_ref().filter(|_| is_shared)
    }

    /// Returns the rate that all replicas share, counted by that source.
    pub(crate) fn shared_rate(
        &self,
        source: impl tower_passthrough::limits::SharedRate,
    ) -> Option<SharedRateLimit> {
        let rate = self.rate_per_connection.filter(|rate| rate.is_shared)?;
        Some(SharedRateLimit::new(rate.into(), source).replicas(rate.replicas))
    }

    /// Sets the limits on the builder. `shared` is the rate that all replicas share.
    pub(crate) fn set<S, R, T, A>(
        &self,
        shared: Option<SharedRateLimit>,
        mut builder: PassthroughBuilder<S, R, T, A>,
    ) -> PassthroughBuilder<S, R, T, A> {
        if let Some(calls) = self.in_flight {
            builder = builder.in_flight_limit(calls);
        }
        if let Some(calls) = self.in_flight_per_connection {
            builder = builder.in_flight_per_connection_key(calls);
        }
        if let Some(bytes) = self.replay {
            builder = builder.replay_limit(bytes);
        }
        if let Some(bytes) = self.buffered_bodies {
            builder = builder.buffered_bodies_limit(bytes);
        }
        if let Some(limit) = shared {
            builder = builder.shared_rate_per_connection_key(limit);
        } else if let Some(rate) = self.rate_per_connection {
            let own = tower_passthrough::limits::Rate::from(rate);
            builder = builder.rate_per_connection_key(own.share_of(rate.replicas));
        }
        builder
    }
}

/// The part of all file descriptors that callers' connections may take by default. Calls need
/// connections to upstreams, and the store needs files.
const SHARE: usize = 3;

/// Returns the limits of callers' connections.
pub(super) fn peers(
    file: &file::Limits,
    idle: Duration,
    stalled: Duration,
    warnings: &mut Vec<String>,
) -> PeerLimits {
    let descriptors = descriptors::limit();
    let total = match file.connections {
        Some(_) => above_nought(file.connections),
        None => descriptors.map(|descriptors| (descriptors / SHARE).max(1)),
    };
    if let (Some(total), Some(descriptors)) = (total, descriptors) {
        if file.connections.is_some() && total >= descriptors {
            warnings.push(format!(
                "limits.connections is {total}, but the process can only open {descriptors} files, and needs some for connections to upstreams"
            ));
        }
    }
    PeerLimits {
        total,
        per_address: above_nought(file.connections_per_address),
        idle,
        stalled,
    }
}

impl From<Rate> for tower_passthrough::limits::Rate {
    fn from(rate: Rate) -> Self {
        let Rate {
            calls, per, burst, ..
        } = rate;
        let rate = match per {
            Per::Second => Self::per_second(calls),
            Per::Minute => Self::per_minute(calls),
        };
        burst.map_or(rate, |burst| rate.burst(burst))
    }
}

/// Returns the count, or `None` for 0, which means no limit.
fn above_nought(count: Option<Count>) -> Option<usize> {
    let count = count.map(|count| usize::try_from(count.0).unwrap_or(usize::MAX));
    count.filter(|&count| count > 0)
}

fn bytes(size: Size) -> usize {
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

/// Returns the rate, or `None` for 0, which means no limit.
fn rate(given: &Spanned<file::Rate>) -> Result<Option<Rate>, Problem> {
    let file::Rate {
        per_second,
        per_minute,
        burst,
        shared,
        replicas,
    } = given.get_ref();
    let (calls, per) = match (per_second, per_minute) {
        (Some(calls), None) => (calls, Per::Second),
        (None, Some(calls)) => (calls, Per::Minute),
        _ => {
            return Err(Problem::at(
                given,
                "expected either `per_second` or `per_minute`",
            ));
        }
    };
    let calls = number(calls)?;
    let burst = burst.as_ref().map(at_least_one).transpose()?;
    let replicas = replicas.as_ref().map(at_least_one).transpose()?;
    Ok(calls.map(|calls| Rate {
        calls,
        per,
        burst,
        is_shared: shared.as_ref().is_some_and(|shared| *shared.get_ref()),
        replicas: replicas.unwrap_or(NonZeroU32::MIN),
    }))
}

fn at_least_one(count: &Spanned<Count>) -> Result<NonZeroU32, Problem> {
    number(count)?.ok_or_else(|| Problem::at(count, "expected 1 or more"))
}

/// Returns the server that counts rates.
fn server(
    given: &Spanned<value::RatesServer>,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Option<RatesServer> {
    let table = &given.get_ref().0;
    let url = match (&table.url, table.url_alone()) {
        (Some(url), None) if !table.has_source() => secret::read(url, folder),
        (None, Some(url)) => secret::read_at(given, &url, folder),
        _ => Err(Problem::at(
            given,
            "expected the key `url`, or one of `env`, `file` and `command` alone",
        )),
    };
    let url = problems.ok(url);
    let password = password(table.password.as_ref(), folder, problems);
    let roots = roots(table.roots.as_ref(), folder, problems);
    let prefix = table.prefix.as_ref().map(|prefix| prefix.get_ref().clone());
    Some(RatesServer {
        url: url?,
        password,
        roots,
        prefix,
    })
}

fn number(count: &Spanned<Count>) -> Result<Option<NonZeroU32>, Problem> {
    match u32::try_from(count.get_ref().0) {
        Ok(count) => Ok(NonZeroU32::new(count)),
        Err(_) => Err(Problem::at(count, "expected a number below 4294967296")),
    }
}
