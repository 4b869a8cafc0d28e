//! Access tokens that are refreshed before they expire, by a source of any kind.
//!
//! [`RefreshingStore`] wraps a store. When a call asks it for a connection, it checks the end of the token (`freshness`),
//! joins the calls that wait for the same connection (`single_flight`), makes one refresh for all of them (`refresh`), and
//! remembers what the next refresh must know (`backoff`).

mod backoff;
mod expires_at;
mod freshness;
#[expect(
    clippy::module_inception,
    reason = "one refresh is what the room is about"
)]
mod refresh;
mod report;
mod source;
mod store;

pub use self::report::{RefreshOutcome, RefreshReport};
pub use self::source::{TokenError, TokenSource, Tokens};
pub use self::store::RefreshingStore;
