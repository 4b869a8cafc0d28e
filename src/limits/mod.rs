//! Limits the calls in progress, in all and for each connection key, and the rate at which calls of a connection key
//! begin.
//!
//! ```
//! # #[cfg(feature = "test-util")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use http::{Request, Response, StatusCode};
//! use tower::ServiceExt;
//! use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
//! use tower_passthrough::test_util::FakeUpstream;
//!
//! let store = MemoryStore::from_iter([("acme", Connection::new("crm")), ("beta", Connection::new("crm"))]);
//! let service = PassthroughService::builder(store, Integrations::new().with("crm", Upstream::new("https://api.crm.test")?))
//!     .authorize_fn(|_, _| true)
//!     .caller_credentials([])
//!     .in_flight_limit(1_000)
//!     .in_flight_per_connection_key(1)
//!     .transport(FakeUpstream::new(|_| Response::new("[]")))
//!     .build();
//!
//! // A call is in progress until the body of its response has been read or dropped.
//! let first = service.clone().oneshot(Request::get("/acme/contacts").body(String::new())?).await?;
//! let second = service.clone().oneshot(Request::get("/acme/contacts").body(String::new())?).await?;
//! assert_eq!(second.headers()["passthrough-error"], "overloaded");
//! let other = service.clone().oneshot(Request::get("/beta/contacts").body(String::new())?).await?;
//! assert_eq!(other.status(), StatusCode::OK);
//! drop(first);
//! let third = service.oneshot(Request::get("/acme/contacts").body(String::new())?).await?;
//! assert_eq!(third.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "test-util"))]
//! # fn main() {}
//! ```
//!
//! The rate is set by `rate_per_connection_key` (feature `rate-limit`), and counts the calls of this process. A rate that several processes
//! share is set by `shared_rate_per_connection_key`.
//!
//! The limits for each connection key are checked only after the store has found the connection. So the response for an
//! unknown connection doesn't depend on other calls, and unknown connections take no memory. A limit that isn't set
//! costs only the check of an `Option`.

#[cfg(feature = "rate-limit")]
mod allotments;
mod buffers;
#[cfg(feature = "rate-limit")]
mod draw_events;
#[cfg(feature = "rate-limit")]
mod draws;
mod in_flight;
#[cfg(feature = "rate-limit")]
mod rate;
#[cfg(feature = "rate-limit")]
mod shared_rate;

#[cfg(not(feature = "rate-limit"))]
use std::future::Ready;
use std::sync::Arc;

pub(crate) use self::buffers::{BufferBudget, BufferPermit};
#[cfg(feature = "rate-limit")]
use self::draws::SharedRates;
#[cfg(feature = "rate-limit")]
pub(crate) use self::draws::Wait;
pub(crate) use self::in_flight::Permit;
use self::in_flight::{GlobalLimit, PerKeyLimit};
#[cfg(feature = "rate-limit")]
pub use self::rate::Rate;
#[cfg(feature = "rate-limit")]
use self::rate::Rates;
#[cfg(feature = "rate-limit")]
pub use self::shared_rate::{DrawNotSent, Drawn, SharedRate, SharedRateLimit, SharedRateStatus};
use crate::connection::ConnectionKey;
use crate::error::Error;

/// Without the feature, no call waits.
#[cfg(not(feature = "rate-limit"))]
pub(crate) type Wait = Ready<Result<(), Error>>;

/// The limits of a service, shared by its clones.
#[derive(Clone)]
pub(crate) struct Limits {
    global: Option<Arc<GlobalLimit>>,
    per_key: Option<Arc<PerKeyLimit>>,
    #[cfg(feature = "rate-limit")]
    rates: Option<Arc<Rates>>,
    #[cfg(feature = "rate-limit")]
    shared_rates: Option<SharedRates>,
    buffers: Arc<BufferBudget>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            global: None,
            per_key: None,
            #[cfg(feature = "rate-limit")]
            rates: None,
            #[cfg(feature = "rate-limit")]
            shared_rates: None,
            buffers: Arc::new(BufferBudget::new(BufferBudget::DEFAULT_SIZE)),
        }
    }
}

impl Limits {
    pub(crate) fn set_global(&mut self, limit: usize) {
        self.global = Some(Arc::new(GlobalLimit::new(limit)));
    }

    pub(crate) fn set_per_key(&mut self, limit: usize) {
        self.per_key = Some(Arc::new(PerKeyLimit::new(limit)));
    }

    #[cfg(feature = "rate-limit")]
    pub(crate) fn set_rate(&mut self, rate: Rate) {
        self.rates = Some(Arc::new(Rates::new(rate)));
    }

    #[cfg(feature = "rate-limit")]
    pub(crate) fn set_shared_rate(&mut self, limit: SharedRateLimit) {
        self.shared_rates = Some(SharedRates::new(limit));
    }

    #[cfg(feature = "rate-limit")]
    pub(crate) fn shared_rate_status(&self) -> Option<SharedRateStatus> {
        self.shared_rates.as_ref().map(SharedRates::status)
    }

    pub(crate) fn set_buffers(&mut self, bytes: usize) {
        self.buffers = Arc::new(BufferBudget::new(bytes));
    }

    /// Returns the limit for the memory of buffered bodies.
    pub(crate) fn buffers(&self) -> &Arc<BufferBudget> {
        &self.buffers
    }

    /// Shares the counts of another service. Each limit is shared only if both services have the same
    /// limit.
    pub(crate) fn share_with(&mut self, other: &Self) {
        share(&mut self.global, other.global.as_ref(), |a, b| {
            a.limit() == b.limit()
        });
        share(&mut self.per_key, other.per_key.as_ref(), |a, b| {
            a.limit() == b.limit()
        });
        if self.buffers.limit() == other.buffers.limit() {
            self.buffers = Arc::clone(&other.buffers);
        }
        #[cfg(feature = "rate-limit")]
        share(&mut self.rates, other.rates.as_ref(), |a, b| {
            a.rate() == b.rate()
        });
        #[cfg(feature = "rate-limit")]
        if let (Some(own), Some(other)) = (&mut self.shared_rates, &other.shared_rates) {
            own.share_with(other);
        }
    }

    /// Counts a call, independently of its connection key, or refuses the call.
    pub(crate) fn admit(&self, permit: &mut Permit) -> Result<(), Error> {
        match &self.global {
            None => Ok(()),
            Some(global) => permit.take_global(global),
        }
    }

    /// Counts a call of a connection key that the store has found, or refuses the call. A call that must wait before that can be decided
    /// gets the wait.
    pub(crate) fn admit_key(
        &self,
        key: &ConnectionKey,
        permit: &mut Permit,
    ) -> Result<Option<Wait>, Error> {
        if let Some(per_key) = &self.per_key {
            permit.take_key(per_key, key)?;
        }
        // The rate is checked last, because a call that is refused for another reason hasn't begun.
        #[cfg(feature = "rate-limit")]
        if let Some(rates) = &self.rates {
            rates.check(key)?;
        }
        #[cfg(feature = "rate-limit")]
        if let Some(rates) = &self.shared_rates {
            return rates.admit(key);
        }
        Ok(None)
    }
}

/// Replaces `own` by `other`, if both are set and `alike` returns `true`.
pub(crate) fn share<T>(
    own: &mut Option<Arc<T>>,
    other: Option<&Arc<T>>,
    alike: impl FnOnce(&T, &T) -> bool,
) {
    if let (Some(own), Some(other)) = (own, other) {
        if alike(own, other) {
            *own = Arc::clone(other);
        }
    }
}
