//! Reports each call to the host application, for its logs, metrics and audit trail. With the feature `tracing`, each
//! call also has a span.
//!
//! ```
//! use tower_passthrough::observe::CallReport;
//! use tower_passthrough::{Integrations, MemoryStore, Observe, PassthroughService};
//!
//! struct Log;
//!
//! impl Observe for Log {
//!     fn finished(&self, call: &CallReport<'_>) {
//!         eprintln!("{} {:?} {:?}", call.method(), call.status(), call.duration());
//!     }
//! }
//!
//! let service = PassthroughService::builder(MemoryStore::new(), Integrations::new())
//!     .authorize_fn(|id, _| id == "acme")
//!     .caller_credentials([])
//!     .observe(Log)
//!     .build();
//! ```
//!
//! Reports contain no secret, no path and no query. [The guide](crate::guides::observability) describes the span, the
//! events and the metrics.

mod call_guard;
mod rate_limit;
pub(crate) mod report;
mod span;
mod trace;

pub use self::rate_limit::RateLimit;
pub use self::report::{CallReport, CallStart, Outcome};
pub use self::trace::{InvalidTraceId, TraceContext, TraceId};

pub(crate) use self::call_guard::CallGuard;
pub(crate) use self::report::{CallFacts, Observe, ObserveFn};
pub(crate) use self::span::CallSpan;
