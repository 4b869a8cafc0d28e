//! From a request that lacks nothing but its credential to the head of the vendor's response.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::timeout;

use super::{Gateway, context};
use crate::address::ConnectionId;
use crate::auth::AuthContext;
use crate::body::{RequestBody, Tee, UpstreamBody};
#[cfg(feature = "rustls")]
use crate::client::TransportErrorKind;
use crate::client::{AwaitHead, Transport, TransportError};
use crate::connection::Connection;
use crate::error::Error;
use crate::observe::{Outcome, Record, UploadState};
use crate::policy::Destination;
use crate::refusal;
use crate::resolver::BaseUrlResolver;
use crate::rewrite::{self, RequestTrailers};
use crate::settings::Settings;
use crate::store::{Authorize, CredentialStore, StoreError};
use crate::upstream::Upstream;

/// How long a call that can't be sent again waits for a renewal to begin.
const RENEWAL_OF_OTHERS: Duration = Duration::from_secs(1);

pub(super) type Sent = Result<Response<UpstreamBody>, TransportError>;

/// A request that lacks nothing but its credential.
pub(super) struct Outgoing {
    pub(super) head: Parts,
    pub(super) body: RequestBody,
    /// What the scheme asked to see of the body.
    pub(super) payload: Option<Bytes>,
    /// What keeps a copy of the body as it passes.
    pub(super) tee: Option<Arc<Tee>>,
}

/// A request to be sent once more, as soon as its body has passed.
pub(super) struct Spare {
    outgoing: Outgoing,
    kept: Option<Kept>,
}

/// A body that is kept as long as it may be sent once more.
struct Kept(Arc<Tee>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// Where a request goes, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) id: &'a ConnectionId,
    pub(super) upstream: &'a Upstream,
    pub(super) destination: &'a Destination,
}

impl<S, R, T> Gateway<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Puts the credential on, and sends.
    pub(super) fn send<'a>(
        &'a self,
        outgoing: Outgoing,
        way: Way<'_>,
        to: &'a Destination,
        connection: &Connection,
        record: &mut Record,
    ) -> Result<AwaitHead<'a, impl Future<Output = Sent> + Send + use<'a, S, R, T>>, Error> {
        let Outgoing {
            mut head,
            body,
            payload,
            tee,
        } = outgoing;
        let Way { upstream, .. } = way;
        let cx = AuthContext {
            connection,
            destination: to,
            payload: payload.as_ref(),
            length: body.size_hint().exact(),
            now: SystemTime::now(),
        };
        upstream.scheme().apply(&mut head, &cx)?;
        refusal::of_detour(&head.uri, to)?;
        #[cfg(feature = "rustls")]
        if to.identity().is_some() && !self.transport.presents_identities() {
            let kind = TransportErrorKind::TlsProtocol;
            return Err(TransportError::new(
                kind,
                "no client certificate can be presented",
            ))?;
        }
        let settings = &self.settings;
        // What is kept for a replay is coded once more by then.
        let (body, tee) = match upstream.scheme().coder(&head, &cx)? {
            Some(coder) => {
                let coded = body.coded(coder, tee, settings.limits.room())?;
                (rewrite::framed(&mut head, coded), None)
            }
            None => (body, tee),
        };

        let trailers = || RequestTrailers {
            scheme: upstream.shared_scheme(),
            host_credentials: Arc::clone(&settings.host_credentials),
        };
        let limits = (settings.request_body_limit, settings.patience.idle);
        let body = body.follow(record, trailers, limits, tee);
        record.attempt();
        let request = Request::from_parts(head, body);
        let sending = self.transport.send(request, to);
        let (began, upload) = (record.started(), record.shared_upload());
        Ok(AwaitHead::new(
            sending,
            began,
            upload,
            to,
            settings.patience,
        ))
    }

    /// Sends once more with a renewed credential. The vendor's 401 goes back if there is none, or
    /// if the body is gone.
    pub(super) async fn send_again(
        &self,
        spare: Option<Box<Spare>>,
        way: Way<'_>,
        rejected: &Connection,
        unauthorized: Response<UpstreamBody>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let renewing = self.store.renew(way.id, rejected, context(record));
        let may_be_sent = spare.as_ref().is_some_and(|spare| spare.may_be_sent());
        let renewed = if may_be_sent {
            renewing.await
        } else {
            // It's for the next call, and this one's answer is there.
            match timeout(RENEWAL_OF_OTHERS, renewing).await {
                Ok(renewed) => renewed,
                Err(_) => return Ok(unauthorized),
            }
        };
        let Some(outgoing) = spare.and_then(|spare| spare.into_outgoing()) else {
            return Ok(unauthorized);
        };
        let renewed = renewed.map_err(StoreError::while_renewing)?;
        // Where it goes has been judged for the old one.
        let Some(connection) = renewed.filter(|renewed| renewed.is_at_the_place_of(rejected))
        else {
            return Ok(unauthorized);
        };
        drop(unauthorized);
        let to = way.destination(&connection)?;
        let sending = self.send(outgoing, way, &to, &connection, record)?;
        sending.await?.map_err(|error| explain(error, record))
    }

    /// The bytes of the body, for a scheme that signs them. This is the last refusal.
    pub(super) async fn payload(
        &self,
        body: &mut RequestBody,
        limit: usize,
        upstream: &Upstream,
        destination: &Destination,
        connection: &Connection,
    ) -> Result<Bytes, Error> {
        upstream.scheme().ready(&AuthContext {
            connection,
            destination,
            payload: None,
            length: None,
            now: SystemTime::now(),
        })?;
        let settings = &self.settings;
        let whole = std::mem::replace(body, RequestBody::empty());
        let (kept, payload) = whole
            .keep(
                limit,
                settings.request_body_limit,
                settings.patience.idle,
                settings.limits.room(),
            )
            .await?;
        *body = kept;
        Ok(payload)
    }
}

impl Outgoing {
    /// The same request once more, if its body is empty or was kept.
    pub(super) fn again(&self) -> Option<Self> {
        Some(Self {
            head: self.head.clone(),
            body: self.body.again()?,
            payload: self.payload.clone(),
            tee: None,
        })
    }

    /// The same request once more: at once, or as soon as its body has passed. `None`: the body is
    /// too large to be kept.
    pub(super) fn spare(&mut self, settings: &Settings) -> Option<Box<Spare>> {
        if let Some(outgoing) = self.again() {
            let kept = None;
            return Some(Box::new(Spare { outgoing, kept }));
        }
        self.tee = Tee::of(&self.body, settings.replay_limit, settings.limits.room());
        let kept = Some(Kept(Arc::clone(self.tee.as_ref()?)));
        let outgoing = Self {
            head: self.head.clone(),
            body: RequestBody::empty(),
            payload: None,
            tee: None,
        };
        Some(Box::new(Spare { outgoing, kept }))
    }
}

impl Spare {
    fn may_be_sent(&self) -> bool {
        let kept = self.kept.as_ref();
        kept.is_none_or(|Kept(tee)| tee.is_keeping())
    }

    fn into_outgoing(self) -> Option<Outgoing> {
        let Self { mut outgoing, kept } = self;
        if let Some(Kept(tee)) = &kept {
            outgoing.body = tee.into_body()?;
        }
        Some(outgoing)
    }
}

impl Way<'_> {
    /// Where it goes, on behalf of that connection.
    ///
    /// # Errors
    ///
    /// `reauthorize` if the scheme presents a client certificate that can't be used.
    pub(super) fn destination(self, connection: &Connection) -> Result<Destination, Error> {
        let binds = self.upstream.scheme().binds_connection();
        let owner = binds.then(|| connection.credential().owner());
        #[cfg(feature = "rustls")]
        if let Some(identity) = self.upstream.scheme().identity(connection)? {
            let identity = match owner {
                Some(owner) => identity.bound_to(owner),
                None => identity,
            };
            return Ok(self.destination.identified(self.id, identity));
        }
        Ok(self.destination.on_behalf_of(self.id, owner))
    }
}

/// What a transport reports may be the caller's doing.
pub(super) fn explain(error: TransportError, record: &mut Record) -> Error {
    match record.upload().map(|upload| upload.state()) {
        Some(UploadState::TooLarge) => Error::body_too_large().with_sent(true),
        Some(UploadState::Broken) => {
            record.ends(Outcome::Cancelled);
            Error::body_broken().with_source(error).with_sent(true)
        }
        Some(UploadState::Stalled) => Error::body_stalled().with_source(error).with_sent(true),
        _ => error.into(),
    }
}
