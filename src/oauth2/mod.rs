//! Tokens from OAuth 2.0 token endpoints: requests with a grant (RFC 6749, RFC 7523) and the client's authentication, and
//! the tokens in their responses.

mod answer;
mod assertion;
mod client;
mod encoding;
mod endpoint;
mod error;
mod expiry;
mod request;
mod signing;

pub use self::assertion::Assertion;
pub use self::client::OAuth2TokenSource;
pub use self::endpoint::{ClientAuth, GrantType, TokenEndpoint, TokenParameter};
pub use self::error::TokenEndpointError;
pub use self::signing::{SigningAlgorithm, SigningKeyError};
