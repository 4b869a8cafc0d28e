//! Access tokens that refresh themselves.

mod answer;
mod assertion;
mod backoff;
mod client;
mod client_auth;
mod encoding;
mod endpoint;
mod expires_at;
mod expiry;
mod failure;
mod flight;
mod freshness;
mod grant;
mod landed;
mod parameter;
mod refresh;
mod refreshing;
mod report;
mod request;
mod secrets;
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
pub use self::refreshing::Refreshing;
pub use self::report::{RefreshOutcome, RefreshReport};
pub use self::signing::{SigningAlgorithm, SigningKeyError};
pub use self::source::{TokenError, TokenSource, Tokens};
