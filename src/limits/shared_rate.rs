//! The counts of a rate that several processes share, and the settings of the rate.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::rate::Rate;
use crate::connection::ConnectionKey;
use crate::error::BoxError;

/// Counts the calls of a connection key in all processes, for [`SharedRateLimit`].
///
/// Each draw takes calls from a token bucket of the key: at most `rate.burst_size()` calls after a pause, and then one call each
/// `rate.interval()`. The calls that a draw has returned count as used, also if they aren't used.
///
/// [`draw`](Self::draw) is called at most once at a time for each key of a process, and only if a call of the key needs it. A busy key costs about 5
/// to 10 draws a second in each process.
///
/// ```
/// use std::collections::HashMap;
/// use std::num::NonZeroU32;
/// use std::sync::Mutex;
/// use std::time::{Duration, Instant};
///
/// use tower_passthrough::BoxError;
/// use tower_passthrough::limits::{Drawn, Rate, SharedRate};
/// use tower_passthrough::store::ConnectionKey;
///
/// /// Counts for several services of one process.
/// #[derive(Default)]
/// struct Shared(Mutex<HashMap<ConnectionKey, Instant>>);
///
/// impl SharedRate for Shared {
///     async fn draw(&self, key: &ConnectionKey, rate: Rate, want: NonZeroU32) -> Result<Drawn, BoxError> {
///         let now = Instant::now();
///         let mut full_at = self.0.lock().map_err(|_| "another draw has panicked")?;
///         // The time at which the bucket of the key will be full again.
///         let full_at = full_at.entry(key.clone()).or_insert(now);
///         let limit = now + rate.interval() * rate.burst_size().get();
///         let mut granted = 0;
///         while granted < want.get() && (*full_at).max(now) + rate.interval() <= limit {
///             *full_at = (*full_at).max(now) + rate.interval();
///             granted += 1;
///         }
///         let next = (*full_at).max(now) + rate.interval();
///         Ok(Drawn::new(granted, next.saturating_duration_since(limit)))
///     }
/// }
/// # fn main() -> Result<(), BoxError> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let (shared, key) = (Shared::default(), ConnectionKey::try_from("acme")?);
/// let rate = Rate::per_minute(NonZeroU32::try_from(2)?);
/// let drawn = shared.draw(&key, rate, NonZeroU32::try_from(5)?).await?;
/// assert_eq!(drawn.granted(), 2);
/// assert!(drawn.again_after() > Duration::from_secs(29));
/// # Ok(())
/// # })
/// # }
/// ```
pub trait SharedRate: Send + Sync + 'static {
    /// Draws up to `want` calls of the key, which is at most the burst of the rate. Returns the number of calls that may begin.
    ///
    /// A draw that takes longer than 250 ms counts as failed, and its future is dropped.
    ///
    /// # Errors
    ///
    /// Any error, if it isn't known how many calls may begin. The process then counts for itself. The error is [`DrawNotSent`] if the draw
    /// waited for other draws until its time ended.
    ///
    /// With the feature `tracing`, the error is logged with its sources, at most once in 10 s, so their texts must not contain a secret.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point. Calls that were drawn are then lost.
    fn draw(
        &self,
        key: &ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> impl Future<Output = Result<Drawn, BoxError>> + Send;

    /// Returns `true` if both count in the same place, such as the same server.
    ///
    /// If not, [`share_limits_with`](crate::PassthroughBuilder::share_limits_with) takes over neither calls that were drawn, nor refusals and
    /// failures, because they say nothing about the other place. Default: `true`.
    fn is_same(&self, other: &Self) -> bool {
        let _ = other;
        true
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: SharedRate> SharedRate for $pointer<S> {
            fn draw(
                &self,
                key: &ConnectionKey,
                rate: Rate,
                want: NonZeroU32,
            ) -> impl Future<Output = Result<Drawn, BoxError>> + Send {
                S::draw(self, key, rate, want)
            }

            fn is_same(&self, other: &Self) -> bool {
                S::is_same(self, other)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The result of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    granted: u32,
    again_after: Duration,
}

impl Drawn {
    /// Returns the result of a draw of that many calls.
    ///
    /// If fewer calls were granted than wanted, `again_after` is the time until at least one more call can be drawn. Calls are refused for
    /// that time, and for 60 s at most, without another draw.
    #[must_use]
    pub const fn new(granted: u32, again_after: Duration) -> Self {
        Self {
            granted,
            again_after,
        }
    }

    /// Returns the number of calls that may begin.
    #[must_use]
    pub const fn granted(&self) -> u32 {
        self.granted
    }

    /// Returns the time until at least one more call can be drawn.
    #[must_use]
    pub const fn again_after(&self) -> Duration {
        self.again_after
    }
}

/// The error of a draw that wasn't sent, because too many other draws are waiting for an answer.
///
/// The process then counts the calls of that key for itself. Unlike other errors, it doesn't count as a failure of the server that would
/// concern other keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawNotSent;

impl fmt::Display for DrawNotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many draws wait for an answer")
    }
}

impl std::error::Error for DrawNotSent {}

/// A rate of each connection key that several processes share, for
/// [`PassthroughBuilder::shared_rate_per_connection_key`](crate::PassthroughBuilder::shared_rate_per_connection_key).
///
/// Each process draws calls in batches from the [`SharedRate`]. A draw asks for the larger of two numbers: the calls that wait, and the
/// calls of this key in the last 150 ms. Without calls that wait for them, at most the calls that the rate allows in 200 ms are drawn, and
/// at least 1. Calls that were drawn and not used a second after the draw has ended are lost, and a draw ends after 250 ms at most. So in
/// any time `t`, all processes together begin at most as many calls as the rate allows in `t` and 1.25 s more, and the burst.
///
/// After a draw had fewer calls than were wanted, a process refuses the calls of the key for the time that the draw returned, and for at
/// least 100 ms, without another draw. With a burst that is refilled in less than 200 ms, that time is a half of the refill, but at least
/// 10 ms. So choose a burst of at least the calls of 100 ms, or the rate isn't reached.
///
/// # If draws fail
///
/// If a draw fails or takes longer than 250 ms, the process counts the calls of the key for itself: with the rate and the burst divided by the
/// number of [`replicas`](Self::replicas). This share can be less than the key needs, and then calls are refused. A call waits at most 250 ms
/// for all its draws, and then takes from the share. Then calls of the key don't wait, and a single draw a second finds out if draws succeed
/// again. After three failures in a row, of at least two keys, that applies to all keys. When draws succeed again, the keys begin to draw
/// within a second, and not all at once. The calls that began during a failure don't count later, so up to a burst more can begin after it.
#[derive(Clone)]
pub struct SharedRateLimit {
    rate: Rate,
    replicas: NonZeroU32,
    shared: Arc<dyn AnySharedRate>,
}

impl SharedRateLimit {
    /// Returns a limit of that rate, whose calls are drawn from `shared`.
    #[must_use]
    pub fn new(rate: Rate, shared: impl SharedRate) -> Self {
        Self {
            rate,
            replicas: NonZeroU32::MIN,
            shared: Arc::new(shared),
        }
    }

    /// Sets the number of processes that share the rate. While draws fail, each process allows the rate and the burst divided by that
    /// number, and a burst of at least 1. Default: 1, with
    /// which `n` processes together begin up to `n` times the rate while draws fail.
    #[must_use]
    pub fn replicas(mut self, count: NonZeroU32) -> Self {
        self.replicas = count;
        self
    }

    /// Returns the rate of all processes together.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Returns the number of processes that share the rate.
    #[must_use]
    pub const fn replica_count(&self) -> NonZeroU32 {
        self.replicas
    }

    pub(super) fn into_parts(self) -> (Rate, NonZeroU32, Arc<dyn AnySharedRate>) {
        (self.rate, self.replicas, self.shared)
    }
}

impl fmt::Debug for SharedRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRateLimit")
            .field("rate", &self.rate)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

/// The counts of a rate that several processes share, as
/// [`PassthroughService::shared_rate_status`](crate::PassthroughService::shared_rate_status) returns them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedRateStatus {
    /// The number of draws that have ended, including the draws that failed.
    pub draws: u64,
    /// The number of draws that failed or took too long.
    pub failed_draws: u64,
    /// The number of calls that this process has counted for itself, because draws failed. Refused calls aren't included.
    pub local_calls: u64,
}

/// A [`SharedRate`] of any type.
pub(super) trait AnySharedRate: Send + Sync {
    fn as_any(&self) -> &dyn Any;

    /// Returns `true` if both have the same type, and count in the same place.
    fn is_same(&self, other: &dyn AnySharedRate) -> bool;

    fn draw(
        self: Arc<Self>,
        key: ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Pin<Box<dyn Future<Output = Result<Drawn, BoxError>> + Send>>;
}

impl<S: SharedRate> AnySharedRate for S {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_same(&self, other: &dyn AnySharedRate) -> bool {
        let other = other.as_any().downcast_ref::<S>();
        other.is_some_and(|other| SharedRate::is_same(self, other))
    }

    fn draw(
        self: Arc<Self>,
        key: ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Pin<Box<dyn Future<Output = Result<Drawn, BoxError>> + Send>> {
        Box::pin(async move { SharedRate::draw(&*self, &key, rate, want).await })
    }
}
