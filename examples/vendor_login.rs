//! Access tokens from a vendor's own login call: this example logs in to Adobe Commerce, which takes an admin's name and password
//! (<https://developer.adobe.com/commerce/webapi/get-started/authentication/>).
//!
//! ```text
//! cargo run --example vendor_login
//! curl http://127.0.0.1:8080/passthrough/acme/V1/orders
//! ```
//!
//! With `-- --once` the example makes that call itself, prints the answer and stops.

#[path = "support/shop.rs"]
mod shop;
mod support;

use std::error::Error;
use std::time::{Duration, SystemTime};

use http::{HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use tower_passthrough::auth::AccessToken;
use tower_passthrough::body::RequestBody;
use tower_passthrough::client::Dispatch;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Transport, Upstream,
};

use crate::support::Local;

/// Logs in over the transport that calls use, so that the same guard checks the address, and TLS is required for the login wherever TLS is
/// required for calls. [`RefreshingStore`] decides when to log in and where the token is kept.
struct Login {
    transport: HttpTransport,
    /// The login call's own host.
    upstream: Upstream,
    url: String,
}

impl TokenSource for Login {
    fn supports(&self, connection: &Connection) -> bool {
        connection.integration() == "shop"
    }

    async fn fetch(&self, _: &ConnectionKey, shop: &Connection) -> Result<Tokens, TokenError> {
        let text = |name| std::str::from_utf8(shop.credential().get(name)?.expose()).ok();
        let login = serde_json::json!({"username": text("username"), "password": text("password")});
        let request = Request::post(&self.url).header("content-type", "application/json");
        let request = request
            .body(RequestBody::from(login.to_string()))
            .map_err(TokenError::failed)?;
        let to = Dispatch::new(self.upstream.destination());
        let response = self.transport.send(request, &to).await;
        let response = response.map_err(TokenError::failed)?;
        match response.status() {
            StatusCode::OK => {}
            // The connection's owner alone knows another password.
            StatusCode::UNAUTHORIZED => return Err(TokenError::Revoked),
            status => return Err(TokenError::failed(format!("status {status}"))),
        }
        let body = Limited::new(response.into_body(), 4096).collect().await;
        // The parser's own error might quote the text that the parser has read.
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
    let acme = Connection::new("shop").with_secret("username", "ann");
    let acme = acme.with_secret("password", "s3cr3t");
    let store = MemoryStore::from_iter([("acme", acme)]);
    let url = shop::start().await?;
    let login = Login {
        transport: local.transport.clone(),
        upstream: Upstream::new(&url)?,
        url,
    };
    let store = RefreshingStore::new(store, login);
    let shops = Integrations::new().with("shop", Upstream::new(&local.vendor)?.auth(AccessToken));
    let service = PassthroughService::builder(store, shops)
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([HeaderName::from_static("x-api-key")])
        .transport(local.transport)
        .build();
    let app = axum::Router::new().nest_service("/passthrough", service);
    let (address, call) = (&local.address, "passthrough/acme/V1/orders");
    let curl = format!("curl http://{address}/{call}");
    support::serve(axum::serve(local.listener, app), curl).await
}
