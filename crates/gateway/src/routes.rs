//! The routes: the mount, and the pages of the gateway itself.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Either;
use tower::ServiceExt;
use tower_passthrough::ProblemDetails;

use crate::addressing::Way;
use crate::calls::{Answer, Calls, Place};
use crate::descriptions::{self, Descriptions};
use crate::metrics::Metrics;
use crate::page::{self, Page};
use crate::peers::NotACall;
use crate::readiness::Readiness;
use crate::unread;

/// The paths that aren't below the mount.
pub(crate) const OWN: [&str; 3] = [HEALTHZ, READYZ, METRICS];

const HEALTHZ: &str = "/healthz";
const READYZ: &str = "/readyz";
const METRICS: &str = "/metrics";

/// The data of the gateway's own pages.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
}

/// The pages that show the integrations to everybody, with `page = true`.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) page: Page,
    pub(crate) descriptions: Descriptions,
}

/// The answers to the requests of a listener. Clones share their data.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Arc<Table>);

#[derive(Debug)]
struct Table {
    /// `None` if there are only pages.
    calls: Option<Arc<Calls>>,
    pages: Router,
    /// The gateway's own pages are among `pages`.
    has_own: bool,
    /// The pages of [`Published`] are among `pages`.
    has_published: bool,
    /// The scheme of the callers' URLs, for links in responses.
    scheme: Option<Scheme>,
}

impl Routes {
    /// Returns the routes of callers. With `pages`, the gateway's own pages are there as well: `/metrics` needs a key, because it shows
    /// the integrations and their traffic.
    pub(crate) fn callers(
        calls: Calls,
        pages: Option<Pages>,
        published: Option<Published>,
        scheme: Option<Scheme>,
    ) -> Self {
        let calls = Arc::new(calls);
        let (has_own, has_published) = (pages.is_some(), published.is_some());
        let own = pages.map(|pages| {
            let with_key = from_fn_with_state(Arc::clone(&calls), with_key);
            // Other methods need a key as well, so their answer is inside of the layer.
            let metrics = metrics(pages.metrics).method_not_allowed_fallback(other_method);
            let metrics = metrics.route_layer(with_key);
            metrics.merge(health(pages.readiness))
        });
        let published = published.map(|published| {
            let Published { page, descriptions } = published;
            page.router().merge(descriptions.router())
        });
        let pages = [own, published].into_iter().flatten();
        Self(Arc::new(Table {
            calls: Some(calls),
            pages: pages
                .fold(Router::new(), Router::merge)
                .method_not_allowed_fallback(other_method),
            has_own,
            has_published,
            scheme,
        }))
    }

    /// Returns the gateway's own pages for operators, who need no key.
    pub(crate) fn operators(pages: Pages) -> Self {
        let own = metrics(pages.metrics).merge(health(pages.readiness));
        let nothing = "only the gateway's own pages are here";
        let own = own.fallback(async |request: Request| refuse(request, nothing));
        Self::from(own.method_not_allowed_fallback(other_method))
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, mut request: Request) -> Answer {
        let table = &*self.0;
        let nothing = match table.route(&request) {
            Route::Call(calls, place) => {
                if let Some(scheme) = &table.scheme {
                    request.extensions_mut().insert(scheme.clone());
                }
                return calls.answer(request, place).await;
            }
            Route::Page => None,
            Route::Nothing(detail) => Some(detail),
        };
        let response = match nothing {
            None => {
                let Ok(response) = table.pages.clone().oneshot(request).await;
                no_call(response)
            }
            Some(detail) => refuse(request, detail),
        };
        response.map(Either::Right)
    }
}

impl From<Router> for Routes {
    /// Returns routes without calls.
    fn from(pages: Router) -> Self {
        Self(Arc::new(Table {
            calls: None,
            pages,
            has_own: false,
            has_published: false,
            scheme: None,
        }))
    }
}

/// The answer to a request.
enum Route<'t> {
    Call(&'t Calls, Place),
    Page,
    /// There is nothing at the path, for this reason.
    Nothing(&'static str),
}

impl Table {
    fn route(&self, request: &Request) -> Route<'_> {
        let Some(calls) = self.calls.as_deref() else {
            return Route::Page;
        };
        let path = request.uri().path();
        let ways = calls.ways();
        if ways.has(Way::Host) && ways.addressing().is_by_host(request) {
            return Route::Call(calls, Place::Whole);
        }
        let is_below = ways.has_mount() && calls.path_below_mount(path).is_some();
        let is_own = self.has_own && OWN.contains(&path);
        let is_page = is_own || self.is_published(calls, request);
        match () {
            // Only a mount at `/` has pages below it.
            () if is_below && !is_page => Route::Call(calls, Place::BelowMount),
            () if is_page => Route::Page,
            () if ways.has(Way::Key) => Route::Call(calls, Place::Elsewhere),
            // `CONNECT host:443` and `OPTIONS *` have no path, so they are below no mount. The passthrough
            // answers them itself.
            () if !path.starts_with('/') => Route::Call(calls, Place::Whole),
            () if ways.has_mount() => {
                Route::Nothing("there is nothing at this path: calls go below the mount")
            }
            () => Route::Nothing("there is nothing here: the host of a call names its connection"),
        }
    }

    /// Returns `true` if the request is for a page of [`Published`]. A call that a key names may have any path, so these pages then take only
    /// the methods that read.
    fn is_published(&self, calls: &Calls, request: &Request) -> bool {
        let paths = || page::PATHS.iter().chain(&descriptions::PATHS);
        let reads = || matches!(*request.method(), Method::GET | Method::HEAD);
        self.has_published
            && paths().any(|path| *path == request.uri().path())
            && (reads() || !calls.ways().has(Way::Key))
    }
}

/// Answers requests with a valid key, whatever the key permits.
async fn with_key(State(calls): State<Arc<Calls>>, request: Request, next: Next) -> Response {
    match calls.authenticate(request).await {
        Ok((request, _)) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

/// `/healthz` and `/readyz` reveal nothing about a caller, a connection or an upstream's response.
fn health(readiness: Readiness) -> Router {
    let readyz = async move || match readiness.is_ready().await {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    };
    Router::new()
        .route(HEALTHZ, get(async || "ok\n"))
        .route(READYZ, get(readyz))
}

fn metrics(metrics: Metrics) -> Router {
    Router::new().route(METRICS, get(async move || exposition(&metrics)))
}

fn exposition(metrics: &Metrics) -> Response {
    const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(CONTENT_TYPE, PROMETHEUS)], metrics.render()).into_response()
}

fn no_call(mut response: Response) -> Response {
    response.extensions_mut().insert(NotACall);
    response
}

/// Answers a request at a path at which there is nothing.
pub(crate) fn refuse(request: Request, detail: &'static str) -> Response {
    let (head, body) = request.into_parts();
    unread::drain(&head.headers, body);
    nothing_here(&head, detail)
}

/// The router adds `Allow`.
async fn other_method(request: Request) -> Response {
    let (head, body) = request.into_parts();
    unread::drain(&head.headers, body);
    let detail = "this page of the gateway can only be read; send GET or HEAD";
    let problem = ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
    let response = problem.to_response(&head.method, &head.headers);
    response.map(Body::new)
}

fn nothing_here(request: &Parts, detail: &'static str) -> Response {
    let problem = ProblemDetails::new(StatusCode::NOT_FOUND, "not-found", detail);
    let response = problem.to_response(&request.method, &request.headers);
    no_call(response.map(Body::new))
}
