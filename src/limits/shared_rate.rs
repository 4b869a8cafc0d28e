//! The source of a rate that several processes share, and its settings.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::rate::Rate;
use crate::connection::ConnectionKey;
use crate::error::BoxError;

/// A source that counts the calls of a connection key in all processes, for [`SharedRateLimit`].
///
/// Each draw takes calls from a token bucket of the key: at most `rate.burst_size()` calls after a pause, and then one call each
/// `rate.interval()`. The calls that a draw has returned count as used, also if they aren't used.
///
/// The source is called at most once at a time for each key of a process, and only if a call of the key needs it. A busy key costs about 5
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
    /// Any error, if it isn't known how many calls may begin. The process then counts for itself. The error isn't logged: log it in the
    /// implementation.
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

/// A rate of each connection key that several processes share, for
/// [`PassthroughBuilder::shared_rate_per_connection_key`](crate::PassthroughBuilder::shared_rate_per_connection_key).
///
/// Each process draws calls in batches from the [`SharedRate`]: one for each call that waits, or as many as came for the key in 150 ms, if
/// they are more. Without calls that wait for them, at most an eighth of the burst is drawn, or the calls that the rate allows in 200 ms, if
/// they are more. Calls that were drawn and not used after a second are lost. So in any time `t`, all processes together begin at most as
/// many calls as the rate allows in `t` and a second more, and the burst.
///
/// After the source had fewer calls than were wanted, a process refuses the calls of the key for the time that the source named, and for at
/// least 100 ms, without asking again. With a burst that is refilled in less than 100 ms, that time is shorter, but at least 10 ms. So choose a
/// burst of at least the calls of 100 ms, or the rate isn't reached.
///
/// # If the source fails
///
/// If a draw fails or takes longer than 250 ms, the process counts the calls of the key for itself: with the rate divided by the number of
/// [`replicas`](Self::replicas). No call is refused because the source isn't reached, and calls don't wait for it: a single draw a second
/// finds out if the source answers again. After three failures in a row, that applies to all keys. The calls that began during a failure
/// don't count later, so up to a burst more can begin after it.
#[derive(Clone)]
pub struct SharedRateLimit {
    rate: Rate,
    replicas: NonZeroU32,
    source: Arc<dyn Source>,
}

impl SharedRateLimit {
    /// Returns a limit of that rate, whose calls are drawn from the source.
    #[must_use]
    pub fn new(rate: Rate, source: impl SharedRate) -> Self {
        Self {
            rate,
            replicas: NonZeroU32::MIN,
            source: Arc::new(source),
        }
    }

    /// Sets the number of processes that share the rate. While the source fails, each process allows the rate and the burst divided by that
    /// number, and a burst of at least 1. Default: 1.
    #[must_use]
    pub fn replicas(mut self, count: NonZeroU32) -> Self {
        self.replicas = count;
        self
    }

    pub(super) fn into_parts(self) -> (Rate, NonZeroU32, Arc<dyn Source>) {
        (self.rate, self.replicas, self.source)
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
    /// The number of calls that this process has counted for itself, because the source failed. Refused calls aren't included.
    pub local_calls: u64,
}

/// A [`SharedRate`] of any type.
pub(super) trait Source: Send + Sync {
    fn draw(
        self: Arc<Self>,
        key: ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Pin<Box<dyn Future<Output = Result<Drawn, BoxError>> + Send>>;
}

impl<S: SharedRate> Source for S {
    fn draw(
        self: Arc<Self>,
        key: ConnectionKey,
        rate: Rate,
        want: NonZeroU32,
    ) -> Pin<Box<dyn Future<Output = Result<Drawn, BoxError>> + Send>> {
        Box::pin(async move { SharedRate::draw(&*self, &key, rate, want).await })
    }
}
