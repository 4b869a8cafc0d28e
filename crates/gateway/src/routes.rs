//! The routes: the mount, and the pages of the gateway itself.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_passthrough::ProblemDetails;
use tower_service::Service;

use crate::addressing::{Place, Way, Ways, by_key};
use crate::callers::{AuditPaths, Authentication, authenticate};
use crate::descriptions::Descriptions;
use crate::metrics::Metrics;
use crate::page::{Page, guard};
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

/// Mounts the passthrough behind the authentication of callers, in each of the ways in which a call may name its connection. With `pages`, the gateway's own
/// pages are there as well: `/metrics` needs a key, because it shows the integrations and their
/// traffic.
pub(crate) fn router<S>(
    mount: &str,
    ways: Ways,
    (authentication, paths): (Authentication, AuditPaths),
    passthrough: S,
    pages: Option<Pages>,
    published: Option<Published>,
) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    let ways = Arc::new(ways);
    let passthrough = from_fn_with_state(published.is_some(), guard).layer(passthrough);
    let authenticated = from_fn_with_state((Arc::new(authentication), paths), authenticate);
    let calls = authenticated.layer(passthrough.clone());
    let mut own = match pages {
        Some(pages) => metrics(pages.metrics)
            .route_layer(authenticated.clone())
            .merge(health(pages.readiness))
            .layer(map_response(async |response| no_call(response))),
        None => Router::new(),
    };
    // With a key, calls may have any path that isn't a page.
    let with_key = |place| {
        let key = from_fn_with_state((Arc::clone(&ways), place), by_key);
        authenticated.layer(key.layer(passthrough.clone()))
    };
    if let Some(Published { page, descriptions }) = published {
        // A call that a key names may have any path, so these pages take only the methods that read.
        let others = ways.has(Way::Key).then(|| with_key(Place::Elsewhere));
        let descriptions = descriptions.router(others.clone());
        own = own.merge(page.router(others)).merge(descriptions);
    }
    let elsewhere = match ways.has(Way::Key) {
        true => own.fallback_service(with_key(Place::Elsewhere)),
        false => {
            let calls = calls.clone();
            let detail = match ways.has_mount() {
                true => "there is nothing at this path: calls go below the mount",
                false => "there is nothing here: the host of a call names its connection",
            };
            own.fallback(async move |request: Request| elsewhere(calls, detail, request).await)
        }
    };
    let paths = match ways.has(Way::Key) && !ways.has(Way::Path) {
        true => mounted(elsewhere, mount, with_key(Place::BelowMount)),
        false if ways.has_mount() => mounted(elsewhere, mount, calls.clone()),
        false => elsewhere,
    };
    match ways.has(Way::Host) {
        true => by_host(ways, calls, paths),
        false => paths,
    }
}

/// Adds the calls below the mount.
fn mounted<S>(router: Router, mount: &str, calls: S) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    match mount {
        // axum can't nest a service at the root.
        "/" => router.fallback_service(calls),
        mount => router.nest_service(mount, calls),
    }
}

/// Adds the calls whose host names a connection, whatever their path is.
fn by_host<S>(ways: Arc<Ways>, calls: S, others: Router) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    let choose = move |request: Request| {
        let is_call = ways.addressing().is_by_host(&request);
        let (calls, others) = (calls.clone(), others.clone());
        async move {
            match is_call {
                true => Ok(calls.oneshot(request).await?.into_response()),
                false => others.oneshot(request).await,
            }
        }
    };
    Router::new().fallback_service(tower::service_fn(choose))
}

/// The gateway's own pages for operators, who need no key.
pub(crate) fn operator(pages: Pages) -> Router {
    let own = metrics(pages.metrics).merge(health(pages.readiness));
    own.fallback(async |request: Request| refuse(request, "only the gateway's own pages are here"))
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
        .method_not_allowed_fallback(other_method)
}

fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route(METRICS, get(async move || exposition(&metrics)))
        .method_not_allowed_fallback(other_method)
}

async fn elsewhere<S>(calls: S, detail: &'static str, request: Request) -> Response
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
{
    if request.uri().path().starts_with('/') {
        return refuse(request, detail);
    }
    // `CONNECT host:443` and `OPTIONS *` have no path, so they are below no mount. The passthrough
    // answers them itself.
    calls.oneshot(request).await.into_response()
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
pub(crate) async fn other_method(request: Request) -> Response {
    let (head, body) = request.into_parts();
    unread::drain(&head.headers, body);
    let detail = "this page of the gateway can only be read; send GET or HEAD";
    let problem = ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
    let response = problem.to_response(&head.method, &head.headers);
    no_call(response.map(Body::new))
}

fn nothing_here(request: &Parts, detail: &'static str) -> Response {
    let problem = ProblemDetails::new(StatusCode::NOT_FOUND, "not-found", detail);
    let response = problem.to_response(&request.method, &request.headers);
    no_call(response.map(Body::new))
}
