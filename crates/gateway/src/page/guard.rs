//! The protection of the page against service workers of upstreams.
//!
//! Calls have the same origin as the page. A script of an upstream that a browser registers as a service worker could replace the files
//! of the page, and read the key that is typed into it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, StatusCode};
use tower_passthrough::ProblemDetails;

use crate::unread;

/// The field of a browser's request for the script of a service worker
/// (<https://www.w3.org/TR/service-workers/#service-worker-script-request>).
const SCRIPT: HeaderName = HeaderName::from_static("service-worker");

/// The field of a response that lets a service worker control paths beside its script
/// (<https://www.w3.org/TR/service-workers/#service-worker-script-response>).
const ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// With the page, refuses calls that ask for the script of a service worker, and removes `Service-Worker-Allowed` from responses.
/// Without the page, changes nothing.
pub(crate) async fn guard(State(has_page): State<bool>, request: Request, next: Next) -> Response {
    if !has_page {
        return next.run(request).await;
    }
    if request.headers().contains_key(SCRIPT) {
        let (head, body) = request.into_parts();
        unread::drain(&head.headers, body);
        let detail = "with the page, the gateway refuses requests for scripts of service workers, because such a script could replace the page";
        let problem = ProblemDetails::new(StatusCode::FORBIDDEN, "service-worker", detail);
        let response = problem.to_response(&head.method, &head.headers);
        return response.map(Body::new);
    }
    let mut response = next.run(request).await;
    response.headers_mut().remove(ALLOWED);
    response
}
