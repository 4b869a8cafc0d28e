//! Gets access tokens from the token endpoints of OAuth 2.0 (RFC 6749, RFC 7523), so that connections stay usable after their tokens have
//! expired.
//!
//! ```
//! # #[cfg(feature = "test-util")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tower_passthrough::{Connection, MemoryStore};
//! use tower_passthrough::oauth2::{OAuth2TokenSource, TokenEndpoint};
//! use tower_passthrough::refresh::RefreshingStore;
//! # use http::{Extensions, Method, Response};
//! # use tower_passthrough::{CallContext, CredentialStore, Secret};
//! # use tower_passthrough::store::ConnectionKey;
//! # use tower_passthrough::test_util::FakeUpstream;
//!
//! # let transport = FakeUpstream::new(|_| Response::new(r#"{"access_token":"t0k3n","expires_in":1800}"#));
//! // `transport` is also the transport of the service.
//! let tokens = OAuth2TokenSource::new(transport.clone()).with(
//!     "hubspot",
//!     TokenEndpoint::new("https://api.hubapi.com/oauth/v1/token")?.client_id("5f3c").client_secret("s3cr3t"),
//! );
//! let connection = Connection::new("hubspot").with_secret("refresh_token", "r3fr3sh");
//! let store = RefreshingStore::new(MemoryStore::from_iter([("acme", connection)]), tokens);
//!
//! // Each call of the connection now gets a valid access token.
//! # let (extensions, method) = (Extensions::new(), Method::GET);
//! # let cx = CallContext::new(&extensions, &method);
//! let connection = store.connection(&ConnectionKey::new("acme")?, cx).await?;
//! assert_eq!(connection.credential().get("access_token"), Some(&Secret::from("t0k3n")));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "test-util"))]
//! # fn main() {}
//! ```
//!
//! An [`OAuth2TokenSource`] has a [`TokenEndpoint`] for each integration, which describes the request and the response.
//! [`RefreshingStore`](crate::refresh::RefreshingStore) decides when a token is refreshed.

mod answer;
mod assertion;
mod client;
mod content;
mod encoding;
mod endpoint;
mod error;
mod expiry;
mod request;
mod signing;

pub use self::assertion::Assertion;
#[cfg(feature = "catalog")]
pub(crate) use self::client::Fallback;
pub use self::client::OAuth2TokenSource;
pub use self::endpoint::{ClientAuth, GrantType, TokenEndpoint, TokenParameter};
pub use self::error::TokenEndpointError;
pub use self::signing::{SigningAlgorithm, SigningKeyError};
