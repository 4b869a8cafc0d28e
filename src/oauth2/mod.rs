//! Tokens of an OAuth 2.0 token endpoint: a request of one of its grants (RFC 6749, RFC 7523), in
//! the client's name, and the tokens in its answer.

mod answer;
mod assertion;
mod client;
mod client_auth;
mod encoding;
mod endpoint;
mod expiry;
mod failure;
mod grant;
mod parameter;
mod request;
mod signing;
mod unready;

pub use self::assertion::Assertion;
pub use self::client::OAuth2TokenSource;
pub use self::client_auth::ClientAuth;
pub use self::endpoint::TokenEndpoint;
pub use self::failure::TokenEndpointError;
pub use self::grant::GrantType;
pub use self::parameter::TokenParameter;
pub use self::signing::{SigningAlgorithm, SigningKeyError};
