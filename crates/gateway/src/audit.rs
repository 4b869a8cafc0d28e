//! The audit log: a line for each call, including refused calls. The line contains the caller, the
//! connection, the destination, the result, the duration and the number of bytes in each direction.
//! It also serves as the access log.
//!
//! A line never contains a path or a query. The connection id and the method, which the caller
//! chooses, are escaped, so that a caller can't forge a line.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tower_passthrough::observe::{CallReport, CallStart};
use tower_passthrough::refresh::{RefreshOutcome, RefreshReport};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{ConnectionId, Observe};

use crate::callers::Caller;
use crate::log::AUDIT;
use crate::metrics;

/// Writes a line for each call into the log, and counts the call.
#[derive(Debug)]
pub(crate) struct Observer;

impl Observe for Observer {
    fn started(&self, _: &CallStart<'_>) {
        metrics::began();
    }

    fn finished(&self, call: &CallReport<'_>) {
        self::call(call);
        metrics::call(call);
    }
}

fn call(call: &CallReport<'_>) {
    let caller = call.extensions().get::<Arc<Caller>>();
    let key = call.connection_key().map(ConnectionKey::as_str);
    let connection = key.or(call.connection_id().map(ConnectionId::as_str));
    let connection = connection.map(Id).map(tracing::field::display);
    // An address is checked when it's dialled, so a call may be refused after it was forwarded.
    let refused = call
        .cause()
        .is_some_and(|error| call.attempts() == 0 || error.status().is_client_error());
    let limit = call.rate_limit();
    tracing::info!(
        target: AUDIT,
        caller = caller.map(|caller| caller.label()),
        connection,
        integration = call.integration(),
        method = call.method().as_str(),
        host = call.destination(),
        verdict = if refused { "refused" } else { "allowed" },
        outcome = call.outcome().as_str(),
        code = call.error().map(|code| code.as_str()),
        status = call.status().map(|status| status.as_u16()),
        request_bytes = call.request_bytes(),
        response_bytes = call.response_bytes(),
        head_ms = call.head_time().map(milliseconds),
        ms = milliseconds(call.duration()),
        attempts = call.attempts(),
        version = call.version().map(tracing::field::debug),
        trace = call.trace_id().map(tracing::field::display),
        limit_remaining = limit.and_then(|limit| limit.remaining()),
        retry_after_s = limit.and_then(|limit| limit.retry_after()).map(|after| after.as_secs()),
        "call",
    );
}

/// Logs a call without a valid key. Nothing else in the call has been read.
pub(crate) fn unauthenticated(method: &Method) {
    tracing::info!(
        target: AUDIT,
        method = method.as_str(),
        verdict = "refused",
        code = "unauthenticated",
        status = 401_u16,
        "call",
    );
}

/// Logs new tokens of a connection, or the reason why there are none. Calls continue meanwhile.
pub(crate) fn refreshed(report: &RefreshReport<'_>) {
    let outcome = report.outcome();
    let connection = tracing::field::display(Id(report.connection_key().as_str()));
    let (integration, ms) = (report.integration(), milliseconds(report.duration()));
    // The text is the library's own, and contains nothing from the response of the token endpoint.
    let error = report.error();
    match outcome {
        RefreshOutcome::Refreshed | RefreshOutcome::Superseded => {
            tracing::info!(
                connection,
                integration,
                outcome = outcome.as_str(),
                ms,
                "refresh"
            );
        }
        _ => {
            tracing::warn!(
                connection,
                integration,
                outcome = outcome.as_str(),
                ms,
                error,
                "refresh"
            );
        }
    }
    metrics::refreshed(report);
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An id as a value of a log line. It's quoted, unless it can't be mistaken for another field.
struct Id<'a>(&'a str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@+/".contains(&byte);
        if id.bytes().all(plain) {
            f.write_str(id)
        } else {
            write!(f, "{id:?}")
        }
    }
}
