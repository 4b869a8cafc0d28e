//! The routes: the mount, and the two pages of the gateway itself.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

use crate::callers::{Callers, authenticate};
use crate::metrics::Metrics;
use crate::unread;

/// The paths that aren't below the mount.
pub(crate) const OWN: [&str; 2] = [HEALTHZ, METRICS];

const HEALTHZ: &str = "/healthz";
const METRICS: &str = "/metrics";

/// Mounts the passthrough behind the authentication of callers.
///
/// `/healthz` and `/metrics` need no key, because they reveal nothing about a caller, a connection
/// or an upstream's response.
pub(crate) fn router<S>(
    mount: &str,
    callers: Arc<Callers>,
    passthrough: S,
    metrics: Metrics,
) -> Router
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    let calls = from_fn_with_state(callers, authenticate).layer(passthrough);
    let own = Router::new()
        .route(HEALTHZ, get(async || "ok\n"))
        .route(METRICS, get(async move || exposition(&metrics)));
    match mount {
        // axum can't nest a service at the root.
        "/" => own.fallback_service(calls),
        mount => own
            .nest_service(mount, calls.clone())
            .fallback(async move |request: Request| elsewhere(calls, request).await),
    }
}

async fn elsewhere<S>(calls: S, request: Request) -> Response
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
{
    if request.uri().path().starts_with('/') {
        let (head, body) = request.into_parts();
        unread::drain(&head.headers, body);
        return nothing_here();
    }
    // `CONNECT host:443` and `OPTIONS *` have no path, so they are below no mount. The passthrough
    // answers them itself.
    calls.oneshot(request).await.into_response()
}

fn exposition(metrics: &Metrics) -> Response {
    const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(CONTENT_TYPE, PROMETHEUS)], metrics.render()).into_response()
}

fn nothing_here() -> Response {
    const PROBLEM: &str = concat!(
        r#"{"type":"about:blank","title":"Not Found","status":404,"#,
        r#""detail":"there is nothing at this path: calls go below the mount","sent":false}"#,
    );
    let mut response = Response::new(Body::from(PROBLEM));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}
