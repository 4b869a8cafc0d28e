//! `nest_service` beside other routes, behind the app's own authentication.
//!
//! ```text
//! cargo run --example axum_nest
//! curl http://127.0.0.1:8080/api/passthrough/crm/v2/customers -H x-api-key:anns-key
//! ```
//!
//! Each tenant has a connection `crm` of its own. With `-- --once` it makes that call itself.

mod support;

use std::error::Error;

use axum::middleware::{Next, from_fn};
use axum::{Router, extract::Request, response::Response, routing::get};
use http::{HeaderName, StatusCode};
use tower_passthrough::auth::Bearer;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, CredentialStore, Integrations, PassthroughService,
    StoreError, Upstream,
};

use crate::support::Local;

/// Whose call it is: found by the app's authentication, read by authorizer and store.
#[derive(Clone)]
struct Tenant(&'static str);

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The app's own authentication, which knows nothing of the passthrough.
async fn authenticate(mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let tenant = match request.headers().get(API_KEY).map(|key| key.as_bytes()) {
        Some(b"anns-key") => Tenant("ann"),
        Some(b"bens-key") => Tenant("ben"),
        _ => return Err(StatusCode::UNAUTHORIZED),
    };
    request.extensions_mut().insert(tenant);
    Ok(next.run(request).await)
}

/// Ben's plan holds no passthrough: to him there is no such connection.
fn may_use(_: &ConnectionId, cx: CallContext<'_>) -> bool {
    matches!(cx.extensions().get(), Some(Tenant("ann")))
}

struct Tenants;

impl CredentialStore for Tenants {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let Tenant(name) = cx.extensions().get().ok_or(StoreError::NotFound)?;
        match id.as_str() {
            "crm" => Ok(Connection::new("crm").with_secret("token", format!("{name}s-token"))),
            _ => Err(StoreError::NotFound),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(Tenants, integrations)
        .authorize_fn(may_use)
        .caller_credentials([API_KEY])
        .transport(local.transport)
        .build();
    let api = Router::new()
        .route("/me", get(async || "you\n"))
        .nest_service("/passthrough", service)
        .layer(from_fn(authenticate));
    let app = Router::new().nest("/api", api);
    let url = format!("http://{}/api/passthrough/crm/v2/customers", local.address);
    let curl = format!("curl {url} -H x-api-key:anns-key");
    support::serve(axum::serve(local.listener, app), curl).await
}
