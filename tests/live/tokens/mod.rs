//! Token endpoints of OAuth 2.0, asked by `OAuth2TokenSource`.

mod answers;
mod client_auth;
mod failures;
mod grants;
mod jwt;
mod kit;
