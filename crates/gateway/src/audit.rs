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

use crate::callers::Caller;
use crate::log::{Line, LogFormat, is_plain};
use crate::metrics;
use crate::peers::Peer;
use axum::extract::Request;
use http::{Extensions, Version};
use tower_passthrough::observe::{CallReport, CallStart};
use tower_passthrough::refresh::{RefreshOutcome, RefreshReport};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{ConnectionId, Observe};

/// The target of the lines.
const TARGET: &str = "audit";

/// Writes a line for each call into the log, and counts the call.
#[derive(Debug)]
pub(crate) struct Observer {
    /// `false` if the config switches the access log off.
    pub(crate) has_log: bool,
}

impl Observe for Observer {
    fn started(&self, _: &CallStart<'_>) {
        metrics::began();
    }

    fn finished(&self, call: &CallReport<'_>) {
        if self.has_log {
            self::call(call);
        }
        metrics::call(call);
    }
}

fn call(call: &CallReport<'_>) {
    // An address is checked when it's dialled, so a call may be refused after it was forwarded.
    let is_refused = call
        .cause()
        .is_some_and(|error| call.attempts() == 0 || error.status().is_client_error());
    let key = call.connection_key().map(ConnectionKey::as_str);
    let connection = key.or(call.connection_id().map(ConnectionId::as_str));
    Line::info(TARGET, "call", |line| {
        if let Some(caller) = call.extensions().get::<Arc<Caller>>() {
            line.text("caller", caller.label());
        }
        if let Some(peer) = peer(call.extensions()) {
            line.address("peer", peer);
        }
        if let Some(connection) = connection {
            line.chosen("connection", connection);
        }
        if let Some(integration) = call.integration() {
            line.text("integration", integration);
        }
        line.text("method", call.method().as_str());
        if let Some(AuditPath(path)) = call.extensions().get() {
            line.chosen("path", path);
        }
        if let Some(host) = call.destination() {
            line.text("host", host);
        }
        line.text("verdict", if is_refused { "refused" } else { "allowed" });
        line.text("outcome", call.outcome().as_str());
        if let Some(code) = call.error() {
            line.text("code", code.as_str());
        }
        if let Some(status) = call.status() {
            line.number("status", status.as_u16());
        }
        line.number("request_bytes", call.request_bytes());
        line.number("response_bytes", call.response_bytes());
        if let Some(time) = call.head_time() {
            line.number("head_ms", milliseconds(time));
        }
        line.number("ms", milliseconds(call.duration()));
        line.number("attempts", call.attempts());
        if let Some(version) = call.version() {
            line.plain("version", version_text(version));
        }
        if let Some(trace) = call.trace_id() {
            line.plain("trace", trace);
        }
        if let Some(limit) = call.rate_limit() {
            if let Some(remaining) = limit.remaining() {
                line.number("limit_remaining", remaining);
            }
            if let Some(after) = limit.retry_after() {
                line.number("retry_after_s", after.as_secs());
            }
        }
    });
}

/// Logs a call without a valid key. Nothing else in the call has been read.
pub(crate) fn unauthenticated(request: &Request) {
    Line::info(TARGET, "call", |line| {
        if let Some(peer) = peer(request.extensions()) {
            line.address("peer", peer);
        }
        line.text("method", request.method().as_str());
        line.text("verdict", "refused");
        line.text("code", "unauthenticated");
        line.number("status", 401_u16);
    });
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

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|peer| peer.0)
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

/// Returns the text that `Debug` writes, at a fraction of the cost.
fn version_text(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/0.9",
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An id as a value of a log line, as [`Line::chosen`] writes it.
struct Id<'a>(&'a str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // JSON is escaped as a whole.
        match LogFormat::current() == LogFormat::Json || is_plain(self.0) {
            true => f.write_str(self.0),
            false => write!(f, "{:?}", self.0),
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
