//! The `tracing` span of a call, with the names of OpenTelemetry's semantic conventions for HTTP.
//!
//! It contains the upstream's host, numbers, and values from a fixed set, but never a path, a query, a field or a connection id, which may
//! be confidential. Without the feature there is no span. Without a subscriber, a span costs a single atomic load.

#[cfg(feature = "tracing")]
pub(crate) use self::on::CallSpan;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::CallSpan;

#[cfg(feature = "tracing")]
mod on {
    use http::{Method, StatusCode, Version};
    use tracing::field::{Empty, debug, display};
    use tracing::level_filters::LevelFilter;
    use tracing::{Level, Span};

    use crate::error::{Error, ErrorCode};
    use crate::observe::{CallFacts, CallReport, Outcome};
    use crate::policy::Scheme;

    /// The span of a call under way. It's closed when its last clone has been dropped.
    #[derive(Clone, Debug)]
    pub(crate) struct CallSpan(Span);

    impl CallSpan {
        /// Returns a child of the span that the host application's layers have entered, if there is a span.
        pub(crate) fn start(method: &Method) -> Self {
            // If no subscriber wants spans of this level, the look-ups below aren't needed.
            if LevelFilter::current() < Level::INFO {
                return Self(Span::none());
            }
            let (name, method) = match known(method) {
                Some(method) => (method, method),
                None => ("HTTP", "_OTHER"),
            };
            Self(tracing::info_span!(
                target: "tower_passthrough",
                "call",
                otel.name = name,
                otel.kind = "client",
                otel.status_code = Empty,
                http.request.method = method,
                http.request.resend_count = Empty,
                http.request.body.size = Empty,
                http.response.status_code = Empty,
                http.response.body.size = Empty,
                server.address = Empty,
                server.port = Empty,
                url.scheme = Empty,
                network.protocol.version = Empty,
                error.type = Empty,
                passthrough.integration = Empty,
                passthrough.outcome = Empty,
                trace_id = Empty,
            ))
        }

        /// Returns `true` if a subscriber wants the span.
        pub(crate) fn is_seen(&self) -> bool {
            !self.0.is_disabled()
        }

        pub(crate) fn in_scope<R>(&self, run: impl FnOnce() -> R) -> R {
            self.0.in_scope(run)
        }

        /// Records the end of the call in the span, and runs `report` inside the span.
        pub(crate) fn finish(&self, facts: &CallFacts, report: impl FnOnce()) {
            if self.is_seen() {
                self.tell(facts);
            }
            self.0.in_scope(report);
        }

        /// Logs the cause of an answer that the host application should know: the gateway's own error that the caller didn't cause, a
        /// refused destination, or a connection that lacks a secret or a variable. The texts contain no secret, but may contain the name of
        /// a secret, a host or an address.
        pub(crate) fn on_error(&self, facts: &CallFacts, error: &Error) {
            let status = error.status();
            let is_hosts_concern = match error.code() {
                ErrorCode::DestinationRefused => true,
                // A revoked grant has no further cause, and isn't logged for each call.
                ErrorCode::Reauthorize => std::error::Error::source(error).is_some(),
                _ => false,
            };
            if !status.is_server_error() && !is_hosts_concern {
                return;
            }
            // Quoted, because a caller may have chosen the key, and an unquoted key could look like another field.
            let connection = facts.key.as_ref().map(|key| debug(key.as_str()));
            let integration = facts.integration.as_deref();
            self.0.in_scope(|| {
                let code = error.code().as_str();
                // Failures of the host application's own parts are errors, and failures of upstreams are warnings.
                let is_hosts = status == StatusCode::BAD_GATEWAY && error.code() == ErrorCode::DestinationRefused;
                if is_hosts || error.code() == ErrorCode::StoreUnavailable {
                    tracing::error!(target: "tower_passthrough", code, connection, integration, "{}", error.chain());
                } else {
                    tracing::warn!(target: "tower_passthrough", code, connection, integration, "{}", error.chain());
                }
            });
        }

        /// Logs that the calls of an integration carry no credential, although its connections have secrets.
        pub(crate) fn on_unused_secrets(&self, integration: &str) {
            self.0.in_scope(|| {
                tracing::warn!(
                    target: "tower_passthrough",
                    integration,
                    "calls carry no credential: the connection has secrets, but the upstream of its integration has no scheme that reads \
                     them; call `Upstream::auth`, with `NoAuth` if no credential is intended"
                );
            });
        }

        fn tell(&self, facts: &CallFacts) {
            let span = &self.0;
            let call = CallReport(facts);
            if let Some(integration) = call.integration() {
                span.record("passthrough.integration", integration);
            }
            // A caller could otherwise write any number of hosts into traces.
            if let Some(origin) = facts.origin.as_ref().filter(|_| facts.is_permitted) {
                span.record("server.address", display(origin.host()));
                span.record("server.port", origin.port());
                let scheme = match origin.scheme() {
                    Scheme::Http => "http",
                    Scheme::Https => "https",
                };
                span.record("url.scheme", scheme);
            }
            if let Some(version) = call.version().and_then(number) {
                span.record("network.protocol.version", version);
            }
            if let Some(status) = call.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            if call.attempts() > 1 {
                span.record("http.request.resend_count", call.attempts() - 1);
            }
            span.record("http.request.body.size", call.request_bytes());
            span.record("http.response.body.size", call.response_bytes());
            span.record("passthrough.outcome", call.outcome().as_str());
            if let Some(id) = call.trace_id() {
                span.record("trace_id", display(id));
            }
            // A 4xx of an upstream is an error for a client span. A caller that disconnects isn't an error.
            let failed = call.status().filter(|status| status.as_u16() >= 400);
            match (call.error(), failed, call.outcome()) {
                (Some(code), _, _) => span.record("error.type", code.as_str()),
                (_, _, Outcome::Aborted) => span.record("error.type", Outcome::Aborted.as_str()),
                (_, Some(status), _) => span.record("error.type", status.as_str()),
                _ => return,
            };
            span.record("otel.status_code", "ERROR");
        }
    }

    /// Returns a method of the standards. Other methods aren't recorded, because callers could invent any number of them.
    fn known(method: &Method) -> Option<&'static str> {
        const KNOWN: [&str; 10] = [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "CONNECT", "TRACE",
        ];
        KNOWN.into_iter().find(|known| *known == method.as_str())
    }

    fn number(version: Version) -> Option<&'static str> {
        match version {
            Version::HTTP_10 => Some("1.0"),
            Version::HTTP_11 => Some("1.1"),
            Version::HTTP_2 => Some("2"),
            _ => None,
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use http::Method;

    use crate::error::Error;
    use crate::observe::CallFacts;

    /// A replacement for the span if the feature `tracing` is off.
    #[derive(Clone, Debug)]
    pub(crate) struct CallSpan;

    impl CallSpan {
        pub(crate) fn start(_: &Method) -> Self {
            Self
        }

        pub(crate) fn is_seen(&self) -> bool {
            false
        }

        pub(crate) fn in_scope<R>(&self, run: impl FnOnce() -> R) -> R {
            run()
        }

        pub(crate) fn on_error(&self, _: &CallFacts, _: &Error) {}

        pub(crate) fn on_unused_secrets(&self, _: &str) {}

        pub(crate) fn finish(&self, _: &CallFacts, report: impl FnOnce()) {
            report();
        }
    }
}
