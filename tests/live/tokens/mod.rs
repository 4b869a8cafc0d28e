//! Token endpoints of OAuth 2.0, which `OAuth2TokenSource` calls.

mod answers;
mod client_auth;
mod failures;
mod grants;
mod jwt;
mod kit;
