//! The way of a call, in the order that decides its safety.
//!
//! Nothing is asked of the store before the authorizer has agreed, no credential is put on before the destination has been judged, and the
//! caller's body isn't touched before the last refusal: its first poll makes hyper send `100 Continue`.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;

use crate::address::{Address, Prefix, Target};
use crate::auth::{AuthContext, AuthError};
use crate::body::{OwnBody, Relay, RequestBody, Uploading, UpstreamBody};
use crate::client::{Transport, TransportError, in_time};
use crate::connection::Connection;
use crate::error::{Error, ErrorCode};
use crate::observe::{Outcome, Record, Upload, UploadState};
use crate::policy::Destination;
use crate::resolver::BaseUrlResolver;
use crate::response::{ErrorForm, odd_transfer_coding};
use crate::rewrite::{self, RequestRules, RequestTrailers, ResponseRules, ResponseTrailers};
use crate::settings::Settings;
use crate::store::{Authorize, CallContext, CredentialStore, Scope, StoreError};
use crate::upstream::{Route, Upstream};

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
    /// Answers a call under `prefix`: with the vendor's response, or with an error of the gateway's own.
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
        refuse_echoes(&head.method)?;
        let uri = self.uri_as_it_came(&mut head, record);
        let address = address(&uri, prefix)?;
        record.names(address.id());

        let scope = self.store.authorize(address.id(), context(record)).await?;
        let connection = self.store.connection(address.id(), context(record)).await?;
        record.belongs_to(connection.shared_integration());

        let upstream = self.resolver.resolve(&connection).await?;
        let target = self.target(&address, &upstream)?;
        let route = upstream.route(target.domain())?;
        refuse_out_of_scope(&scope, &head.method, &target, &route)?;
        record.goes_to(&route.destination);

        self.refuse_too_large(&body)?;
        self.refuse_loops(&head)?;
        self.rewrite(&mut head, &body, &target, &route, &upstream, &scope)?;
        let (body, payload) = body.keep(upstream.scheme().payload()).await?;
        let outgoing = Outgoing {
            head,
            body,
            payload,
            upstream: &upstream,
            destination: &route.destination,
        };

        // The credential may turn out to be stale: then head and body are needed once more.
        let spare = self.store.renews().then(|| outgoing.again());
        let response = self.send(outgoing, &connection, record).await?;
        let response = match spare {
            Some(spare) if response.status() == StatusCode::UNAUTHORIZED => {
                let renewed = self
                    .store
                    .renew(address.id(), &connection, context(record))
                    .await;
                self.send_again(spare, renewed, response, record).await?
            }
            _ => response,
        };
        self.hand_back(response, &upstream)
    }

    /// Puts the credential on, and sends.
    async fn send(
        &self,
        outgoing: Outgoing<'_>,
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
        let cx = AuthContext {
            connection,
            destination,
            payload: payload.as_ref(),
            now: SystemTime::now(),
        };
        upstream
            .scheme()
            .apply(&mut head, &cx)
            .map_err(unsendable)?;
        refuse_detours(&head.uri, destination)?;
        let request = Request::from_parts(head, self.follow(body, upstream, record));
        record.attempt();
        let upload = record.upload().cloned();
        let sending = self.transport.send(request, destination);
        let sent = in_time(sending, upload.as_deref(), self.settings.patience).await?;
        sent.map_err(|error| explain(error, upload.as_deref(), record))
    }

    /// Sends once more with the renewed credential. The vendor's 401 goes back if there is none, or the body is gone.
    async fn send_again(
        &self,
        spare: Option<Outgoing<'_>>,
        renewed: Result<Option<Connection>, StoreError>,
        unauthorized: Response<UpstreamBody>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let Some(spare) = spare else {
            return Ok(unauthorized);
        };
        match renewed.map_err(refresh_failed)? {
            None => Ok(unauthorized),
            Some(connection) => {
                drop(unauthorized);
                self.send(spare, &connection, record).await
            }
        }
    }

    /// The target as it came, if the host tells where a router keeps it; else as it's left.
    fn uri_as_it_came(&self, head: &mut Parts, record: &Record) -> Uri {
        let left = std::mem::take(&mut head.uri);
        let original = self
            .settings
            .original_uri
            .and_then(|find| find(record.extensions()));
        match original.filter(|original| ends_in(original, &left)) {
            Some(original) => original.clone(),
            None => left,
        }
    }

    fn target<'a>(&self, address: &Address<'a>, upstream: &Upstream) -> Result<Target<'a>, Error> {
        let settings = &self.settings;
        let target = address.target(upstream.encoding().unwrap_or(settings.path_encoding))?;
        if settings.refuse_twice_encoded_dots && target.sinks_if_decoded_twice() {
            return Err(Error::bad_address(
                "the path holds dot segments, encoded twice, that leave the base path",
            ));
        }
        Ok(target)
    }

    fn refuse_too_large(&self, body: &RequestBody) -> Result<(), Error> {
        let least = body.size_hint().lower();
        match self.settings.request_body_limit {
            Some(limit) if least > limit => Err(too_large()),
            _ => Ok(()),
        }
    }

    fn refuse_loops(&self, head: &Parts) -> Result<(), Error> {
        self.settings
            .via
            .as_ref()
            .map_or(Ok(()), |via| via.refuse_loops(&head.headers))
    }

    fn rewrite(
        &self,
        head: &mut Parts,
        body: &RequestBody,
        target: &Target<'_>,
        route: &Route<'_>,
        upstream: &Upstream,
        scope: &Scope,
    ) -> Result<(), Error> {
        let target = rewrite::join(route.base_path(), upstream.default_query(), target)?;
        let settings = &self.settings;
        let rules = RequestRules {
            upstream,
            host_credentials: &settings.host_credentials,
            pass_forwarded: settings.pass_forwarded,
            via: settings.via.as_ref().map(|via| via.value()),
            methods_are_limited: scope.limits_methods(),
        };
        rules.rewrite(
            head,
            &route.destination,
            target,
            &body.size_hint(),
            body.is_end_stream(),
        )
    }

    /// From now on the body is counted, limited, and its trailers rewritten.
    fn follow(&self, body: RequestBody, upstream: &Upstream, record: &mut Record) -> RequestBody {
        if body.is_end_stream() {
            return body;
        }
        let progress = Arc::new(Upload::start(record.started()));
        record.follow(Arc::clone(&progress));
        body.forward(Uploading {
            progress,
            trailers: RequestTrailers {
                scheme: upstream.shared_scheme(),
                host_credentials: Arc::clone(&self.settings.host_credentials),
            },
            limit: self.settings.request_body_limit,
        })
    }

    fn hand_back(
        &self,
        response: Response<UpstreamBody>,
        upstream: &Upstream,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let rules = ResponseRules {
            policy: self.settings.response_headers,
            scrubbed: if upstream.scrubs_links() {
                upstream.scheme().parameters()
            } else {
                &[]
            },
        };
        rules
            .rewrite(&mut head)
            .map_err(|_| odd_transfer_coding())?;
        Ok(Response::from_parts(head, body))
    }

    fn relay(
        &self,
        response: Response<UpstreamBody>,
        mut record: Box<Record>,
    ) -> Response<OwnBody> {
        let settings = &self.settings;
        let status = response.status();
        record.answered(status);
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || record.method() == Method::HEAD;
        response.map(|body| {
            if bodiless {
                record.ends(Outcome::Complete);
                return OwnBody::bodiless(record);
            }
            let trailers = ResponseTrailers(settings.response_headers);
            OwnBody::relay(Relay::new(body, record, trailers, settings.patience.idle))
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

fn address<'a>(uri: &'a Uri, prefix: &Prefix) -> Result<Address<'a>, Error> {
    let outside = || Error::bad_address("the path lies outside of the mount");
    let path = prefix.strip(uri.path()).ok_or_else(outside)?;
    Address::cut(path, uri.query())
}

/// Whether `left` is what a router left of `original`. A router may have eaten the slash at the seam.
fn ends_in(original: &Uri, left: &Uri) -> bool {
    let tail = left.path().strip_prefix('/').unwrap_or(left.path());
    original.path().ends_with(tail) && original.query() == left.query()
}

/// TRACE would echo the credential, and CONNECT opens what nobody could look into.
fn refuse_echoes(method: &Method) -> Result<(), Error> {
    match *method {
        Method::TRACE => Err(Error::new(
            ErrorCode::MethodRefused,
            "TRACE would echo the connection's credential",
        )),
        Method::CONNECT => Err(Error::new(
            ErrorCode::MethodRefused,
            "CONNECT isn't forwarded",
        )),
        _ => Ok(()),
    }
}

fn refuse_out_of_scope(
    scope: &Scope,
    method: &Method,
    target: &Target<'_>,
    route: &Route<'_>,
) -> Result<(), Error> {
    let refused = |detail| Err(Error::new(ErrorCode::ScopeRefused, detail));
    if !scope.permits_method(method) {
        return refused("this caller may not use that method with this connection");
    }
    if !scope.permits_path(target.path()) {
        return refused("this caller may not use that path with this connection");
    }
    if scope.limits_paths() && route.leaves_base_path() {
        return refused(
            "this caller is held to paths, so `__domain` must leave the base path as it is",
        );
    }
    Ok(())
}

/// A scheme puts a credential on; where it goes has been judged.
fn refuse_detours(uri: &Uri, destination: &Destination) -> Result<(), Error> {
    if uri.authority() == Some(destination.authority()) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorCode::DestinationRefused,
            "the authentication scheme changed where the request goes",
        ))
    }
}

fn unsendable(error: AuthError) -> Error {
    let detail = match error {
        AuthError::Missing => "a secret of the connection is missing: its owner must set it anew",
        AuthError::Unsendable => {
            "a secret of the connection can't be sent: its owner must set it anew"
        }
    };
    Error::reauthorize(detail).with_source(error)
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::BodyTooLarge,
        "the body is larger than the host allows",
    )
}

fn refresh_failed(error: StoreError) -> Error {
    match error {
        StoreError::Unavailable(source) => Error::new(
            ErrorCode::RefreshFailed,
            "the connection's credential can't be refreshed for now",
        )
        .with_source(source)
        .with_sent(true),
        dead => Error::from(dead).with_sent(true),
    }
}

/// What a transport reports may be the caller's doing.
fn explain(error: TransportError, upload: Option<&Upload>, record: &mut Record) -> Error {
    match upload.map(Upload::state) {
        Some(UploadState::TooLarge) => too_large().with_sent(true),
        Some(UploadState::Broken) => {
            record.ends(Outcome::Cancelled);
            Error::bad_address("the request's body broke off")
                .with_source(error)
                .with_sent(true)
        }
        _ => error.into(),
    }
}
