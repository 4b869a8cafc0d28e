//! Converts the upstream's response to the response for the caller.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use http_body::Body as _;

use super::config::Config;
use super::response_body::OwnBody;
use super::{Gateway, context};
use crate::authorize::{Authorize, AuthorizeError};
use crate::body::UpstreamBody;
use crate::client::{Transport, TransportError, TransportErrorKind};
use crate::connection::ConnectionKey;
use crate::error::Error;
use crate::observe::CallGuard;
use crate::rewrite::{MountedLinks, ResponseRules, ResponseTrailers};
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
        let policy = self.config.response_headers;
        let rules = ResponseRules {
            policy,
            scrubbed,
            links,
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
        let Config {
            timeouts,
            response_headers,
            ..
        } = &self.config;
        let end = timeouts.end(guard.started());
        let trailers = ResponseTrailers(*response_headers);
        response.map(|body| match is_bodiless(status, guard.method()) {
            true => OwnBody::bodiless(guard),
            false => OwnBody::relay(body, guard, trailers, timeouts.idle, end),
        })
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
        let (Some(id), Some(key)) = (guard.connection_id(), guard.connection_key()) else {
            return false;
        };
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
                    return false;
                }
            }
            Err(AuthorizeError::Denied | AuthorizeError::Reauthorize) => return false,
            Err(AuthorizeError::Unavailable(_)) => {}
        }
        match self.store.connection(key, context(guard)).await {
            Ok(connection) => claim.is_met_by(&connection),
            Err(StoreError::NotFound | StoreError::Reauthorize) => false,
            Err(StoreError::Unavailable(_) | StoreError::RefreshFailed { .. }) => true,
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
