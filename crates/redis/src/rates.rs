//! The counts of rates that several processes share.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Value, cmd};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tower_passthrough::limits::{DrawNotSent, Drawn, Rate, SharedRate};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{BoxError, Secret};

use crate::client::{Call, Client, Effect, Unopened};
use crate::error::{InternalError, RedisError, RedisStoreError};
use crate::info::Info;
use crate::layout::{Layout, slot_of};
use crate::pause::Pause;
use crate::scripts::Script;
use crate::settings::ServerSettings;
use crate::values::{items, next};

/// The maximum time of a check of the server, and of opening a connection.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time for which a draw has a place, because the draws of all nodes of a cluster share the places. It's longer than callers wait:
/// an answer that is late for its caller doesn't fail the draws of other keys, and a connection that is opened late is for the next draw.
const PLACE_TIMEOUT: Duration = Duration::from_millis(1500);
/// The maximum pause after an attempt to open the client that has failed.
const OPENING_PAUSE: Duration = Duration::from_secs(1);
/// The default of the maximum time for which the caller of a draw waits.
const DRAW_TIMEOUT: Duration = Duration::from_millis(200);
/// The maximum number of draws that are sent and not answered yet. Others wait for a place. It's not more than a client has places.
const MAX_DRAWS: usize = 64;

/// The first version of Redis with scripts that a replica refuses at once.
const OLDEST_SERVER: (u32, u32) = (7, 0);

/// Keys: rate. Arguments: interval in nanoseconds, burst, number of calls that are wanted. Returns the number of calls that are granted, and
/// the time in microseconds until a call more can be granted.
///
/// This is the generic cell rate algorithm. The number of a key is the time at which its burst is full again. All times are whole
/// microseconds of the server's clock, and a time that isn't whole is rounded up, so that no rate is exceeded. The quotients have whole
/// operands, which a double holds exactly up to 104 days in nanoseconds, so a full bucket grants its whole burst. A time later than the rate
/// allows comes from a clock that was ahead, and is replaced: the burst is empty.
///
/// It's refused if the server's memory is full: then each process counts for itself.
const DRAW: &str = "#!lua
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local interval, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local window = math.ceil(burst * interval / 1000)
    local found = (redis.call('GET', KEYS[1]) or now) - now
    local used = math.max(0, math.min(found, window))
    local room = used == 0 and burst or math.floor((window - used) * 1000 / interval)
    local granted = math.min(want, burst, room)
    if granted > 0 or found > window then
        used = used + math.ceil(granted * interval / 1000)
        local expiry = string.format('%.0f', math.ceil(used / 1000))
        redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', expiry)
    end
    return {granted, math.max(0, math.ceil(used + interval / 1000 - window))}";

/// Counts the calls of connection keys in Redis or Valkey, so that all processes together stay below a rate. Cloning increments a reference
/// count; clones share their connection to the server.
///
/// At most 64 draws are sent and not answered at a time; others wait, and fail with
/// [`DrawNotSent`](tower_passthrough::limits::DrawNotSent) if their time ends before.
///
/// The server stores a number for each connection key with recent calls, which it deletes when the key's burst is full again. The names
/// contain the connection keys and the rate, and nothing is secret. Processes with different rates, such as before and after a change of the
/// configuration, don't count together. None of the settings that a [`RedisStore`](crate::RedisStore) needs is
/// checked: if the server loses counts in a crash or a fail-over, or deletes them because its memory is full, each of their keys can begin a
/// burst more. Time is the time of the server, so the clocks of the processes don't matter.
///
/// ```no_run
/// use std::num::NonZeroU32;
///
/// use tower_passthrough::limits::{Rate, SharedRateLimit};
/// use tower_passthrough::{Integrations, MemoryStore, PassthroughService, Secret};
/// use tower_passthrough_redis::RedisRates;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let rates = RedisRates::open(&Secret::from("rediss://rates.example")).await?;
/// let rate = Rate::per_second(NonZeroU32::try_from(10)?);
/// let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
///     .shared_rate_per_connection_key(SharedRateLimit::new(rate, rates).replicas(NonZeroU32::try_from(3)?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisRates(Arc<Shared>);

struct Shared {
    /// Opened by the first draw, because the server may be away when the rates are built.
    client: OnceCell<Client>,
    unopened: Unopened,
    /// After an attempt to open the client that has failed.
    pause: Mutex<Pause>,
    layout: Layout,
    script: Script,
    /// The maximum time for which the caller of a draw waits.
    timeout: Duration,
    places: Arc<Semaphore>,
}

/// Builds [`RedisRates`].
#[must_use]
pub struct RedisRatesBuilder {
    server: ServerSettings,
    timeout: Duration,
}

impl RedisRatesBuilder {
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

    /// Sets the first part of the names of all keys in Redis. A [`RedisStore`](crate::RedisStore) with the same prefix may be on the same
    /// server. No other program may use names that begin with it. Default: `tp`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.server.set_prefix(prefix.into());
        self
    }

    /// Sets the maximum time of a draw, including the wait for a connection to the server. A service waits for 250 ms at most.
    ///
    /// A draw that takes longer fails, but the connection stays open, and the calls that the server grants late are lost. The connection is
    /// discarded if the server doesn't answer for 5 s. Default: 200 ms.
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Returns the settings that endanger the data that is sent to the server.
    pub const fn dangerous(self) -> DangerousRedisRatesBuilder {
        DangerousRedisRatesBuilder(self)
    }

    /// Returns the rates on the server at that URL. The server is connected to by the first draw, so it may be away.
    ///
    /// # Errors
    ///
    /// [`RedisStoreError::InvalidUrl`], [`Plaintext`](RedisStoreError::Plaintext), [`InvalidPrefix`](RedisStoreError::InvalidPrefix) and
    /// [`InvalidRoots`](RedisStoreError::InvalidRoots) if a setting can't be used.
    pub fn build(self, url: &Secret) -> Result<RedisRates, RedisStoreError> {
        let operation_timeout = OPERATION_TIMEOUT.max(self.timeout);
        let (unopened, layout) = self.server.unopened(url, operation_timeout)?;
        Ok(RedisRates::new(unopened, layout, self.timeout))
    }

    /// Returns the rates on the server at that URL, which must be reachable. See [`RedisRates::open`].
    ///
    /// # Errors
    ///
    /// The same errors as [`RedisRates::open`].
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(self, url: &Secret) -> Result<RedisRates, RedisStoreError> {
        let rates = self.build(url)?;
        rates.check().await?;
        Ok(rates)
    }
}

/// The settings of a [`RedisRatesBuilder`] that endanger the data that is sent to the server.
#[must_use]
pub struct DangerousRedisRatesBuilder(RedisRatesBuilder);

impl DangerousRedisRatesBuilder {
    /// Allows `redis://`, a connection without TLS, to a server on another machine.
    ///
    /// The network can then read the password and the connection keys, and can change the counts. Default: without TLS, only servers at
    /// Unix sockets and loopback addresses are used.
    pub fn plaintext(mut self) -> RedisRatesBuilder {
        self.0.server.allow_plaintext();
        self.0
    }
}

impl RedisRates {
    /// Opens the rates on the server at that URL, such as `rediss://user:password@host:6379`, with the default settings. The URL has the form
    /// that [`RedisStore::open`](crate::RedisStore::open) describes.
    ///
    /// # Errors
    ///
    /// [`RedisStoreError`] if a setting can't be used, or if the server can't be reached or can't count.
    /// [`build`](RedisRatesBuilder::build) doesn't need the server.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(url: &Secret) -> Result<Self, RedisStoreError> {
        Self::builder().open(url).await
    }

    /// Returns a builder, to change the settings.
    pub fn builder() -> RedisRatesBuilder {
        RedisRatesBuilder {
            server: ServerSettings::new(),
            timeout: DRAW_TIMEOUT,
        }
    }

    fn new(unopened: Unopened, layout: Layout, timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            client: OnceCell::new(),
            unopened,
            pause: Mutex::new(Pause::between(OPENING_PAUSE, OPENING_PAUSE)),
            layout,
            script: Script::new(DRAW),
            timeout,
            places: Arc::new(Semaphore::new(MAX_DRAWS)),
        }))
    }

    /// Returns rates on the server of a store, whose connections they don't use: draws would take the places of the store's operations.
    pub(crate) fn of_store(client: &Client, layout: Layout) -> Self {
        let unopened = client.with_own_connections(OPERATION_TIMEOUT);
        Self::new(unopened, layout, DRAW_TIMEOUT)
    }

    /// Checks that a primary can be reached and can count. A call of an empty connection key is counted, which expires after a millisecond.
    ///
    /// # Errors
    ///
    /// [`RedisStoreError::Unavailable`] if no primary answers in 5 s, [`Unsupported`](RedisStoreError::Unsupported) if it's older than Redis
    /// 7.0, and [`NotPermitted`](RedisStoreError::NotPermitted) if the user lacks a permission.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn check(&self) -> Result<(), RedisStoreError> {
        // A connection key is never empty. The burst is so large that checks of other processes don't use it up.
        let (interval, burst) = (Duration::from_micros(1), 1_000_000);
        let Err(error) = self.0.run("", interval, burst, 1).await else {
            return Ok(());
        };
        match &error {
            InternalError::Redis(found) if lacks_permission(found) => Err(not_permitted()),
            // An old server can't read the script. Servers also report a permission that a command of the script lacks as `ERR`.
            InternalError::Redis(found) if found.has_code("ERR") => {
                let name = self.0.layout.rate("", interval.as_nanos(), burst);
                Err(self.0.reason(&name).await.unwrap_or_else(|| error.into()))
            }
            _ => Err(error.into()),
        }
    }
}

impl Shared {
    /// Returns the client. Callers that come while it's opened wait for it, and share its failure: otherwise they would try one after the
    /// other.
    async fn client(&self) -> Result<&Client, RedisError> {
        let open = async || {
            self.pause().check()?;
            let opened = self.unopened.open().await;
            if let Err(error) = &opened {
                self.pause().begin(error);
            }
            opened
        };
        self.client.get_or_try_init(open).await
    }

    fn pause(&self) -> MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the reason for which the server doesn't run the script with that name, if it's known.
    async fn reason(&self, name: &str) -> Option<RedisStoreError> {
        let mut set = cmd("SET");
        set.arg(name).arg(0).arg("PX").arg(1);
        let mut get = cmd("GET");
        get.arg(name);
        let client = self.client().await.ok()?;
        let node = client.node(slot_of(name)).ok()?;
        for command in [cmd("INFO"), cmd("TIME"), get, set] {
            match client.command_to(&node, &command).await {
                Err(InternalError::Redis(error)) if lacks_permission(&error) => {
                    return Some(not_permitted());
                }
                Err(error) => return Some(error.into()),
                Ok(_) => {}
            }
        }
        let info = Info::of(client.command_to(&node, &cmd("INFO")).await.ok()?).ok()?;
        let what = "Redis 7.0 or later, or Valkey, is needed";
        (info.version() < OLDEST_SERVER).then_some(RedisStoreError::Unsupported(what))
    }

    async fn run(
        &self,
        key: &str,
        interval: Duration,
        burst: u32,
        want: u32,
    ) -> Result<Drawn, InternalError> {
        let interval = interval.as_nanos();
        let arguments = [interval.to_string(), burst.to_string(), want.to_string()];
        let call = Call {
            script: &self.script,
            keys: &[self.layout.rate(key, interval, burst)],
            arguments: &arguments.each_ref().map(String::as_bytes),
        };
        let (answer, _) = self.client().await?.call(Effect::Write, call).await?;
        let mut answer = items(answer)?.into_iter();
        let granted = u32::try_from(number(next(&mut answer)?)?);
        let granted = granted.map_err(|_| InternalError::Unreadable)?;
        let micros = number(next(&mut answer)?)?;
        Ok(Drawn::new(granted, Duration::from_micros(micros)))
    }
}

/// Returns `true` if the error, or the error of the last attempt to connect, is a missing permission.
fn lacks_permission(error: &RedisError) -> bool {
    match error {
        RedisError::Pausing(error) => error.has_code("NOPERM"),
        error => error.has_code("NOPERM"),
    }
}

const fn not_permitted() -> RedisStoreError {
    RedisStoreError::NotPermitted(
        "the user needs the permissions `~PREFIX:* +info +time +get +set +eval +evalsha`",
    )
}

fn number(value: Value) -> Result<u64, InternalError> {
    match value {
        Value::Int(number) => u64::try_from(number).map_err(|_| InternalError::Unreadable),
        _ => Err(InternalError::Unreadable),
    }
}

impl SharedRate for RedisRates {
    /// Returns `true` for clones.
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn draw(
        &self,
        key: &ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Result<Drawn, BoxError> {
        let (shared, until) = (Arc::clone(&self.0), Instant::now() + self.0.timeout);
        let place = timeout_at(until, Arc::clone(&shared.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(DrawNotSent.into());
        };
        let key = key.clone();
        // It goes on after its caller has left.
        let operation = tokio::spawn(async move {
            let _place = place;
            let (interval, burst) = (rate.interval(), rate.burst_size().get());
            let drawn = shared.run(key.as_str(), interval, burst, want.get());
            let drawn = timeout(PLACE_TIMEOUT, drawn).await;
            drawn.unwrap_or_else(|_| Err(RedisError::Timeout("a draw").into()))
        });
        let drawn = match timeout_at(until, operation).await {
            Ok(Ok(drawn)) => drawn,
            Ok(Err(_)) => Err(InternalError::Stopped),
            Err(_) => Err(RedisError::Timeout("a draw").into()),
        };
        Ok(drawn.map_err(RedisStoreError::from)?)
    }
}

impl fmt::Debug for RedisRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRates").finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisRatesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRatesBuilder")
            .field("prefix", &self.server.prefix())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DangerousRedisRatesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
