//! Access tokens that refresh themselves, wherever they come from.
//!
//! [`RefreshingStore`] wraps a store, and a call passes it where it asks the store for its connection. It
//! decides by the token's end (`freshness`) whether there is anything to do, keeps those who wait
//! for one connection together (`flight`), and makes one refresh for all of them (`refresh`), of
//! which it remembers what the next one must know (`backoff`).

mod asking;
mod backoff;
mod expires_at;
mod flight;
mod freshness;
mod landed;
mod refresh;
mod report;
mod rfc3339;
mod secrets;
mod source;
mod store;

pub use self::report::{RefreshOutcome, RefreshReport};
pub use self::source::{TokenError, TokenSource, Tokens};
pub use self::store::RefreshingStore;

pub(crate) use self::rfc3339::rfc3339;
