//! `nest_service` for tenants who name their connections themselves, behind the app's own authentication.
//!
//! ```text
//! cargo run --example axum_nest
//! curl http://127.0.0.1:8080/t/ann/passthrough/crm/v2/customers -H x-api-key:anns-key
//! curl http://127.0.0.1:8080/t/ben/passthrough/crm/v2/customers -H x-api-key:bens-key
//! ```
//!
//! Ann and Ben both have a connection `crm`, and share nothing. With `-- --once` the example makes the first call itself.

mod support;

use std::error::Error;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::{Router, response::Response, routing::get};
use http::{HeaderName, StatusCode};
use tower_passthrough::auth::Bearer;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Grant, Integrations, MemoryStore, PassthroughService,
    Upstream,
};

use crate::support::Local;

/// The tenant that makes a call: the app's authentication finds the tenant, and the authorizer reads the tenant.
#[derive(Clone)]
struct Tenant(String);

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The app's own authentication, which knows nothing of the passthrough. The function compares the tenant in the path with the owner of the
/// key.
async fn authenticate(
    Path(tenant): Path<String>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let owner = match request.headers().get(API_KEY).map(|key| key.as_bytes()) {
        Some(b"anns-key") => "ann",
        Some(b"bens-key") => "ben",
        _ => return Err(StatusCode::UNAUTHORIZED),
    };
    if owner != tenant {
        return Err(StatusCode::NOT_FOUND);
    }
    request.extensions_mut().insert(Tenant(tenant));
    Ok(next.run(request).await)
}

/// The connection `crm` of Ann has the key `ann/crm`. Store, refreshes, limits, the connection pool and reports know Ann's connection by
/// this key alone.
fn connection_of_tenant(id: &ConnectionId, cx: CallContext<'_>) -> Option<Grant> {
    let Tenant(tenant) = cx.extensions().get()?;
    let key = ConnectionKey::in_tenant(tenant, id).ok()?;
    Some(Grant::all().connection_key(key))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let crm = |token| Connection::new("crm").with_secret("token", token);
    let store = MemoryStore::from_iter([
        ("ann/crm", crm("anns-token")),
        ("ben/crm", crm("bens-token")),
    ]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(connection_of_tenant)
        .caller_credentials([API_KEY])
        .transport(local.transport)
        .build();
    let app = Router::new()
        .route(
            "/t/{tenant}/me",
            get(async |Path(tenant): Path<String>| tenant),
        )
        .nest_service("/t/{tenant}/passthrough", service)
        .layer(from_fn(authenticate));
    let url = format!(
        "http://{}/t/ann/passthrough/crm/v2/customers",
        local.address
    );
    let curl = format!("curl {url} -H x-api-key:anns-key");
    support::serve(axum::serve(local.listener, app), curl).await
}
