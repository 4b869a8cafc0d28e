//! Converts the upstream's response to the response for the caller.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Response, StatusCode};
use http_body::Body as _;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::config::Config;
use super::response_body::OwnBody;
use super::{Gateway, context};
use crate::authorize::{Authorize, AuthorizeError};
use crate::body::UpstreamBody;
use crate::client::{Transport, TransportError, TransportErrorKind};
use crate::connection::ConnectionKey;
use crate::error::Error;
use crate::observe::CallGuard;
use crate::rewrite::{MountedLinks, ResponseFields, ResponseRules, ResponseTrailers};
use crate::store::{CredentialStore, StoreError};
use crate::upgrade::{self, Check, Claim, Handshake, Tunnel};
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
        handshake: Option<&mut Handshake>,
        upstream: &Upstream,
        links: Option<&MountedLinks>,
        guard: &mut CallGuard,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let accepted = upgrade::accept(handshake, &mut head)?;
        guard.on_response(&head);
        let size = body.size_hint();
        let size = (!is_bodiless(head.status, guard.method())).then_some(&size);
        // A rewritten link must never contain the key, so links are also scrubbed if they are
        // rewritten.
        let scrubbed = if upstream.scrubs_links() || links.is_some() {
            upstream.requirements().parameters()
        } else {
            &[]
        };
        let rules = ResponseRules {
            fields: self.response_fields(),
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

    /// Forwards the upstream's body while it streams.
    pub(super) fn relay(
        &self,
        response: Response<UpstreamBody>,
        mut guard: CallGuard,
    ) -> Response<OwnBody> {
        let status = response.status();
        guard.on_answer(status);
        let Config { timeouts, .. } = &self.config;
        let end = timeouts.end(guard.started());
        let trailers = ResponseTrailers(self.response_fields());
        response.map(|body| match is_bodiless(status, guard.method()) {
            true => OwnBody::bodiless(guard),
            false => OwnBody::relay(body, guard, trailers, timeouts.idle, end),
        })
    }

    fn response_fields(&self) -> ResponseFields {
        ResponseFields {
            policy: self.config.response_headers,
            pass_server_instructions: self.config.pass_server_instructions,
        }
    }

    /// Opens the tunnel if the upstream has agreed. Otherwise, returns the upstream's response
    /// unchanged.
    pub(super) fn upgrade(
        self: &Arc<Self>,
        response: Response<UpstreamBody>,
        handshake: Handshake,
        mut guard: CallGuard,
    ) -> Response<OwnBody> {
        let Some(sides) = handshake.into_sides() else {
            return self.relay(response, guard);
        };
        guard.on_answer(response.status());
        let timeouts = &self.config.timeouts;
        let tunnel = Tunnel {
            sides,
            end: timeouts.end(guard.started()),
            idle: timeouts.idle,
            guard,
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

/// Returns `true` if the response has no body, regardless of its fields (RFC 9110 §6.4.1).
fn is_bodiless(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD
        || matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
}
