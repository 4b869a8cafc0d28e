//! A store and a resolver of the app: ten lines each.
//!
//! ```text
//! cargo run --example custom_store
//! curl http://127.0.0.1:8080/passthrough/acct_17/customers
//! ```
//!
//! With `-- --once` the example makes that call itself, prints the answer and stops.

mod support;

use std::error::Error;
use std::{collections::HashMap, io};

use axum::Router;
use http::HeaderName;
use tower_passthrough::auth::Bearer;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::upstream::ResolveError;
use tower_passthrough::{
    BaseUrlResolver, CallContext, Connection, CredentialStore, PassthroughService, StoreError,
    Upstream,
};

use crate::support::Local;

/// The field by which callers authenticate to this app. The field never reaches a vendor.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A database, or the substitute for a database in this example.
struct Accounts(HashMap<&'static str, &'static str>);

impl Accounts {
    async fn token(&self, account: &str) -> io::Result<Option<&'static str>> {
        Ok(self.0.get(account).copied())
    }
}

impl CredentialStore for Accounts {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        // A store that can't give an answer returns an error that says so: `NotFound` would deny a
        // connection that exists.
        let token = self
            .token(id.as_str())
            .await
            .map_err(StoreError::unavailable)?;
        let token = token.ok_or(StoreError::NotFound)?;
        Ok(Connection::new("crm").with_secret("token", token))
    }
}

/// Each integration's vendor, by name.
struct Vendors {
    crm: Upstream,
}

impl BaseUrlResolver for Vendors {
    async fn resolve(&self, connection: &Connection) -> Result<Upstream, ResolveError> {
        match connection.integration() {
            "crm" => Ok(self.crm.clone()),
            _ => Err(ResolveError::UnknownIntegration),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let accounts = Accounts(HashMap::from([("acct_17", "anns-token")]));
    let crm = Upstream::new(&(local.vendor + "/v2"))?.auth(Bearer);
    let service = PassthroughService::builder(accounts, Vendors { crm })
        .authorize_fn(|id, _| id.as_str() == "acct_17")
        .caller_credentials([API_KEY])
        .transport(local.transport)
        .build();
    let app = Router::new().nest_service("/passthrough", service);

    let curl = format!(
        "curl http://{}/passthrough/acct_17/customers",
        local.address
    );
    support::serve(axum::serve(local.listener, app), curl).await
}
