//! The guard of a call under way. It reports the call when it's dropped, so that every call is reported, including
//! cancelled calls.

use std::sync::Arc;

use http::header::HeaderMap;
use http::{Extensions, Method, StatusCode, response};
use tokio::time::Instant;

use super::{
    CallFacts, CallReport, CallSpan, CallStart, Observe, Outcome, RateLimit, TraceContext, TraceId,
};
use crate::address::ConnectionId;
use crate::body::{Progress, Upload};
use crate::connection::ConnectionKey;
use crate::error::Error;
use crate::limits::Permit;
use crate::policy::Origin;

/// The facts of a call so far, and the observers that receive them at the end.
pub(crate) struct CallGuard {
    facts: CallFacts,
    started: Instant,
    upload: Option<Arc<dyn Progress>>,
    observers: Arc<[Arc<dyn Observe>]>,
    span: CallSpan,
    permit: Permit,
}

impl CallGuard {
    #[inline(always)] // Without it, the guard would be copied once more.
    pub(crate) fn new(
        method: Method,
        extensions: Extensions,
        observers: Arc<[Arc<dyn Observe>]>,
    ) -> Self {
        let guard = Self {
            span: CallSpan::start(&method),
            facts: CallFacts::new(method, extensions),
            started: Instant::now(),
            upload: None,
            observers,
            permit: Permit::default(),
        };
        for observer in &*guard.observers {
            observer.started(&CallStart(&guard.facts));
        }
        guard
    }

    pub(crate) fn span(&self) -> &CallSpan {
        &self.span
    }

    /// Returns `true` if an observer needs facts that are expensive to collect.
    fn is_observed(&self) -> bool {
        !self.observers.is_empty() || self.span.is_seen()
    }

    /// Records the trace of the caller's request.
    pub(crate) fn on_request(&mut self, request: &HeaderMap) {
        if self.is_observed() {
            self.traced(TraceId::from_headers(request));
        }
    }

    /// Starts a trace in the request that is sent, if the settings require that, and records it.
    pub(crate) fn on_send(&mut self, request: &mut HeaderMap, context: TraceContext) {
        if context == TraceContext::Start {
            let trace = TraceId::from_headers_or_start(request);
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

    /// Records facts from the head of the upstream's original response.
    pub(crate) fn on_response(&mut self, response: &response::Parts) {
        self.facts.version = Some(response.version);
        let limit = match self.observers.is_empty() {
            true => None,
            false => RateLimit::from_headers(&response.headers),
        };
        if limit.is_some() {
            self.facts.told.get_or_insert_default().rate_limit = limit;
        }
    }

    /// Returns the extensions that layers of the host application set.
    pub(crate) fn extensions(&self) -> &Extensions {
        &self.facts.extensions
    }

    pub(crate) fn method(&self) -> &Method {
        &self.facts.method
    }

    /// Returns the progress of the request's body, if the call has an upload.
    pub(crate) fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref().map(|upload| upload.progress())
    }

    pub(crate) fn shared_upload(&self) -> Option<Arc<dyn Progress>> {
        self.upload.clone()
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Returns the call's places in the limits, which it holds until its response has ended. The request's body holds a clone.
    pub(crate) fn permit(&mut self) -> &mut Permit {
        &mut self.permit
    }

    /// Sets the body. Its progress is reported from now on.
    pub(crate) fn set_upload(&mut self, upload: Option<Arc<dyn Progress>>) {
        self.upload = upload;
    }

    #[inline]
    pub(crate) fn set_connection_id(&mut self, id: &ConnectionId) {
        self.facts.id = Some(id.clone());
    }

    #[inline]
    pub(crate) fn set_connection_key(&mut self, key: &ConnectionKey) {
        self.facts.key = Some(key.clone());
    }

    /// Returns the id that the caller named.
    pub(crate) fn connection_id(&self) -> Option<&ConnectionId> {
        self.facts.id.as_ref()
    }

    /// Returns the key that the authorizer granted.
    pub(crate) fn connection_key(&self) -> Option<&ConnectionKey> {
        self.facts.key.as_ref()
    }

    pub(crate) fn set_integration(&mut self, integration: Arc<str>) {
        self.facts.integration = Some(integration);
    }

    /// Records the destination, before it's checked.
    pub(crate) fn set_destination(&mut self, origin: &Origin) {
        self.facts.origin = Some(origin.clone());
    }

    /// Records that the destination may be called.
    pub(crate) fn permit_destination(&mut self) {
        self.facts.is_permitted = true;
    }

    pub(crate) fn on_attempt(&mut self) {
        self.facts.attempts += 1;
    }

    /// Records the resends of the transport.
    pub(crate) fn add_attempts(&mut self, resends: u32) {
        self.facts.attempts = self.facts.attempts.saturating_add(resends);
    }

    /// Records that the head of the upstream's response was received.
    pub(crate) fn on_answer(&mut self, status: StatusCode) {
        self.facts.status = Some(status);
        if self.is_observed() {
            self.facts.head_time = Some(self.started.elapsed());
        }
    }

    /// Records that the gateway answers with its own error.
    pub(crate) fn on_error(&mut self, error: Error, status: StatusCode) {
        self.span.on_error(&self.facts, &error);
        self.facts.status = Some(status);
        self.facts.error = Some(error);
        self.finish(Outcome::Refused);
    }

    pub(crate) fn add_response_bytes(&mut self, bytes: usize) {
        self.facts.response_bytes += bytes as u64;
    }

    /// Records that an upload which goes on has no call any more.
    fn leave_upload(&self) {
        if let Some(upload) = self.upload() {
            upload.leave();
        }
    }

    /// Records the outcome of the call. Only the first outcome counts.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        self.facts.outcome.get_or_insert(outcome);
        self.leave_upload();
        // Released before the caller has the last byte, because the caller's next call may follow at once.
        self.permit = Permit::default();
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.leave_upload();
        // Released before the report, because an observer may rely on the free place.
        self.permit = Permit::default();
        if self.is_observed() {
            self.facts.duration = self.started.elapsed();
            self.facts.request_bytes = self.upload().map_or(0, Upload::bytes);
            self.span.finish(&self.facts, || {
                for observer in &*self.observers {
                    observer.finished(&CallReport(&self.facts));
                }
            });
        }
    }
}
