//! The record of a call under way. It's reported when it's dropped, so that no call escapes,
//! cancelled ones included.

use std::sync::Arc;

use http::header::HeaderMap;
use http::{Extensions, Method, StatusCode, response};
use tokio::time::Instant;

use super::{
    CallFacts, CallReport, CallSpan, CallStart, Observe, Outcome, Progress, RateLimit,
    TraceContext, TraceId, Upload,
};
use crate::address::ConnectionId;
use crate::error::Error;
use crate::limits::Permit;
use crate::policy::Origin;

/// What is known of a call so far, and who gets to know it in the end.
pub(crate) struct Record {
    facts: CallFacts,
    started: Instant,
    upload: Option<Arc<dyn Progress>>,
    observer: Option<Arc<dyn Observe>>,
    span: CallSpan,
    permit: Permit,
}

impl Record {
    pub(crate) fn start(
        method: Method,
        extensions: Extensions,
        observer: Option<Arc<dyn Observe>>,
    ) -> Self {
        let record = Self {
            span: CallSpan::start(&method),
            facts: CallFacts {
                method,
                extensions,
                ..CallFacts::default()
            },
            started: Instant::now(),
            upload: None,
            observer,
            permit: Permit::default(),
        };
        if let Some(observer) = &record.observer {
            observer.started(&CallStart(&record.facts));
        }
        record
    }

    pub(crate) fn span(&self) -> &CallSpan {
        &self.span
    }

    /// Whether anybody wants to know more than what it costs nothing to know.
    fn is_observed(&self) -> bool {
        self.observer.is_some() || self.span.is_seen()
    }

    /// The request as it came may belong to a trace.
    pub(crate) fn came(&mut self, request: &HeaderMap) {
        if self.is_observed() {
            self.traced(TraceId::of(request));
        }
    }

    /// The request that is sent may begin a trace.
    pub(crate) fn leaves(&mut self, request: &mut HeaderMap, context: TraceContext) {
        if context == TraceContext::Start {
            let trace = TraceId::of_or_start(request);
            if self.is_observed() {
                self.traced(Some(trace));
            }
        }
    }

    fn traced(&mut self, trace: Option<TraceId>) {
        if trace.is_some() {
            self.facts.told.get_or_insert_default().trace = trace;
        }
    }

    /// The head of the vendor's response, as it came.
    pub(crate) fn hears(&mut self, response: &response::Parts) {
        self.facts.version = Some(response.version);
        let limit = self
            .observer
            .as_ref()
            .and_then(|_| RateLimit::of(&response.headers));
        if limit.is_some() {
            self.facts.told.get_or_insert_default().rate_limit = limit;
        }
    }

    /// What the host app's layers know of the call.
    pub(crate) fn extensions(&self) -> &Extensions {
        &self.facts.extensions
    }

    pub(crate) fn method(&self) -> &Method {
        &self.facts.method
    }

    /// How far the request's body has come, if there is one.
    pub(crate) fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref().map(|upload| upload.progress())
    }

    pub(crate) fn shared_upload(&self) -> Option<Arc<dyn Progress>> {
        self.upload.clone()
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// What the call holds of the host's limits, until it ends.
    pub(crate) fn permit(&mut self) -> &mut Permit {
        &mut self.permit
    }

    /// From now on a body tells of its progress.
    pub(crate) fn follows(&mut self, upload: Arc<dyn Progress>) {
        self.upload = Some(upload);
    }

    pub(crate) fn names(&mut self, connection: &ConnectionId) {
        self.facts.connection = Some(connection.clone());
    }

    /// The connection that was named.
    pub(crate) fn connection(&self) -> Option<&ConnectionId> {
        self.facts.connection.as_ref()
    }

    pub(crate) fn belongs_to(&mut self, integration: Arc<str>) {
        self.facts.integration = Some(integration);
    }

    /// Where it's to go, whatever the verdict.
    pub(crate) fn goes_to(&mut self, origin: &Origin) {
        self.facts.origin = Some(origin.clone());
    }

    pub(crate) fn attempt(&mut self) {
        self.facts.attempts += 1;
    }

    /// The head of the vendor's response is here.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.facts.status = Some(status);
        self.facts.head_time = Some(self.started.elapsed());
    }

    /// The gateway answers with an error of its own.
    pub(crate) fn refused(&mut self, error: Error, status: StatusCode) {
        self.facts.status = Some(status);
        self.facts.error = Some(error);
        self.ends(Outcome::Refused);
    }

    pub(crate) fn add_response_bytes(&mut self, bytes: usize) {
        self.facts.response_bytes += bytes as u64;
    }

    /// How the call ended; the first word counts.
    pub(crate) fn ends(&mut self, outcome: Outcome) {
        self.facts.outcome.get_or_insert(outcome);
        // Before the caller has the last byte: its next call may come at once.
        self.permit = Permit::default();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Whoever hears of the end may count on the place.
        self.permit = Permit::default();
        if self.is_observed() {
            self.facts.duration = self.started.elapsed();
            self.facts.request_bytes = self.upload().map_or(0, Upload::bytes);
            let observer = self.observer.take();
            self.span.ends(&self.facts, || {
                if let Some(observer) = observer {
                    observer.finished(&CallReport(&self.facts));
                }
            });
        }
    }
}
