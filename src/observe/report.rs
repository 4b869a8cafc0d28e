//! The data about a call that an observer receives.

use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Method, StatusCode, Version};

use super::{RateLimit, TraceId};
use crate::address::ConnectionId;
use crate::connection::ConnectionKey;
use crate::error::{Error, ErrorCode};
use crate::policy::Origin;

/// Receives a report of each call once: when its response has been sent, or when the call was refused or abandoned.
///
/// Refused calls are reported as well, so an observer can write an audit trail. The methods are called on the path of the response:
/// pass the data on, and don't block.
///
/// # Panics
///
/// An implementation must not panic. Its methods are called while a call is dropped, so a panic would end the process if another
/// panic is already unwinding.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't an observer",
    label = "not an `Observe`",
    note = "implement `Observe` for it, or pass a closure to `.observe_fn(..)`"
)]
pub trait Observe: Send + Sync + 'static {
    /// Called when a call has begun.
    ///
    /// [`finished`](Self::finished) will be called once for the same call, so the difference between the two counts is the number of
    /// calls in flight.
    ///
    /// Default: does nothing.
    fn started(&self, call: &CallStart<'_>) {
        let _ = call;
    }

    /// Called when a call has ended.
    fn finished(&self, call: &CallReport<'_>);
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<O: Observe + ?Sized> Observe for $pointer<O> {
            fn started(&self, call: &CallStart<'_>) {
                O::started(self, call);
            }

            fn finished(&self, call: &CallReport<'_>) {
                O::finished(self, call);
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// An observer that calls a function at the end of each call; made by
/// [`PassthroughBuilder::observe_fn`](crate::PassthroughBuilder::observe_fn).
pub(crate) struct ObserveFn<F>(pub(crate) F);

impl<F: Fn(&CallReport<'_>) + Send + Sync + 'static> Observe for ObserveFn<F> {
    fn finished(&self, call: &CallReport<'_>) {
        (self.0)(call);
    }
}

/// The way in which a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The upstream's response was returned completely.
    Complete,
    /// The gateway answered with its own error.
    Refused,
    /// The upstream's body broke off, so the response was aborted.
    Aborted,
    /// The caller disconnected.
    Cancelled,
}

impl Outcome {
    /// Returns the outcome as a label, for metrics.
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

/// A report of a call that has begun.
#[derive(Clone, Copy, Debug)]
pub struct CallStart<'a>(pub(crate) &'a CallFacts);

impl<'a> CallStart<'a> {
    /// Returns the method of the caller's request.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.0.method
    }

    /// Returns the request's extensions, as the host application's layers have set them.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        &self.0.extensions
    }
}

/// A report of a call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct CallReport<'a>(pub(crate) &'a CallFacts);

/// The facts about a call that are known so far.
#[derive(Debug)]
pub(crate) struct CallFacts {
    pub(crate) id: Option<ConnectionId>,
    pub(crate) key: Option<ConnectionKey>,
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) method: Method,
    pub(crate) origin: Option<Origin>,
    /// The destination may be called. Otherwise, its host is a text that the caller chose.
    pub(crate) is_permitted: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) error: Option<Error>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) head_time: Option<Duration>,
    pub(crate) duration: Duration,
    pub(crate) attempts: u32,
    /// The HTTP version of the upstream's response.
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

impl CallFacts {
    #[inline(always)] // Without it, the facts would be copied once more.
    pub(crate) const fn new(method: Method, extensions: Extensions) -> Self {
        Self {
            id: None,
            key: None,
            integration: None,
            method,
            origin: None,
            is_permitted: false,
            status: None,
            error: None,
            outcome: None,
            request_bytes: 0,
            response_bytes: 0,
            head_time: None,
            duration: Duration::ZERO,
            attempts: 0,
            version: None,
            extensions,
            told: None,
        }
    }
}

impl<'a> CallReport<'a> {
    /// Returns the key of the connection, if the authorizer has allowed the call. `Display` escapes it.
    #[must_use]
    pub fn connection_key(&self) -> Option<&'a ConnectionKey> {
        self.0.key.as_ref()
    }

    /// Returns the connection id in the request, if the address could be parsed. `Display` escapes it.
    ///
    /// The id comes from the caller and may belong to a refused call. If there is a [`connection_key`](Self::connection_key), use it
    /// for counts and logs.
    #[must_use]
    pub fn connection_id(&self) -> Option<&'a ConnectionId> {
        self.0.id.as_ref()
    }

    /// Returns the name of the integration, if the connection was found.
    #[must_use]
    pub fn integration(&self) -> Option<&'a str> {
        self.0.integration.as_deref()
    }

    /// Returns the method of the caller's request.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.0.method
    }

    /// Returns host and port of the destination that the call named, also if the destination was refused.
    ///
    /// They are those of the base URL or of `__domain`, in the normal form of hosts, so they can't forge a log line.
    #[must_use]
    pub fn destination(&self) -> Option<&'a str> {
        self.0
            .origin
            .as_ref()
            .map(|origin| origin.authority().as_str())
    }

    /// Returns the status that was sent, or `None` if the caller disconnected before.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the code of the gateway's own error, if the gateway answered with an error.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        self.cause().map(Error::code)
    }

    /// Returns the gateway's own error with its causes, for the host application's logs.
    ///
    /// [`Error::chain`] formats it in a single line, and [`Error::root_cause`] returns its last cause. A cause may name a host or an
    /// address, so don't send it to callers.
    #[must_use]
    pub fn cause(&self) -> Option<&'a Error> {
        self.0.error.as_ref()
    }

    /// Returns the way in which the call ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome.unwrap_or(Outcome::Cancelled)
    }

    /// Returns the number of bytes of the request's body that were read from the caller.
    #[must_use]
    pub fn request_bytes(&self) -> u64 {
        self.0.request_bytes
    }

    /// Returns the number of bytes of the response's body that were returned to the caller.
    #[must_use]
    pub fn response_bytes(&self) -> u64 {
        self.0.response_bytes
    }

    /// Returns the time from the beginning of the call to the head of the upstream's response.
    #[must_use]
    pub fn head_time(&self) -> Option<Duration> {
        self.0.head_time
    }

    /// Returns the time from the beginning of the call to its end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0.duration
    }

    /// Returns the number of times that the request was sent: 0 if it was refused before. It includes the times that the transport has sent
    /// the request again ([`Dispatch::record_resend`](crate::client::Dispatch::record_resend)).
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the HTTP version of the upstream's response.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.0.version
    }

    /// Returns the rate limit in the upstream's response.
    #[must_use]
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.0.told.as_ref()?.rate_limit
    }

    /// Returns the trace id of the request's `traceparent`, for the correlation of logs.
    ///
    /// The id was chosen by the caller, who may send any id, or it was generated by
    /// [`TraceContext::Start`](crate::observe::TraceContext::Start).
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.told.as_ref()?.trace
    }

    /// Returns the request's extensions, as the host application's layers have set them.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        &self.0.extensions
    }
}
