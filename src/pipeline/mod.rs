//! The steps of a call, in the order that makes it safe: admit, look up, route, rewrite, send, respond.
//!
//! The store is called only after the authorizer has agreed. The credential is added only after the destination has been checked. The
//! caller's body is polled only after the last check, because its first poll makes hyper send `100 Continue`.

mod await_head;
mod checks;
pub(crate) mod config;
mod problem;
mod rejection;
mod respond;
mod response_body;
mod send;

pub use self::problem::ProblemDetails;
pub use self::response_body::ResponseBody;

pub(crate) use self::response_body::OwnBody;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response, Uri};

use self::config::Config;
use self::problem::ErrorForm;
use self::send::{Outgoing, Target};
use crate::address::{self, Address, Prefix, original_target};
use crate::auth::PayloadUse;
use crate::authorize::{Authorize, CallContext, Scope};
use crate::body::{RequestBody, UpstreamBody};
use crate::client::Transport;
use crate::connection::{Connection, ConnectionKey};
use crate::error::Error;
use crate::observe::{CallGuard, CallSpan};
use crate::rewrite::{self, MountAddress, MountedLinks, RequestRules, ResponseFields};
use crate::store::CredentialStore;
use crate::timeouts::Timeouts;
use crate::upgrade::Handshake;
use crate::upstream::{BaseUrlResolver, Route, Upstream};

/// The parts of a service, which all its calls share.
pub(crate) struct Gateway<S, A, R, T> {
    pub(crate) store: S,
    pub(crate) authorizer: A,
    pub(crate) resolver: R,
    pub(crate) transport: T,
    pub(crate) config: Config,
}

/// A gateway with parts of any types.
pub(crate) trait Forward: Send + Sync + 'static {
    /// Answers a call under `prefix` with the upstream's response, or with the gateway's own error.
    fn call(self: Arc<Self>, request: Request<RequestBody>, prefix: Prefix) -> CallFuture;

    fn config(&self) -> &Config;
}

/// The future of a call's response. It runs inside the call's span.
pub(crate) struct CallFuture {
    forwarding: Pin<Box<dyn Future<Output = Response<OwnBody>> + Send>>,
    span: CallSpan,
}

impl Future for CallFuture {
    type Output = Response<OwnBody>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { forwarding, span } = &mut *self;
        span.in_scope(|| forwarding.as_mut().poll(cx))
    }
}

/// A call under way. The steps change it in place. If it were moved from a step to the next, the call's future would contain a copy for
/// each step.
struct Call {
    outgoing: Outgoing,
    /// Present if the call opens a WebSocket.
    handshake: Option<Box<Handshake>>,
    guard: CallGuard,
    /// The service's time limits, and the upstream's as soon as the upstream is known.
    timeouts: Timeouts,
    fields: ResponseFields,
}

/// The connection of a call, and the caller's permissions for it.
struct Found {
    key: ConnectionKey,
    scope: Scope,
    connection: Connection,
    upstream: Upstream,
}

impl<S, A, R, T> Forward for Gateway<S, A, R, T>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    fn call(self: Arc<Self>, request: Request<RequestBody>, prefix: Prefix) -> CallFuture {
        let (head, body) = request.into_parts();
        let form = ErrorForm::new(&head);
        let (mut call, uri) = Call::new(head, body, &self.config);
        CallFuture {
            span: call.guard.span().clone(),
            forwarding: Box::pin(async move {
                match self.forward(&mut call, &uri, &prefix).await {
                    Ok(response) => self.relay_or_upgrade(response, call),
                    Err(error) => form.answer(error, call.guard, &self.config),
                }
            }),
        }
    }

    fn config(&self) -> &Config {
        &self.config
    }
}

impl<S, A, R, T> Gateway<S, A, R, T>
where
    S: CredentialStore,
    A: Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Forwards the call to its upstream. `uri` is the original URI, from which no router has removed the mount.
    async fn forward(
        &self,
        call: &mut Call,
        uri: &Uri,
        prefix: &Prefix,
    ) -> Result<Response<UpstreamBody>, Error> {
        let config = &self.config;

        // Admit.
        checks::check_method(&call.outgoing.head.method)?;
        checks::check_size(&call.outgoing.head.headers)?;
        if call.handshake.is_some() {
            checks::check_origin(
                &call.outgoing.head.headers,
                uri,
                config.response_headers,
                config,
            )?;
        }
        let address = match &config.addressing {
            None => Address::under(prefix, uri)?,
            Some(addressing) => {
                let headers = &call.outgoing.head.headers;
                addressing.address(prefix, uri, headers, call.guard.extensions())?
            }
        };
        call.guard.set_connection_id(address.id());
        config.limits.admit(call.guard.permit())?;

        // Look up.
        let Found {
            key,
            scope,
            connection,
            upstream,
        } = self.look_up(&address, &mut call.guard).await?;

        if let Some(timeouts) = upstream.timeouts() {
            call.timeouts = config.timeouts.with(timeouts).resolve();
        }
        if let Some(policy) = upstream.response_header_policy() {
            call.fields.policy = policy;
            if call.handshake.is_some() {
                checks::check_origin(&call.outgoing.head.headers, uri, policy, config)?;
            }
        }

        // Route.
        let encoding = upstream.encoding().unwrap_or(config.path_encoding);
        let mut target = address.target(encoding)?;
        target.drop_parameters(upstream.stripped_parameters());
        // A scheme that signs the query must see the query that is sent, in which the caller's pairs of these names are missing.
        target.drop_parameters(upstream.requirements().parameters());
        let place = upstream.place_of(&target, address.subdomain())?;
        call.guard.set_destination(place.origin());
        let route = upstream.permit(place)?;
        call.guard.permit_destination();
        let method = &call.outgoing.head.method;
        let opens_websocket = call.handshake.is_some();
        checks::check_scope(&scope, method, opens_websocket, &target, &route)?;
        if scope.limits_methods() {
            target.drop_method_overrides();
        }
        if let Some(handshake) = &mut call.handshake {
            handshake.claim(&connection, &upstream, target.path());
        }
        checks::check_base_path(&upstream, &target)?;
        checks::check_double_encoded_dots(&target, &route, config)?;
        checks::check_length(&call.outgoing.body, config.request_body_limit)?;
        checks::check_coding(&call.outgoing.head.headers, &call.outgoing.body)?;
        checks::check_loop(&call.outgoing.head.headers, config)?;
        let links = match upstream.rewrites_links().unwrap_or(config.rewrite_links) {
            true => self.mounted_links(call, (uri, &address), &target, (&upstream, &route)),
            false => None,
        };
        let mut is_judged = false;
        if let Some(links) = &links {
            let may_reach = |target: &address::Target<'_>, route: &Route<'_>| {
                checks::check_scope(&scope, call.guard.method(), false, target, route)?;
                checks::check_base_path(&upstream, target)?;
                checks::check_double_encoded_dots(target, route, config)
            };
            let addressing = config.addressing.as_deref();
            let is_gateways =
                |host: &str| addressing.is_some_and(|addressing| addressing.names_by_host(host));
            let headers = &mut call.outgoing.head.headers;
            is_judged = links.translate(headers, &is_gateways, &may_reach)?;
        }
        checks::check_other_paths(&scope, &call.outgoing.head.headers, is_judged)?;

        // Rewrite.
        let joined = rewrite::join(route.base_path(), upstream.default_query(), &target)?;
        let timeouts = call.timeouts;
        let to = Target {
            key: &key,
            upstream: &upstream,
            destination: &route.destination,
            is_hosts_choice: route.is_hosts_choice,
            timeouts: &timeouts,
        };
        if let PayloadUse::Bytes { limit } = to.payload_use(&call.outgoing.head, &connection)? {
            // Boxed, because few schemes need it, and it would make the future of each call larger.
            Box::pin(self.buffer_payload(call, limit, &key)).await?;
        }
        let rules = self.rules(&upstream, &scope);
        let Outgoing { head, body, .. } = &mut call.outgoing;
        if call.handshake.is_none() {
            body.settle();
        }
        rules.rewrite(head, &route.destination, joined, body)?;
        if let Some(handshake) = &call.handshake {
            handshake.ask(&mut head.headers);
        }
        call.guard.on_send(&mut head.headers, config.trace_context);

        // Send.
        let response = self.send(call, to, &connection).await?;

        // Respond.
        self.rewrite_response(response, call, &upstream, links.as_deref())
    }

    /// Calls the authorizer first, then the store with the key that the authorizer returned, and then the resolver. The later steps don't
    /// know the id in the request or the way in which the request named the connection.
    async fn look_up(&self, address: &Address<'_>, guard: &mut CallGuard) -> Result<Found, Error> {
        let grant = self
            .authorizer
            .authorize(address.id(), context(guard))
            .await?;
        let (scope, key) = grant.into_parts();
        let key = key.unwrap_or_else(|| ConnectionKey::from(address.id()));
        guard.set_connection_key(&key);
        let connection = self.store.connection(&key, context(guard)).await?;
        guard.set_integration(connection.shared_integration());
        if let Some(wait) = self.config.limits.admit_key(&key, guard.permit())? {
            wait.await?;
        }
        let upstream = self.resolver.resolve(&connection).await;
        let upstream = upstream.map_err(|error| error.into_error(connection.integration()))?;
        if upstream.leaves_secrets_unused(connection.credential()) {
            guard.span().on_unused_secrets(connection.integration());
        }
        Ok(Found {
            key,
            scope,
            connection,
            upstream,
        })
    }

    /// Returns the context in which links of the response are rewritten.
    #[cold]
    fn mounted_links(
        &self,
        call: &Call,
        (uri, address): (&Uri, &Address<'_>),
        target: &address::Target<'_>,
        (upstream, route): (&Upstream, &Route<'_>),
    ) -> Option<Box<MountedLinks>> {
        let config = &self.config;
        let headers = &call.outgoing.head.headers;
        let public = config.public_url.as_ref();
        let mount = MountAddress::new(public, uri, address, headers, call.guard.extensions())?;
        let encoding = upstream.encoding().unwrap_or(config.path_encoding);
        MountedLinks::new(
            mount,
            address.subdomain(),
            target,
            upstream,
            route,
            encoding,
        )
    }

    fn rules<'a>(&'a self, upstream: &'a Upstream, scope: &'a Scope) -> RequestRules<'a> {
        let config = &self.config;
        RequestRules {
            upstream,
            scope,
            host_credentials: &config.host_credentials,
            pass_forwarded: config.pass_forwarded,
            via: config.via.as_ref().map(|via| via.value()),
        }
    }
}

impl Call {
    /// Returns the call, and the original URI of its request.
    #[inline(always)] // Without it, the head and the guard would be copied once more.
    fn new(mut head: Parts, body: RequestBody, config: &Config) -> (Self, Uri) {
        let handshake = Handshake::from_request(&mut head, &body);
        let extensions = std::mem::take(&mut head.extensions);
        let original = config.original_uri.and_then(|find| find(&extensions));
        let uri = original_target(std::mem::take(&mut head.uri), original);
        let observers = Arc::clone(&config.observers);
        let mut guard = CallGuard::new(head.method.clone(), extensions, observers);
        guard.on_request(&head.headers);
        let call = Self {
            guard,
            outgoing: Outgoing::new(head, body),
            handshake,
            timeouts: config.timeouts.resolve(),
            fields: ResponseFields {
                policy: config.response_headers,
                pass_server_instructions: config.pass_server_instructions,
            },
        };
        (call, uri)
    }
}

fn context(guard: &CallGuard) -> CallContext<'_> {
    CallContext::new(guard.extensions(), guard.method())
}
