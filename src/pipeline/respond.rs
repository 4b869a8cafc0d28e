//! Converts the upstream's response to the response for the caller.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body::Body as _;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::response_body::OwnBody;
use super::{Call, Gateway, context};
use crate::authorize::{Authorize, AuthorizeError};
use crate::body::UpstreamBody;
use crate::client::{Transport, TransportError, TransportErrorKind};
use crate::connection::ConnectionKey;
use crate::error::Error;
use crate::observe::CallGuard;
use crate::rewrite::{MountedLinks, ResponseRules, ResponseTrailers, first_line};
use crate::store::{CredentialStore, StoreError};
use crate::upgrade::{self, Check, Claim, Tunnel};
use crate::upstream::{BaseUrlResolver, Upstream};

impl<S, A, R, T> Gateway<S, A, R, T>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Returns the head for the caller.
    pub(super) fn rewrite_response(
        &self,
        response: Response<UpstreamBody>,
        call: &mut Call,
        upstream: &Upstream,
        links: Option<&MountedLinks>,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let accepted = upgrade::accept(call.handshake.as_deref_mut(), &mut head)?;
        call.guard.on_response(&head);
        let size = body.size_hint();
        let size = (!is_bodiless(head.status, call.guard.method())).then_some(&size);
        // A rewritten link must never contain the key, so links are also scrubbed if they are
        // rewritten.
        let scrubbed = if upstream.scrubs_links() || links.is_some() {
            upstream.requirements().parameters()
        } else {
            &[]
        };
        let rules = ResponseRules {
            fields: call.fields,
            scrubbed,
            links,
            foreign: &self.config.foreign_locations,
        };
        rules
            .rewrite(&mut head, size)
            .map_err(|_| TransportError::from(TransportErrorKind::HttpProtocol))?;
        if let Some(handshake) = accepted {
            handshake.answer(&mut head.status, &mut head.headers);
        }
        Ok(Response::from_parts(head, body))
    }

    /// Opens the tunnel if the call has a handshake and the upstream has agreed. Otherwise, forwards the upstream's body while it
    /// streams.
    #[inline(always)] // Without it, the guard and the response would be copied once more.
    pub(super) fn relay_or_upgrade(
        self: &Arc<Self>,
        response: Response<UpstreamBody>,
        mut call: Call,
    ) -> Response<OwnBody> {
        let status = response.status();
        // The guard is large, so it's only moved to the body.
        call.guard.on_answer(status);
        let timeouts = call.timeouts;
        let end = timeouts.end(call.guard.started());
        let Some(sides) = call.handshake.and_then(|handshake| handshake.into_sides()) else {
            let idle = match is_event_stream(response.headers()) {
                true => timeouts.stream_idle,
                false => timeouts.idle,
            };
            let trailers = ResponseTrailers(call.fields);
            return response.map(|body| match is_bodiless(status, call.guard.method()) {
                true => OwnBody::bodiless(call.guard),
                false => OwnBody::relay(body, call.guard, trailers, idle, end),
            });
        };
        let tunnel = Tunnel {
            sides,
            end,
            idle: timeouts.stream_idle,
            guard: call.guard,
        };
        // Spawned, because the caller's server releases the socket only after the call has ended.
        tokio::spawn(tunnel.run(self.config.upgrades.join(), Arc::clone(self)));
        response.map(|_| OwnBody::tunnelled())
    }
}

impl<S, A, R, T> Check for Arc<Gateway<S, A, R, T>>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    async fn may_go_on(&self, guard: &CallGuard, claim: &Claim) -> bool {
        let grace_end = claim.begin_check() + self.config.upgrade_grace;
        loop {
            // A check that doesn't end counts as failed when the grace is over.
            let limit = grace_end.max(Instant::now() + MIN_CHECK_TIME);
            match timeout_at(limit, self.check(guard, claim)).await {
                Ok(Verdict::Permitted) => {
                    claim.pass_check();
                    return true;
                }
                Ok(Verdict::Withdrawn) => return false,
                Ok(Verdict::Failed) | Err(_) => {}
            }
            let now = Instant::now();
            if now >= grace_end {
                return false;
            }
            // The next check comes too late.
            if grace_end - now > MAX_LAST_WAIT {
                return true;
            }
            sleep_until(grace_end).await;
        }
    }
}

/// The time that a check has at least, even if the grace is over.
const MIN_CHECK_TIME: Duration = Duration::from_secs(5);

/// The maximum time for which a check that has failed waits for the end of the grace, to check once more then.
const MAX_LAST_WAIT: Duration = Duration::from_secs(20);

/// The result of a check of an open tunnel.
enum Verdict {
    Permitted,
    Withdrawn,
    /// The authorizer or the store failed.
    Failed,
}

impl<S, A, R, T> Gateway<S, A, R, T>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Calls the authorizer and the store again for an open tunnel. A store that says no counts, even if the authorizer fails.
    async fn check(&self, guard: &CallGuard, claim: &Claim) -> Verdict {
        let (Some(id), Some(key)) = (guard.connection_id(), guard.connection_key()) else {
            return Verdict::Withdrawn;
        };
        let mut has_failed = false;
        match self.authorizer.authorize(id, context(guard)).await {
            Ok(grant) => {
                let (scope, granted) = grant.into_parts();
                let is_same = match granted {
                    Some(granted) => granted == *key,
                    None => ConnectionKey::from(id) == *key,
                };
                if !(is_same
                    && scope.permits_method(guard.method())
                    && scope.permits_websockets()
                    && scope.permits_path(claim.path()))
                {
                    return Verdict::Withdrawn;
                }
            }
            Err(AuthorizeError::Denied | AuthorizeError::Reauthorize) => return Verdict::Withdrawn,
            Err(AuthorizeError::Unavailable(_)) => has_failed = true,
        }
        match self.store.connection(key, context(guard)).await {
            Ok(connection) if !claim.is_met_by(&connection) => Verdict::Withdrawn,
            Err(StoreError::NotFound | StoreError::Reauthorize) => Verdict::Withdrawn,
            Err(StoreError::Unavailable(_)) => Verdict::Failed,
            // The store knows the connection, and only its credential can't be refreshed.
            Ok(_) | Err(StoreError::RefreshFailed { .. }) if has_failed => Verdict::Failed,
            Ok(_) | Err(StoreError::RefreshFailed { .. }) => Verdict::Permitted,
        }
    }
}

/// Returns `true` if the response is an event stream, which may be silent for minutes.
fn is_event_stream(headers: &HeaderMap) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let value = first_line(headers, &CONTENT_TYPE).map(HeaderValue::as_bytes);
    let split = value.and_then(|value| value.split_at_checked(EVENT_STREAM.len()));
    split.is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(EVENT_STREAM)
            && matches!(rest.first(), None | Some(b';' | b' ' | b'\t'))
    })
}

/// Returns `true` if the response has no body, regardless of its fields (RFC 9110 §6.4.1).
fn is_bodiless(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD
        || matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
}
