//! A passthrough in an axum app, in five lines.
//!
//! ```text
//! cargo run --example five_lines
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers?page=2
//! ```
//!
//! With `-- --once` the example makes that call itself, prints the answer and stops.

mod support;

use std::error::Error;

use axum::Router;
use http::HeaderName;
use tower_passthrough::auth::Bearer;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream,
};

use crate::support::Local;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;

    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("crm").with_secret("token", "anns-token"),
    )]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(owns_connection)
        .caller_credentials([HeaderName::from_static("x-api-key")])
        .transport(local.transport)
        .build();
    let app = Router::new().nest_service("/passthrough", service);

    let curl = format!(
        "curl http://{}/passthrough/acme/v2/customers?page=2",
        local.address
    );
    support::serve(axum::serve(local.listener, app), curl).await
}

/// Decides whether the caller owns the connection. `axum_nest` shows the decision with the app's
/// own authentication.
fn owns_connection(id: &ConnectionId, _: CallContext<'_>) -> bool {
    id.as_str() == "acme"
}
