//! An application, written like the application of a `tower-passthrough` user: the application has its own scheme, store, transport and
//! token source, and a struct that keeps the service. The application uses only public items, so it fails to compile where a public item
//! can't be used.

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
