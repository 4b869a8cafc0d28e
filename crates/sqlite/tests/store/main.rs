//! Connections in a SQLite file: several handles, several processes, kills in between, and the bytes on the disk.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod at_rest;
mod caching;
mod checking;
mod child;
mod clock;
mod files;
mod folder;
mod killed;
mod processes;
mod reviving;
mod rotation;
mod rules;

use http::{Extensions, Method};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};
use tower_passthrough_sqlite::SqliteStore;

use self::folder::{Folder, KEY, OTHER_KEY, keys};

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
async fn called(store: &SqliteStore, id: &ConnectionKey) -> Result<Connection, StoreError> {
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    store.connection(id, cx).await
}
