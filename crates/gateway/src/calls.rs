//! Calls: each is authenticated, gets the connection that its caller's key names, and is forwarded.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, StatusCode};
use http_body_util::Either;
use tower::Service as _;
use tower_passthrough::address::{PrefixError, RequestedConnection};
use tower_passthrough::service::ResponseBody;
use tower_passthrough::{PassthroughService, ProblemDetails};

use crate::addressing::{CONNECTION, Way, Ways};
use crate::audit::AuditPath;
use crate::callers::{Authentication, Caller};
use crate::{routes, unread};

/// The response of an upstream, or a response of the gateway itself.
pub(crate) type Answer = http::Response<Either<ResponseBody, Body>>;

/// The field of a browser's request for the script of a service worker
/// (<https://www.w3.org/TR/service-workers/#service-worker-script-request>).
const SCRIPT: HeaderName = HeaderName::from_static("service-worker");

/// The field of a response that lets a service worker control paths beside its script
/// (<https://www.w3.org/TR/service-workers/#service-worker-script-response>).
const ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// The place of a call's path, which decides what may name the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the mount. The path names the connection, or the key does, if calls may not name it in the path.
    BelowMount,
    /// Any other path that isn't a page of the gateway. The key names the connection.
    Elsewhere,
    /// All of the path belongs to the upstream, because the host names the connection; or the target has no path.
    Whole,
}

/// The settings of calls.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) mount: String,
    pub(crate) ways: Ways,
    pub(crate) authentication: Authentication,
    /// `true` if the log contains the paths of calls.
    pub(crate) logs_paths: bool,
    /// `true` if the gateway has pages for browsers. A script of an upstream that a browser registers as a service worker could replace
    /// these pages, which have the same origin as calls, and read the key that is typed into them.
    pub(crate) has_page: bool,
}

/// Answers calls.
#[derive(Debug)]
pub(crate) struct Calls {
    settings: Settings,
    below_mount: PassthroughService,
    whole: PassthroughService,
}

impl Calls {
    /// Returns the calls that this service forwards.
    ///
    /// # Errors
    ///
    /// If the mount isn't a valid prefix.
    pub(crate) fn new(
        settings: Settings,
        passthrough: PassthroughService,
    ) -> Result<Self, PrefixError> {
        Ok(Self {
            below_mount: passthrough.with_prefix(&settings.mount)?,
            whole: passthrough,
            settings,
        })
    }

    pub(crate) fn ways(&self) -> &Ways {
        &self.settings.ways
    }

    /// Returns the path below the mount, which is empty or begins with a slash.
    pub(crate) fn path_below_mount<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mount = self.settings.mount.trim_end_matches('/');
        path.strip_prefix(mount)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the request and its caller, or the answer to a request without a valid key.
    ///
    /// The request's body isn't read, unless a key may be in a form. So a caller that waits for `100
    /// Continue` is refused before the caller sends a body.
    pub(crate) async fn authenticate(
        &self,
        request: Request,
    ) -> Result<(Request, Arc<Caller>), Response> {
        self.settings.authentication.authenticate(request).await
    }

    /// Answers a call.
    pub(crate) async fn answer(&self, request: Request, place: Place) -> Answer {
        let (mut request, caller) = match self.authenticate(request).await {
            Ok(authenticated) => authenticated,
            Err(refusal) => return refusal.map(Either::Right),
        };
        let Settings { ways, has_page, .. } = &self.settings;
        if *has_page && request.headers().contains_key(SCRIPT) {
            return service_worker(request).map(Either::Right);
        }
        let by_key = match place {
            Place::BelowMount => ways.has(Way::Key) && !ways.has(Way::Path),
            Place::Elsewhere => true,
            Place::Whole => false,
        };
        let has_field =
            by_key && ways.has(Way::Header) && request.headers().contains_key(CONNECTION);
        let only = caller.only_connection().filter(|_| by_key && !has_field);
        // Below the mount, the library answers that the call names no connection.
        if only.is_none() && place == Place::Elsewhere {
            let detail = "there is nothing at this path: calls go below the mount, unless the key belongs to one connection alone";
            return routes::refuse(request, detail).map(Either::Right);
        }
        if self.settings.logs_paths {
            let path = request.uri().path();
            let path = match place {
                Place::BelowMount => self.path_below_mount(path).unwrap_or(path),
                Place::Elsewhere | Place::Whole => path,
            };
            let path = match only.is_none() && ways.names_in_path(&request) {
                true => AuditPath::below(path),
                false => AuditPath::whole(path),
            };
            request.extensions_mut().insert(path);
        }
        if let Some(id) = only {
            request
                .extensions_mut()
                .insert(RequestedConnection(id.clone()));
        }
        request.extensions_mut().insert(caller);
        // The service is always ready.
        let mut service = match place {
            Place::BelowMount => self.below_mount.clone(),
            Place::Elsewhere | Place::Whole => self.whole.clone(),
        };
        let Ok(mut response) = service.call(request).await;
        if *has_page {
            response.headers_mut().remove(ALLOWED);
        }
        response.map(Either::Left)
    }
}

/// Refuses a request for the script of a service worker.
fn service_worker(request: Request) -> Response {
    let (head, body) = request.into_parts();
    unread::drain(&head.headers, body);
    let detail = "with the page, the gateway refuses requests for scripts of service workers, because such a script could replace the page";
    let problem = ProblemDetails::new(StatusCode::FORBIDDEN, "service-worker", detail);
    let response = problem.to_response(&head.method, &head.headers);
    response.map(Body::new)
}
