//! `PassthroughLayer` around a finished router: a request outside of the layer's prefix goes
//! through unchanged.
//!
//! ```text
//! cargo run --example axum_layer
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl http://127.0.0.1:8080/passthrough-news
//! ```
//!
//! With `-- --once` the example makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use axum::{Router, routing::get};
use http::HeaderName;
use tower_layer::Layer;
use tower_passthrough::auth::Bearer;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughLayer, PassthroughService, Upstream,
};

use crate::support::Local;

/// The field by which callers authenticate to this app. The field never reaches a vendor.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("crm").with_secret("token", "anns-token"),
    )]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([API_KEY])
        .transport(local.transport)
        .build();
    let layer = PassthroughLayer::new("/passthrough", service)?;

    let finished = Router::new().route("/passthrough-news", get(async || "no call\n"));
    // `axum::serve` wants a router, so the wrapped router becomes the fallback of an empty router.
    // `finished.layer(layer)` works as well, where nothing has to be between the two.
    let app = Router::new().fallback_service(layer.layer(finished));

    let curl = format!(
        "curl http://{}/passthrough/acme/v2/customers",
        local.address
    );
    support::serve(axum::serve(local.listener, app), curl).await
}
