//! The way of a call, in the order that decides its safety.
//!
//! Nothing is asked of the store before the authorizer has agreed, no credential is put on before
//! the destination has been judged, and the caller's body isn't touched before the last refusal:
//! its first poll makes hyper send `100 Continue`.

#[cfg(feature = "websocket")]
mod tunnelled;

use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;

use crate::address::{Address, ConnectionId, Prefix, as_it_came};
use crate::auth::{AuthContext, PayloadUse};
use crate::body::{OwnBody, RequestBody, UpstreamBody};
use crate::client::{AwaitHead, Transport, TransportError};
use crate::connection::Connection;
use crate::error::Error;
use crate::observe::{Outcome, Record, UploadState};
use crate::policy::Destination;
use crate::refusal;
use crate::resolver::BaseUrlResolver;
use crate::response::{ErrorForm, unusable_head};
use crate::rewrite::{
    self, MountedLinks, RequestRules, RequestTrailers, ResponseRules, ResponseTrailers,
};
use crate::settings::Settings;
use crate::store::{Authorize, CallContext, CredentialStore, Scope, StoreError};
use crate::tunnel::{self, Handshake};
use crate::upstream::Upstream;

/// What all calls share.
pub(crate) struct Gateway<S, R, T> {
    pub(crate) store: S,
    pub(crate) resolver: R,
    pub(crate) transport: T,
    pub(crate) settings: Settings,
}

type Sent = Result<Response<UpstreamBody>, TransportError>;

/// A call under way. The steps work on it in place: moved from one to the next, it would lie in the
/// call's future once for each.
struct Call {
    /// As it came, save what a router ate of it.
    uri: Uri,
    head: Parts,
    body: RequestBody,
    /// If it opens a tunnel.
    handshake: Option<Box<Handshake>>,
    record: Record,
}

/// A request that lacks nothing but its credential.
struct Outgoing {
    head: Parts,
    body: RequestBody,
    /// What the scheme asked to see of the body.
    payload: Option<Bytes>,
}

/// Where a request goes, and on whose behalf.
#[derive(Clone, Copy)]
struct Way<'a> {
    id: &'a ConnectionId,
    upstream: &'a Upstream,
    destination: &'a Destination,
}

impl<S, R, T> Gateway<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Answers a call under `prefix`: with the vendor's response, or with an error of the gateway's
    /// own.
    pub(crate) fn call(
        self: Arc<Self>,
        request: Request<RequestBody>,
        prefix: Prefix,
    ) -> impl Future<Output = Response<OwnBody>> + Send {
        let (head, body) = request.into_parts();
        let form = ErrorForm::of(&head);
        let mut call = Call::new(head, body, &self.settings);
        let span = call.record.span().clone();
        span.around(async move {
            let answer = self.forward(&mut call, &prefix).await;
            match answer {
                Ok(response) => match call.handshake {
                    #[cfg(feature = "websocket")]
                    Some(handshake) => self.open(response, *handshake, call.record),
                    #[cfg(not(feature = "websocket"))]
                    Some(never) => match *never {},
                    None => self.relay(response, call.record),
                },
                Err(error) => form.answer(error, call.record),
            }
        })
    }

    async fn forward(
        &self,
        call: &mut Call,
        prefix: &Prefix,
    ) -> Result<Response<UpstreamBody>, Error> {
        let Call {
            uri,
            head,
            body,
            handshake,
            record,
        } = call;
        let settings = &self.settings;
        refusal::of_method(&head.method)?;
        refusal::of_size(&head.headers)?;
        let address = Address::under(prefix, uri)?;
        record.names(address.id());
        settings.limits.of_all(record.permit())?;

        let scope = self.store.authorize(address.id(), context(record)).await?;
        let connection = self.store.connection(address.id(), context(record)).await?;
        record.belongs_to(connection.shared_integration());
        let limits = &settings.limits;
        limits.of_connection(address.id(), record.permit())?;

        let upstream = self.resolver.resolve(&connection).await?;
        let encoding = upstream.encoding().unwrap_or(settings.path_encoding);
        let target = address.target(encoding)?;
        let place = upstream.place(target.domain())?;
        record.goes_to(place.origin());
        let route = upstream.permit(place)?;
        refusal::of_scope(&scope, &head.method, &target, &route)?;
        refusal::of_twice_encoded_dots(&target, settings)?;
        refusal::of_length(body, settings.request_body_limit)?;
        refusal::of_loop(&head.headers, settings)?;

        let links = match settings.rewrite_links {
            true => MountedLinks::of(uri, &address, &target, &upstream, &route, encoding),
            false => None,
        };
        let target = rewrite::join(route.base_path(), upstream.default_query(), &target)?;
        let payload = match upstream.scheme().payload() {
            PayloadUse::Ignored => None,
            PayloadUse::Bytes { limit } => {
                // Boxed, as few schemes ask for it, and it would make each call's future larger.
                let keeping = Box::pin(self.payload(body, limit, &upstream, &connection));
                Some(keeping.await?)
            }
        };
        let rules = self.rules(&upstream, &scope);
        rules.rewrite(head, &route.destination, target, body)?;
        if let Some(handshake) = handshake {
            handshake.ask(&mut head.headers);
        }
        record.leaves(&mut head.headers, settings.trace_context);
        let outgoing = Outgoing {
            head: std::mem::replace(head, Request::new(()).into_parts().0),
            body: std::mem::replace(body, RequestBody::empty()),
            payload,
        };
        let way = Way {
            id: address.id(),
            upstream: &upstream,
            destination: &route.destination,
        };

        // The credential may turn out to be stale: then head and body are needed once more.
        let renews = self.store.renews();
        let spare = match renews {
            true => outgoing.again().map(Box::new),
            false => None,
        };
        let to = way.destination(&connection);
        let sending = self.send(outgoing, way, &to, &connection, record)?;
        let mut response = sending.await?.map_err(|error| explain(error, record))?;
        if renews && response.status() == StatusCode::UNAUTHORIZED {
            let again = self.send_again(spare, way, &connection, response, record);
            response = Box::pin(again).await?;
        }
        let handshake = handshake.as_deref_mut();
        self.hand_back(response, handshake, &upstream, links.as_deref(), record)
    }

    /// Puts the credential on, and sends.
    fn send<'a>(
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
        } = outgoing;
        let Way { upstream, .. } = way;
        let cx = AuthContext {
            connection,
            destination: to,
            payload: payload.as_ref(),
            now: SystemTime::now(),
        };
        upstream.scheme().apply(&mut head, &cx)?;
        refusal::of_detour(&head.uri, to)?;

        let settings = &self.settings;
        let trailers = || RequestTrailers {
            scheme: upstream.shared_scheme(),
            host_credentials: Arc::clone(&settings.host_credentials),
        };
        let limits = (settings.request_body_limit, settings.patience.idle);
        let body = body.follow(record, trailers, limits);
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
    async fn send_again(
        &self,
        spare: Option<Box<Outgoing>>,
        way: Way<'_>,
        rejected: &Connection,
        unauthorized: Response<UpstreamBody>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let renewed = self.store.renew(way.id, rejected, context(record)).await;
        let Some(spare) = spare else {
            return Ok(unauthorized);
        };
        let renewed = renewed.map_err(StoreError::while_renewing)?;
        // Where it goes has been judged for the old one.
        let Some(connection) = renewed.filter(|renewed| renewed.is_at_the_place_of(rejected))
        else {
            return Ok(unauthorized);
        };
        drop(unauthorized);
        let to = way.destination(&connection);
        let sending = self.send(*spare, way, &to, &connection, record)?;
        sending.await?.map_err(|error| explain(error, record))
    }

    fn rules<'a>(&'a self, upstream: &'a Upstream, scope: &'a Scope) -> RequestRules<'a> {
        let settings = &self.settings;
        RequestRules {
            upstream,
            scope,
            host_credentials: &settings.host_credentials,
            pass_forwarded: settings.pass_forwarded,
            via: settings.via.as_ref().map(|via| via.value()),
        }
    }

    /// The bytes of the body, for a scheme that signs them. This is the last refusal.
    async fn payload(
        &self,
        body: &mut RequestBody,
        limit: usize,
        upstream: &Upstream,
        connection: &Connection,
    ) -> Result<Bytes, Error> {
        refusal::of_missing_secrets(upstream.scheme(), connection)?;
        let settings = &self.settings;
        let whole = std::mem::replace(body, RequestBody::empty());
        let (kept, payload) = whole
            .keep(limit, settings.request_body_limit, settings.patience.idle)
            .await?;
        *body = kept;
        Ok(payload)
    }

    fn hand_back(
        &self,
        response: Response<UpstreamBody>,
        handshake: Option<&mut Handshake>,
        upstream: &Upstream,
        links: Option<&MountedLinks>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let agreed = tunnel::agreed(handshake, &mut head)?;
        record.hears(&head);
        let size = body.size_hint();
        let size = (!is_bodiless(head.status, record.method())).then_some(&size);
        let scrubbed = if upstream.scrubs_links() {
            upstream.scheme().parameters()
        } else {
            &[]
        };
        let policy = self.settings.response_headers;
        let rules = ResponseRules {
            policy,
            scrubbed,
            links,
        };
        rules
            .rewrite(&mut head, size)
            .map_err(|_| unusable_head())?;
        if let Some(handshake) = agreed {
            handshake.agree(&mut head.status, &mut head.headers);
        }
        Ok(Response::from_parts(head, body))
    }

    fn relay(&self, response: Response<UpstreamBody>, mut record: Record) -> Response<OwnBody> {
        let status = response.status();
        record.answered(status);
        let Settings {
            patience,
            response_headers,
            ..
        } = &self.settings;
        let end = patience.end(record.started());
        let trailers = ResponseTrailers(*response_headers);
        response.map(|body| match is_bodiless(status, record.method()) {
            true => OwnBody::bodiless(record),
            false => OwnBody::relay(body, record, trailers, patience.idle, end),
        })
    }
}

impl Call {
    fn new(mut head: Parts, body: RequestBody, settings: &Settings) -> Self {
        let handshake = Handshake::of(&mut head, &body);
        let extensions = std::mem::take(&mut head.extensions);
        let original = settings.original_uri.and_then(|find| find(&extensions));
        let uri = as_it_came(std::mem::take(&mut head.uri), original);
        let observer = settings.observer.clone();
        let mut record = Record::start(head.method.clone(), extensions, observer);
        record.came(&head.headers);
        Self {
            uri,
            record,
            head,
            body,
            handshake,
        }
    }
}

impl Outgoing {
    /// The same request once more, if its body is empty or was kept.
    fn again(&self) -> Option<Self> {
        Some(Self {
            head: self.head.clone(),
            body: self.body.again()?,
            payload: self.payload.clone(),
        })
    }
}

impl Way<'_> {
    /// Where it goes, on behalf of that connection.
    fn destination(self, connection: &Connection) -> Destination {
        let binds = self.upstream.scheme().binds_connection();
        let owner = binds.then(|| connection.credential().owner());
        self.destination.on_behalf_of(self.id, owner)
    }
}

fn context(record: &Record) -> CallContext<'_> {
    CallContext::new(record.extensions(), record.method())
}

/// Whether the response has no body whatever its fields say (RFC 9110 §6.4.1).
fn is_bodiless(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD
        || matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
}

/// What a transport reports may be the caller's doing.
fn explain(error: TransportError, record: &mut Record) -> Error {
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
