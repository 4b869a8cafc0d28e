//! One line per call in the log, refused ones too (SECURITY L10): who, which connection, where to,
//! what came of it, how long it took and how much went either way. It's the access log as well.
//!
//! Never a path or a query. What a caller chose, the id and the method, is escaped, so that no line
//! can be forged (SECURITY L3).

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

/// Writes each call into the log, and counts it.
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
    // An address is judged when it's dialled, so a refusal may come after the call was handed on.
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

/// A call that carried no valid key: nothing else of it has been looked at.
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

/// New tokens of a connection, or why there are none. It's told beside calls, which go on.
pub(crate) fn refreshed(report: &RefreshReport<'_>) {
    let outcome = report.outcome();
    let connection = tracing::field::display(Id(report.connection_key().as_str()));
    let (integration, ms) = (report.integration(), milliseconds(report.duration()));
    // The library's own words: nothing that a token endpoint said.
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

/// An id as a value of a log line: in quotes, unless it can't be taken for more than itself.
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
