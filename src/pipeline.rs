//! The way of a call, in the order that decides its safety.
//!
//! Nothing is asked of the store before the authorizer has agreed, no credential is put on before
//! the destination has been judged, and the caller's body isn't touched before the last refusal:
//! its first poll makes hyper send `100 Continue`.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;

use crate::address::{Address, ConnectionId, Prefix, as_it_came};
use crate::auth::{AuthContext, PayloadUse};
use crate::body::{OwnBody, RequestBody, UpstreamBody};
use crate::client::{Transport, TransportError, await_head};
use crate::connection::Connection;
use crate::error::Error;
use crate::observe::{Outcome, Record, UploadState};
use crate::policy::Destination;
use crate::refusal;
use crate::resolver::BaseUrlResolver;
use crate::response::{ErrorForm, unusable_head};
use crate::rewrite::{self, RequestRules, RequestTrailers, ResponseRules, ResponseTrailers};
use crate::settings::Settings;
use crate::store::{Authorize, CallContext, CredentialStore, Scope, StoreError};
use crate::upstream::Upstream;

/// What all calls share.
pub(crate) struct Gateway<S, R, T> {
    pub(crate) store: S,
    pub(crate) resolver: R,
    pub(crate) transport: T,
    pub(crate) settings: Settings,
}

/// A request that lacks nothing but its credential.
struct Outgoing<'a> {
    head: Parts,
    body: RequestBody,
    /// What the scheme asked to see of the body.
    payload: Option<Bytes>,
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
    pub(crate) async fn call(
        &self,
        request: Request<RequestBody>,
        prefix: &Prefix,
    ) -> Response<OwnBody> {
        let (mut head, body) = request.into_parts();
        let form = ErrorForm::of(&head);
        let extensions = std::mem::take(&mut head.extensions);
        let observer = self.settings.observer.clone();
        let mut record = Box::new(Record::start(head.method.clone(), extensions, observer));
        match self.forward(head, body, prefix, &mut record).await {
            Ok(response) => self.relay(response, record),
            Err(error) => form.answer(error, record),
        }
    }

    async fn forward(
        &self,
        mut head: Parts,
        body: RequestBody,
        prefix: &Prefix,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let settings = &self.settings;
        refusal::of_method(&head.method)?;
        refusal::of_size(&head.headers)?;
        let original = settings
            .original_uri
            .and_then(|find| find(record.extensions()));
        let uri = as_it_came(std::mem::take(&mut head.uri), original);
        let address = Address::under(prefix, &uri)?;
        record.names(address.id());

        let scope = self.store.authorize(address.id(), context(record)).await?;
        let connection = self.store.connection(address.id(), context(record)).await?;
        record.belongs_to(connection.shared_integration());

        let upstream = self.resolver.resolve(&connection).await?;
        let target = address.target(upstream.encoding().unwrap_or(settings.path_encoding))?;
        let place = upstream.place(target.domain())?;
        record.goes_to(place.origin());
        let route = upstream.permit(place)?;
        refusal::of_scope(&scope, &head.method, &target, &route)?;
        refusal::of_twice_encoded_dots(&target, settings)?;
        refusal::of_length(&body, settings.request_body_limit)?;
        refusal::of_loop(&head.headers, settings)?;

        let target = rewrite::join(route.base_path(), upstream.default_query(), &target)?;
        let rules = self.rules(&upstream, &scope);
        let (body, payload) = self.payload(body, &upstream, &connection).await?;
        rules.rewrite(&mut head, &route.destination, target, &body)?;
        let destination = &route.destination;
        let outgoing = Outgoing {
            head,
            body,
            payload,
            upstream: &upstream,
            destination,
        };

        // The credential may turn out to be stale: then head and body are needed once more.
        let spare = self.store.renews().then(|| outgoing.again());
        let response = self
            .send(outgoing, address.id(), &connection, record)
            .await?;
        let response = match spare {
            Some(spare) if response.status() == StatusCode::UNAUTHORIZED => {
                let renewed = self
                    .store
                    .renew(address.id(), &connection, context(record))
                    .await;
                let spare = spare.map(|spare| (spare, address.id()));
                self.send_again(spare, &connection, renewed, response, record)
                    .await?
            }
            _ => response,
        };
        self.hand_back(response, &upstream, record)
    }

    /// Puts the credential on, and sends.
    async fn send(
        &self,
        outgoing: Outgoing<'_>,
        id: &ConnectionId,
        connection: &Connection,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let Outgoing {
            mut head,
            body,
            payload,
            upstream,
            destination,
        } = outgoing;
        let scheme = upstream.scheme();
        let owner = scheme
            .binds_connection()
            .then(|| connection.credential().owner());
        let destination = &destination.on_behalf_of(id, owner);
        let cx = AuthContext {
            connection,
            destination,
            payload: payload.as_ref(),
            now: SystemTime::now(),
        };
        scheme.apply(&mut head, &cx)?;
        refusal::of_detour(&head.uri, destination)?;

        let settings = &self.settings;
        let trailers = || RequestTrailers {
            scheme: upstream.shared_scheme(),
            host_credentials: Arc::clone(&settings.host_credentials),
        };
        let limits = (settings.request_body_limit, settings.patience.idle);
        let body = body.follow(record, trailers, limits);
        record.attempt();
        let sending = self
            .transport
            .send(Request::from_parts(head, body), destination);
        let sent = await_head(
            sending,
            record.upload().map(|upload| &**upload),
            settings.patience,
        )
        .await?;
        sent.map_err(|error| explain(error, record))
    }

    /// Sends once more with the renewed credential. The vendor's 401 goes back if there is none, or
    /// if the body is gone.
    async fn send_again(
        &self,
        spare: Option<(Outgoing<'_>, &ConnectionId)>,
        rejected: &Connection,
        renewed: Result<Option<Connection>, StoreError>,
        unauthorized: Response<UpstreamBody>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let Some((spare, id)) = spare else {
            return Ok(unauthorized);
        };
        let renewed = renewed.map_err(StoreError::while_renewing)?;
        // Where it goes has been judged for the old one.
        let Some(connection) = renewed.filter(|renewed| renewed.is_at_the_place_of(rejected))
        else {
            return Ok(unauthorized);
        };
        drop(unauthorized);
        self.send(spare, id, &connection, record).await
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

    /// The body, and its bytes if the scheme signs them. Then this is the last refusal.
    async fn payload(
        &self,
        body: RequestBody,
        upstream: &Upstream,
        connection: &Connection,
    ) -> Result<(RequestBody, Option<Bytes>), Error> {
        let PayloadUse::Bytes { limit } = upstream.scheme().payload() else {
            return Ok((body, None));
        };
        refusal::of_missing_secrets(upstream.scheme(), connection)?;
        let settings = &self.settings;
        let (body, payload) = body
            .keep(limit, settings.request_body_limit, settings.patience.idle)
            .await?;
        Ok((body, Some(payload)))
    }

    fn hand_back(
        &self,
        response: Response<UpstreamBody>,
        upstream: &Upstream,
        record: &Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let size = body.size_hint();
        let size = (!is_bodiless(head.status, record.method())).then_some(&size);
        let scrubbed = if upstream.scrubs_links() {
            upstream.scheme().parameters()
        } else {
            &[]
        };
        let policy = self.settings.response_headers;
        let rules = ResponseRules { policy, scrubbed };
        rules
            .rewrite(&mut head, size)
            .map_err(|_| unusable_head())?;
        Ok(Response::from_parts(head, body))
    }

    fn relay(
        &self,
        response: Response<UpstreamBody>,
        mut record: Box<Record>,
    ) -> Response<OwnBody> {
        let status = response.status();
        record.answered(status);
        let trailers = ResponseTrailers(self.settings.response_headers);
        response.map(|body| match is_bodiless(status, record.method()) {
            true => OwnBody::bodiless(record),
            false => OwnBody::relay(body, record, trailers, self.settings.patience.idle),
        })
    }
}

impl Outgoing<'_> {
    /// The same request once more, if its body is empty or was kept.
    fn again(&self) -> Option<Self> {
        Some(Self {
            head: self.head.clone(),
            body: self.body.again()?,
            payload: self.payload.clone(),
            ..*self
        })
    }
}

fn context(record: &Record) -> CallContext<'_> {
    CallContext::new(record.extensions(), record.method())
}

/// Whether the response has no body whatever its fields say (RFC 9110 §6.4.1).
fn is_bodiless(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
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
