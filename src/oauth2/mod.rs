//! Access tokens that refresh themselves.

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
mod source;
mod unready;

pub use self::assertion::Assertion;
pub use self::client::OAuth2;
pub use self::client_auth::ClientAuth;
pub use self::endpoint::TokenEndpoint;
pub use self::failure::TokenEndpointError;
pub use self::grant::Grant;
pub use self::parameter::TokenParameter;
pub use self::signing::{SigningAlgorithm, SigningKeyError};
pub use self::source::{TokenError, TokenSource, Tokens};
