//! The way of a call, in the order that decides its safety.
//!
//! Nothing is asked of the store before the authorizer has agreed, no credential is put on before
//! the destination has been judged, and the caller's body isn't touched before the last refusal:
//! its first poll makes hyper send `100 Continue`.

mod answering;
mod sending;
mod tunnelled;

use std::future::Future;
use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response, StatusCode, Uri};

use self::sending::{Outgoing, Way, explain};
use crate::address::{Address, Prefix, as_it_came};
use crate::auth::PayloadUse;
use crate::body::{OwnBody, RequestBody, UpstreamBody};
use crate::client::Transport;
use crate::error::Error;
use crate::observe::Record;
use crate::refusal;
use crate::resolver::BaseUrlResolver;
use crate::response::ErrorForm;
use crate::rewrite::{self, MountedLinks, RequestRules};
use crate::settings::Settings;
use crate::store::{Authorize, CallContext, CredentialStore, Scope};
use crate::tunnel::Handshake;
use crate::upstream::Upstream;

/// What all calls share.
pub(crate) struct Gateway<S, R, T> {
    pub(crate) store: S,
    pub(crate) resolver: R,
    pub(crate) transport: T,
    pub(crate) settings: Settings,
}

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
                    Some(handshake) => self.open(response, *handshake, call.record),
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
        if let Some(handshake) = handshake {
            handshake.claims(&connection, &upstream, target.path());
        }
        refusal::of_twice_encoded_dots(&target, settings)?;
        refusal::of_length(body, settings.request_body_limit)?;
        refusal::of_loop(&head.headers, settings)?;

        let links = match settings.rewrite_links {
            true => MountedLinks::of(uri, &address, &target, &upstream, &route, encoding),
            false => None,
        };
        let target = rewrite::join(route.base_path(), upstream.default_query(), &target)?;
        let payload = match upstream.scheme().payload(head) {
            PayloadUse::Ignored => None,
            PayloadUse::Bytes { limit } => {
                // Boxed, as few schemes ask for it, and it would make each call's future larger.
                let keeping = self.payload(body, limit, &upstream, &route.destination, &connection);
                Some(Box::pin(keeping).await?)
            }
        };
        let rules = self.rules(&upstream, &scope);
        rules.rewrite(head, &route.destination, target, body)?;
        if let Some(handshake) = handshake {
            handshake.ask(&mut head.headers);
        }
        record.leaves(&mut head.headers, settings.trace_context);
        let mut outgoing = Outgoing {
            head: std::mem::replace(head, Request::new(()).into_parts().0),
            body: std::mem::replace(body, RequestBody::empty()),
            payload,
            tee: None,
        };
        let way = Way {
            id: address.id(),
            upstream: &upstream,
            destination: &route.destination,
        };

        // The credential may turn out to be stale: then head and body are needed once more.
        let renews = self.store.renews(&connection);
        let spare = match renews {
            true => outgoing.spare(settings),
            false => None,
        };
        let to = way.destination(&connection)?;
        let sent = match settings.resilience.is_off() {
            true => {
                let sending = self.send(outgoing, way, &to, &connection, record)?;
                sending.await?
            }
            false => {
                let (again, end) = (Outgoing::again, settings.patience.end(record.started()));
                let send =
                    |spare, record: &mut Record| self.send(spare, way, &to, &connection, record);
                let resilience = &settings.resilience;
                Box::pin(resilience.send(outgoing, again, &to, end, record, send)).await?
            }
        };
        let mut response = sent.map_err(|error| explain(error, record))?;
        if renews && response.status() == StatusCode::UNAUTHORIZED {
            let again = self.send_again(spare, way, &connection, response, record);
            response = Box::pin(again).await?;
        }
        let handshake = handshake.as_deref_mut();
        self.hand_back(response, handshake, &upstream, links.as_deref(), record)
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

fn context(record: &Record) -> CallContext<'_> {
    CallContext::new(record.extensions(), record.method())
}
