//! `PassthroughLayer` in an axum app.

use axum::Router;
use axum::routing::get;
use tower_layer::Layer;
use tower_passthrough::PassthroughLayer;

use crate::place::Place;

fn finished() -> Router {
    Router::new()
        .route("/", get(async || "home"))
        .route("/px/c", get(async || "news"))
        .fallback(async || "elsewhere")
}

async fn takes_its_prefix_alone(place: &Place) {
    place
        .arrive(&[
            ("/p/c", "/v2"),
            ("/p/c/", "/v2/"),
            ("/p/c//a/?b=%20", "/v2//a/?b=%20"),
        ])
        .await;
    place.answers("/", 200, "home").await;
    place.answers("/px/c", 200, "news").await;
    place.answers("/pc", 200, "elsewhere").await;
}

#[tokio::test]
async fn as_the_layer_of_a_router() {
    let place = Place::axum(|service| {
        finished().layer(PassthroughLayer::new("/p", service).expect("a prefix"))
    })
    .await;
    takes_its_prefix_alone(&place).await;
}

/// A layer sees unmatched paths too, so the router needs no route for the mount.
#[tokio::test]
async fn as_the_layer_of_a_router_with_another_route() {
    let place = Place::axum(|service| {
        let layer = PassthroughLayer::new("/api/p", service).expect("a prefix");
        let api = Router::new().route("/api/me", get(async || "you"));
        api.layer(layer)
    })
    .await;
    place.arrive(&[("/api/p/c/x", "/v2/x")]).await;
    place.answers("/api/me", 200, "you").await;
    place.answers("/api", 404, "").await;
}

#[tokio::test]
async fn around_a_finished_router() {
    let place = Place::axum(|service| {
        let layer = PassthroughLayer::new("/p", service).expect("a prefix");
        Router::new().fallback_service(layer.layer(finished()))
    })
    .await;
    takes_its_prefix_alone(&place).await;
}
