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
use http::{HeaderValue, StatusCode};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

use crate::callers::{AuditPaths, Callers, authenticate};
use crate::metrics::Metrics;
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

/// Mounts the passthrough behind the authentication of callers. With `pages`, the gateway's own
/// pages are there as well: `/metrics` needs a key, because it shows the integrations and their
/// traffic.
pub(crate) fn router<S>(
    mount: &str,
    callers: (Arc<Callers>, AuditPaths),
    passthrough: S,
    pages: Option<Pages>,
) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    let authenticated = from_fn_with_state(callers, authenticate);
    let calls = authenticated.layer(passthrough);
    let own = match pages {
        Some(pages) => metrics(pages.metrics)
            .route_layer(authenticated)
            .merge(health(pages.readiness))
            .layer(map_response(async |response| no_call(response))),
        None => Router::new(),
    };
    match mount {
        // axum can't nest a service at the root.
        "/" => own.fallback_service(calls),
        mount => own
            .nest_service(mount, calls.clone())
            .fallback(async move |request: Request| elsewhere(calls, request).await),
    }
}

/// The gateway's own pages for operators, who need no key.
pub(crate) fn operator(pages: Pages) -> Router {
    let own = metrics(pages.metrics).merge(health(pages.readiness));
    own.fallback(async |request: Request| {
        let (head, body) = request.into_parts();
        unread::drain(&head.headers, body);
        nothing_here("only the gateway's own pages are here")
    })
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

async fn elsewhere<S>(calls: S, request: Request) -> Response
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
{
    if request.uri().path().starts_with('/') {
        let (head, body) = request.into_parts();
        unread::drain(&head.headers, body);
        return nothing_here("there is nothing at this path: calls go below the mount");
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

/// `detail` is a constant, so it needs no escaping.
fn nothing_here(detail: &'static str) -> Response {
    let problem = format!(
        r#"{{"type":"about:blank","title":"Not Found","status":404,"detail":"{detail}","sent":false}}"#
    );
    let mut response = Response::new(Body::from(problem));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    no_call(response)
}
