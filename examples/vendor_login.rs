//! Access tokens by a vendor's own login call: here Adobe Commerce's, which takes an admin's name
//! and password (<https://developer.adobe.com/commerce/webapi/get-started/authentication/>).
//!
//! ```text
//! cargo run --example vendor_login --features oauth2
//! curl http://127.0.0.1:8080/passthrough/acme/V1/orders
//! ```
//!
//! With `-- --once` it makes that call itself, prints the answer and stops.

#[path = "support/shop.rs"]
mod shop;
mod support;

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower_passthrough::auth::AccessToken;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream,
};

use crate::support::Local;

/// Logs in. When it's time for that, and where the token is kept, is no business of it.
struct Login(Client<HttpConnector, Full<Bytes>>, String);

impl TokenSource for Login {
    fn serves(&self, connection: &Connection) -> bool {
        connection.integration() == "shop"
    }

    async fn obtain(&self, _: &ConnectionId, shop: &Connection) -> Result<Tokens, TokenError> {
        let text = |name| std::str::from_utf8(shop.credential().get(name)?.expose()).ok();
        let login = serde_json::json!({"username": text("username"), "password": text("password")});
        let request = Request::post(&self.1).header("content-type", "application/json");
        let request = request
            .body(login.to_string().into())
            .map_err(TokenError::failed)?;
        let response = self.0.request(request).await.map_err(TokenError::failed)?;
        match response.status() {
            StatusCode::OK => {}
            // Only the connection's owner knows another password.
            StatusCode::UNAUTHORIZED => return Err(TokenError::Revoked),
            status => return Err(TokenError::failed(format!("status {status}"))),
        }
        let body = Limited::new(response.into_body(), 4096).collect().await;
        // The parser's own error might quote what it has read.
        let token = serde_json::from_slice(&body.map_err(TokenError::failed)?.to_bytes());
        let token: String = token.map_err(|_| TokenError::failed("no token came"))?;
        let mut tokens = Tokens::new(token);
        tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(4 * 3600));
        Ok(tokens)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let acme = Connection::new("shop").with("username", "ann");
    let acme = acme.with("password", "s3cr3t");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let store = MemoryStore::from_iter([("acme", acme)]);
    let store = RefreshingStore::new(store, Login(client, shop::start().await?));
    let shops = Integrations::new().with("shop", Upstream::new(&local.vendor)?.auth(AccessToken));
    let service = PassthroughService::builder(store, shops).transport(local.transport);
    let service = service.authorize(|id: &ConnectionId, _: CallContext<'_>| id.as_str() == "acme");
    let app = axum::Router::new().nest_service("/passthrough", service.build());
    let (address, call) = (&local.address, "passthrough/acme/V1/orders");
    let curl = format!("curl http://{address}/{call}");
    support::serve(axum::serve(local.listener, app), curl).await
}
