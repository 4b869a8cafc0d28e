//! Adds the credential to a request that is complete otherwise, sends the request, and waits for the head of the upstream's response.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::timeout;

use super::await_head::AwaitHead;
use super::config::Config;
use super::rejection::rejects_credential;
use super::{Call, Gateway, context};
use crate::auth::{Applied, AuthContext, AuthRequest, PayloadUse};
use crate::authorize::Authorize;
use crate::body::{RequestBody, Tee, UploadState, UpstreamBody, no_room};
use crate::client::{Dispatch, Transport, TransportError, TransportErrorKind};
use crate::connection::{Connection, ConnectionKey};
use crate::error::Error;
use crate::limits::BufferPermit;
use crate::observe::{CallGuard, Outcome};
use crate::policy::{Destination, Host};
use crate::resilience::Attempt;
use crate::rewrite::{self, RequestTrailers};
use crate::store::{CredentialStore, StoreError};
use crate::timeouts::Timeouts;
use crate::upstream::{BaseUrlResolver, Upstream};

/// The maximum time that a call which can't be sent again waits for a refresh to begin.
const REFRESH_START_TIMEOUT: Duration = Duration::from_secs(1);

/// A request that is complete except for its credential.
pub(super) struct Outgoing {
    pub(super) head: Parts,
    pub(super) body: RequestBody,
    /// The payload, if the scheme needs it.
    pub(super) payload: Option<Bytes>,
    /// Keeps a copy of the body while the body is sent.
    pub(super) tee: Option<Arc<Tee>>,
}

/// A request that can be sent again as soon as its whole body has been sent.
struct Replay {
    outgoing: Outgoing,
    buffered: Option<Buffered>,
}

/// A body that is kept as long as it may be sent again.
struct Buffered(Arc<Tee>);

impl Drop for Buffered {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// The destination of a request, and the connection for which it's sent.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) key: &'a ConnectionKey,
    pub(super) upstream: &'a Upstream,
    pub(super) destination: &'a Destination,
    /// `true` if the host application alone has chosen the destination.
    pub(super) is_hosts_choice: bool,
    pub(super) timeouts: &'a Timeouts,
}

impl<S, A, R, T> Gateway<S, A, R, T>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Sends the call's request with its credential. If the upstream rejects the credential and the store has another, sends it once
    /// more.
    pub(super) async fn send(
        &self,
        call: &mut Call,
        target: Target<'_>,
        connection: &Connection,
    ) -> Result<Response<UpstreamBody>, Error> {
        let Call {
            outgoing, guard, ..
        } = call;
        let config = &self.config;
        // If the credential is stale, the head and the body are needed again.
        let can_refresh = self.store.can_refresh(connection);
        let replay = match can_refresh {
            true => outgoing.replay(config, target.key),
            false => None,
        };
        let sent = match config.resilience.is_off() {
            true => {
                let to = self.authenticate(outgoing, target, connection, guard)?;
                // `sending` is pinned here, because `AwaitHead` would copy the future.
                let sending = pin!(self.transport.send(outgoing.take_request(), &to));
                let upload = guard.shared_upload();
                let awaited =
                    AwaitHead::new(sending, guard.started(), upload, &to, target.timeouts).await;
                guard.add_attempts(to.resends());
                awaited?
            }
            false => {
                let attempt = |mut outgoing: Outgoing, guard: &mut CallGuard| {
                    let to = self.authenticate(&mut outgoing, target, connection, guard)?;
                    let request = outgoing.take_request();
                    let (started, upload) = (guard.started(), guard.shared_upload());
                    Ok(Attempt {
                        has_client_identity: to.has_client_identity(),
                        sending: async move {
                            let sending = self.transport.send(request, &to);
                            let awaited =
                                AwaitHead::new(sending, started, upload, &to, target.timeouts);
                            (awaited.await, to.resends())
                        },
                    })
                };
                let end = target.timeouts.end(guard.started());
                let origin = target.destination.origin();
                let sending = config.resilience.send(
                    outgoing.take(),
                    Outgoing::try_clone,
                    origin,
                    end,
                    guard,
                    attempt,
                );
                Box::pin(sending).await?
            }
        };
        let response = sent.map_err(|error| target.map_error(error, guard))?;
        if can_refresh && rejects_credential(&response, target.upstream.refresh_statuses()) {
            let again = self.send_again(replay, target, connection, response, guard);
            return Box::pin(again).await;
        }
        Ok(response)
    }

    /// Puts the credential on the request, and returns where to send it.
    fn authenticate(
        &self,
        outgoing: &mut Outgoing,
        target: Target<'_>,
        connection: &Connection,
        guard: &mut CallGuard,
    ) -> Result<Dispatch, Error> {
        let Outgoing {
            head,
            body,
            payload,
            tee,
        } = outgoing;
        // The memory of the payload is counted as long as the body exists, so the payload must not outlive the body.
        let payload = payload.take();
        let cx = AuthContext::new(connection, target.destination, SystemTime::now());
        let cx = cx.with_payload_length(body.size_hint().exact());
        let cx = match &payload {
            Some(payload) => cx.with_payload(payload),
            None => cx,
        };
        let mut request = AuthRequest::new(head);
        let mut applied = target.upstream.scheme().apply(&mut request, &cx)?;
        let set = request.into_fields();

        let to = target.dispatch(connection, &mut applied);
        if to.has_client_identity() && !self.transport.presents_client_certificates() {
            let cause = "the transport can't present a client certificate; build it with TLS";
            return Err(TransportError::new(TransportErrorKind::TlsProtocol, cause))?;
        }
        let config = &self.config;
        // The copy that is kept for a replay is encoded again when it's sent.
        if let Some(encoder) = applied.take_encoder() {
            let taken = BufferPermit::empty(config.limits.buffers(), target.key);
            let encoded = std::mem::take(body).encoded(encoder, tee.take(), taken);
            *body = rewrite::framed(head, encoded);
        }
        let trailers = || RequestTrailers {
            requirements: target.upstream.shared_requirements(),
            set,
            host_credentials: Arc::clone(&config.host_credentials),
        };
        let limits = (config.request_body_limit, target.timeouts.idle);
        let (started, permit) = (guard.started(), guard.permit().clone());
        let followed = std::mem::take(body).follow(started, trailers, limits, tee.take(), &permit);
        let (followed, upload) = followed;
        *body = followed;
        guard.set_upload(upload);
        guard.on_attempt();
        Ok(to)
    }

    /// Sends the request again with another credential, after the upstream has rejected `rejected`. If there is no other credential, or the
    /// body can't be sent again, the upstream's response is returned.
    async fn send_again(
        &self,
        replay: Option<Box<Replay>>,
        target: Target<'_>,
        rejected: &Connection,
        rejection: Response<UpstreamBody>,
        guard: &mut CallGuard,
    ) -> Result<Response<UpstreamBody>, Error> {
        let refreshing = self.store.refresh(target.key, rejected, context(guard));
        let may_be_sent = replay.as_ref().is_some_and(|replay| replay.may_be_sent());
        let refreshed = if may_be_sent {
            refreshing.await
        } else {
            // The refresh helps only the next call, and this call already has its response.
            match timeout(REFRESH_START_TIMEOUT, refreshing).await {
                Ok(refreshed) => refreshed,
                Err(_) => return Ok(rejection),
            }
        };
        let Some(mut outgoing) = replay.and_then(|replay| replay.into_outgoing()) else {
            return Ok(rejection);
        };
        let refreshed = refreshed.map_err(StoreError::while_refreshing)?;
        // The destination was checked for the old connection, so the new connection must have the same destination.
        let Some(connection) = refreshed.filter(|new| new.has_same_place(rejected)) else {
            return Ok(rejection);
        };
        drop(rejection);
        let to = self.authenticate(&mut outgoing, target, &connection, guard)?;
        let sending = self.transport.send(outgoing.take_request(), &to);
        let (started, upload) = (guard.started(), guard.shared_upload());
        let awaited = AwaitHead::new(sending, started, upload, &to, target.timeouts).await;
        guard.add_attempts(to.resends());
        awaited?.map_err(|error| target.map_error(error, guard))
    }

    /// Reads the body into memory, for a scheme that signs it. This is the last step that can refuse the request.
    pub(super) async fn buffer_payload(
        &self,
        call: &mut Call,
        limit: usize,
        key: &ConnectionKey,
    ) -> Result<(), Error> {
        let config = &self.config;
        let outgoing = &mut call.outgoing;
        let whole = std::mem::take(&mut outgoing.body);
        let (buffered, payload) = whole
            .buffer(
                limit,
                config.request_body_limit,
                call.timeouts.idle,
                BufferPermit::empty(config.limits.buffers(), key),
            )
            .await?;
        outgoing.body = buffered;
        outgoing.payload = Some(payload);
        Ok(())
    }
}

impl Outgoing {
    #[inline]
    pub(super) const fn new(head: Parts, body: RequestBody) -> Self {
        Self {
            head,
            body,
            payload: None,
            tee: None,
        }
    }

    fn take(&mut self) -> Self {
        Self {
            head: self.take_head(),
            body: std::mem::take(&mut self.body),
            payload: self.payload.take(),
            tee: self.tee.take(),
        }
    }

    #[inline]
    fn take_request(&mut self) -> Request<RequestBody> {
        Request::from_parts(self.take_head(), std::mem::take(&mut self.body))
    }

    #[inline]
    fn take_head(&mut self) -> Parts {
        std::mem::replace(&mut self.head, Request::new(()).into_parts().0)
    }

    /// Returns the request again, if its body is empty or in memory.
    fn try_clone(&self) -> Option<Self> {
        Some(Self {
            head: self.head.clone(),
            body: self.body.try_clone()?,
            payload: self.payload.clone(),
            tee: None,
        })
    }

    /// Returns the request to send again, which may have to wait until its body has been sent. Returns `None` if the body is too large to
    /// be kept.
    fn replay(&mut self, config: &Config, key: &ConnectionKey) -> Option<Box<Replay>> {
        if let Some(outgoing) = self.try_clone() {
            let buffered = None;
            return Some(Box::new(Replay { outgoing, buffered }));
        }
        let taken = BufferPermit::empty(config.limits.buffers(), key);
        self.tee = Tee::new(&self.body, config.replay_limit, taken);
        let buffered = Some(Buffered(Arc::clone(self.tee.as_ref()?)));
        let outgoing = Self {
            head: self.head.clone(),
            body: RequestBody::empty(),
            payload: None,
            tee: None,
        };
        Some(Box::new(Replay { outgoing, buffered }))
    }
}

impl Replay {
    fn may_be_sent(&self) -> bool {
        let buffered = self.buffered.as_ref();
        buffered.is_none_or(|Buffered(tee)| tee.is_keeping())
    }

    fn into_outgoing(self) -> Option<Outgoing> {
        let Self {
            mut outgoing,
            buffered,
        } = self;
        if let Some(Buffered(tee)) = &buffered {
            outgoing.body = tee.take_body()?;
        }
        Some(outgoing)
    }
}

impl Target<'_> {
    /// Returns the part of the payload that the scheme needs, after a check that the connection has everything that the scheme reads.
    pub(super) fn payload_use(
        self,
        head: &Parts,
        connection: &Connection,
    ) -> Result<PayloadUse, Error> {
        let cx = AuthContext::new(connection, self.destination, SystemTime::UNIX_EPOCH);
        let payload = self.upstream.scheme().payload(head, &cx)?;
        if payload != PayloadUse::Ignored {
            self.upstream.requirements().check(&cx)?;
        }
        Ok(payload)
    }

    /// Returns the dispatch of a request on behalf of that connection.
    fn dispatch(self, connection: &Connection, applied: &mut Applied) -> Dispatch {
        let mut to = Dispatch::new(self.destination.clone())
            .on_behalf_of(self.key.clone())
            .isolate_connection_keys(self.upstream.isolates_keys())
            .http_protocol(self.upstream.protocol());
        if let Some(title_case) = self.upstream.writes_title_case() {
            to = to.title_case_headers(title_case);
        }
        if let Some(identity) = applied.take_client_identity() {
            to = to.presenting(identity);
        }
        if self.upstream.requirements().is_binding() {
            to = to.isolated_by(connection.credential().isolation_key());
        }
        to
    }

    /// Returns `true` if the base URL was set by the host application, and the transport of the host application refuses it.
    fn is_hosts_mistake(self, kind: TransportErrorKind) -> bool {
        self.is_hosts_choice
            && match kind {
                TransportErrorKind::PlaintextProhibited => true,
                // Someone else may control the addresses to which a name resolves.
                TransportErrorKind::DestinationProhibited => {
                    matches!(self.destination.host(), Host::Ip(_))
                }
                _ => false,
            }
    }

    /// Returns the error of a call. A transport's error may be caused by the caller or by the host application.
    fn map_error(self, error: TransportError, guard: &mut CallGuard) -> Error {
        match guard.upload().map(|upload| upload.state()) {
            Some(UploadState::TooLarge) => Error::body_too_large().with_sent(true),
            Some(UploadState::NoRoom) => no_room().with_sent(true),
            Some(UploadState::Broken) => {
                guard.finish(Outcome::Cancelled);
                Error::body_broken(error).with_sent(true)
            }
            Some(UploadState::Stalled) => Error::body_stalled().with_source(error).with_sent(true),
            _ if self.is_hosts_mistake(error.kind()) => Error::from(error).with_hosts_mistake(),
            _ => error.into(),
        }
    }
}
