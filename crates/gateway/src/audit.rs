//! The audit log: a line for each call, including refused calls. The line contains the caller, the
//! connection, the destination, the result, the duration and the number of bytes in each direction.
//! It also serves as the access log.
//!
//! A line never contains a query, and a path only if the config asks for it. The connection id, the
//! method and the path, which the caller chooses, are escaped, so that a caller can't forge a line.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use http::Extensions;
use tower_passthrough::observe::{CallReport, CallStart};
use tower_passthrough::refresh::{RefreshOutcome, RefreshReport};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{ConnectionId, Observe};
use tracing::field::DisplayValue;

use crate::callers::Caller;
use crate::log::{AUDIT, LogFormat};
use crate::metrics;
use crate::peers::Peer;

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
    let path = call.extensions().get::<AuditPath>();
    let path = path.map(|path| Id(&path.0)).map(tracing::field::display);
    // An address is checked when it's dialled, so a call may be refused after it was forwarded.
    let refused = call
        .cause()
        .is_some_and(|error| call.attempts() == 0 || error.status().is_client_error());
    let limit = call.rate_limit();
    tracing::info!(
        target: AUDIT,
        caller = caller.map(|caller| caller.label()),
        peer = peer(call.extensions()),
        connection,
        integration = call.integration(),
        method = call.method().as_str(),
        path,
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
pub(crate) fn unauthenticated(request: &Request) {
    tracing::info!(
        target: AUDIT,
        peer = peer(request.extensions()),
        method = request.method().as_str(),
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

fn peer(extensions: &Extensions) -> Option<DisplayValue<IpAddr>> {
    let peer = extensions.get::<Peer>();
    peer.map(|peer| tracing::field::display(peer.0))
}

/// An extension of requests: the path of the call below its connection, for the log.
#[derive(Clone, Debug)]
pub(crate) struct AuditPath(Box<str>);

impl AuditPath {
    /// Returns the path after `/{connection}` in a path below the mount.
    pub(crate) fn below(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let rest = path.split_once('/').map_or("", |(_, rest)| rest);
        Self::of(rest)
    }

    /// Returns a path that doesn't contain the connection.
    pub(crate) fn whole(path: &str) -> Self {
        Self::of(path.strip_prefix('/').unwrap_or(path))
    }

    /// Returns the path, which ends before a query, also before a query that a generated client has encoded into the path.
    fn of(rest: &str) -> Self {
        let encoded = |at: usize| {
            let code = rest.get(at..at + 3);
            code.is_some_and(|code| code.eq_ignore_ascii_case("%3f"))
        };
        let end = rest
            .char_indices()
            .find(|&(at, char)| char == '?' || (char == '%' && encoded(at)));
        let rest = end.and_then(|(at, _)| rest.get(..at)).unwrap_or(rest);
        Self(format!("/{rest}").into())
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An id or a path as a value of a log line. It's quoted, unless it can't be mistaken for another field.
struct Id<'a>(&'a str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@+/%".contains(&byte);
        // JSON is escaped as a whole.
        if LogFormat::current() == LogFormat::Json || id.bytes().all(plain) {
            f.write_str(id)
        } else {
            write!(f, "{id:?}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_line_ends_before_any_query() {
        for (path, expected) in [
            ("/acme", "/"),
            ("/acme/", "/"),
            ("/acme/v2/users", "/v2/users"),
            ("/acme//v2", "//v2"),
            ("/acme/%2Fv2%2Fusers%3Fkey%3Ds3cr3t", "/%2Fv2%2Fusers"),
            ("/acme/%2fv2%3fkey", "/%2fv2"),
            ("/acme/a?b", "/a"),
            ("/acme/%", "/%"),
            ("/acme/100%\u{e9}", "/100%\u{e9}"),
            ("", "/"),
        ] {
            assert_eq!(&*AuditPath::below(path).0, expected, "{path}");
        }
    }
}
