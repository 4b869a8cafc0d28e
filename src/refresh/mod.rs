//! Refreshes access tokens shortly before they expire.
//!
//! A [`RefreshingStore`] wraps a store, and gets new tokens from a [`TokenSource`]: `OAuth2TokenSource` (feature `oauth2`), or your own
//! source:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use tower_passthrough::{CallContext, Connection, CredentialStore, MemoryStore, Secret};
//! use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
//! use tower_passthrough::store::ConnectionKey;
//!
//! struct Login;
//!
//! impl TokenSource for Login {
//!     fn supports(&self, connection: &Connection) -> bool {
//!         connection.integration() == "crm"
//!     }
//!
//!     async fn fetch(&self, _: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
//!         // Here the upstream's login is called.
//!         let mut tokens = Tokens::new("t0k3n");
//!         tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
//!         Ok(tokens)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::new("crm").with_secret("password", "s3cr3t");
//! let store = RefreshingStore::new(MemoryStore::from_iter([("acme", connection)]), Login);
//!
//! // The service does this for each call.
//! # let (extensions, method) = (http::Extensions::new(), http::Method::GET);
//! # let cx = CallContext::new(&extensions, &method);
//! let connection = store.connection(&ConnectionKey::new("acme")?, cx).await?;
//! assert_eq!(connection.credential().get("access_token"), Some(&Secret::from("t0k3n")));
//! # Ok(())
//! # }
//! ```
//!
//! When a call needs a connection, the store checks the expiry of its token. If a refresh is needed, a single refresh serves all calls that
//! wait for the same connection. [The guide](crate::guides::refreshing) describes when a token is refreshed, and how several processes
//! share the work.

// `freshness` checks the expiry of a token, `refresh` makes a refresh, and `backoff` remembers what the next refresh must know.
mod backoff;
mod expires_at;
mod freshness;
#[expect(
    clippy::module_inception,
    reason = "one refresh is what the room is about"
)]
mod refresh;
mod report;
mod source;
mod store;

pub use self::report::{RefreshOutcome, RefreshReport};
pub use self::source::{TokenError, TokenSource, Tokens};
pub use self::store::RefreshingStore;
