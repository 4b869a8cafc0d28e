//! `Router::nest_service` and `Router::fallback_service` of axum.

use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::get;
use http::{Extensions, Uri};

use crate::place::Place;
use testkit::gateway::Setup;

#[tokio::test]
async fn one_level_deep_next_to_other_routes() {
    let place = Place::axum(|service| {
        Router::new()
            .route("/", get(async || "home"))
            .route("/p-news", get(async || "news"))
            .nest_service("/p", service)
    })
    .await;
    place
        .arrive(&[
            ("/p/c", "/v2"),
            ("/p/c/", "/v2/"),
            ("/p/c?a=1", "/v2?a=1"),
            ("/p/c/a//b/?x=%20+&y", "/v2/a//b/?x=%20+&y"),
            ("/p/c//a", "/v2//a"),
            ("/p/c/projects/group%2Frepo", "/v2/projects/group%2Frepo"),
            ("/p/c/%2Fusers%3Fpage%3D2", "/v2/users?page=2"),
            ("/p/c/%FF%zz", "/v2/%FF%zz"),
        ])
        .await;
    place.answers("/", 200, "home").await;
    place.answers("/p-news", 200, "news").await;
    place.answers("/px/c", 404, "").await;
}

#[tokio::test]
async fn three_levels_deep() {
    let place = Place::axum(|service| {
        let inner = Router::new()
            .route("/news", get(async || "news"))
            .nest_service("/p", service);
        Router::new().nest("/api", Router::new().nest("/v1", inner))
    })
    .await;
    place
        .arrive(&[
            ("/api/v1/p/c", "/v2"),
            ("/api/v1/p/c/", "/v2/"),
            ("/api/v1/p/c//a/%2e%2E/b?c", "/v2//a/%2e%2E/b?c"),
            ("/api/v1/p/c/%2Fapi%2Fv1%2Fp", "/v2/api/v1/p"),
        ])
        .await;
    place.answers("/api/v1/news", 200, "news").await;
    place.answers("/api/p/c/x", 404, "").await;
}

fn original(extensions: &Extensions) -> Option<&Uri> {
    extensions.get().map(|OriginalUri(uri)| uri)
}

fn id_inside(setup: Setup, prefix: &'static str) -> Setup {
    setup.options(move |options| {
        let options = options.prefix(prefix).expect("a prefix");
        options.original_uri(original)
    })
}

/// axum removes a slash: after the router, the paths of `/p/c`, `/p/c/` and `/p/c//` are shorter than the paths that
/// were sent.
#[tokio::test]
async fn p19_an_id_inside_of_the_nest_keeps_its_slashes() {
    let place = Place::with(
        |setup| id_inside(setup, "/p"),
        |service| Router::new().nest_service("/p/{id}", service),
    )
    .await;
    place
        .arrive(&[
            ("/p/c", "/v2"),
            ("/p/c/", "/v2/"),
            ("/p/c?q", "/v2?q"),
            ("/p/c/?q", "/v2/?q"),
            ("/p/c//x", "/v2//x"),
            ("/p/c/a/b", "/v2/a/b"),
            ("/p/%63/a%2Fb/", "/v2/a%2Fb/"),
        ])
        .await;
}

#[tokio::test]
async fn p19_an_id_inside_of_a_nested_nest() {
    let place = Place::with(
        |setup| id_inside(setup, "/api/p"),
        |service| Router::new().nest("/api", Router::new().nest_service("/p/{id}", service)),
    )
    .await;
    place
        .arrive(&[
            ("/api/p/c", "/v2"),
            ("/api/p/c/", "/v2/"),
            ("/api/p/c//x?q", "/v2//x?q"),
        ])
        .await;
}

#[tokio::test]
async fn at_the_root_as_the_fallback() {
    let place = Place::axum(|service| {
        Router::new()
            .route("/healthz", get(async || "ok"))
            .fallback_service(service)
    })
    .await;
    place
        .arrive(&[("/c", "/v2"), ("/c/", "/v2/"), ("/c//a?b", "/v2//a?b")])
        .await;
    place.answers("/healthz", 200, "ok").await;
    let unknown = place.get("/healthy").await;
    assert_eq!(unknown.error(), Some("unknown-connection"));
}
