//! An application as a user of `tower-passthrough` would write it: a scheme, a store, a transport and a token source of its own, and a
//! struct that keeps the service. It uses only what is public, so it fails to compile where something public can't be used.

mod app;
mod scheme;
mod store;
mod tokens;
mod transport;

pub use self::app::App;
pub use self::scheme::AcmeAuth;
pub use self::store::Accounts;
pub use self::tokens::Login;
pub use self::transport::Counting;
