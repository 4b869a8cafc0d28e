//! What an observer sees of a call.

use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Method, StatusCode, Version};

use super::{RateLimit, TraceId};
use crate::address::ConnectionId;
use crate::connection::ConnectionKey;
use crate::error::{Error, ErrorCode};
use crate::policy::Origin;

/// Sees each call once, when its response has been sent, was refused, or was given up.
///
/// It's called on the path of the response: hand the facts on, and don't block. Refused calls are
/// reported too, so this is also where an audit trail is written.
///
/// # Panics
///
/// It's called while a call is dropped, so a panic of its own would end the process if another is
/// under way: it must not panic.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't an observer",
    label = "not an `Observe`",
    note = "implement `Observe` for it, or pass a closure to `.observe_fn(..)`"
)]
pub trait Observe: Send + Sync + 'static {
    /// A call has begun, and [`finished`](Self::finished) will be called for it once: the
    /// difference of the two is what is in flight. By default nothing is done.
    fn started(&self, call: &CallStart<'_>) {
        let _ = call;
    }

    /// The call has ended.
    fn finished(&self, call: &CallReport<'_>);
}

impl<F: Fn(&CallReport<'_>) + Send + Sync + 'static> Observe for F {
    fn finished(&self, call: &CallReport<'_>) {
        self(call);
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The vendor's response was handed back whole.
    Complete,
    /// The gateway answered with an error of its own.
    Refused,
    /// The vendor broke off in mid-body, so the response was aborted.
    Aborted,
    /// The caller went away.
    Cancelled,
}

impl Outcome {
    /// The outcome as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Refused => "refused",
            Self::Aborted => "aborted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A report of a call that begins.
#[derive(Clone, Copy, Debug)]
pub struct CallStart<'a>(pub(crate) &'a CallFacts);

impl<'a> CallStart<'a> {
    /// The caller's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.0.method
    }

    /// The request's extensions, as the host app's layers left them.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        &self.0.extensions
    }
}

/// A report of a call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct CallReport<'a>(pub(crate) &'a CallFacts);

/// The facts that are known of a call so far.
#[derive(Debug, Default)]
pub(crate) struct CallFacts {
    pub(crate) id: Option<ConnectionId>,
    pub(crate) key: Option<ConnectionKey>,
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) method: Method,
    pub(crate) origin: Option<Origin>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) error: Option<Error>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) head_time: Option<Duration>,
    pub(crate) duration: Duration,
    pub(crate) attempts: u32,
    /// The version in which the vendor answered.
    pub(crate) version: Option<Version>,
    pub(crate) extensions: Extensions,
    pub(crate) told: Option<Box<Told>>,
}

/// Facts of the head that are read only if there is an observer.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) trace: Option<TraceId>,
}

impl<'a> CallReport<'a> {
    /// Returns the key of the connection, once the authorizer has granted the call. `Display` escapes it.
    #[must_use]
    pub fn connection_key(&self) -> Option<&'a ConnectionKey> {
        self.0.key.as_ref()
    }

    /// Returns the id that the caller named, if the address could be read. It comes from the caller, refused calls included;
    /// `Display` escapes it. Count and log by [`connection_key`](Self::connection_key) where there is one.
    #[must_use]
    pub fn connection_id(&self) -> Option<&'a ConnectionId> {
        self.0.id.as_ref()
    }

    /// The integration, once the connection was found.
    #[must_use]
    pub fn integration(&self) -> Option<&'a str> {
        self.0.integration.as_deref()
    }

    /// The caller's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.0.method
    }

    /// Host and port that were judged: the base URL's, or those that `__domain` named, of a refused
    /// call too. They're in the one form of hosts, so they can't forge a log line.
    #[must_use]
    pub fn destination(&self) -> Option<&'a str> {
        self.0
            .origin
            .as_ref()
            .map(|origin| origin.authority().as_str())
    }

    /// The status that went out; `None` if the caller left before.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The code of the gateway's own error, if it answered with one.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        self.cause().map(Error::code)
    }

    /// Returns the gateway's own error with its causes, for the host's logs: [`Error::chain`] is one line of it,
    /// [`Error::root_cause`] the last cause. A cause may name a host or an address, so it isn't for callers.
    #[must_use]
    pub fn cause(&self) -> Option<&'a Error> {
        self.0.error.as_ref()
    }

    /// How the call ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome.unwrap_or(Outcome::Cancelled)
    }

    /// Bytes of the request's body that were read from the caller.
    #[must_use]
    pub fn request_bytes(&self) -> u64 {
        self.0.request_bytes
    }

    /// Bytes of the response's body that were handed back.
    #[must_use]
    pub fn response_bytes(&self) -> u64 {
        self.0.response_bytes
    }

    /// From the call's start to the vendor's response head.
    #[must_use]
    pub fn head_time(&self) -> Option<Duration> {
        self.0.head_time
    }

    /// From the call's start to its end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0.duration
    }

    /// How often the request was handed to the transport: 0 if it was refused before.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The version of HTTP in which the vendor answered.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.0.version
    }

    /// Returns the upstream's rate limit, as its answer gave it.
    #[must_use]
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.0.told.as_ref()?.rate_limit
    }

    /// Returns the trace id of the request's `traceparent`, so that logs can be joined. It's the caller's, who may choose any, or one
    /// that [`TraceContext::Start`](crate::observe::TraceContext::Start) made.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.told.as_ref()?.trace
    }

    /// The request's extensions, as the host app's layers left them.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        &self.0.extensions
    }
}
