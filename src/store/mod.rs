//! Finds the connections of calls, in the host application's database or in memory ([`MemoryStore`](crate::MemoryStore)).
//!
//! A store needs an asynchronous method:
//!
//! ```
//! use tower_passthrough::store::ConnectionKey;
//! use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};
//!
//! # #[derive(Debug)] struct Row { integration: String, token: String }
//! # #[derive(Debug)] struct Pool;
//! # impl Pool { async fn get(&self, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) } }
//! struct Database(Pool);
//!
//! impl CredentialStore for Database {
//!     async fn connection(&self, key: &ConnectionKey, _: CallContext<'_>) -> Result<Connection, StoreError> {
//!         let row = self.0.get(key.as_str()).await.map_err(StoreError::unavailable)?;
//!         let row = row.ok_or(StoreError::NotFound)?;
//!         Ok(Connection::new(row.integration).with_secret("token", row.token))
//!     }
//! }
//! ```
//!
//! Connections with tokens that are refreshed need a [`TokenStore`], which gives each version of a credential a number, and allows
//! a single process at a time to refresh a credential. [`ConnectionStore`] adds methods that add, remove and list connections.

mod boxed;
pub(crate) mod credentials;
pub(crate) mod memory;
mod tokens;

pub use self::boxed::{BoxConnectionStore, BoxCredentialStore, BoxTokenStore};
pub use self::tokens::{
    ConnectionStore, ConnectionSummary, CredentialVersion, GrantState, GrantUpdate, RefreshLease,
    StoredConnection, TokenStore,
};
pub use crate::connection::{ConnectionKey, Credential, InvalidConnectionKey, Variables};

pub(crate) use self::credentials::{CredentialStore, StoreError};
