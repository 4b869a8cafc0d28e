//! A passthrough and a gRPC service on the same port, which HTTP/1.1 callers reach as well.
//!
//! ```text
//! cargo run --example tonic
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl --http2-prior-knowledge http://127.0.0.1:8080/passthrough/acme/v2/customers
//! grpcurl -plaintext 127.0.0.1:8080 grpc.health.v1.Health/Check
//! ```
//!
//! With `-- --once` the example makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use http::HeaderName;
use tonic::service::Routes;
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

    // tonic's own server never upgrades a connection, so WebSockets would break behind that server. The example turns tonic's routes into
    // an axum router, so axum serves them, over HTTP/1.1 and HTTP/2.
    let (_reporter, health) = tonic_health::server::health_reporter();
    let app = Routes::new(health)
        .into_axum_router()
        .layer(PassthroughLayer::new("/passthrough", service)?);

    let curl = format!(
        "curl http://{}/passthrough/acme/v2/customers",
        local.address
    );
    support::serve(axum::serve(local.listener, app), curl).await
}
