//! A mount with a cookie as the callers' credential, which browsers send for any page that asks.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::COOKIE;
use tower_http::csrf::CsrfLayer;
use tower_passthrough::service::ResponseHeaderPolicy;

use crate::place::Place;
use testkit::caller::{RawResponse, raw_call, request};

async fn logged_in(request: Request, next: Next) -> Response {
    match request.headers().get(COOKIE) {
        Some(cookie) if cookie == "session=ann" => next.run(request).await,
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Mounts the check of the origin in front of the code that reads the cookie.
async fn guarded() -> Place {
    Place::axum(|service| {
        Router::new()
            .nest_service("/p", service)
            .layer(from_fn(logged_in))
            .layer(CsrfLayer::new())
    })
    .await
}

async fn post(place: &Place, lines: &[&str]) -> RawResponse {
    let usual = ["Cookie: session=ann", "Content-Length: 2"];
    let lines = [&usual[..], lines].concat();
    raw_call(
        place.gateway.address,
        request("POST", "/p/c/x", &lines, "{}"),
    )
    .await
}

#[tokio::test]
async fn v5_pages_of_other_sites_cannot_use_the_cookie() {
    let place = guarded().await;
    for lines in [
        &["Origin: https://evil.test", "Sec-Fetch-Site: cross-site"][..],
        &["Sec-Fetch-Site: same-site"],
        &["Origin: https://evil.test"],
        &["Origin: null"],
    ] {
        let response = post(&place, lines).await;
        assert_eq!(response.status(), 403, "{lines:?}");
        let names = response.head.names();
        let cors = names.iter().any(|name| name.starts_with("access-control-"));
        assert!(!cors, "{names:?}");
    }
    place.vendor.untouched().await;
}

#[tokio::test]
async fn v5_own_pages_and_programs_can_and_the_cookie_is_not_forwarded() {
    let place = guarded().await;
    for lines in [
        &["Origin: http://app.test", "Sec-Fetch-Site: same-origin"][..],
        &["Origin: http://app.test"],
        &[],
    ] {
        let response = post(&place, lines).await;
        assert_eq!(response.status(), 200, "{lines:?}: {}", response.text());
        let received = place.vendor.next().await;
        assert!(!received.head.has("cookie"), "{:?}", received.head);
    }
}

/// A handshake is a GET, which the layer lets through.
#[tokio::test]
async fn v9_other_sites_pages_cannot_open_a_websocket_with_the_cookie() {
    let place = Place::with(
        |setup| {
            setup.options(|options| options.response_headers(ResponseHeaderPolicy::BrowserSafe))
        },
        |service| {
            Router::new()
                .nest_service("/p", service)
                .layer(from_fn(logged_in))
                .layer(CsrfLayer::new())
        },
    )
    .await;
    let usual = [
        "Cookie: session=ann",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    let lines = [
        &usual[..],
        &["Origin: https://evil.test", "Sec-Fetch-Site: cross-site"],
    ]
    .concat();
    let response = raw_call(place.gateway.address, request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(response.status(), 403);
    place.vendor.untouched().await;
}
