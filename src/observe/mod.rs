//! Observation of calls: the beginning and the end of each call, and a span with the feature `tracing`. Reports
//! never contain a secret, a path or a query.
//!
//! ```
//! use tower_passthrough::Observe;
//! use tower_passthrough::observe::CallReport;
//!
//! struct Log;
//!
//! impl Observe for Log {
//!     fn finished(&self, call: &CallReport<'_>) {
//!         eprintln!("{} {:?} {:?}", call.method(), call.status(), call.duration());
//!     }
//! }
//! ```

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
