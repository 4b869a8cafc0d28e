//! Connections in Redis: several handles, real servers, crashes and fail-overs in between, and the bytes on the disk.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod at_rest;
mod caching;
mod cluster;
mod crashes;
mod encrypted;
mod opening;
mod outages;
#[cfg(feature = "rates")]
mod rates;
mod refreshing;
mod rotation;
mod rules;
mod server;

use http::{Extensions, Method};
use testkit::redis::{DURABLE, Server, prefix, redis, shared, valkey};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};
use tower_passthrough_redis::RedisStore;

use self::server::{KEY, OTHER_KEY, Stores, keys};

fn id(id: &str) -> ConnectionKey {
    ConnectionKey::try_from(id).unwrap()
}

fn with_token(token: &str) -> Connection {
    Connection::new("crm").with_secret("token", token)
}

fn token(connection: &Connection) -> String {
    let token = connection.credential().get("token").unwrap();
    String::from_utf8(token.expose().to_vec()).unwrap()
}

/// Returns the connection in the way in which a call reads it.
async fn called(store: &RedisStore, id: &ConnectionKey) -> Result<Connection, StoreError> {
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    store.connection(id, cx).await
}

/// Returns an error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
